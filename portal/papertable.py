"""Rows on paper. Pure: where the lines of a cell break, and which rows begin a new page.

fpdf2's own tables measure each line many times over, letter by letter: a document of some thousand rows took it the better
part of a minute, while a person waits. Here each word is measured once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

_WORDS = re.compile(r"[^ ]+ *| +")

Measure = Callable[[str], float]
"""How wide a text is, without kerning: a text is as wide as its letters together."""


def broken(text: str, room: float, width: Measure) -> list[str]:
    """The text in lines of at most that width. A word that is longer breaks after a hyphen, or else anywhere."""
    lines, line, used = [], "", 0.0
    for word in _fitting(text, room, width):
        if line and used + width(word.rstrip(" ")) > room:
            lines.append(line.rstrip(" "))
            line, used = "", 0.0
        line, used = line + word, used + width(word)
    return [*lines, line.rstrip(" ")]


def _fitting(text: str, room: float, width: Measure) -> Iterator[str]:
    for word in _WORDS.findall(text):
        while len(bare := word.rstrip(" ")) > 1 and width(bare) > room:
            begun = word[: _most_letters(word, room, width)]
            begun = begun[: begun.rfind("-") + 1] or begun
            yield begun
            word = word[len(begun) :]
        yield word


def _most_letters(word: str, room: float, width: Measure) -> int:
    """How many of them fit; at least one, whatever its width."""
    used = 0.0
    for number, letter in enumerate(word):
        used += width(letter)
        if used > room and number:
            return number
    return len(word)


def needed(heights: Sequence[float], goes_on: Sequence[bool], number: int, most: float) -> float:
    """How much room there must be for that row to begin on this page.

    Rows that go on with what the one before begins stay with it, and the last row is not left alone on the next page.
    ``most`` is what a page has: what is higher parts.
    """
    end = number + 1
    while not goes_on[number] and end < len(heights) and (goes_on[end] or end == len(heights) - 1):
        end += 1
    together = sum(heights[number:end])
    return together if together <= most else heights[number]
