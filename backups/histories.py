"""A history of backups given as JSON, for ``policy plan --from-json``: read with care, judged, written back. No database.

In: ``{"now": "2026-11-23T04:00:00Z", "time_zone": "UTC", "production": true, "removed_at": null, "backups": [{"id": "a",
"taken_at": "…", "good": true, "held_until": null, "pinned": false}]}``. Out: ``{"backups": [{"id": "a", "keep": true,
"reasons": ["…"], "until": "2026-11-30" or null}], "other_region": "a" or null}``, in the order given.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from backups.retention import Entry, Hold, Pin, Plan, plan
from portal.days import short_day

HISTORY_KEYS = {"now", "time_zone", "production", "removed_at", "backups"}
YEARS = range(1970, 9000)
BACKUP_KEYS = {"id", "taken_at", "good", "held_until", "pinned"}


class WrongHistory(Exception):
    """The JSON is not a history; the text says what is wrong, and where."""


@dataclass(frozen=True)
class History:
    """A history to judge."""

    now: datetime
    zone: ZoneInfo
    production: bool
    removed_at: datetime | None
    entries: Sequence[Entry[Any]]

    def plan(self) -> Plan[Any]:
        """What becomes of each backup."""
        return plan(self.entries, now=self.now, zone=self.zone, production=self.production, removed_at=self.removed_at)


def judge_file(file: str, zone: str) -> str:
    """The plan for the history in the file, or in standard input for “-”, as JSON. Raises :class:`WrongHistory`.

    ``zone`` and the present are taken where the history names none.
    """
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise WrongHistory(f"{file} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    return write_plan(read_history(text, now=datetime.now(UTC), zone=zone).plan())


def read_history(text: str | bytes, *, now: datetime, zone: str) -> History:
    """The history in the text. ``now`` and ``zone`` are taken where it names none. Raises :class:`WrongHistory`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WrongHistory(f"This is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise WrongHistory('The whole must be an object: {"now": …, "backups": […]}.')
    _check_keys(value, HISTORY_KEYS, "the history")
    backups = value.get("backups")
    if not isinstance(backups, list):
        raise WrongHistory("“backups” must be a list of backups; it may be empty.")
    company = _zone(value.get("time_zone", zone))
    moment = now if value.get("now") is None else _moment(value["now"], "“now”")
    removed_at = value.get("removed_at")
    today = moment.astimezone(company).date()
    entries = [_entry(one, number, company, today) for number, one in enumerate(backups)]
    _check_ids(entries)
    return History(
        now=moment,
        zone=company,
        production=_flag(value.get("production", True), "“production”"),
        removed_at=None if removed_at is None else _moment(removed_at, "“removed_at”"),
        entries=entries,
    )


def write_plan(made: Plan[Any]) -> str:
    """The plan as JSON."""
    days: dict[date | None, str | None] = {None: None}
    backups = [
        {
            "id": id_,
            "keep": keep,
            "reasons": reasons,
            "until": days.get(until) or days.setdefault(until, until.isoformat()),
        }
        if until
        else {"id": id_, "keep": keep, "reasons": reasons, "until": None}
        for id_, keep, reasons, until in made.verdicts
    ]
    return json.dumps({"backups": backups, "other_region": made.elsewhere[0] if made.elsewhere else None})


def _entry(value: Any, number: int, zone: ZoneInfo, today: date) -> Entry[Any]:
    if type(value) is not dict:
        raise WrongHistory(f'Backup {number + 1} must be an object: {{"id": …, "taken_at": …, "good": …}}.')
    try:
        id_, good, pinned = value["id"], value["good"], value.get("pinned", False)
        taken_at = datetime.fromisoformat(value["taken_at"])
    except KeyError as missing:
        raise WrongHistory(f"Backup {number + 1} has no {missing}.".replace("'", "“", 1).replace("'", "”")) from None
    except (TypeError, ValueError):
        taken_at = _moment(value["taken_at"], f"“taken_at” of backup {number + 1}")
    if not (
        type(good) is bool
        and type(pinned) is bool
        and taken_at.tzinfo is not None
        and taken_at.year in YEARS
        and value.keys() <= BACKUP_KEYS
    ):  # one of these says what is wrong; asking each for every backup would take most of the time
        _check_keys(value, BACKUP_KEYS, f"backup {number + 1}")
        _flag(good, f"“good” of backup {number + 1}")
        _flag(pinned, f"“pinned” of backup {number + 1}")
        _moment(value["taken_at"], f"“taken_at” of backup {number + 1}")
    held = value.get("held_until")
    return Entry(
        id_,
        taken_at,
        good,
        (_hold(held, number, zone, today),) if held is not None else (),
        (_PINNED,) if pinned else (),
    )


_PINNED = Pin("a request")


def _hold(value: Any, number: int, zone: ZoneInfo, today: date) -> Hold:
    """Through a day when it is a date, up to a moment when it is one."""
    where = f"“held_until” of backup {number + 1}"
    if isinstance(value, str) and len(value) == len("2026-12-01"):
        try:
            last_day = date.fromisoformat(value)
            ends = _moment(datetime.combine(last_day + timedelta(days=1), time(), zone), where)
        except (ValueError, OverflowError):
            raise WrongHistory(f"{where} is no day such as 2026-12-01: {_shown(value)}.") from None
    else:
        ends = _moment(value, where)
        last_day = ends.astimezone(zone).date()
    return Hold(f"held until {short_day(last_day, today)}", last_day, ends)


def _check_ids(entries: Sequence[Entry[Any]]) -> None:
    kinds = {type(entry.id) for entry in entries}
    if not kinds <= {str} and not kinds <= {int}:
        raise WrongHistory("The ids of backups must all be texts, or all be whole numbers.")
    if len({entry.id for entry in entries}) < len(entries):
        seen: set[Any] = set()
        twice = next(entry.id for entry in entries if entry.id in seen or seen.add(entry.id))  # type: ignore[func-returns-value]
        raise WrongHistory(f"Two backups have the id {_shown(twice)}. Each must have one of its own.")


def _check_keys(value: dict[str, Any], known: set[str], where: str) -> None:
    for key in value:
        if key not in known:
            raise WrongHistory(f"There is no “{key}” in {where}. It may have: {', '.join(sorted(known))}.")


def _flag(value: Any, where: str) -> bool:
    if type(value) is not bool:
        raise WrongHistory(f"{where} must be true or false, not {_shown(value)}.")
    return value


def _zone(value: Any) -> ZoneInfo:
    made: Callable[[str], ZoneInfo] = ZoneInfo
    try:
        return made(value)
    except Exception:  # an unknown name, a path, another type: zoneinfo has a fault of its own for each
        raise WrongHistory(f"There is no time zone {_shown(value)}. One is Europe/Berlin.") from None


def _moment(value: Any, where: str) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if moment.tzinfo is None or moment.utcoffset() is None:
            raise WrongHistory(f"{where} says no zone: {_shown(value)}. End it with Z or an offset such as +01:00.")
    except (TypeError, ValueError):
        raise WrongHistory(f"{where} is no moment such as 2026-11-23T04:00:00Z: {_shown(value)}.") from None
    if moment.year not in YEARS:
        raise WrongHistory(
            f"{where} is out of reach: {_shown(value)}. Years from {YEARS[0]} to {YEARS[-1]} are counted."
        )
    return moment


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
