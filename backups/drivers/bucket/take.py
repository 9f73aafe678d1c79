"""Taking a backup: what the latest one does not have is copied into the vault, and the list of all is written.

The list grows part by part, so that a call goes on where the one before stopped, whoever stopped it. It counts once its mark
``done`` is written, after everything that it names was seen to be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from backups.drivers.base import DriverError, Sink, StillWorking, Taken
from backups.drivers.bucket import description
from backups.drivers.bucket.copying import copy_object, encrypted
from backups.drivers.bucket.entry import ARCHIVED, ARCHIVES, CUSTOMER_KEY, Entry, Listed, described
from backups.drivers.bucket.listing import START, keeps_versions, pages
from backups.drivers.bucket.lists import begin, check_counted_on, finish, newest
from backups.drivers.bucket.looks import look, see_customer_key
from backups.drivers.bucket.pace import AGAIN_IN, NOT_THERE, OTHERWISE, Turn, why
from backups.drivers.bucket.shelf import Shelf
from backups.drivers.bucket.target import Target
from backups.drivers.bucket.vault import BATCH, DONE, Line, Vault, written_part
from backups.drivers.bucket.vaults import PART, check_fit, kept_in, vault_in
from backups.drivers.counting import counted, megabytes
from backups.drivers.provider import KeptAt
from backups.drivers.words import Progress

TRIES = 5
NAMED = 5


def take(target: Target, sink: Sink, progress: Progress) -> Taken:
    """Go on with the list of the sink's token, and once it is whole write it into the sink."""
    check_fit(target.access)
    vault = vault_in(target.access, target.hash)
    token = sink.token
    others = begin(vault, token, target.locator)
    if DONE not in others.get(token, {}):
        _go_on(target, vault, token, newest(others), progress)
    return _told(target, vault, sink, progress)


@dataclass
class _Progress:
    """What the header of each part says: how far the list is, and what happened on the way."""

    after: list[str] | None
    previous: str
    previous_part: int = 0
    objects: int = 0
    bytes: int = 0
    changed: int = 0
    changed_keys: str = ""


def _go_on(target: Target, vault: Vault, token: str, newest: str, progress: Progress) -> None:
    numbers = vault.part_numbers(token)
    state = _Progress(list(START), newest)
    if numbers:
        last = vault.part(token, max(numbers))
        state = _Progress(**last.header) if last else state
    if state.after is None:
        return
    number = len(numbers)
    versions = bool(keeps_versions(target.access, target.bucket))
    after = (state.after[0], state.after[1])
    with vault.shelf() as shelf:
        before = _Before(vault, state.previous, state.previous_part)
        held: list[Line] = []
        turn = target.pace.turn()  # what was prepared takes the longer the more there is, and is not part of it
        for page in pages(target.access, target.bucket, after, versions=versions):
            held += _lines(target, vault, page.objects, before, shelf, state, turn)
            progress(state.bytes)
            if len(held) < BATCH and page.after is not None and not turn.over:
                continue
            state.after, state.previous_part = list(page.after) if page.after else None, before.part
            vault.put_once(f"{vault.parts(token)}{number:08d}", written_part(vars(state), held))
            number, held = number + 1, []
            if page.after is not None and turn.over:
                sentence = (
                    f"{counted(state.objects, 'object')} of {target.bucket} are in the vault, {megabytes(state.bytes)}."
                )
                raise StillWorking(sentence, again_in=AGAIN_IN, bytes_done=state.bytes)


class _Before:
    """The list of the backup before, read along with the bucket's."""

    def __init__(self, vault: Vault, token: str, part: int) -> None:
        self.part = part
        self._vault, self._token = vault, token
        self._lines = self._read() if token else iter(())
        self._next = next(self._lines, None)

    def _read(self) -> Iterator[Line]:
        while (part := self._vault.part(self._token, self.part)) is not None:
            yield from part.lines
            self.part += 1

    def of(self, listed: Listed) -> Line | None:
        """What was known of that very version."""
        while self._next is not None and self._next.key < listed.key:
            self._next = next(self._lines, None)
        line = self._next if self._next is not None and self._next.key == listed.key else None
        return line if line is not None and line.entry.stamp == listed.stamp and not line.entry.left_out else None


def _lines(
    target: Target,
    vault: Vault,
    objects: list[Listed],
    before: _Before,
    shelf: Shelf,
    state: _Progress,
    turn: Turn,
) -> list[Line]:
    jobs = []
    done: list[Line | None] = []
    for listed in objects:
        line = before.of(listed)
        known = line.entry if line is not None else None
        at = shelf.get(Entry(**vars(listed)).name)
        if at is not None and (at[0] != listed.size or (line is not None and line.at != at[1])):
            at = None  # somebody has put something else there: what the bucket has is copied anew
        if known is not None and at is not None and not target.tagged:
            done.append(Line(_as_listed(known, listed, None), at[1]))
            continue
        done.append(None)
        jobs.append(partial(_line, target, vault, listed, known, at[1] if at else "", turn))
    made = iter(target.pace.each(jobs))
    lines = []
    for listed, one in zip(objects, done, strict=True):
        now = one or next(made)
        if now is None or now.entry.stamp != listed.stamp:
            state.changed += 1
            if state.changed <= NAMED:
                state.changed_keys = ", ".join(filter(None, (state.changed_keys, listed.key)))
        if now is not None:
            lines.append(now)
    state.objects += len(lines)
    state.bytes += sum(line.entry.size for line in lines)
    shelf.add((line.entry.name, line.entry.size, line.at) for line in lines if line.at)
    return lines


def _as_listed(known: Entry, listed: Listed, tags: dict[str, str] | None) -> Entry:
    """The class of storage and the tags change without a new version."""
    return replace(known, storage=listed.storage, tags=tags)


def _line(target: Target, vault: Vault, listed: Listed, known: Entry | None, at: str, turn: Turn) -> Line | None:
    """The object, copied unless it is there (``at``). What is changed meanwhile is taken as it is then; None: it is gone."""
    now: Listed | None = listed
    for _ in range(TRIES):
        if now is None:
            return None
        try:
            return _read_and_copied(target, vault, now, known, at, turn)
        except DriverError as error:
            if why(error) not in NOT_THERE | OTHERWISE:
                raise
        now, known, at = look(target, listed.key).listed, None, ""
    raise DriverError(
        f"{listed.key} in {target.bucket} changes more quickly than it can be copied. Try again.", retry=True
    )


def _read_and_copied(target: Target, vault: Vault, listed: Listed, known: Entry | None, at: str, turn: Turn) -> Line:
    access = target.access
    place: dict[str, Any] = {"Bucket": target.bucket, "Key": listed.key, **listed.named}
    if not at and listed.storage in ARCHIVES:
        return Line(Entry(**vars(listed), left_out=ARCHIVED))
    if known is None:
        try:
            condition: dict[str, Any] = {} if listed.named else {"IfMatch": f'"{listed.etag}"'}
            head = access.call("s3", "head_object", ChecksumMode="ENABLED", **place, **condition)
        except DriverError as error:
            if why(error) != "400":
                raise
            see_customer_key(target, place, error)
            return Line(Entry(**vars(listed), left_out=CUSTOMER_KEY))
        known = described(listed, head, None)
    tags = None
    if target.tagged:
        answer = access.call("s3", "get_object_tagging", **place)
        tags = {one["Key"]: one["Value"] for one in answer["TagSet"]}
    entry = _as_listed(known, listed, tags)
    if not at:
        try:
            to = vault.objects + entry.name
            at = copy_object(
                access, place, listed.etag, entry, vault.bucket, to, pace=target.pace, turn=turn, **encrypted(access)
            ).etag
        except DriverError as error:
            if why(error) != "InvalidObjectState":  # archived by itself, which the class of storage does not tell
                raise
            return Line(Entry(**vars(listed), left_out=ARCHIVED))
    return Line(entry, at)


def _told(target: Target, vault: Vault, sink: Sink, progress: Progress) -> Taken:
    """The list into the sink, once all that it names was seen in the vault; then it is done."""
    token = sink.token
    left = {ARCHIVED: _Left(), CUSTOMER_KEY: _Left()}
    state = _Progress(None, "")
    with vault.shelf() as shelf:
        digests = []
        for number in vault.part_numbers(token):
            digest, part = vault.read(token, number)
            digests.append(digest)
            state = _Progress(**part.header)
            for line in part.lines:
                if line.entry.left_out:
                    left[line.entry.left_out].add(line.key)
                else:
                    check_counted_on(line, shelf)
                sink.record(line.entry.line())
            progress(state.bytes)
    sink.write(description.of(target))
    finish(vault, token, digests, state.objects, state.bytes)
    return Taken(
        source_bytes=state.bytes,
        summary={"objects": state.objects - sum(one.count for one in left.values())},
        warnings=tuple(_warnings(state, left)),
        kept=KeptAt(target.access.region, {PART: kept_in(vault, token)}, state.bytes),
    )


class _Left:
    """Objects that are not in the backup: how many, and a few by name."""

    def __init__(self) -> None:
        self.count = 0
        self.keys: list[str] = []

    def add(self, key: str) -> None:
        self.count += 1
        if len(self.keys) < NAMED:
            self.keys.append(key)

    def __str__(self) -> str:
        more = f" and {self.count - NAMED:,} more" if self.count > NAMED else ""
        return f"{counted(self.count, 'object')} ({', '.join(self.keys)}{more})"


def _warnings(state: _Progress, left: dict[str, _Left]) -> Iterator[str]:
    if (archived := left[ARCHIVED]).count:
        yield (
            f"Not in this backup, because S3 has archived them and copies nothing from there: {archived}. Have them restored"
            " in S3 first, if they are needed. A restore in place leaves them as they are."
        )
    if (foreign := left[CUSTOMER_KEY]).count:
        yield (
            f"Not in this backup, because they are encrypted with a key that only the customer has: {foreign}. A restore in place"
            " leaves them as they are."
        )
    if state.changed:
        more = f" and {state.changed - NAMED:,} more" if state.changed > NAMED else ""
        yield (
            f"{counted(state.changed, 'object')} changed or went while copied, and are as they were a moment later:"
            f" {state.changed_keys}{more}."
        )
