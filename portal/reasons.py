"""Reasons that people give: required wherever a person decides, and kept whole."""

from __future__ import annotations

import unicodedata

from portal.errors import InvalidInput

REASON_MAX = 10_000
TOO_LONG = f"The reason is too long: {REASON_MAX:,} characters at most. Say the rest in fewer words."


def checked_reason(reason: str, missing: str) -> str:
    """The reason without blanks around it. Raises :class:`InvalidInput` naming ``reason``; ``missing`` says it is needed.

    One that nobody can see (only blanks, zero-width and control characters) is missing.
    """
    reason = visible_text(reason)
    if not reason:
        raise InvalidInput(missing, field="reason")
    if len(reason) > REASON_MAX:
        raise InvalidInput(TOO_LONG, field="reason")
    return reason


def visible_text(text: str) -> str:
    """The text without blanks around it; empty when there is nothing in it that anybody could see."""
    text = text.strip()
    return text if any(unicodedata.category(character)[0] in "LNPSM" for character in text) else ""
