"""Finding the checkup that a command's argument names."""

from __future__ import annotations

from datetime import date

from django.core.management.base import CommandError

from checkups.models import Checkup


def checkup_named(words: str) -> Checkup:
    """The checkup of that number or date: the one that counts, or the last that was given up. Raises CommandError."""
    try:
        on = date.fromisoformat(words.strip().upper().removeprefix("CU-"))
    except ValueError:
        raise CommandError(f"“{words}” is no number of a checkup, such as CU-2026-11-15.", returncode=2) from None
    of_day = Checkup.objects.filter(on=on)
    found = of_day.counting().first() or of_day.order_by("-pk").first()
    if found is None:
        raise CommandError(f"There is no checkup {words}.", returncode=2)
    return found
