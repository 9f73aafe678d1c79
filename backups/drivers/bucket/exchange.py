"""Putting what was restored into the live bucket, as new versions, and back.

There is no one step in which S3 exchanges buckets. So the journal is written first, and how far an exchange is after each part
of it: whatever is cut short is told by :func:`standing`, and to go on and to go back are always possible. No version that was
ever live is destroyed: what goes is hidden by a delete marker, and what comes back is copied from its old version.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from backups.drivers.base import DriverError, Place, Standing, StillWorking
from backups.drivers.bucket import beside
from backups.drivers.bucket.changing import Lost, Work, look_at, put, put_back
from backups.drivers.bucket.claim import Claim, State
from backups.drivers.bucket.journal import PLANNED, Change, changes_of, plan
from backups.drivers.bucket.listing import keeps_versions, pages
from backups.drivers.bucket.pace import AGAIN_IN, Turn
from backups.drivers.bucket.reached import Reached
from backups.drivers.bucket.restores import Notes
from backups.drivers.bucket.target import Target
from backups.drivers.bucket.uploads import Uploads
from backups.drivers.bucket.vault import ROOT, Overtaken
from backups.drivers.counting import counted, some
from backups.drivers.exchanging import see_still_held, tried_again

STATE = "state"
RESTORED, ORIGINAL = "restored", "original"
SHOWN = 50


def identify(target: Target, place: Place) -> Place:
    """The same place, once the journal is written."""
    if place.identity:
        return place
    if not beside.is_there(target.access, place.beside):
        raise DriverError(f"There is no bucket {place.beside}. Start a new restore.")
    live = beside.is_there(target.access, target.bucket)
    if live:
        check_versions(target)
    plan(target, Notes.of(target, place.beside), live=live, turn=target.pace.turn())
    return replace(place, identity={"original": place.kept if live else "", "restored": place.beside})


def check_versions(target: Target) -> None:
    """Refuse a live bucket that does not keep what is replaced in it."""
    if keeps_versions(target.access, target.bucket) != "Enabled":
        raise DriverError(
            f"The bucket {target.bucket} keeps no versions, so what a restore in place replaces would be lost. Switch"
            " versioning on there, or restore beside."
        )


def standing(target: Target, place: Place) -> Standing:
    """By what is noted in the vault: how far the exchange is, and whether it was the last one.

    UNKNOWN, too, where some of what was live could not be brought back: what stands there is neither of the two.
    """
    if not place.identity:
        return Standing.ORIGINAL
    notes = Notes.of(target, place.beside)
    state = notes.get(STATE)
    if state is None:
        return Standing.ORIGINAL if notes.get(PLANNED) is not None else Standing.UNKNOWN
    if not state["whole"]:
        return Standing.NOTHING
    last = _Last(notes).name
    if state["to"] == RESTORED:
        return Standing.RESTORED if last == place.beside else Standing.UNKNOWN
    return Standing.ORIGINAL if last == state["before"] and not state["lost"] else Standing.UNKNOWN


class _Last:
    """The restore that was put in place last in the bucket, and not taken back: written on condition that nobody else has."""

    def __init__(self, notes: Notes) -> None:
        self._vault, self._key = notes.vault, f"{ROOT}/restores/{notes.vault.of}.last"
        there = self._vault.stamped(self._key)
        self._etag = there.etag if there else ""
        self.name = there.body.decode().partition(" ")[0] if there else ""

    def write(self, name: str) -> None:
        if name != self.name:
            body = f"{name} {secrets.token_hex(8)}"  # no two are the same
            self._etag = self._vault.put_over(self._key, body.encode(), self._etag)
            self.name = name


def swap(target: Target, place: Place) -> None:
    """What was restored as the newest versions; on what the backup does not have, delete markers."""
    if not place.identity:
        raise DriverError("It is not known what was restored, so nothing was exchanged. Start a new restore.")
    now = _checked(target, place)
    if now is Standing.RESTORED:
        return
    if not beside.is_there(target.access, place.beside):
        raise DriverError(f"The bucket {place.beside} is not there any more, so nothing was exchanged.")
    if place.replaced_nothing and not beside.is_there(target.access, target.bucket):
        beside.make(target.access, target.bucket, "")
    check_versions(target)
    _exchange(target, place, RESTORED)


def swap_back(target: Target, place: Place) -> None:
    """What was live when the exchange came to it, copied from its old versions. What was written since stays as a version."""
    if _checked(target, place) is Standing.ORIGINAL:
        return
    with tried_again():
        if not beside.is_there(target.access, target.bucket):
            raise Lost(f"The bucket {target.bucket} is not there any more, so nothing could be brought back in it.")
        check_versions(target)
    _exchange(target, place, ORIGINAL)


def _checked(target: Target, place: Place) -> Standing:
    with tried_again():
        now = standing(target, place)
        state = Notes.of(target, place.beside).get(STATE) if now is Standing.UNKNOWN else None
    if state and state["whole"] and state["lost"]:
        raise _lost(target, state)
    if now is Standing.UNKNOWN:
        raise DriverError(
            f"In {target.bucket} a later restore was put in place, or the journal of this one is gone, so nothing was"
            " touched."
        )
    return now


def _exchange(target: Target, place: Place, to: str) -> None:
    notes = Notes.of(target, place.beside)
    with tried_again():
        last = _Last(notes)
        claim = Claim.taken(notes.vault, notes.prefix + STATE, target.pace.lease, partial(_begun, to, last.name))
        planned = _still_to_be_made(notes, claim)
        try:
            if not claim.state["whole"]:
                _go_through(_Way(target, place, notes, claim, last, target.pace.turn()), planned["digests"])
            claim.release(whole=True)
        except Overtaken:
            raise
        except BaseException:
            claim.released()
            raise
        if claim.state["lost"]:
            raise _lost(target, claim.state)


def _still_to_be_made(notes: Notes, claim: Claim) -> dict[str, Any]:
    """The journal. Whoever looks from now on sees that an exchange has begun; so who was given up before learns it here."""
    try:
        see_still_held()
        planned = notes.get(PLANNED)
        if planned is None:
            raise DriverError(f"The journal of {notes.name} is not there any more. IT has to look.")
    except BaseException:
        claim.take_back()
        raise
    return planned


def _begun(to: str, last: str, state: State | None) -> State:
    """What is noted of the exchange as it goes there, now or on. ``reached``: how many parts may have been changed at all."""
    if state is None:
        state = {"to": to, "before": last, "again": 0, "lost": 0, "lost_keys": []}
        return {**state, "next": 0, "reached": int(to == RESTORED), "whole": False, "ours_alone": True}
    if state["to"] == to:
        return state
    if to == ORIGINAL:
        return {**state, "to": to, "next": 0, "whole": False, "ours_alone": not state["whole"]}
    anew = {"reached": 1, "again": state["again"] + 1} if state["whole"] else {}
    return {**state, "to": to, "next": 0, "whole": False, "lost": 0, "lost_keys": [], **anew}


@dataclass(frozen=True)
class _Way:
    """What an exchange is done with."""

    target: Target
    place: Place
    notes: Notes
    claim: Claim
    last: _Last
    turn: Turn


def _go_through(way: _Way, digests: list[str]) -> None:
    claim, to = way.claim, way.claim.state["to"]
    guarded = replace(way.target, access=way.target.access.guarded(claim.hold))
    uploads = Uploads(way.notes, guarded.bucket)
    uploads.give_up(guarded.access)
    if to == RESTORED:
        way.last.write(way.place.beside)
    end = len(digests) if to == RESTORED else min(claim.state["reached"], len(digests))
    for number in range(claim.state["next"], end):
        changes = changes_of(way.notes, digests, number)
        reached = Reached.read(way.notes, number, claim.state["again"])
        if to == RESTORED:
            reached = reached or Reached(way.notes, number, claim.state["again"])
            _put(Work(guarded, way.place.beside, way.turn, reached, uploads), changes)
            claim.save(next=number + 1, reached=max(claim.state["reached"], number + 2))
        else:
            _see_reached(way, reached, number, changes)
            lost = (
                _put_back(Work(guarded, way.place.beside, way.turn, reached, uploads), changes, claim)
                if reached
                else []
            )
            keys = [*claim.state["lost_keys"], *lost][:SHOWN]
            claim.save(next=number + 1, lost=claim.state["lost"] + len(lost), lost_keys=keys)
        if way.turn.over and number + 1 < end:
            sentence = f"{way.target.bucket} is being exchanged: {number + 1} of {end} parts."
            raise StillWorking(sentence, again_in=AGAIN_IN)
    if to == ORIGINAL:
        way.last.write(claim.state["before"])


def _put(work: Work, changes: list[Change]) -> None:
    if not changes:
        return
    check_versions(work.target)
    todo = look_at(work, changes)
    keys = [change.key for change in todo]
    work.reached.back.clear()
    work.reached.set_out(keys)
    try:
        work.target.pace.each([partial(put, work, change) for change in todo])
    except Overtaken:
        raise
    except BaseException:
        work.reached.come_back(keys)
        raise
    work.reached.come_back(keys)


def _see_reached(way: _Way, reached: Reached | None, number: int, changes: list[Change]) -> None:
    """Only of the last part that it came to nothing may be noted: there it was cut short before it changed anything."""
    state = way.claim.state
    if changes and reached is None and (number + 1 < state["reached"] or not state["ours_alone"]):
        raise DriverError(
            f"What the exchange has noted of part {number} in the vault {way.notes.vault.bucket} is not there any more, so it is"
            " not known what to bring back. IT has to look: the vault keeps earlier versions."
        )


def _put_back(work: Work, changes: list[Change], claim: Claim) -> list[str]:
    """The keys of what cannot be brought back."""
    check_versions(work.target)
    try:
        done = work.target.pace.each([partial(put_back, work, change, claim.state["ours_alone"]) for change in changes])
    except Overtaken:
        raise
    except BaseException:
        work.reached.write()
        raise
    return [change.key for change, well in zip(changes, done, strict=True) if not well]


def _lost(target: Target, state: State) -> Lost:
    keys = state["lost_keys"]
    named = some(keys) if state["lost"] == len(keys) else f"{', '.join(keys[:5])} and {state['lost'] - 5:,} more"
    return Lost(
        f"Of {counted(state['lost'], 'object')} in {target.bucket} the version that was live is gone or was archived, so what"
        f" was restored stays there: {named}. All others are as they were.",
        detail="\n".join(keys),
    )


def health(target: Target, place: Place) -> str:
    """The exchange is whole, and the bucket answers."""
    if standing(target, place) is not Standing.RESTORED:
        raise DriverError(f"In {target.bucket} is not what was restored. See what the request says.")
    page = next(pages(target.access, target.bucket, versions=False))
    planned = Notes.of(target, place.beside).get(PLANNED) or {"changes": 0}
    more = " and more" if page.after else ""
    return (
        f"{target.bucket} answers with {counted(len(page.objects), 'object')}{more};"
        f" {counted(planned['changes'], 'object')} had to be exchanged, and what was live is kept as earlier versions."
    )


def discard(target: Target, place: Place, name: str) -> None:
    """``kept``: the journal, and with it the way back; the versions stay. ``beside``: the bucket. Either with what it needs."""
    if name not in (place.beside, place.kept) or name == place.live:
        raise DriverError(f"“{name}” is not a name of this restore, so nothing was removed.")
    turn = target.pace.turn()
    notes = Notes.of(target, place.beside)
    now = standing(target, place)
    if now is Standing.NOTHING:
        raise DriverError(f"The exchange of {target.bucket} is cut short, so nothing was removed. IT has to look.")
    if name == place.kept and notes.get(STATE) is None and now is Standing.ORIGINAL:
        return  # nothing was replaced
    beside.remove(target.access, place.beside, place.beside, turn)
    if name == place.kept or now is not Standing.RESTORED:
        notes.drop("")
