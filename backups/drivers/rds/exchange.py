"""Giving a restored instance the live name, and back: two renamings, for RDS exchanges no names in one step.

Between the two nothing has the live name. Which instance is which is told by their ids alone, and one that is being renamed
counts as what it becomes; so :func:`standing` knows wherever it was cut, and to go on and to go back are always possible.
"""

from __future__ import annotations

from dataclasses import replace

from backups.aws import tags
from backups.drivers.base import DriverError, NotFound, Place, Standing, StillWorking
from backups.drivers.exchanging import InTheWay, see_still_held, tried_again
from backups.drivers.rds.instance import (
    READY,
    SOON,
    Instance,
    by_id,
    instance_if_there,
    mark,
    see_ready,
)
from backups.drivers.rds.restore import see_own, yes
from backups.drivers.rds.target import Target

NO_STOPPING = (
    "RDS cannot keep applications off an instance. Those connected are cut off as it is renamed, which restarts it; what they"
    " wrote since the backup stays in the original, under its other name."
)


def identify(target: Target, place: Place) -> Place:
    """The same place with the ids of both instances."""
    if place.identity:
        return place
    restored = instance_if_there(target.access, place.beside)
    if restored is None:
        raise DriverError(f"There is no instance {place.beside}. Start a new restore.")
    see_own(restored, place.beside)
    live = instance_if_there(target.access, target.name)
    return replace(place, identity={"original": live.id if live else "", "restored": restored.id})


def standing(target: Target, place: Place) -> Standing:
    """By the id of what has the live name, or is being given it."""
    old, new = place.identity.get("original", ""), place.identity.get("restored", "")
    if not new:
        return Standing.ORIGINAL
    live = _live(target, by_id(target.access, {old, new} - {""}))
    now = live.id if live else ""
    if now == new:
        return Standing.RESTORED
    if now == old:
        return Standing.ORIGINAL
    return Standing.UNKNOWN if now else Standing.NOTHING


def _live(target: Target, there: dict[str, Instance]) -> Instance | None:
    """What has the live name and keeps it, or is being given it."""
    if coming := [one for one in there.values() if one.becomes == target.name]:
        return coming[0]
    found = instance_if_there(target.access, target.name)
    return found if found is not None and found.becomes == target.name else None


def swap(target: Target, place: Place) -> None:
    """The restored instance under the live name; the original beside, marked for this restore and protected from deletion."""
    old, new = place.identity.get("original", ""), place.identity.get("restored", "")
    if not new:
        raise DriverError("It is not known what was restored, so nothing was exchanged. Start a new restore.")
    _check_there(target, new)
    with tried_again():
        _exchange(target, new, old, place.kept, original=old)


def swap_back(target: Target, place: Place) -> None:
    """The original under the live name again; where nothing had had it, nothing has."""
    old, new = place.identity.get("original", ""), place.identity.get("restored", "")
    if old:
        _check_there(target, old)
    with tried_again():
        _exchange(target, old, new, place.beside, original=old)


def _check_there(target: Target, wanted: str) -> None:
    with tried_again():
        there = by_id(target.access, {wanted})
    if not there:
        # Where nothing has the live name it is never given up: RDS may not show for a while what it renames.
        nameless = instance_if_there(target.access, target.name) is None
        raise DriverError(
            f"RDS does not show the instance that is to be {target.name} ({wanted}), so nothing was touched.",
            retry=nameless,
        )


def _exchange(target: Target, wanted: str, away: str, aside: str, *, original: str) -> None:
    """Every call looks first, so that it goes on wherever it was cut."""
    ids = {wanted, away} - {""}
    there = by_id(target.access, ids)
    live = _live(target, there)
    if live is not None and live.id not in ids:
        raise InTheWay(
            f"Another instance is called {target.name} now ({live.id}), so nothing was touched. A later restore may have"
            " replaced it."
        )
    see_still_held()
    leaving = there.get(away)
    if leaving is not None and leaving.becomes == target.name:
        if wanted:  # while it cannot be renamed, the other had better keep the name
            see_ready(_needed(there, wanted), "be renamed")
        _put_away(target, leaving, aside)
        there = by_id(target.access, ids)
        leaving = there.get(away)
    if leaving is not None and target.name in (leaving.name, leaving.becomes):
        raise StillWorking(f"RDS renames {target.name} to {aside}.", again_in=SOON)
    if not wanted:
        return
    coming = _needed(there, wanted)
    if coming.becomes != target.name:
        see_ready(coming, "be renamed")
        marked = there.get(original, coming)
        _rename(target, coming, target.name, protected=marked.tags.get(tags.PROTECTED) == "yes")
        coming = _needed(by_id(target.access, ids), wanted)
    if coming.name != target.name or coming.status not in READY:
        raise StillWorking(f"RDS gives the instance {coming.id} the name {target.name}.", again_in=SOON)
    _unmark(target, coming)  # what is live is not marked as something that may be removed


def _needed(there: dict[str, Instance], wanted: str) -> Instance:
    if wanted not in there:
        raise DriverError(f"RDS does not show the instance {wanted} just now. The portal looks again.")
    return there[wanted]


def _put_away(target: Target, leaving: Instance, aside: str) -> None:
    """Mark it first: an original that lies about unmarked would be nobody's. Protected with its new name, in one call."""
    see_ready(leaving, "be renamed")
    mark(target.access, leaving, **{tags.RESTORE: aside, tags.PROTECTED: yes(leaving.protected)})
    _rename(target, leaving, aside, protected=True)


def _rename(target: Target, found: Instance, name: str, *, protected: bool) -> None:
    target.access.call(
        "rds",
        "modify_db_instance",
        DBInstanceIdentifier=found.name,
        NewDBInstanceIdentifier=name,
        DeletionProtection=protected,
        ApplyImmediately=True,
    )


def resume_writers(target: Target, place: Place) -> None:
    """Nobody was stopped. What is live bears no mark by which it might be removed, also where an exchange was cut short."""
    found = instance_if_there(target.access, target.name)
    if found is not None and found.becomes == target.name and found.id in place.identity.values():
        _unmark(target, found)


def _unmark(target: Target, found: Instance) -> None:
    if marks := sorted(key for key in found.tags if key.startswith(tags.OURS)):
        target.access.call("rds", "remove_tags_from_resource", ResourceName=found.arn, TagKeys=marks)


def health(target: Target, place: Place) -> str:
    """What has the live name is the restored instance, and RDS calls it available."""
    if standing(target, place) is not Standing.RESTORED:
        raise DriverError(f"{target.name} is not what was restored. See which instance has the name.")
    found = instance_if_there(target.access, target.name)
    if found is None or found.status not in READY:
        raise StillWorking(
            f"The instance {target.name} is {found.status if found else 'being renamed'}.", again_in=SOON
        )
    endpoint = found.described.get("Endpoint") or {}
    where = f", at {endpoint.get('Address')}:{endpoint.get('Port')}" if endpoint else ""
    return f"{target.name} is the restored instance ({found.id}), {found.status}{where}. Nobody has signed in to it."


def discard(target: Target, place: Place, name: str) -> None:
    """Delete the instance of this restore that ``name`` stands for, without a last snapshot of its own."""
    if name not in (place.beside, place.kept) or name in (place.live, target.name):
        raise DriverError(f"“{name}” is not a name of this restore, so nothing was removed.")
    now = standing(target, place)
    if now is Standing.NOTHING:
        raise DriverError(f"No instance is called {target.name} now, so none was removed. IT has to look.")
    found = instance_if_there(target.access, name)
    if found is None:
        return
    see_own(found, name)
    meant = place.identity.get("restored" if name == place.beside else "original", found.id)
    if found.id != meant or found.becomes != name:
        raise DriverError(
            f"The instance {name} is not the one of this restore, or is being renamed, so it was not removed.",
            detail=f"{found.id} instead of {meant}",
        )
    if found.replicas:
        raise DriverError(
            f"{name} has read replicas ({', '.join(found.replicas)}), which would become databases of their own without it, so it"
            " was not removed. Make them anew of the live one, or delete them; then it goes.",
            detail=found.arn,
            retry=True,
        )
    if found.protected:
        target.access.call(
            "rds", "modify_db_instance", DBInstanceIdentifier=name, DeletionProtection=False, ApplyImmediately=True
        )
    try:
        target.access.call(
            "rds", "delete_db_instance", DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
        )
    except NotFound:
        return
