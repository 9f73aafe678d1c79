"""The company's calendar of checkups: its years, and what each lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from checkups.models import Checkup
from checkups.year import PER_YEAR, lacking_in_words, number_in_words, years_lacking
from checkups.yearpicture import YearPicture, picture_of


@dataclass(frozen=True)
class Year:
    """One calendar year with its checkups, oldest first. ``lacks`` says what is missing now, ``later`` what will be, ``has``
    that nothing is.
    """

    year: int
    checkups: list[Checkup]
    picture: YearPicture
    lacks: str
    later: str
    has: str


def years_of(checkups: Iterable[Checkup], years: Iterable[int], today: date) -> list[Year]:
    """Those years. What was withdrawn or cancelled is listed, and counts for nothing."""
    known = sorted(checkups, key=lambda checkup: (checkup.on, checkup.pk))
    counting = [checkup.on for checkup in known if checkup.facts.counts]
    lacking = dict(years_lacking(counting, today))
    return [_year(year, [one for one in known if one.on.year == year], lacking, today) for year in years]


def _year(year: int, checkups: list[Checkup], lacking: dict[int, int], today: date) -> Year:
    counting = [checkup for checkup in checkups if checkup.facts.counts]
    lacks = lacking_in_words(year, lacking[year]) if year in lacking else ""
    has = f"{number_in_words(len(counting)).capitalize()} dates are set" if len(counting) >= PER_YEAR else ""
    later = "" if lacks or has else _later(year, len(counting), today)
    marks = [(one.on, one.facts.colour, one.facts.label.lower()) for one in counting]
    return Year(year, checkups, picture_of(year, marks, today), lacks, later, has)


def _later(year: int, had: int, today: date) -> str:
    missing = "Its two dates are" if had == 0 else "Its second date is"
    when = "" if year == today.year + 1 else f" {year - 1}"
    return f"{missing} to be set from July{when} on."
