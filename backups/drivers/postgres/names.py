"""The names a restore uses, and which database stands under which."""

from __future__ import annotations

from collections.abc import Mapping

from backups.drivers.base import DriverError, Mode, Place, Standing
from backups.drivers.databases import check_room, place_next_to
from backups.drivers.postgres import survey
from backups.drivers.postgres.target import NAME_BYTES, Connection, Target

ORIGINAL = "original"  # in Place.identity: oid of the database that was live, empty when there was none
RESTORED = "restored"  # oid of the restored one
TABLES = "tables"  # how many tables the restored one had when it was verified


def place(target: Target, token: str, mode: Mode) -> Place:
    """Names next to the live one; see :meth:`Driver.place`."""
    return place_next_to(target.dbname, token, mode, _name)


def _name(dbname: str, ending: str) -> str:
    """``dbname`` with an ending that stays whole: PostgreSQL would silently cut the end off."""
    room = NAME_BYTES - len(ending.encode())
    check_room(room, ending)
    return dbname.encode()[:room].decode(errors="ignore") + ending


def oids(connection: Connection, place: Place) -> Mapping[str, str]:
    """Name to oid of those of the place's three databases that exist."""
    names = [place.live, place.beside, place.kept]
    query = "SELECT datname, oid::text FROM pg_database WHERE datname = ANY (%s)"
    return dict(survey.rows(connection, query, [names]))


def identify(target: Target, place: Place) -> Place:
    """See :meth:`Driver.identify`."""
    if place.identity:
        return place
    with target.connect(target.maintenance_db) as connection:
        found = oids(connection, place)
    if place.beside not in found:
        raise DriverError(
            f"The restored database {place.beside} is not there. Restore again.", detail=f"found: {dict(found)}"
        )
    with target.connect(place.beside) as connection:
        tables = len(survey.tables(connection, ["r", "p", "m"]))
    identity = {ORIGINAL: found.get(place.live, ""), RESTORED: found[place.beside], TABLES: str(tables)}
    return Place(place.live, place.beside, place.kept, identity)


def standing(connection: Connection, place: Place) -> Standing:
    """Which of the two is live; see :meth:`Driver.standing`."""
    return standing_by(oids(connection, place), place)


def standing_by(found: Mapping[str, str], place: Place) -> Standing:
    """The same, of oids looked up already."""
    live = found.get(place.live, "")
    if not place.identity or live == place.identity[ORIGINAL]:
        return Standing.ORIGINAL
    if live == place.identity[RESTORED]:
        return Standing.RESTORED
    return Standing.UNKNOWN if live else Standing.NOTHING
