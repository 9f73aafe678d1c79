"""What the settings of database servers have in common, and the names of a restore next to a database. No server is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from backups.drivers.base import ATTEMPT_NAME, CHECKUP_NAME, DriverError, Mode, Place
from backups.drivers.words import Setting, Settings
from backups.secrets import resolve, validate_reference

_OF_A_RESTORE = re.compile(rf"_(before|restored?)_{ATTEMPT_NAME}\Z")
_OF_A_CHECKUP = re.compile(rf"_restored_{CHECKUP_NAME}\Z")


def values_of(settings: Settings, wanted: Sequence[Setting], *, printable: bool = False) -> dict[str, str]:
    """Every wanted setting's value, or its default. Raises :class:`DriverError` naming the one that cannot be used."""
    values = {one.name: settings.get(one.name, "").strip() or one.default for one in wanted}
    for one in wanted:
        value = values[one.name]
        if one.required and not value:
            raise DriverError(f"{one.label} is missing. Enter it.", setting=one.name)
        if "\0" in value or (printable and not value.isprintable()):
            raise DriverError(f"{one.label} holds a character that cannot be part of it.", setting=one.name)
    return values


def check_server(
    values: Mapping[str, str], ssl_modes: Sequence[str], *, socket: str, never_in_host: Collection[str], usual_port: str
) -> None:
    """Host, port, encryption and the reference to the password. ``socket`` is what a host beginning with a slash is."""
    host, port = values["host"], values["port"]
    if not host.startswith("/") and any(character in host for character in never_in_host):
        raise DriverError(f"Host must be one host name, one address or {socket}.", setting="host")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise DriverError(f"Port must be a number from 1 to 65535; {usual_port}.", setting="port")
    if values["sslmode"] not in ssl_modes:
        raise DriverError(f"Encryption must be one of {', '.join(ssl_modes)}.", setting="sslmode")
    if values["password"]:
        try:
            validate_reference(values["password"])
        except DriverError as error:
            raise DriverError(error.sentence, setting="password") from None


def password_of(reference: str) -> str:
    """The password, looked up now; empty when there is none."""
    if not reference:
        return ""
    try:
        return resolve(reference)
    except DriverError as error:
        raise DriverError(error.sentence, detail=error.detail, setting="password") from None


def place_next_to(dbname: str, token: str, mode: Mode, named: Callable[[str, str], str]) -> Place:
    """Names next to the live one; see :meth:`Driver.place`. ``named(dbname, ending)`` keeps the ending whole."""
    beside = "restored" if mode is Mode.BESIDE else "restore"
    return Place(live=dbname, beside=named(dbname, f"_{beside}_{token}"), kept=named(dbname, f"_before_{token}"))


def not_of_a_restore(dbname: str) -> None:
    """Refuse a database that a restore has made or put aside: the portal itself drops it in time."""
    if _OF_A_RESTORE.search(dbname):
        raise DriverError(
            f"The database {dbname} belongs to a restore, which removes it when its time is over. Copy it under a name of"
            " its own, and give that.",
            setting="dbname",
        )


def of_a_checkup(dbname: str) -> bool:
    """Whether a checkup has made that database: it never takes a live name, so no restore and no backup waits for it."""
    return bool(_OF_A_CHECKUP.search(dbname))


def check_room(room: int, ending: str) -> None:
    """Refuse an ending that leaves no room for the database's own name."""
    if room < 1:
        raise DriverError("The restore's token is too long for a database name. Use a shorter one.", detail=ending)
