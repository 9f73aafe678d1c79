"""The demo's DATA_DIR: made for it, marked as its own, wiped only when so marked. Knows nothing of Django."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from portal.supervisor.checks import CannotStart, check_data_dir, lock_data_dir

MARKER = "demo-data"  # its presence says: all that is in here may be deleted by the demo
COMPLETE = "demo-complete"
LOCK = "run.lock"
EDITION = "2"
"""Counted up when a demo made before cannot go on as it is."""
MARKER_TEXT = "Everything in this directory was made by the portal's demo, which deletes it when it starts over.\n"


def take_ground(data: Path, *, reset: bool) -> str:
    """Make ``data`` ready for the demo to go on or to begin; what to tell about it.

    Refuses a directory with anything in it that is not the demo's, and one in use.
    """
    if not (data / MARKER).exists() and data.exists() and any(path.name != LOCK for path in _entries(data)):
        raise CannotStart(
            f"{data} holds data that is not the demo's, so the demo keeps away from it."
            " Set DATA_DIR to a new directory."
        )
    check_data_dir(data)
    lock = lock_data_dir(data)
    try:
        (data / MARKER).write_text(MARKER_TEXT)
        left = [path for path in _entries(data) if path.name not in (MARKER, LOCK)]
        if not left or (is_complete(data) and not reset):
            if left and (data / COMPLETE).read_text() != EDITION:
                raise CannotStart(
                    f"The demo in {data} was made by an earlier version of the portal. 'make demo-reset' makes it anew."
                )
            return ""
        _wipe(data, left)
        return (
            "The demo's data was deleted." if reset else "The last start was stopped half-way; the demo is made anew."
        )
    finally:
        os.close(lock)


def is_complete(data: Path) -> bool:
    """Whether the demo in ``data`` was made to its end."""
    return (data / COMPLETE).exists()


def mark_complete(data: Path) -> None:
    """Say that the demo is there, whole."""
    (data / COMPLETE).write_text(EDITION)


def _entries(data: Path) -> list[Path]:
    try:
        return list(data.iterdir())
    except OSError as error:
        raise CannotStart(f"DATA_DIR {data} cannot be used ({error.strerror}). Set it to another directory.") from None


def _wipe(data: Path, entries: list[Path]) -> None:
    (data / COMPLETE).unlink(missing_ok=True)  # first: a wipe that is stopped half-way leaves nothing that looks whole
    for path in entries:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
