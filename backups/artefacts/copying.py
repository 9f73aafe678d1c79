"""Copying a stored backup to another region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from backups.artefacts.layout import (
    DATA,
    INDEX,
    MANIFEST,
    StoredArtefactInfo,
    delete_artefact,
    read_index,
    said,
    write_index,
)
from backups.artefacts.reading import StoredBytes
from backups.drivers.base import DamagedBackup, DriverError
from backups.drivers.provider import KeptAt
from backups.drivers.words import Progress
from backups.stores.base import CopiesFrom, NotStored, Store


def copy_artefact(
    source: Store,
    prefix: str,
    target: Store,
    target_prefix: str,
    info: StoredArtefactInfo,
    progress: Progress,
    kept: KeptAt | None = None,
) -> bool:
    """Copy the backup under ``prefix`` of ``source`` to ``target_prefix`` of ``target``, checking every byte; index last.

    Bytes that pass through here are checked as they come; what a server copied by itself is read back from the target.
    True when all of it was read back, so that nobody has to read it again.

    ``kept`` is what the provider keeps for the new copy. Raises :class:`DamagedBackup` when the source is not what ``info``
    says. Whatever is raised, nothing that could be taken for a backup is left in the target.
    """
    try:
        with said():
            index = read_index(source, prefix)
    except DriverError as error:
        if isinstance(error.__cause__, NotStored):
            sentence = f"The stored backup is damaged: its index in the region {source.region} is missing."
            raise DamagedBackup(f"{sentence} Restore another backup.", detail=f"{prefix}/{INDEX}") from error
        raise
    if index.info != info:
        raise DamagedBackup(
            f"What is stored in the region {source.region} is not the backup that the portal recorded."
            " Restore another backup.",
            detail=prefix,
        )
    delete_artefact(target, target_prefix)
    done, expected, read_back = 0, info.size + info.manifest_size, True

    def told(length: int) -> None:
        nonlocal done
        done += length
        progress(done, expected)

    try:
        for name, size, checksum in (
            (DATA, info.size, info.checksum),
            (MANIFEST, info.manifest_size, info.manifest_checksum),
        ):
            one = _Object(source, f"{prefix}/{name}", target, f"{target_prefix}/{name}", size, checksum)
            if not one.copied_by_server(told):
                read_back = False
                one.copy(told)
        write_index(target, target_prefix, replace(index, kept=kept))
    except BaseException:
        delete_artefact(target, target_prefix)
        raise
    return read_back


@dataclass(frozen=True)
class _Object:
    """One object of a backup on its way from a region to another, and what it has to be."""

    source: Store
    source_key: str
    target: Store
    key: str
    size: int
    checksum: str

    def copy(self, told: Callable[[int], None]) -> None:
        """Read it there and write it here."""
        with self._stored(self.source, self.source_key) as stored, said(), self.target.writer(self.key) as writer:
            while chunk := stored.read():
                writer.write(chunk)
                told(len(chunk))
            if writer.commit() != self.size:
                raise self._wrong()

    def copied_by_server(self, told: Callable[[int], None]) -> bool:
        """Have the server copy it, and read the copy back; False when it has to pass through here."""
        if not isinstance(self.target, CopiesFrom):
            return False
        with said():
            copied = self.target.copy_from(self.source, self.source_key, self.key, lambda: told(0))
        if copied is None:
            return False
        try:
            with self._stored(self.target, self.key) as stored:
                while chunk := stored.read():
                    told(len(chunk))
        except DamagedBackup as error:
            with self._stored(self.source, self.source_key) as stored:  # whose damage is it?
                while stored.read():
                    told(0)
            raise self._wrong() from error
        return True

    def _stored(self, store: Store, key: str) -> StoredBytes:
        return StoredBytes(store, key, self.size, self.checksum)

    def _wrong(self) -> DriverError:
        return DriverError(
            f"The region {self.target.region} did not keep {self.key} as it was sent. Try again.", retry=True
        )
