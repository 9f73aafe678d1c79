"""Why a backup stays, in one line."""

from __future__ import annotations

from django import template

from backups.keeping import Keeping
from backups.retention import Verdict
from portal.templatetags.look import day

register = template.Library()


@register.filter
def why_kept(kept: Keeping | Verdict[int]) -> str:
    """ "daily of 20 Nov, 3 of 7; until 26 Nov": all reasons, and the expected last day."""
    reasons = [reason.rstrip(".") for reason in kept.reasons]  # what people wrote may end in one
    return "; ".join([*reasons, *([f"until {day(kept.until)}"] if kept.until else [])])
