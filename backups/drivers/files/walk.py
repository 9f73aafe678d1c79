"""Everything in a directory tree, in one fixed order: each directory before its content, names sorted.

Nothing is ever reached by a path: each directory is opened below the descriptor of its parent and no link is followed,
so whoever writes to the tree meanwhile cannot lead the walk elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

from backups.drivers.files.names import Name, sorted_names
from backups.drivers.files.words import unreadable

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
GONE = frozenset({errno.ENOENT, errno.ESTALE})
OTHER_NOW = frozenset({errno.ELOOP, errno.ENOTDIR, errno.ENXIO})
NAMED = 5
NO_XATTRS: dict[str, bytes] = {}
COMPUTED = frozenset({"security.evm", "security.ima"})  # the kernel's own signatures of a file; nobody may set them


class Type(StrEnum):
    """What an entry is. A further name of an inode that had one before is a hard link."""

    DIRECTORY = "directory"
    FILE = "file"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    FIFO = "fifo"
    CHARACTER = "character device"
    BLOCK = "block device"


TYPES = {
    stat.S_IFDIR: Type.DIRECTORY,
    stat.S_IFREG: Type.FILE,
    stat.S_IFLNK: Type.SYMLINK,
    stat.S_IFIFO: Type.FIFO,
    stat.S_IFCHR: Type.CHARACTER,
    stat.S_IFBLK: Type.BLOCK,
}


class Node(NamedTuple):
    """One entry. ``fd`` is open for a file's content, else -1; whoever took the node closes it."""

    path: str  # below the root, as os.fsdecode() gives it; "" is the root itself
    type: Type
    stat: os.stat_result
    fd: int = -1
    target: str = ""  # of a symbolic link; of a hard link the first name
    xattrs: dict[str, bytes] = NO_XATTRS


@dataclass
class Noticed:
    """What the walk passed over or has to tell; counts, and the first few paths."""

    counts: dict[str, int] = field(default_factory=dict)
    paths: dict[str, list[str]] = field(default_factory=dict)

    def add(self, what: str, path: str) -> None:
        """Count ``path`` under ``what``."""
        self.counts[what] = self.counts.get(what, 0) + 1
        named = self.paths.setdefault(what, [])
        if len(named) < NAMED:
            named.append(path)


class Walk:
    """Iterates over the tree below ``root``, which must be open and stay so.

    Memory: at most some 100,000 names of each directory on the way down, and one small record per inode of which not
    all names were met yet. ``base`` is put before paths in error messages. Raises :class:`DriverError` for what cannot be read;
    what vanishes meanwhile, and sockets, are passed over and told in ``noticed``.
    """

    def __init__(self, root: int, base: str) -> None:
        self._root = root
        self._base = base
        self._links: dict[tuple[int, int], tuple[str, int]] = {}
        self.noticed = Noticed()

    def __iter__(self) -> Iterator[Node]:
        yield Node("", Type.DIRECTORY, os.fstat(self._root), xattrs=self._xattrs(self._root, ""))
        # A frame per directory on the way down: its descriptor, its path with a slash, its names still to come.
        frames: list[tuple[int, str, Iterator[Name]]] = [(self._root, "", self._names(self._root, ""))]
        try:
            while frames:
                directory, before, names = frames[-1]
                found = next(names, None)
                if found is None:
                    frames.pop()
                    if directory != self._root:
                        os.close(directory)
                    continue
                name, regular = found
                node = self._visit(directory, name, before + name, regular)
                if node is None:
                    continue
                if node.type is Type.DIRECTORY:
                    # The consumer must not keep this descriptor: it belongs to the walk.
                    frames.append((node.fd, node.path + "/", iter(())))
                    frames[-1] = (node.fd, node.path + "/", self._names(node.fd, node.path))
                    node = node._replace(fd=-1)
                yield node
        finally:
            for directory, _, _ in frames:
                if directory != self._root:
                    os.close(directory)

    def _names(self, directory: int, path: str) -> Iterator[Name]:
        try:
            return sorted_names(directory)
        except OSError as error:
            raise unreadable(self._base + path, error) from error

    def _visit(self, directory: int, name: str, path: str, regular: bool) -> Node | None:
        try:
            for _ in range(5):
                try:
                    return self._regular(directory, name, path) if regular else self._other(directory, name, path)
                except _Replaced:
                    regular = not regular
            raise unreadable(self._base + path, OSError(errno.EBUSY, "it is being replaced all the time"))
        except OSError as error:
            if error.errno in GONE:
                self.noticed.add("vanished", path)
                return None
            raise unreadable(self._base + path, error) from error

    def _regular(self, directory: int, name: str, path: str) -> Node:
        fd = open_quietly(name, READ, directory)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise _Replaced
            if status.st_nlink > 1 and (first := self._first_name(status, path)):
                os.close(fd)
                return Node(path, Type.HARDLINK, status, target=first)
            return Node(path, Type.FILE, status, fd, xattrs=self._xattrs(fd, path))
        except BaseException:
            os.close(fd)
            raise

    def _other(self, directory: int, name: str, path: str) -> Node | None:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        kind = TYPES.get(stat.S_IFMT(status.st_mode))
        if kind is Type.FILE:
            raise _Replaced
        if kind is None:
            self.noticed.add("socket", path)
            return None
        if kind is Type.DIRECTORY:
            return self._directory(directory, name, path)
        if status.st_nlink > 1 and (first := self._first_name(status, path)):
            return Node(path, Type.HARDLINK, status, target=first)
        target = ""
        if kind is Type.SYMLINK:
            try:
                target = os.readlink(name, dir_fd=directory)
            except OSError as error:
                if error.errno == errno.EINVAL:  # no link any more
                    raise _Replaced from None
                raise
        return Node(path, kind, status, -1, target, self._xattrs(f"/proc/self/fd/{directory}/{name}", path))

    def _directory(self, parent: int, name: str, path: str) -> Node:
        fd = open_quietly(name, READ | os.O_DIRECTORY, parent)
        try:
            status = os.fstat(fd)
            if status.st_dev != os.fstat(parent).st_dev:
                self.noticed.add("mount", path)
            return Node(path, Type.DIRECTORY, status, fd, xattrs=self._xattrs(fd, path))
        except BaseException:
            os.close(fd)
            raise

    def _first_name(self, status: os.stat_result, path: str) -> str:
        """The first name met of an inode with several, "" when this is it. Forgotten once all names were met."""
        inode = (status.st_dev, status.st_ino)
        first, left = self._links.get(inode, ("", status.st_nlink))
        if not first:
            self._links[inode] = (path, left - 1)
        elif left == 1:
            del self._links[inode]
        else:
            self._links[inode] = (first, left - 1)
        return first

    def _xattrs(self, where: int | str, path: str) -> dict[str, bytes]:
        """Extended attributes, the access control lists among them."""
        try:
            follow = isinstance(where, int)
            names = os.listxattr(where, follow_symlinks=follow)
            if not names:
                return NO_XATTRS
            found = {}
            for name in sorted(names):
                if name not in COMPUTED:
                    found[name] = os.getxattr(where, name, follow_symlinks=follow)
            return found
        except OSError as error:
            if error.errno in (errno.ENOTSUP, errno.ENODATA):
                return NO_XATTRS
            raise unreadable(self._base + path, error) from error


class _Replaced(Exception):
    """The name stands for another kind of thing than a moment ago."""


def open_quietly(name: str, flags: int, directory: int | None = None) -> int:
    """Open without leaving a trace in the time of last access, where the system lets us."""
    try:
        try:
            return os.open(name, flags | os.O_NOATIME, dir_fd=directory)
        except PermissionError:  # only a file's owner may ask for that
            return os.open(name, flags, dir_fd=directory)
    except OSError as error:
        if error.errno in OTHER_NOW and directory is not None:
            raise _Replaced from None
        raise


def entry(node: Node) -> dict[str, Any]:
    """The manifest's line for a node, but for a file's SHA-256. Equal lines: equal things."""
    if node.type is Type.HARDLINK:
        return {"path": node.path, "type": node.type, "target": node.target}
    status = node.stat
    line: dict[str, Any] = {
        "path": node.path,
        "type": node.type,
        "mode": stat.S_IMODE(status.st_mode),
        "uid": status.st_uid,
        "gid": status.st_gid,
        "mtime_ns": status.st_mtime_ns,
    }
    if node.type is Type.FILE:
        line["size"] = status.st_size
    elif node.type is Type.SYMLINK:
        line["target"] = node.target
    elif node.type in (Type.CHARACTER, Type.BLOCK):
        line["device"] = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    if node.xattrs:
        line["xattrs"] = {name: sha256(value).hexdigest() for name, value in node.xattrs.items()}
    return line
