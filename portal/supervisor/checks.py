"""What can be seen to be wrong before anything is started, in a sentence each."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

LEAST_FREE_BYTES = 200 * 1024 * 1024
LEFTOVERS_SECONDS = 15.0
ALIVE_SECONDS = 1.0  # who was killed just now is there a moment longer


class CannotStart(Exception):
    """The portal cannot start; the text says why and what to do."""


def check_data_dir(path: Path) -> None:
    """See that ``path`` is, or can become, a directory that can be written to, with room left."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"\0" * 65536)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CannotStart(
                f"The disk of {path} is full. Make room, or set DATA_DIR to a directory elsewhere."
            ) from None
        raise CannotStart(
            f"DATA_DIR {path} cannot be written to ({error.strerror}). Set DATA_DIR to a directory that can."
        ) from None
    free = shutil.disk_usage(path).free
    if free < LEAST_FREE_BYTES:
        raise CannotStart(
            f"The disk of {path} has only {free // 1_000_000} MB left, and the portal needs"
            f" {LEAST_FREE_BYTES // 1_000_000} MB to start. Make room, or set DATA_DIR to a directory elsewhere."
        )


def check_port(text: str) -> int:
    """The port, when it is one that is free. Raises :class:`CannotStart`."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise CannotStart(f"PORT is {text!r}; it must be a number from 1 to 65535.")
    port = int(text)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise CannotStart(f"Port {port} may not be used by this user. Choose one above 1023: PORT=8001.") from None
        except OSError:
            other = port + 1 if port < 65535 else 8001
            raise CannotStart(f"Port {port} is taken by another program. Choose another: PORT={other}.") from None
    return port


def lock_data_dir(path: Path) -> int:
    """Hold ``path`` for this portal alone; the descriptor that holds it, for as long as any process has it open.

    Waits for what is left of a portal that was killed: its children end by themselves within seconds.
    """
    handle = os.open(path / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode(errors="replace").strip()
            if time.monotonic() - began > (LEFTOVERS_SECONDS if _is_gone(holder) else ALIVE_SECONDS):
                os.close(handle)
                raise CannotStart(
                    f"A portal already runs on {path} (process {holder or 'unknown'})."
                    " Stop it first, or set another DATA_DIR."
                ) from None
            time.sleep(0.1)
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def _is_gone(holder: str) -> bool:
    """Whether that process has ended, waited for by its parent or not."""
    if not holder.isdigit():
        return False
    try:
        os.kill(int(holder), 0)
        state = Path(f"/proc/{holder}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return True
    except OSError:  # another user's process, or a system without /proc
        return False
    return state in "ZX"
