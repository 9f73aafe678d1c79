"""Finding the checkup that a command's argument names."""

from __future__ import annotations

import re
from datetime import date

from django.core.management.base import CommandError

from checkups.models import Checkup

NUMBER = re.compile(r"(?:CU-)?(\d{4}-\d{2}-\d{2})(?:-(\d{1,4}))?", re.IGNORECASE)


def checkup_named(words: str) -> Checkup:
    """The checkup of that number or date; of a date the one that counts, or the last given up. Raises CommandError."""
    match = NUMBER.fullmatch(words.strip())
    try:
        on = date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise CommandError(f"“{words}” is no number of a checkup, such as CU-2026-11-15.", returncode=2) from None
    of_day = Checkup.objects.filter(on=on)
    if match and match[2]:
        found = of_day.filter(nth=int(match[2])).first()
    else:
        found = of_day.counting().first() or of_day.order_by("-pk").first()
    if found is None:
        raise CommandError(f"There is no checkup {words}.", returncode=2)
    return found
