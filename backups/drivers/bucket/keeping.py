"""What vaults keep of backups: copying it to another region's, looking whether it is whole, listing whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from backups.aws.access import Access
from backups.drivers.base import DamagedBackup, DriverError, StillWorking
from backups.drivers.bucket.copying import copy_object, encrypted
from backups.drivers.bucket.lists import begin, check_counted_on, finish
from backups.drivers.bucket.pace import AGAIN_IN, NO_BUCKET, NOT_THERE, OTHERWISE, Pace, Turn, why
from backups.drivers.bucket.shelf import Shelf
from backups.drivers.bucket.vault import DELETING, DONE, ROOT, Line, Vault, unquoted, written_part
from backups.drivers.bucket.vaults import PART, check_fit, check_same, kept_in, name_of, no_vault, token_of, vault_in
from backups.drivers.counting import counted, megabytes
from backups.drivers.provider import KeptAt, Owned
from backups.drivers.words import Progress


def copy(here: Vault, there: Vault, kept: KeptAt, token: str, locator: str, pace: Pace, progress: Progress) -> KeptAt:
    """Have all that the list names in the other region's vault, and the list. What is there already is not copied again."""
    check_same(kept, here)
    check_fit(there.access)
    source = token_of(kept)
    told = here.done(source)
    if told is None:
        raise _damaged("has no list of it", here.bucket, source)
    made = KeptAt(there.access.region, {PART: kept_in(there, token)}, told["bytes"])
    if DONE in begin(there, token, locator).get(token, {}):
        return made
    written = len(there.part_numbers(token))
    bytes_done = 0
    with there.shelf() as shelf:
        turn = pace.turn()
        for number, part in enumerate(here.whole(source, told["parts"])):
            bytes_done = part.header["bytes"]
            if number < written:
                continue
            lines = _copied(here, there, part.lines, shelf, pace, turn)
            there.put_once(f"{there.parts(token)}{number:08d}", written_part(part.header, lines))
            progress(bytes_done, told["bytes"])
            if turn.over and number + 1 < len(told["parts"]):
                raise StillWorking(
                    f"AWS copies {counted(told['objects'], 'object')} from {here.access.region} to {there.access.region}:"
                    f" {megabytes(bytes_done)} of {megabytes(told['bytes'])}.",
                    again_in=AGAIN_IN,
                    bytes_done=bytes_done,
                    bytes_expected=told["bytes"],
                )
    digests = []
    with there.shelf() as shelf:
        for number in there.part_numbers(token):
            digest, part = there.read(token, number)
            digests.append(digest)
            for line in part.lines:
                if not line.entry.left_out:
                    check_counted_on(line, shelf)
    finish(there, token, digests, told["objects"], told["bytes"])
    return made


def _copied(here: Vault, there: Vault, lines: Sequence[Line], shelf: Shelf, pace: Pace, turn: Turn) -> list[Line]:
    at = {line.key: there_at[1] for line in lines if (there_at := shelf.get(line.entry.name))}
    missing = [line for line in lines if not line.entry.left_out and line.key not in at]
    made = pace.each([partial(_copy_one, here, there, line, pace, turn) for line in missing])
    at |= {line.key: etag for line, etag in zip(missing, made, strict=True)}
    return [Line(line.entry, at.get(line.key, "")) for line in lines]


def _copy_one(here: Vault, there: Vault, line: Line, pace: Pace, turn: Turn) -> str:
    key = here.objects + line.entry.name
    source = {"Bucket": here.bucket, "Key": key}
    try:
        return copy_object(
            there.access,
            source,
            line.at,
            line.entry,
            there.bucket,
            key,
            pace=pace,
            turn=turn,
            **encrypted(there.access),
        ).etag
    except DriverError as error:
        if why(error) not in NOT_THERE | OTHERWISE:
            raise
        how = "has no copy" if why(error) in NOT_THERE else "has another content than was stored"
        raise _damaged(f"{how} of {line.key}", here.bucket, key) from error


def check(vault: Vault, kept: KeptAt) -> None:
    """The list is whole and as it was written, and all that it names is there: by listings, not object by object."""
    check_same(kept, vault)
    token = token_of(kept)
    told = vault.done(token)
    if told is None:
        raise _damaged("has no list of it", vault.bucket, vault.mark(token, DONE))
    with vault.shelf() as shelf:
        for part in vault.whole(token, told["parts"]):
            for line in part.lines:
                if not line.entry.left_out and shelf.get(line.entry.name) != (line.entry.size, line.at):
                    there = shelf.get(line.entry.name)
                    how = "has no copy" if there is None else "has another content than was stored"
                    raise _damaged(f"{how} of {line.key}", vault.bucket, vault.objects + line.entry.name)


def _damaged(how: str, bucket: str, detail: str) -> DamagedBackup:
    return DamagedBackup(
        f"The stored backup is damaged: the vault {bucket} {how}. Restore another backup.", detail=detail
    )


def owned(access: Access) -> Iterator[Owned]:
    """Every list in the region's vault, whole or begun, of whichever resource. Where no vault is set there is none."""
    account = access.account
    if access.region not in account.regions or not account.regions[access.region].vault:
        return
    bucket = name_of(access)
    marks = _marks(access, bucket)
    for (of, token), one in groupby(marks, lambda mark: tuple(mark["Key"].split("/")[2:4])):
        kinds = {mark["Key"].rpartition("/")[2] for mark in one}
        name = kept_in(vault_in(access, of), unquoted(token))
        yield Owned(unquoted(token), name, sound=DONE in kinds and DELETING not in kinds)


def _marks(access: Access, bucket: str) -> Iterator[dict[str, Any]]:
    """What the vault has of marks. Where it cannot be listed the sentence names it: AWS's own names no bucket."""
    try:
        yield from access.pages("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{ROOT}/marks/")
    except StillWorking:
        raise
    except DriverError as error:
        if why(error) in NO_BUCKET:
            raise no_vault(access, error) from error
        sentence = f"The vault {bucket} in {access.region} cannot be listed. {error.sentence}"
        raise DriverError(sentence, detail=error.detail, retry=error.retry) from error
