"""A directory tree with one of everything that file systems and archive formats are awkward about."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from backups.drivers.files import FilesDriver, renames
from backups.drivers.words import ManifestEntry, Settings
from tests.drivers.case import BadInput, DriverCase, Fingerprint

BEFORE_1970 = -12_345_678_901_234_567
ACL = bytes.fromhex("02000000 01000600ffffffff 02000400 39300000 04000400ffffffff 10000400ffffffff 20000000ffffffff")


def build_tree(root: Path) -> None:
    """Small, quick to build, and nothing left out that root may make; others get what they may make."""
    root.mkdir(parents=True)
    (root / "readme.txt").write_text("Hello\n" * 50)
    (root / "empty").touch()
    (root / "empty directory").mkdir(mode=0o711)
    (root / "block").write_bytes(b"x" * 512)
    (root / "large").write_bytes(Random(1).randbytes(3_000_001))
    deep = root / "deep"
    for number in range(12):
        deep /= f"a rather long directory name, number {number:03}"
    deep.mkdir(parents=True)
    (deep / ("n" * 255)).write_text("long name")
    os.symlink("../" * 40 + "nowhere", deep / "long link")
    for odd in (b"new\nline", b"not utf-8 \xff\xfe", "ünïcödé ✓".encode(), b"-rf", b"back\\slash", b" ", b"%41=b"):
        path = os.path.join(os.fsencode(root), odd)
        with open(path, "wb") as file:
            file.write(odd)
    with open(os.fsencode(root) + b"/" + b"\xe9" * 180, "wb") as file:
        file.write(b"long and not utf-8")
    order = root / "order"  # names around the slash and the dot
    (order / "a").mkdir(parents=True)
    for name in ("a/b", "a-b", "a.b", "a0", "A"):
        (order / name).write_text(name)
    os.symlink("readme.txt", root / "link")
    os.symlink("/etc/passwd", root / "absolute link")
    os.symlink(b"broken \xff", os.fsencode(root / "broken link"))
    os.symlink(".", root / "loop")
    os.link(root / "readme.txt", root / "zz hard link")
    os.link(root / "readme.txt", root / "order" / "hard link")
    os.link(root / "link", root / "hard link to link", follow_symlinks=False)
    os.mkfifo(root / "fifo", 0o640)
    with (root / "sparse").open("wb") as file:
        file.truncate(5_000_000)
        file.seek(1_048_576)
        file.write(b"data in the middle")
    with (root / "all hole").open("wb") as file:
        file.truncate(1_000_001)
    with (root / "hole then data").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"end")
    for name, mode in (("setuid", 0o4755), ("setgid", 0o2755), ("none", 0o000), ("readonly", 0o444)):
        (root / name).write_text(name)
        if mode or os.geteuid() == 0:
            (root / name).chmod(mode)
    (root / "sticky").mkdir()
    (root / "sticky").chmod(0o1777)
    (root / "closed").mkdir()
    (root / "closed" / "inside").write_text("inside")
    for attribute, value in (("user.plain", b"value"), ("user.odd=%name", b"\0\n\xff"), ("user.empty", b"")):
        set_attribute(root / "setgid", attribute, value)
    set_attribute(root / "sticky", "user.directory", b"x" * 2000)
    set_attribute(root / "readonly", "system.posix_acl_access", ACL)
    set_attribute(root / "sticky", "system.posix_acl_default", ACL)
    if os.geteuid() == 0:
        os.mknod(root / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        os.mknod(root / "disk", 0o600 | stat.S_IFBLK, os.makedev(259, 65_537))
        os.chown(root / "block", 12345, 3_000_000)
        os.chown(root / "link", 23456, 23456, follow_symlinks=False)
        os.chown(root / "empty directory", 4_000_000_000, 54321)
        set_attribute(root / "block", "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))
        set_attribute(root / "link", "trusted.of-link", b"t")
    os.utime(root / "empty", ns=(0, BEFORE_1970))
    os.utime(root / "block", ns=(0, 1_600_000_000_123_456_789))
    os.utime(root / "large", ns=(0, 1_600_000_000_000_000_000))
    os.utime(root / "link", ns=(0, 1_500_000_000_000_000_001), follow_symlinks=False)
    os.utime(root / "absolute link", ns=(0, 1_400_000_000_999_999_999), follow_symlinks=False)
    (root / "closed").chmod(0o555)
    os.utime(root / "closed", ns=(0, 1_300_000_000_000_000_007))
    root.chmod(0o750)


def set_attribute(path: Path, name: str, value: bytes) -> None:
    """Set an extended attribute where the file system has them."""
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise


def fingerprint(root: str | Path) -> dict[str, str]:
    """Everything about a tree that a restore must bring back, by plain calls of the standard library."""
    top = os.fsencode(root)
    groups: dict[tuple[int, int], list[bytes]] = {}
    found: dict[str, str] = {}
    paths = [top]
    for directory, directories, files in os.walk(top):
        paths += [os.path.join(directory, name) for name in directories + files]
    for path in paths:
        status = os.lstat(path)
        if stat.S_ISSOCK(status.st_mode):
            continue
        name = os.path.relpath(path, top)
        what = [oct(status.st_mode), str(status.st_uid), str(status.st_gid), str(status.st_mtime_ns)]
        if stat.S_ISREG(status.st_mode):
            with open(path, "rb") as file:
                what += [str(status.st_size), hashlib.file_digest(file, "md5").hexdigest()]
        if stat.S_ISLNK(status.st_mode):
            what.append(repr(os.readlink(path)))
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            what.append(str(status.st_rdev))
        for attribute in sorted(os.listxattr(path, follow_symlinks=False)):
            what.append(f"{attribute}={os.getxattr(path, attribute, follow_symlinks=False)!r}")
        if not stat.S_ISDIR(status.st_mode):
            groups.setdefault((status.st_dev, status.st_ino), []).append(name)
        found[repr(name)] = " ".join(what)
    for names in groups.values():
        if len(names) > 1:
            found[f"one inode: {sorted(names)!r}"] = str(len(names))
    return found


def before_each_step(callback: Callable[[], None]) -> None:
    """Call back before each rename, flush, new or removed name of this process, whoever asks for it."""
    for owner, name in (
        (os, "rename"), (os, "fsync"), (os, "mkdir"), (os, "unlink"), (os, "rmdir"), (renames, "renameat2"),
    ):  # fmt: skip
        setattr(owner, name, _announced(getattr(owner, name), callback))


def before_each_step_without_exchange(callback: Callable[[], None]) -> None:
    """The same, on a file system that cannot exchange two names."""
    without_exchange()
    before_each_step(callback)


def without_exchange() -> Callable[..., None]:
    """Have this process believe that its file systems cannot exchange two names; the real call, to put back."""
    real = renames.renameat2

    def refuse(directory: int, old: str, new: str, flags: int) -> None:
        if flags == renames.EXCHANGE:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(directory, old, new, flags)

    renames.renameat2 = refuse
    return real


def _announced(function: Callable[..., Any], callback: Callable[[], None]) -> Callable[..., Any]:
    def announced(*arguments: Any, **named: Any) -> Any:
        callback()
        return function(*arguments, **named)

    return announced


@dataclass
class FilesCase:
    """The tree ``live`` below ``home``, which is the allowed root."""

    home: Path
    before_each_step: Callable[[Callable[[], None]], None] = before_each_step
    driver: FilesDriver = field(init=False)
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.driver = FilesDriver((self.home,))
        self.settings = {"path": str(self.home / "live")}
        build_tree(self.home / "live")
        (self.home / "neighbour").mkdir()

    @property
    def bad_inputs(self) -> Sequence[BadInput]:
        """See the protocol."""
        (self.home / "file").write_text("a file")
        os.symlink("live", self.home / "to live")
        os.symlink("/usr", self.home / "out")
        bad = {
            "nothing": "",
            "relative": "live",
            "absent": str(self.home / "absent"),
            "a file": str(self.home / "file"),
            "a link": str(self.home / "to live"),
            "through a link": str(self.home / "out" / "share"),
            "elsewhere": "/etc",
            "the root itself": str(self.home),
            "traversal": f"{self.home}/live/../../..",
            "sibling of the root": str(self.home) + "x",
            "zero byte": f"{self.home}/live\0",
        }
        return [BadInput(what, {"path": path}, "path") for what, path in bad.items()]

    def snapshot(self, name: str) -> Fingerprint:
        """See the protocol."""
        return fingerprint(name)

    def exists(self, name: str) -> bool:
        """See the protocol."""
        return os.path.lexists(name)

    def names(self) -> frozenset[str]:
        """See the protocol."""
        return frozenset(os.listdir(self.home))

    def mutate(self) -> None:
        """See the protocol."""
        live = self.home / "live"
        (live / "readme.txt").write_text("changed")
        (live / "new").mkdir()
        (live / "new" / "file").write_text("new")
        (live / "large").unlink()
        (live / "empty").chmod(0o777)
        os.utime(live / "block", ns=(1, 1))

    def grow(self, megabytes: int) -> None:
        """See the protocol."""
        with (self.home / "live" / "grown").open("ab") as file:
            for _ in range(megabytes):
                file.write(os.urandom(1 << 20))

    def lose(self) -> None:
        """See the protocol."""
        remove_tree(self.home / "live")

    def stir(self, name: str) -> None:
        """See the protocol: files do not act."""

    def acting(self, name: str) -> list[str]:
        """See the protocol."""
        return []

    def tamper(self, name: str) -> str:
        """See the protocol."""
        path = Path(name, "large")
        status = path.stat()
        with path.open("r+b") as file:
            file.seek(2_000_000)
            file.write(b"!")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return "large"

    def tamper_manifest(self, entries: list[ManifestEntry]) -> tuple[list[ManifestEntry], str]:
        """See the protocol."""
        changed = [{**entry, "mode": 0o123} if entry["path"] == "setuid" else entry for entry in entries]
        return changed, "setuid"


def remove_tree(path: Path) -> None:
    """Remove a tree with directories that not even their owner may write to."""
    for directory, _, _ in os.walk(path):
        os.chmod(directory, 0o700)
    shutil.rmtree(path)


@contextmanager
def open_case(home: Path) -> Iterator[DriverCase]:
    """A fresh tree below ``home``, removed afterwards."""
    try:
        yield FilesCase(home)
    finally:
        remove_tree(home)
