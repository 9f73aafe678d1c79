"""Which directories may be backed up, and the names that a restore uses beside them."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backups.drivers.base import ATTEMPT_NAME, DriverError, Mode, NotFound, Place
from backups.drivers.files.words import shown, unreadable
from backups.drivers.words import Settings

NAME_MAX = 255
TRASH = ".gone"
OF_A_RESTORE = re.compile(rf"\.(before|restored?)-{ATTEMPT_NAME}({re.escape(TRASH)})?\Z")
OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PASS = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC  # through what may be entered but not read


def locator(settings: Settings) -> str:
    """The canonical path: absolute, without links or dots. The directory need not exist."""
    path = settings.get("path", "").strip()
    if not path:
        raise wrong("Give the directory's path.")
    if not path.startswith("/"):
        raise wrong(f"The path {shown(path)} is not absolute. Give it from the root on, beginning with a slash.")
    if "\0" in path:
        raise wrong("A path cannot contain a zero byte. Give the directory's real path.")
    parent, name = os.path.split(os.path.normpath(path).replace("//", "/", 1))
    return os.path.join(os.path.realpath(parent), name)


def allowed(path: str, roots: Sequence[Path]) -> None:
    """Refuse a canonical path that is not strictly below one of the roots."""
    if not roots:
        raise wrong("No directory may be backed up yet. Set FILES_ROOTS to the directories that hold the resources.")
    real = [os.path.realpath(root) for root in roots]
    if not any(below(path, root) for root in real):
        names = " or ".join(shown(root) for root in real)
        raise wrong(f"{shown(path)} is not below {names}. Choose a directory there, or add its parent to FILES_ROOTS.")


def not_of_a_restore(path: str) -> None:
    """Refuse a canonical path at or below what a restore put aside: the portal itself removes that in time."""
    for part in path.split("/"):
        if OF_A_RESTORE.search(part):
            raise wrong(
                f"{shown(path)} belongs to a restore, which removes it when its time is over. Copy it to a place of its"
                " own, and give that."
            )


def below(path: str, root: str) -> bool:
    """Whether the canonical path is strictly below the canonical root."""
    return path != root and path.startswith(root.rstrip("/") + "/")


@contextmanager
def opened(path: str) -> Iterator[int]:
    """The directory at the canonical path, open. Refuses what is no directory of its own, in words.

    A link is followed nowhere on the way: who may write to a directory above must not lead us elsewhere.
    """
    try:
        fd = _open(path)
    except FileNotFoundError:
        sentence = f"There is no directory {shown(path)}. Correct the path, or restore the directory."
        if not os.path.isdir(os.path.dirname(path)):  # a disk that is not mounted, say: nothing is known then
            raise wrong(sentence) from None
        raise NotFound(sentence, setting="path") from None
    except OSError as error:
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            raise unreadable(path, error) from error
        if stat.S_ISLNK(mode):
            aim = shown(os.path.realpath(path))
            raise wrong(f"{shown(path)} is a symbolic link. Give the directory itself: {aim}.") from error
        if not stat.S_ISDIR(mode):
            raise wrong(f"{shown(path)} is not a directory. Give the directory that holds it.") from error
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise wrong(f"A directory above {shown(path)} is a symbolic link now. See who changed it.") from error
        raise unreadable(path, error) from error
    try:
        yield fd
    finally:
        os.close(fd)


def _open(path: str) -> int:
    """Open the directory, one name at a time; raises OSError."""
    *above, name = path.strip("/").split("/")
    here = os.open("/", PASS)
    try:
        for part in above:
            deeper = os.open(part, PASS, dir_fd=here)
            os.close(here)
            here = deeper
        return os.open(name or ".", OPEN, dir_fd=here)
    finally:
        os.close(here)


def place(path: str, token: str, mode: Mode) -> Place:
    """The names for a restore of the directory at the canonical path: its siblings, so on the same file system."""
    parent, name = os.path.split(path)
    beside = f".{{}}.restore-{token}" if mode is Mode.IN_PLACE else f"{{}}.restored-{token}"
    return Place(path, _sibling(parent, name, beside), _sibling(parent, name, f"{{}}.before-{token}"))


def trash(name: str) -> str:
    """Where a directory goes that is being removed."""
    return name + TRASH


def wrong(sentence: str) -> DriverError:
    """A refusal of the setting ``path``."""
    return DriverError(sentence, setting="path")


def usable_names() -> None:
    """Refuse to run where file names are not UTF-8: they would not come back as they are."""
    if sys.getfilesystemencoding() != "utf-8":
        raise DriverError("The portal must run with UTF-8 file names. Set PYTHONUTF8=1 and start it again.")


def _sibling(parent: str, name: str, pattern: str) -> str:
    """``pattern`` around the name, which is cut where the whole would get too long for a file name."""
    room = NAME_MAX - len(os.fsencode(pattern.format(""))) - len(TRASH)
    cut = os.fsencode(name)[:room]
    while cut and not _whole(cut):
        cut = cut[:-1]
    return os.path.join(parent, pattern.format(os.fsdecode(cut) if cut else ""))


def _whole(name: bytes) -> bool:
    """Whether the cut did not go through the middle of a UTF-8 character."""
    return name.decode("utf-8", "ignore").encode() == name or name.decode("utf-8", "surrogateescape").isascii()
