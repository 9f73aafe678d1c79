"""The headers of a PAX tar archive, as POSIX has it and GNU tar reads it.

Only headers: whoever writes the archive puts the content after them, padded to :data:`BLOCK` bytes.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Sequence
from functools import lru_cache
from grp import getgrgid
from pwd import getpwuid

from backups.drivers.files.walk import Node, Type

BLOCK = 512
END = bytes(2 * BLOCK)
FLAGS = {
    Type.DIRECTORY: b"5",
    Type.FILE: b"0",
    Type.SYMLINK: b"2",
    Type.HARDLINK: b"1",
    Type.FIFO: b"6",
    Type.CHARACTER: b"3",
    Type.BLOCK: b"4",
}
DEVICES = (Type.CHARACTER, Type.BLOCK)
NAME_ROOM = 100
LAYOUT = struct.Struct("100s8s8s8s12s12s8s1s100s8s32s32s8s8s167x").pack
LARGEST_ID = 0o7777777
LARGEST_NUMBER = 0o77777777777
SECOND = 1_000_000_000


def padding(size: int) -> bytes:
    """The zeros after ``size`` bytes of content."""
    return bytes(-size % BLOCK)


def header(node: Node, size: int, sparse: Sequence[tuple[int, int]] | None = None) -> bytes:  # the format in one place
    """All that stands before a node's content of ``size`` bytes.

    With ``sparse``, the (offset, length) of each part that holds data, ``size`` is the sum of their lengths, and the
    parts' content follows.
    """
    status = node.stat
    path, target = _names(node)
    seconds = min(max(status.st_mtime_ns // SECOND, 0), LARGEST_NUMBER)
    records = _records(node, target)
    chart = b""
    if sparse is not None:
        records += [
            record(b"GNU.sparse.major", b"1"),
            record(b"GNU.sparse.minor", b"0"),
            record(b"GNU.sparse.name", path),
            record(b"GNU.sparse.realsize", b"%d" % status.st_size),
        ]
        path = b"./GNUSparseFile.0/" + path.rpartition(b"/")[2][:80]
        chart = b"%d\n" % len(sparse) + b"".join(b"%d\n%d\n" % part for part in sparse)
        chart += padding(len(chart))
        size += len(chart)
    elif len(path) > NAME_ROOM:
        records.append(record(b"path", path))
    if size > LARGEST_NUMBER:
        records.append(record(b"size", b"%d" % size))
    block = _block(
        path[:NAME_ROOM], stat.S_IMODE(status.st_mode), _fitting(status.st_uid), _fitting(status.st_gid),
        min(size, LARGEST_NUMBER), seconds, FLAGS[node.type], target[:NAME_ROOM],
        _user(status.st_uid), _group(status.st_gid), status.st_rdev if node.type in DEVICES else 0,
    )  # fmt: skip
    return extension(records) + block + chart


def extension(records: Sequence[bytes]) -> bytes:
    """What stands before a header that has no room for all of this; nothing for nothing."""
    if not records:
        return b""
    content = b"".join(records)
    return _extension_header(len(content)) + content + padding(len(content))


def with_checksum(block: bytes) -> bytes:
    """The header with the checksum that it must have."""
    return b"%b%06o\0 %b" % (block[:148], sum(block[:148]) + 8 * 32 + sum(block[156:]), block[156:])


def _names(node: Node) -> tuple[bytes, bytes]:
    """The node's path and link target as tar writes them: bytes, whatever their encoding."""
    path = b"./" + os.fsencode(node.path)
    target = os.fsencode(node.target)
    if node.type is Type.DIRECTORY and node.path:
        path += b"/"
    if node.type is Type.HARDLINK:
        target = b"./" + target
    return path, target


def _records(node: Node, target: bytes) -> list[bytes]:
    """The extended records for what the classic header has no room for, but for path and size."""
    status = node.stat
    records = []
    if len(target) > NAME_ROOM:
        records.append(record(b"linkpath", target))
    seconds, fraction = divmod(status.st_mtime_ns, SECOND)
    if fraction or not 0 <= seconds <= LARGEST_NUMBER:
        records.append(record(b"mtime", _decimal(status.st_mtime_ns)))
    if status.st_uid > LARGEST_ID:
        records.append(record(b"uid", b"%d" % status.st_uid))
    if status.st_gid > LARGEST_ID:
        records.append(record(b"gid", b"%d" % status.st_gid))
    for name, value in node.xattrs.items():
        key = os.fsencode(name).replace(b"%", b"%25").replace(b"=", b"%3D")  # as GNU tar has it
        records.append(record(b"SCHILY.xattr." + key, value))
    return records


def _fitting(number: int) -> int:
    return number if number <= LARGEST_ID else 0


def _block(
    path: bytes,
    mode: int,
    uid: int,
    gid: int,
    size: int,
    mtime: int,
    flag: bytes,
    target: bytes,
    user: bytes,
    group: bytes,
    device: int = 0,
) -> bytes:
    block = LAYOUT(
        path, b"%07o\0" % mode, b"%07o\0" % uid, b"%07o\0" % gid, b"%011o\0" % size, b"%011o\0" % mtime, b"        ",
        flag, target, b"ustar\x0000", user, group, b"%07o\0" % os.major(device), b"%07o\0" % os.minor(device),
    )  # fmt: skip
    return with_checksum(block)


@lru_cache(256)
def _extension_header(size: int) -> bytes:
    return _block(b"././@PaxHeader", 0o644, 0, 0, size, 0, b"x", b"", b"", b"")


def record(key: bytes, value: bytes) -> bytes:
    """One extended record: ``length key=value``, where the length counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %b=%b\n" % (length, key, value)


def _decimal(nanoseconds: int) -> bytes:
    """Seconds with a fraction; exact, also before 1970."""
    sign = b"-" if nanoseconds < 0 else b""
    return b"%b%d.%09d" % (sign, *divmod(abs(nanoseconds), SECOND))


@lru_cache(1024)
def _user(uid: int) -> bytes:
    try:
        return os.fsencode(getpwuid(uid).pw_name)[:31]
    except KeyError:
        return b""


@lru_cache(1024)
def _group(gid: int) -> bytes:
    try:
        return os.fsencode(getgrgid(gid).gr_name)[:31]
    except KeyError:
        return b""
