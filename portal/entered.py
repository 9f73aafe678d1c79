"""Reading what stands in an address or a form, where anybody may have written anything."""

from __future__ import annotations

from django.db.models import BigIntegerField

MOST_WORDS = 8
LONGEST_SEARCH = 100  # characters


def search_words(text: str) -> list[str]:
    """The words to search for: the first few, without characters that no database can look for."""
    return text.replace("\0", "")[:LONGEST_SEARCH].split()[:MOST_WORDS]


def whole_number(text: str) -> int | None:
    """The number that the text is, when a row's id can be that number; else None."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    number = int(text)
    return number if number <= BigIntegerField.MAX_BIGINT else None
