"""What must hold before a directory is restored; everything that can be known early is refused here, in words."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable

from backups.drivers.base import Artefact, DamagedBackup, DriverError, Mode, Place
from backups.drivers.counting import counted
from backups.drivers.files.exchange import Names, names
from backups.drivers.files.mounts import is_mount_point, mounts_within
from backups.drivers.files.part import Picked, expected
from backups.drivers.files.places import opened
from backups.drivers.files.renames import NoExchange, exchange
from backups.drivers.files.walk import Type
from backups.drivers.files.words import named, shown, size
from backups.drivers.words import ManifestEntry
from backups.processes import find_program

PRIVILEGED = ("trusted.", "security.")


def preflight(place: Place, mode: Mode, artefact: Artefact) -> list[str]:
    """A sentence per thing found right; raises :class:`DriverError` for the first that is not."""
    said, _ = _manifest(artefact.manifest(), mode)
    if mode is Mode.EXPORT:
        return [said]
    return [said, *_place(place, mode, artefact.source_bytes)]


def preflight_part(place: Place, artefact: Artefact, picked: Picked) -> list[str]:
    """The same of a part, which is restored beside."""
    said, size = _manifest(expected(artefact.manifest, picked), Mode.BESIDE)
    return [f"All that was picked is there. {said}", *_place(place, Mode.BESIDE, size)]


def _place(place: Place, mode: Mode, needed: int) -> list[str]:
    find_program("tar")
    said = []
    with names(place) as here:
        said.append(_room(here, needed))
        if mode is Mode.IN_PLACE:
            said.append(_live(here, place))
        said.append(_writable(here, place, mode))
    return said


def _manifest(entries: Iterable[ManifestEntry], mode: Mode) -> tuple[str, int]:
    """The manifest is whole, and this process may make what it lists; said, and the size of all files in it."""
    root = os.geteuid() == 0
    own = os.geteuid()
    groups = {os.getegid(), *os.getgroups()}
    count = content = 0
    for entry in entries:
        if count == 0 and (entry.get("path"), entry.get("type")) != ("", Type.DIRECTORY):
            raise DamagedBackup("The manifest does not begin with the directory itself. Restore another backup.")
        count += 1
        content += entry.get("size", 0)
        if root or mode is Mode.EXPORT:
            continue
        foreign = entry.get("uid", own) != own or entry.get("gid", own) not in groups
        special = entry["type"] in (Type.CHARACTER, Type.BLOCK)
        if foreign or special or any(name.startswith(PRIVILEGED) for name in entry.get("xattrs", ())):
            raise DriverError(
                f"{shown(entry['path'])} belongs to another user or needs the administrator's rights, which the portal"
                " does not have here. Run its restore worker as root, or ask for an export."
            )
    if not count:
        raise DamagedBackup("The manifest of the backup is empty. Restore another backup.")
    return f"The manifest is whole: {counted(count, 'entry', 'entries')}.", content


def _room(here: Names, content: int) -> str:
    system = os.fstatvfs(here.parent)
    free, needed = system.f_bavail * system.f_frsize, 2 * content
    if free < needed:
        raise DriverError(
            f"The restore needs {size(needed)} free in {shown(here.where)}, twice the data's size, and there are"
            f" {size(free)}. Free space there, then try again.",
            retry=True,
        )
    return f"There is room: {size(free)} free in {shown(here.where)}, {size(needed)} wanted."


def _live(here: Names, place: Place) -> str:
    """The live directory is one that can change its name."""
    if here.inode(here.live) == "":
        return f"{shown(place.live)} is gone: the restore takes its place, and nothing is replaced."
    with opened(place.live) as live:
        if os.fstat(live).st_dev != os.fstat(here.parent).st_dev or is_mount_point(place.live):
            raise DriverError(
                f"{shown(place.live)} is a file system of its own, which cannot be exchanged by its name. Restore beside"
                " it, and move the content over by hand."
            )
    inside = mounts_within(place.live)
    if inside:
        raise DriverError(
            f"Other file systems are mounted inside {shown(place.live)} and would go with the original:"
            f" {named(inside[:5], len(inside))}. Unmount them, or restore beside it."
        )
    return f"{shown(place.live)} is a directory that can be exchanged."


def _writable(here: Names, place: Place, mode: Mode) -> str:
    """Two directories can be made and exchanged in the parent. Tried with two of our own, gone again at once."""
    suffix = secrets.token_hex(8)
    probes = [f".portal-probe-{one}-{suffix}" for one in "ab"]
    made = []
    once = True
    try:
        for probe in probes:
            os.mkdir(probe, 0o700, dir_fd=here.parent)
            made.append(probe)
        try:
            exchange(here.parent, *probes)
        except NoExchange:
            once = False
    except PermissionError as error:
        raise DriverError(
            f"The portal may not write in {shown(here.where)}. Give its user the right to, then try again.",
            detail=str(error),
        ) from error
    finally:
        for probe in made:
            os.rmdir(probe, dir_fd=here.parent)
    if mode is not Mode.IN_PLACE:
        return f"{shown(here.where)} is writable."
    if once:
        return f"{shown(here.where)} is writable, and the exchange is one atomic step."
    return (
        f"{shown(here.where)} is writable, but its file system cannot exchange two names in one step: for a moment,"
        f" {shown(place.live)} will be absent."
    )
