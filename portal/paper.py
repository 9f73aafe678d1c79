"""Documents as PDF: the house's paper, on which any name can be written.

The typeface is Fira Sans, from a wheel (Latin, Greek and Cyrillic). What it has no letter for is written in Latin letters
that sound alike, so a name in any script makes a readable line and never a fault. The same content at the same moment
makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import fontpkg_fira_sans
from anyascii import anyascii
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from portal.papertable import broken, needed

FAMILY = "fira"
FILES = Path(fontpkg_fira_sans.ROOT) / "files"
STYLES = {"": FILES / "FiraSans-Regular.ttf", "B": FILES / "FiraSans-SemiBold.ttf"}

INK, SOFT, LINE, WASH = (28, 33, 48), (95, 102, 120), (214, 217, 225), (243, 244, 247)
GOOD, BAD, ACCENT = (34, 128, 94), (190, 52, 42), (59, 77, 175)
MARGIN, TEXT, SMALL = 18, 9.5, 8
HEADER = 8  # so much of a page its title takes, at most
LEADING, ABOVE, ASIDE = SMALL * 0.5, 1, 1.5  # of a table's cells
BASELINE = LEADING / 2 + 0.3 * SMALL * 25.4 / 72
MOST_LINES = 40  # of a cell


@cache
def letters() -> frozenset[int]:
    """The code points that every style of the typeface can write."""
    return frozenset.intersection(*(_letters_of(path) for path in STYLES.values()))


def _letters_of(path: Path) -> frozenset[int]:
    with TTFont(path, lazy=True) as typeface:
        return frozenset(typeface.getBestCmap())


def writable(text: str) -> str:
    """The text with what the typeface lacks in Latin letters; control characters become spaces."""
    known = letters()
    if all(ord(one) in known for one in text):
        return text
    return "".join(one if ord(one) in known else _spelled(one) for one in text)


def _spelled(one: str) -> str:
    return " " if one.isspace() or not one.isprintable() else anyascii(one) or "?"


def _short(lines: list[str]) -> list[str]:
    """A cell fits on a page, whatever a program had to say."""
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "…"]


class Paper(FPDF):
    """A4 pages with a title at the top of each and their numbers at the foot. ``made_at`` is aware."""

    def __init__(self, title: str, foot: str, made_at: datetime) -> None:
        super().__init__(format="A4")
        self.title_words, self.foot_words = title, foot
        for style, path in STYLES.items():
            self.add_font(FAMILY, style, path)
        self.set_title(writable(title))
        self.set_creation_date(made_at)
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, MARGIN + 6)
        self.alias_nb_pages()
        self.add_page()

    def header(self) -> None:
        """On every page but the first, which has its own heading."""
        if self.page_no() > 1:
            self.say(self.title_words, size=SMALL, colour=SOFT)
            self.ln(3)

    def footer(self) -> None:
        """What it is of, and which page of how many."""
        self.set_y(-MARGIN)
        self.say(self.foot_words, size=SMALL, colour=SOFT, down=False)
        self.set_x(-MARGIN - 40)
        self.cell(40, 5, f"Page {self.page_no()} of {{nb}}", align="R")

    def pen(self, size: float = TEXT, style: str = "", colour: tuple[int, int, int] = INK) -> None:
        """What is written next is so large, so heavy and of that colour."""
        self.set_font(FAMILY, style, size)
        self.set_text_color(*colour)

    def say(
        self, text: str, *, size: float = TEXT, style: str = "", colour: tuple[int, int, int] = INK, down: bool = True
    ) -> None:
        """A paragraph over the whole width, or with ``down=False`` a line after which the pen stays where it is."""
        self.pen(size, style, colour)
        if down:
            self.multi_cell(0, size * 0.52, writable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        else:
            self.cell(0, 5, writable(text), new_x=XPos.LEFT, new_y=YPos.TOP)

    def heading(self, text: str) -> None:
        """A heading with room around it, never alone at the foot of a page."""
        if self.will_page_break(30):
            self.add_page()
        self.ln(6)
        self.say(text, size=13, style="B")
        self.ln(1.5)

    def rows(self, head: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]]) -> None:
        """A table whose head is repeated on every page. ``widths`` are shares of the line.

        A row without a first cell goes on with the one above, and stays on its page. The second of two cells takes all the
        rest of the line.
        """
        rooms = [self.epw * width / sum(widths) for width in widths]
        self.set_draw_color(*LINE)
        top = self._broken([head], rooms, "B")[0]
        below = self._broken(rows, rooms, "")
        heights, goes_on = [_height(row) for row in below], [row[0] == [""] for row in below]
        page = self.eph - HEADER - _height(top)
        for number, row in enumerate(below):
            begins, room = number == 0, needed(heights, goes_on, number, page)
            if self.will_page_break(room + (_height(top) if begins else 0)):
                self.add_page()
                begins = True
            if begins:
                self._row(top, rooms, "B")
            self._row(row, rooms, "")
            if number + 1 == len(below) or len(below[number + 1]) == len(
                rooms
            ):  # what goes on over the line belongs to what is above
                self.line(self.l_margin, self.y, self.l_margin + self.epw, self.y)
        if not below:
            self._row(top, rooms, "B")
        self.ln(1)

    def _broken(self, rows: Sequence[Sequence[str]], rooms: Sequence[float], style: str) -> list[list[list[str]]]:
        """Of each row its cells, of each cell its lines."""
        self.pen(SMALL, style)
        width = cache(self.get_string_width)
        return [
            [
                _short(broken(writable(text), room - 2 * ASIDE, width))
                for text, room in zip(row, _rooms_of(row, rooms), strict=True)
            ]
            for row in rows
        ]

    def _row(self, row: Sequence[Sequence[str]], rooms: Sequence[float], style: str) -> None:
        self.pen(SMALL, style)
        x, y = self.l_margin, self.y
        if style:
            self.set_fill_color(*WASH)
            self.rect(x, y, self.epw, _height(row), style="F")
        for lines, room in zip(row, _rooms_of(row, rooms), strict=True):
            for number, line in enumerate(lines):
                self.text(x + ASIDE, y + ABOVE + number * LEADING + BASELINE, line)
            x += room
        self.set_y(y + _height(row))


def _rooms_of(row: Sequence[object], rooms: Sequence[float]) -> Sequence[float]:
    return rooms if len(row) == len(rooms) else [rooms[0], sum(rooms[1:])]


def _height(row: Sequence[Sequence[str]]) -> float:
    return max(map(len, row)) * LEADING + 2 * ABOVE
