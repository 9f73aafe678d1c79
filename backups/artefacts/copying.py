"""Copying a stored backup to another region."""

from __future__ import annotations

from dataclasses import replace

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
from backups.drivers.base import DamagedBackup, DriverError, KeptAt, Progress
from backups.stores.base import NotStored, Store


def copy_artefact(
    source: Store,
    prefix: str,
    target: Store,
    target_prefix: str,
    info: StoredArtefactInfo,
    progress: Progress,
    kept: KeptAt | None = None,
) -> None:
    """Copy the backup under ``prefix`` of ``source`` to ``target_prefix`` of ``target``, checking every byte; index last.

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
    done, expected = 0, info.size + info.manifest_size
    try:
        for name, size, checksum in (
            (DATA, info.size, info.checksum),
            (MANIFEST, info.manifest_size, info.manifest_checksum),
        ):
            key = f"{target_prefix}/{name}"
            with (
                StoredBytes(source, f"{prefix}/{name}", size, checksum) as stored,
                said(),
                target.writer(key) as writer,
            ):
                while chunk := stored.read():
                    writer.write(chunk)
                    done += len(chunk)
                    progress(done, expected)
                if writer.commit() != size:
                    raise DriverError(f"The region {target.region} kept another size of {key}. Try again.", retry=True)
        write_index(target, target_prefix, replace(index, kept=kept))
    except BaseException:
        delete_artefact(target, target_prefix)
        raise
