"""Pins: written and taken away by whoever refers to a backup, in the same transaction as that."""

from __future__ import annotations

from collections.abc import Collection
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


def pin_exactly(label: str, backups: Collection[int], *, now: datetime) -> None:
    """That label pins exactly these backups from now on. Locks those that it did not pin before; call it in a transaction."""
    pinned = set(Pin.objects.filter(label=label).values_list("backup", flat=True))
    Pin.objects.filter(label=label, backup__in=pinned - set(backups)).delete()
    new = Backup.objects.select_for_update().filter(pk__in=set(backups) - pinned).order_by("pk")
    Pin.objects.bulk_create([Pin(backup=backup, label=label, since=now) for backup in new], batch_size=500)
