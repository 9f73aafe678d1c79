"""Two checkups beside each other: what failed anew, what passes again, how long getting back takes now. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from backups.proof import PROOF_LABELS, Proof
from portal.words import counted, span_in_words

MOST_NAMED = 20

Row = tuple[str, str, str]


@dataclass(frozen=True)
class Numbers:
    """What a checkup found, in numbers. ``failed`` has the names of the resources by their id, ``passed`` only the ids.

    ``levels`` counts checks by the level they reached; ``median_ms`` and ``total_ms`` are those of restores that passed.
    """

    number: str
    checks: int = 0
    failed: Mapping[int, str] = field(default_factory=dict)
    passed: Collection[int] = ()
    left: int = 0
    waiting: int = 0
    levels: Mapping[Proof, int] = field(default_factory=dict)
    median_ms: int | None = None
    total_ms: int = 0

    @property
    def resources(self) -> int:
        """How many were in its scope."""
        return len(self.failed) + len(self.passed) + self.left + self.waiting


@dataclass(frozen=True)
class Comparison:
    """A checkup against the one before: sentences, and rows of (what, before, now)."""

    before: str
    sentences: tuple[str, ...]
    rows: tuple[Row, ...] = ()
    newly_failed: tuple[str, ...] = ()
    passed_again: tuple[str, ...] = ()


def compare(now: Numbers, before: Numbers | None) -> Comparison:
    """What has changed since. Names are in the order of the alphabet."""
    if before is None:
        return Comparison("", ("No checkup was signed before this one: there is nothing to compare with.",))
    newly = tuple(sorted(name for pk, name in now.failed.items() if pk not in before.failed))
    again = tuple(sorted(name for pk, name in before.failed.items() if pk in now.passed))
    return Comparison(before.number, _sentences(now, before, newly, again), _rows(now, before), newly, again)


def _sentences(now: Numbers, before: Numbers, newly: tuple[str, ...], again: tuple[str, ...]) -> tuple[str, ...]:
    still = sum(pk in before.failed for pk in now.failed)
    said = [
        f"{before.number} looked at {counted(before.resources, 'resource')}, of which {len(before.failed):,} failed; this one"
        f" at {now.resources:,}, of which {len(now.failed):,} failed.",
        f"Newly failed: {_named(newly)}." if newly else "Nothing failed that did not fail before.",
    ]
    if again:
        said.append(f"Passed again: {_named(again)}.")
    if still:
        said.append(f"{counted(still, 'resource')} failed in both.")
    if now.median_ms is not None and before.median_ms is not None:
        said.append(f"Getting one back took {_span(now.median_ms)} (median); before, {_span(before.median_ms)}.")
    return tuple(said)


def _named(names: tuple[str, ...]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _rows(now: Numbers, before: Numbers) -> tuple[Row, ...]:
    levels = sorted({*now.levels, *before.levels}, reverse=True)
    counts = [
        ("Resources", before.resources, now.resources),
        ("Passed", len(before.passed), len(now.passed)),
        ("Failed", len(before.failed), len(now.failed)),
        ("Not checked", before.left + before.waiting, now.left + now.waiting),
        ("Backups looked at", before.checks, now.checks),
        *((f"Proven to “{PROOF_LABELS[one]}”", before.levels.get(one, 0), now.levels.get(one, 0)) for one in levels),
    ]
    return (
        *((label, f"{then:,}", f"{today:,}") for label, then, today in counts),
        ("Time to get one back, median", _span(before.median_ms), _span(now.median_ms)),
        ("Time of all restores together", _span(before.total_ms), _span(now.total_ms)),
    )


def _span(milliseconds: int | None) -> str:
    return "–" if milliseconds is None else span_in_words(timedelta(milliseconds=milliseconds))
