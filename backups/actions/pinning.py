"""Pins: written and taken away by whoever refers to a backup, in the same transaction as that."""

from __future__ import annotations

from datetime import datetime

from backups.models import Backup, Pin


def pin(backup: Backup, label: str, *, now: datetime) -> None:
    """Nothing deletes the backup until :func:`unpin`. Hold the backup's lock, so that no retention is deciding."""
    Pin.objects.update_or_create(backup=backup, label=label, defaults={"until": None}, create_defaults={"since": now})


def pin_until(label: str, until: datetime) -> None:
    """The pins of that label lose their force at that moment."""
    Pin.objects.filter(label=label).update(until=until)


def unpin(label: str) -> None:
    """What had that label is closed."""
    Pin.objects.filter(label=label).delete()
