"""Removing a directory tree, whatever its modes, without following a link or entering another file system."""

from __future__ import annotations

import errno
import os
import stat

from backups.drivers.base import DriverError
from backups.drivers.files.mounts import mounts_within
from backups.drivers.files.renames import exists, flush, move
from backups.drivers.files.words import named, shown, unwritable

OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LOCK = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(parent: int, where: str, name: str, trash: str) -> None:
    """Remove the directory ``name`` below the open ``parent``, whose path is ``where``. Absent is fine.

    It is first renamed to ``trash``: the name is free at once, a tree half removed never stands under it, and a process
    that still writes there by its own descriptor cannot disturb what comes next. A crash leaves ``trash``, which the
    next call removes.
    """
    for one in (trash, name):
        if not exists(parent, one):
            continue
        path = os.path.join(where, one)
        inside = mounts_within(path)
        if inside:
            raise DriverError(
                f"{shown(path)} has other file systems mounted inside, which must not be emptied: {named(inside[:5], len(inside))}."
                " Unmount them, then try again."
            )
        try:
            if one == name:
                move(parent, name, trash)
            _remove(parent, trash, os.stat(trash, dir_fd=parent, follow_symlinks=False).st_dev, path)
            flush(parent)
        except OSError as error:
            raise unwritable(path, error) from error


def _remove(parent: int, name: str, device: int, path: str) -> None:
    # One frame per directory on the way down: its descriptor, its own name, the directories still to be emptied.
    frames = [_open(parent, name, device, path)]
    try:
        while frames:
            fd, own, inner = frames[-1]
            if inner:
                frames.append(_open(fd, inner.pop(), device, path))
                continue
            above = frames[-2][0] if len(frames) > 1 else parent
            try:
                os.rmdir(own, dir_fd=above)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                # A process that was killed a moment ago wrote its last file. Look again.
                inner.extend(_empty(fd))
                continue
            frames.pop()
            os.close(fd)
    finally:
        for fd, _, _ in frames:
            os.close(fd)


def _open(parent: int, name: str, device: int, path: str) -> tuple[int, str, list[str]]:
    try:
        fd = os.open(name, OPEN, dir_fd=parent)
    except PermissionError:
        _unlock(parent, name)
        fd = os.open(name, OPEN, dir_fd=parent)
    try:
        status = os.fstat(fd)
        if status.st_dev != device:
            raise DriverError(f"In {shown(path)} another file system is mounted. Unmount it, then try again.")
        if status.st_mode & stat.S_IRWXU != stat.S_IRWXU and os.geteuid() != 0:
            os.fchmod(fd, stat.S_IRWXU)
        return fd, name, _empty(fd)
    except BaseException:
        os.close(fd)
        raise


def _unlock(parent: int, name: str) -> None:
    """Let us into a directory of ours that nobody may read."""
    fd = os.open(name, LOCK, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{fd}", stat.S_IRWXU)
    finally:
        os.close(fd)


def _empty(fd: int) -> list[str]:
    """Remove everything but directories; their names."""
    inner = []
    with os.scandir(fd) as found:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    for name, is_directory in entries:
        if is_directory:
            inner.append(name)
            continue
        try:
            os.unlink(name, dir_fd=fd)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            inner.append(name)
    return inner
