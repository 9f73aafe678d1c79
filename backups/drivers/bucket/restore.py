"""Building a bucket beside the live one from what the vault holds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from backups.aws.access import Access
from backups.drivers.base import Artefact, DamagedBackup, DriverError, Place, StillWorking
from backups.drivers.bucket import beside
from backups.drivers.bucket.copying import Copied, copy_object
from backups.drivers.bucket.entry import ARCHIVES, Entry, Listed
from backups.drivers.bucket.listing import START, joined, pages
from backups.drivers.bucket.pace import AGAIN_IN, NOT_THERE, Turn, why
from backups.drivers.bucket.restores import Notes
from backups.drivers.bucket.target import Target
from backups.drivers.bucket.vault import BATCH, Vault
from backups.drivers.bucket.vaults import check_same, token_of, vault_in
from backups.drivers.counting import megabytes
from backups.drivers.provider import KeptAt
from backups.drivers.words import Progress

OF, RESTORED = "of", "restored"


def kept_of(artefact: Artefact) -> KeptAt:
    """Which list in which vault is the backup's."""
    if artefact.kept is None:
        raise DamagedBackup(
            "The portal does not know which list in the vault is this backup's. Restore another backup."
        )
    return artefact.kept


def vault_of(target: Target, kept: KeptAt) -> Vault:
    """The vault that the backup lies in: the other region's will do as well, S3 copies from there."""
    vault = vault_in(Access(target.access.account, kept.region), target.hash)
    check_same(kept, vault)
    return vault


def entries(artefact: Artefact) -> Iterator[Entry]:
    """The manifest's lines."""
    return map(Entry.of_line, artefact.manifest())


def there(access: Access, bucket: str, after: str = "") -> Iterator[Listed]:
    """What stands in a bucket behind that key, without versions: a restore's bucket has one of each."""
    for page in pages(access, bucket, (after, "") if after else START, versions=False):
        yield from page.objects


def restore(target: Target, place: Place, artefact: Artefact, progress: Progress) -> None:
    """Copy what is not there yet. Each object is there whole or not at all, so a call goes on wherever one was cut short."""
    turn = target.pace.turn()
    kept = kept_of(artefact)
    read_description(artefact)
    vault, notes = vault_of(target, kept), Notes.of(target, place.beside)
    bucket = place.beside
    notes.put(OF, {"region": kept.region, "token": token_of(kept)})
    beside.make(target.access, bucket, place.beside)
    noted = notes.get(RESTORED) or {"after": "", "bytes": 0}
    after, done = noted["after"], noted["bytes"]
    missing: list[Entry] = []
    wanted = (entry for entry in entries(artefact) if entry.key > after and not entry.left_out)
    for entry, found in joined(wanted, there(target.access, bucket, after)):
        if entry is None:
            continue  # verify() tells of what does not belong there
        after = entry.key
        if found is None or found.size != entry.size:
            missing.append(entry)
        else:
            done += entry.size
        if len(missing) < BATCH:
            continue
        done += _copied(target, vault, bucket, missing, turn)
        missing = []
        progress(done, artefact_size(artefact))
        if turn.over:
            notes.put(RESTORED, {"after": after, "bytes": done})
            raise StillWorking(f"AWS copies out of the vault: {megabytes(done)}.", again_in=AGAIN_IN, bytes_done=done)
    done += _copied(target, vault, bucket, missing, turn)
    progress(done, artefact_size(artefact))
    notes.drop(RESTORED)


def artefact_size(artefact: Artefact) -> int | None:
    """All bytes that are to be copied, as far as is known."""
    return artefact.kept.size if artefact.kept else None


def _copied(target: Target, vault: Vault, bucket: str, missing: list[Entry], turn: Turn) -> int:
    target.pace.each([partial(_copy, target, vault, bucket, entry, turn) for entry in missing])
    return sum(entry.size for entry in missing)


def _copy(target: Target, vault: Vault, bucket: str, entry: Entry, turn: Turn) -> Copied:
    key = vault.objects + entry.name
    try:
        return copy_object(
            target.access,
            {"Bucket": vault.bucket, "Key": key},
            "",
            entry,
            bucket,
            entry.key,
            pace=target.pace,
            turn=turn,
            tags=entry.tags,
            **chosen(entry),
        )
    except DriverError as error:
        if why(error) not in NOT_THERE:
            raise
        raise DamagedBackup(
            f"The stored backup is damaged: the vault {vault.bucket} has no copy of {entry.key}. Restore another backup.",
            detail=key,
        ) from error


def chosen(entry: Entry) -> dict[str, Any]:
    """The class of storage and the key that an object had."""
    key = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": entry.kms} if entry.kms else {}
    return {"StorageClass": storage_of(entry), **key}


def storage_of(entry: Entry) -> str:
    """The class that it is restored to: what was archived since the backup would be beyond reach again at once."""
    return "STANDARD" if entry.storage in ARCHIVES else entry.storage


def read_description(artefact: Artefact) -> None:
    """Read all that is stored of the backup: the vault is only believed with a description that holds."""
    with artefact.open() as description:
        while description.read(1 << 16):
            pass
