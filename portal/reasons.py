"""Reasons that people give: required wherever a person decides, and kept whole."""

from __future__ import annotations

import unicodedata

from portal.errors import InvalidInput

REASON_MAX = 10_000
LEAST_LETTERS = 3
TOO_LONG = f"The reason is too long: {REASON_MAX:,} characters at most. Say the rest in fewer words."


def checked_reason(reason: str, missing: str, *, field: str = "reason") -> str:
    """The reason without blanks around it. Raises :class:`InvalidInput` naming ``field``; ``missing`` says it is needed.

    One that nobody can see (only blanks, zero-width and control characters) is missing.
    """
    reason = visible_text(reason)
    if not reason:
        raise InvalidInput(missing, field=field)
    if len(reason) > REASON_MAX:
        raise InvalidInput(TOO_LONG, field=field)
    return reason


def telling_reason(reason: str, missing: str, *, field: str = "reason") -> str:
    """Like :func:`checked_reason`, and it has to tell whoever audits it something: three letters or digits at least.

    A sign of a script that writes a word in one or two signs counts twice.
    """
    reason = checked_reason(reason, missing, field=field)
    letters = [character for character in reason if unicodedata.category(character)[0] in "LN"]
    if sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in letters) < LEAST_LETTERS:
        raise InvalidInput(f"“{reason[:20]}” tells nobody why. {missing} A few words are enough.", field=field)
    return reason


def visible_text(text: str) -> str:
    """The text without blanks around it; empty when there is nothing in it that anybody could see."""
    text = text.strip()
    return text if any(unicodedata.category(character)[0] in "LNPSM" for character in text) else ""
