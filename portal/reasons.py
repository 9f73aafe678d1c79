"""Reasons that people give: required wherever a person decides, and kept whole."""

from __future__ import annotations

from portal.errors import InvalidInput

REASON_MAX = 10_000


def checked_reason(reason: str, missing: str) -> str:
    """The reason without blanks around it. Raises :class:`InvalidInput` naming ``reason``; ``missing`` says it is needed."""
    reason = reason.strip()
    if not reason:
        raise InvalidInput(missing, field="reason")
    if len(reason) > REASON_MAX:
        raise InvalidInput(f"The reason is too long: {REASON_MAX:,} characters at most.", field="reason")
    return reason
