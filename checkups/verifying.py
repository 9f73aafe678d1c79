"""Whether a record that somebody kept says what the portal's rows say, and where it does not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST = 20


def differences(kept: Mapping[str, Any], held: Mapping[str, Any]) -> list[str]:
    """Where two records differ, the first ``MOST`` of it in sentences. Both as JSON read it."""
    said = []
    if kept.get("checkup") != held["checkup"]:
        said.append(f"Checkup: {_fields(kept.get('checkup'), held['checkup'])}.")
    said += _findings(_list(kept, "findings"), held["findings"])
    for part in ("events", "signatures"):
        if kept.get(part) != held[part]:
            said.append(f"The {part} differ: {len(_list(kept, part))} in the file, {len(held[part])} in the rows.")
    if len(said) > MOST:
        said[MOST:] = [f"And {len(said) - MOST:,} differences more."]
    return said


def _findings(kept: Sequence[Any], held: Sequence[Any]) -> list[str]:
    ours = {one["resource"]: one for one in held}
    theirs = {str(_of(one, "resource")): one for one in kept}
    said = []
    for uid, one in theirs.items():
        if uid not in ours:
            said.append(f"{_of(one, 'name')}: only the file has it.")
        elif one != ours[uid]:
            said.append(f"{ours[uid]['name']}: {_fields(one, ours[uid])}.")
    said += [f"{one['name']}: the file lacks it." for uid, one in ours.items() if uid not in theirs]
    return said


def _list(record: Mapping[str, Any], part: str) -> list[Any]:
    """What a file should have as a list; nothing where it has something else."""
    found = record.get(part)
    return found if isinstance(found, list) else []


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _fields(kept: Any, held: Mapping[str, Any]) -> str:
    """The names of what differs, with both values where they are short."""
    if not isinstance(kept, dict):
        return "it is of another form"
    names = [name for name in sorted({*kept, *held}) if kept.get(name) != held.get(name)]
    return "; ".join(_field(name, kept.get(name), held.get(name)) for name in names)


def _field(name: str, kept: Any, held: Any) -> str:
    if any(isinstance(value, dict | list) for value in (kept, held)) or len(f"{kept}{held}") > 200:
        return f"{name} differs"
    return f"{name} is “{kept}” in the file and “{held}” in the rows"
