"""The record of a checkup as canonical JSON, and its SHA-256. Pure.

Canonical: keys sorted, no blanks, UTF-8, no floating point; moments in UTC as ISO 8601, spans in milliseconds, sizes in
bytes. The same record gives the same bytes wherever it is written again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

FORMAT = "haas-checkup-record/1"


def canonical(value: Any) -> str:
    """The value as canonical JSON. Raises TypeError for what has no canonical form (a float, say)."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def pieces(
    checkup: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]],
    findings: Iterable[Mapping[str, Any]],
    signatures: Iterable[Mapping[str, Any]],
) -> Iterator[str]:
    """The whole record, piece by piece: a checkup of many thousand resources is never in memory at once."""
    yield f'{{"checkup":{canonical(checkup)},"events":['
    yield from _listed(events)
    yield '],"findings":['
    yield from _listed(findings)
    yield f'],"format":{canonical(FORMAT)},"signatures":['
    yield from _listed(signatures)
    yield "]}"


def _listed(values: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for number, value in enumerate(values):
        yield ("," if number else "") + canonical(value)


def digest_of(text: Iterable[str]) -> str:
    """SHA-256 of the text, hexadecimal."""
    digest = hashlib.sha256()
    for piece in text:
        digest.update(piece.encode())
    return digest.hexdigest()


def read_record(text: str) -> Any:
    """A record that somebody kept, however it was formatted meanwhile. Raises ValueError when it is none.

    A name that stands twice in one object is refused: one reader would take the first, another the last.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once_each, parse_float=_no_number, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    try:
        canonical(value).encode()
    except UnicodeEncodeError:
        raise ValueError("it holds signs that are none") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(value.get("checkup"), dict):
        raise ValueError("it is no record of a checkup")
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name stands twice in it")
    return made


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no whole number")
