"""The names a restore uses, and which data stands under which."""

from __future__ import annotations

from backups.drivers.base import DriverError, Mode, Place, Standing
from backups.drivers.databases import check_room, place_next_to
from backups.drivers.mysql import journal, mark, survey
from backups.drivers.mysql.target import NAME_LENGTH, Connection, Target

ORIGINAL = "original"  # in Place.identity: the database's name when there was one, else empty
RESTORED = "restored"  # the id in the restored one's mark
TABLES = "tables"  # how many tables the restored one had when it was verified


def place(target: Target, token: str, mode: Mode) -> Place:
    """Names next to the live one; see :meth:`Driver.place`."""
    return place_next_to(target.dbname, token, mode, _name)


def _name(dbname: str, ending: str) -> str:
    """``dbname``, cut where it must be, with an ending that stays whole."""
    room = NAME_LENGTH - len(ending)
    check_room(room, ending)
    return dbname[:room].rstrip() + ending


def identify(target: Target, place: Place) -> Place:
    """See :meth:`Driver.identify`."""
    if place.identity:
        return place
    with target.connect() as connection:
        said = mark.read(connection, place.beside)
        if said is None or mark.BUILDING in said:
            raise DriverError(f"The restored database {place.beside} is not there, or not complete. Restore again.")
        original = place.live if survey.database(connection, place.live) else ""
        tables = len(survey.movable(connection, place.beside))
    identity = {ORIGINAL: original, RESTORED: str(said[mark.ID]), TABLES: str(tables)}
    return Place(place.live, place.beside, place.kept, identity)


def settled(connection: Connection, place: Place) -> Standing:
    """Which of the two is live, after an exchange that was cut off has been brought to an end."""
    if not place.identity:
        return Standing.ORIGINAL
    journal.recover(connection, [place.live, place.beside, place.kept])
    there = survey.database(connection, place.live) is not None
    if lies_in(connection, place, place.beside):
        return Standing.ORIGINAL if there or place.replaced_nothing else Standing.NOTHING
    if lies_in(connection, place, place.kept):
        return Standing.RESTORED if there else Standing.NOTHING
    if place.replaced_nothing:
        return Standing.RESTORED if there else Standing.ORIGINAL
    # The mark went with what was discarded: whether before or after the exchange, nobody knows any more.
    return Standing.UNKNOWN if there else Standing.NOTHING


def lies_in(connection: Connection, place: Place, name: str) -> bool:
    """Whether the mark of this restore lies in that database."""
    said = mark.read(connection, name)
    return said is not None and said.get(mark.ID) == place.identity[RESTORED]


def standing(target: Target, place: Place) -> Standing:
    """See :meth:`Driver.standing`."""
    if not place.identity:
        return Standing.ORIGINAL
    with target.connect() as connection, journal.alone(connection, place.live):
        return settled(connection, place)
