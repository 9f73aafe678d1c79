"""Why a backup stays, in one line."""

from __future__ import annotations

from django import template
from django.utils.text import Truncator

from backups.keeping import Keeping
from backups.retention import Verdict
from portal.templatetags.look import day

register = template.Library()


IN_LISTS = 100
"""Characters of one reason: people write whole stories into a hold, which its backup's own page tells."""


@register.filter
def why_kept(kept: Keeping | Verdict[int], whole: bool) -> str:
    """ "daily of 20 Nov, 3 of 7; until 26 Nov": all reasons, and the expected last day.

    Unless ``whole`` a long reason is only begun.
    """
    reasons = kept.reasons if whole else [Truncator(reason).chars(IN_LISTS) for reason in kept.reasons]
    ended = [reason.rstrip(".") for reason in reasons]  # what people wrote may end in one
    return "; ".join([*ended, *([f"until {day(kept.until)}"] if kept.until else [])])
