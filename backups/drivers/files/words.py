"""Sizes, paths and the system's errors, as people read them."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from backups.drivers.base import DriverError
from backups.drivers.counting import counted

PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
UNITS = ("kB", "MB", "GB", "TB", "PB")
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def size(count: int) -> str:
    """Bytes in words: "812 bytes", "1.8 GB"."""
    if count < 1000:
        return counted(count, "byte")
    amount, step = float(count), 0
    while amount >= 999.5 and step < len(UNITS):
        amount, step = amount / 1000, step + 1
    unit = UNITS[step - 1]
    return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"


def shown(path: str) -> str:
    """A path on one line, whatever bytes it has: newlines and bytes that are not UTF-8 come as escapes."""
    if path.isprintable():
        return path or "."
    return "".join(
        sign
        if sign.isprintable()
        else f"\\x{ord(sign) - 0xDC00:02x}"
        if 0xDC80 <= ord(sign) <= 0xDCFF
        else repr(sign)[1:-1]
        for sign in path
    )


def named(paths: Sequence[str], total: int) -> str:
    """The first few of ``total`` paths: "a, b and 3 more"."""
    text = ", ".join(shown(path) for path in paths)
    return text if total <= len(paths) else f"{text} and {total - len(paths):,} more"


def unreadable(path: str, error: OSError) -> DriverError:
    """A part of the tree that cannot be read. Without it there is no backup."""
    reason = (error.strerror or str(error)).lower()
    advice = {
        errno.EACCES: "Give the portal's user the right to read it",
        errno.EPERM: "Give the portal's user the right to read it",
        errno.EMFILE: "The tree is too deep, or the portal's limit of open files too low: raise it",
    }.get(error.errno or 0, "See that its disk is sound")
    return DriverError(
        f"{shown(path)} cannot be read: {reason}. {advice}, then try again.",
        detail=str(error),
        retry=error.errno in PASSING,
    )


def unwritable(path: str, error: OSError) -> DriverError:
    """A change that the file system refused."""
    reason = (error.strerror or str(error)).lower()
    advice = "Free space" if error.errno in FULL else "See that its disk is sound and that the portal's user may write"
    return DriverError(
        f"{shown(path)} cannot be changed: {reason}. {advice} there, then try again.",
        detail=str(error),
        retry=error.errno in PASSING | FULL,
    )
