"""Renaming below an open directory: never over something, and exchanging two names in one atomic step.

``renameat2`` is the one system call that can do either; Python's library does not have it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform

NOREPLACE = 1
EXCHANGE = 2
NUMBERS = {"x86_64": 316, "aarch64": 276, "riscv64": 276, "ppc64le": 357, "s390x": 347}
UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})

_libc = ctypes.CDLL(None, use_errno=True)


class NoExchange(Exception):
    """This file system cannot exchange two names in one step."""


def renameat2(directory: int, old: str, new: str, flags: int) -> None:
    """The system call; raises OSError."""
    arguments = (directory, os.fsencode(old), directory, os.fsencode(new), flags)
    if hasattr(_libc, "renameat2"):
        failed = _libc.renameat2(*arguments)
    elif platform.machine() in NUMBERS:
        failed = _libc.syscall(NUMBERS[platform.machine()], *arguments)
    else:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if failed:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), old, None, new)


def exchange(directory: int, one: str, other: str) -> None:
    """Let the two names change places, atomically. Raises :class:`NoExchange` where that is not possible."""
    try:
        renameat2(directory, one, other, EXCHANGE)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            raise NoExchange from error
        raise
    flush(directory)


def move(directory: int, old: str, new: str) -> None:
    """Rename; raises FileExistsError when there is a ``new`` already."""
    try:
        renameat2(directory, old, new, NOREPLACE)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        if exists(directory, new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
        os.rename(old, new, src_dir_fd=directory, dst_dir_fd=directory)
    flush(directory)


def exists(directory: int, name: str) -> bool:
    """Whether the name is taken, be it by a broken link."""
    try:
        os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def flush(directory: int) -> None:
    """Have the names survive a power cut."""
    os.fsync(directory)


def flush_file_system(directory: int) -> None:
    """Have everything on the directory's file system survive a power cut; raises OSError when writing failed."""
    if _libc.syncfs(directory):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
