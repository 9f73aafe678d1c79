"""What tells a directory from any other of its file system: its inode's number and the moment it was born.

The device's number is not part of it: it changes when the file system is mounted anew, and with it Undo would be lost.
An inode's number alone may be given away again once the directory is gone; the moment of birth then differs. Only
``statx`` tells it, which Python's library does not have.
"""

from __future__ import annotations

import ctypes
import os

_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_BTIME = 0x800

_libc = ctypes.CDLL(None, use_errno=True)


class _Statx(ctypes.Structure):
    """The beginning of the kernel's ``struct statx``, up to the moment of birth; in all it has 256 bytes."""

    _fields_ = (
        ("mask", ctypes.c_uint32),
        ("_before", ctypes.c_byte * 76),
        ("born_seconds", ctypes.c_int64),
        ("born_nanoseconds", ctypes.c_uint32),
        ("_after", ctypes.c_byte * 164),
    )


def identity_of(directory: int, name: str) -> str:
    """``inode.birth`` of what has that name in the open directory, not following a link; empty when nothing has it.

    The birth is 0 where the file system or the system does not know it. Raises OSError.
    """
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return ""
    return f"{status.st_ino}.{_born(directory, name)}"


def _born(directory: int, name: str) -> int:
    """Nanoseconds since 1970."""
    if not hasattr(_libc, "statx"):
        return 0
    found = _Statx()
    failed = _libc.statx(directory, os.fsencode(name), _AT_SYMLINK_NOFOLLOW, _STATX_BTIME, ctypes.byref(found))
    if failed or not found.mask & _STATX_BTIME:
        return 0
    return int(found.born_seconds) * 1_000_000_000 + int(found.born_nanoseconds)
