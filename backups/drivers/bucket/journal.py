"""The journal of an exchange: what has to change in the live bucket, and what stands there now, before anything is touched."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from backups.aws.access import Access
from backups.drivers.base import DamagedBackup, DriverError, StillWorking
from backups.drivers.bucket.entry import ARCHIVES, Entry, Listed
from backups.drivers.bucket.listing import START, joined, pages
from backups.drivers.bucket.pace import AGAIN_IN, Turn, why
from backups.drivers.bucket.restore import OF
from backups.drivers.bucket.restores import Notes
from backups.drivers.bucket.target import Target
from backups.drivers.bucket.vault import BATCH, Vault, digest_of
from backups.drivers.bucket.vaults import vault_in
from backups.drivers.counting import counted

COPY, HIDE, TAG = "copy", "hide", "tag"
AWAKE = " Have it restored in S3 first, or restore beside."
PLANNED, PLANNING, PLAN = "planned", "planning", "plan/"


@dataclass(frozen=True)
class Change:
    """One key: what is done there, what was live (None: nothing), and what the backup has (None: nothing)."""

    do: str
    key: str
    was: Listed | None = None
    was_tags: dict[str, str] | None = None
    new: Entry | None = None

    def line(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "do": self.do,
            "key": self.key,
            "was": asdict(self.was) if self.was else None,
            "was_tags": self.was_tags,
            "new": self.new.line() if self.new else None,
        }

    @classmethod
    def of_line(cls, line: dict[str, Any]) -> Change:
        """What :meth:`line` wrote."""
        was, new = line["was"], line["new"]
        return cls(
            line["do"],
            line["key"],
            Listed(**was) if was else None,
            line["was_tags"],
            Entry.of_line(new) if new else None,
        )


def plan(target: Target, notes: Notes, *, live: bool, turn: Turn) -> None:
    """Write the journal, part by part; ``live``: whether there is a live bucket. What was planned before is planned anew."""
    if notes.get(PLANNED) is not None:
        notes.drop(PLANNED)
        notes.drop(PLANNING)
        notes.drop(PLAN)
    noted = notes.get(PLANNING) or {"after": "", "part": 0, "digests": [], "changes": 0}
    after, digests, changes = noted["after"], noted["digests"], noted["changes"]
    held: list[tuple[Entry | None, Listed | None]] = []

    def write() -> None:
        nonlocal held, changes
        made = [one for one in target.pace.each([partial(_change, target, *pair) for pair in held]) if one]
        body = gzip.compress("\n".join(json.dumps(one.line()) for one in made).encode(), 5, mtime=0)
        notes.vault.put(f"{notes.prefix}{PLAN}{len(digests):08d}", body)
        digests.append(digest_of(body))
        changes += len(made)
        held = []

    wanted = _Wanted(target, notes, after, noted["part"])
    for pair in joined(wanted, _live(target, after) if live else ()):
        held.append(pair)
        if len(held) == BATCH:
            write()
            if turn.over:
                after = (pair[0] or pair[1]).key  # type: ignore[union-attr]  # one of the two is there
                notes.put(PLANNING, {"after": after, "part": wanted.part, "digests": digests, "changes": changes})
                sentence = f"{counted(len(digests) * BATCH, 'object')} of {target.bucket} compared with the backup."
                raise StillWorking(sentence, again_in=AGAIN_IN)
    write()
    notes.put(PLANNED, {"digests": digests, "changes": changes})
    notes.drop(PLANNING)


class _Wanted:
    """What the backup has behind a key, read from that ``part`` of its list on: each call of plan() goes on where one stopped."""

    def __init__(self, target: Target, notes: Notes, after: str, part: int) -> None:
        of = notes.get(OF)
        if of is None:
            raise DriverError(f"It is not known which backup {notes.name} is of. Start a new restore.")
        self._vault: Vault = vault_in(Access(target.access.account, of["region"]), target.hash)
        self._token, self._after, self.part = of["token"], after, part

    def __iter__(self) -> Iterator[Entry]:
        told = self._vault.done(self._token)
        if told is None:
            raise DamagedBackup(f"The vault {self._vault.bucket} has no list of the backup. Restore another backup.")
        first = self.part
        for number, part in enumerate(self._vault.whole(self._token, told["parts"], first), first):
            self.part = number
            for line in part.lines:
                if line.key > self._after:
                    yield line.entry


def _live(target: Target, after: str) -> Iterator[Listed]:
    for page in pages(target.access, target.bucket, (after, "") if after else START, versions=True):
        yield from page.objects


def _change(target: Target, new: Entry | None, was: Listed | None) -> Change | None:
    if new is not None and new.left_out:
        return None
    key = (new or was).key  # type: ignore[union-attr]  # one of the two is there
    if new is not None and was is not None and new.stamp == was.stamp:
        if new.tags is None:
            return None
        answer = target.access.call("s3", "get_object_tagging", Bucket=target.bucket, Key=key, **was.named)
        tags = {one["Key"]: one["Value"] for one in answer["TagSet"]}
        return Change(TAG, key, was, tags, new) if tags != new.tags else None
    if was is not None:
        check_comes_back(target, was)
    return Change(COPY if new is not None else HIDE, key, was, None, new)


def check_comes_back(target: Target, was: Listed) -> None:
    """Refuse to replace what could not be copied back later: a byte of it is read.

    Raises :class:`DriverError` for what is archived, is encrypted with a key that only the customer has, or with one of KMS
    that the portal may not use.
    """
    if was.storage in ARCHIVES:
        raise no_way_back(target, was, f"is archived ({was.storage})", AWAKE)
    part: dict[str, Any] = {"Range": "bytes=0-0"} if was.size else {}
    try:
        answer = target.access.call(
            "s3", "get_object", Bucket=target.bucket, Key=was.key, VersionId=was.version, **part
        )
    except DriverError as error:
        if why(error) == "InvalidObjectState":
            how, way = "is archived", AWAKE
        elif why(error) == "InvalidRequest":
            how, way = "is encrypted with a key that only the customer has", " Restore beside instead."
        else:
            raise
        raise no_way_back(target, was, how, way) from error
    answer["Body"].close()


def no_way_back(target: Target, was: Listed, how: str, way: str) -> DriverError:
    """What :func:`check_comes_back` raises."""
    return DriverError(
        f"{was.key} in {target.bucket} {how}, so it could not be brought back once it is replaced, and was left as it is.{way}"
    )


def changes_of(notes: Notes, digests: Sequence[str], number: int) -> list[Change]:
    """A part of the journal. Raises :class:`DriverError` when it is not as it was written."""
    body = notes.vault.get(f"{notes.prefix}{PLAN}{number:08d}")
    if body is None or digest_of(body) != digests[number]:
        raise DriverError(
            f"Part {number} of the journal of {notes.name} in the vault {notes.vault.bucket} is missing or altered, so it is"
            " not known what to exchange. IT has to look."
        )
    return [Change.of_line(json.loads(line)) for line in gzip.decompress(body).split(b"\n") if line]
