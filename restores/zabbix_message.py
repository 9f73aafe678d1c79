"""What Zabbix sends to the portal: one JSON object, read strictly. Pure; docs/incidents.md describes it."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

LARGEST = 16 * 1024  # bytes of one message
MOST_HOSTS = 200
OLDEST, AHEAD = timedelta(minutes=15), timedelta(minutes=5)
"""How long ago, and how far ahead by another clock, a message may have been sent: what was overheard is soon worthless."""

FIELDS = {"event_id", "value", "severity", "hosts", "trigger", "clock", "sent"}


class UnreadableMessage(Exception):
    """It is none of ours; the text says what is wrong."""


@dataclass(frozen=True)
class Message:
    """One message. ``clock`` is when the problem began, or was over; ``sent`` when Zabbix sent it."""

    event_id: str
    is_problem: bool
    severity: str
    hosts: tuple[str, ...]
    trigger: str
    clock: datetime
    sent: datetime


def read_message(body: bytes, now: datetime) -> Message:
    """The message in the body. Raises :class:`UnreadableMessage` for anything else, also for one sent long ago."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableMessage("The body is no JSON.") from None
    if not isinstance(found, dict):
        raise UnreadableMessage("The body is no JSON object.")
    if unknown := set(found) - FIELDS:
        raise UnreadableMessage(f"There is no field “{min(unknown)[:40]}”. There are: {', '.join(sorted(FIELDS))}.")
    message = Message(
        event_id=_event_id(found.get("event_id")),
        is_problem=_is_problem(found.get("value")),
        severity=_text(found, "severity", 40, required=False),
        hosts=_hosts(found.get("hosts")),
        trigger=_text(found, "trigger", 500),
        clock=_moment(found, "clock"),
        sent=_moment(found, "sent"),
    )
    if not -AHEAD <= now - message.sent <= OLDEST:
        raise UnreadableMessage("It was sent too long ago, or the clocks do not agree. Send it anew.")
    if message.clock > now + AHEAD:
        raise UnreadableMessage("clock lies in the future: have the clocks agree (NTP).")
    return message


def _event_id(value: Any) -> str:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise UnreadableMessage("event_id must be Zabbix’s number of the problem event, {EVENT.ID}.")
    return text


def _is_problem(value: Any) -> bool:
    try:
        return {"PROBLEM": True, "1": True, "RECOVERY": False, "0": False}[str(value)]
    except KeyError:
        raise UnreadableMessage("value must be PROBLEM or RECOVERY (1 or 0), {EVENT.VALUE}.") from None


def _text(found: dict[str, Any], name: str, longest: int, *, required: bool = True) -> str:
    value = found.get(name, "" if not required else None)
    if not isinstance(value, str) or (required and not _plain(value)) or not _is_writable(value):
        raise UnreadableMessage(f"{name} must be text.")
    return _plain(value)[:longest]


def _plain(text: str) -> str:
    """In one line, and without what nobody sees: it could turn around or colour what stands beside it."""
    return " ".join("".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cf", "Cc")).split())


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    return "\0" not in text


def _hosts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_HOSTS:
        raise UnreadableMessage(f"hosts must be a list of 1 to {MOST_HOSTS} host names.")
    for host in value:
        if not (isinstance(host, str) and 1 <= len(host.strip()) <= 128 and _is_writable(host)):
            raise UnreadableMessage("Each of hosts must be a host’s name, {HOST.HOST}, of at most 128 characters.")
    return tuple(dict.fromkeys(host.strip() for host in value))


def _moment(found: dict[str, Any], name: str) -> datetime:
    value = found.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**11:
        raise UnreadableMessage(f"{name} must be a moment in seconds since 1970.")
    return datetime.fromtimestamp(value, UTC)
