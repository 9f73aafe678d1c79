"""The regions of the portal's own store: preparing them, and asking whether one is there."""

from __future__ import annotations

from backups.artefacts import index_key
from backups.kinds import REGIONS, store_of
from backups.models import Copy
from backups.stores.base import StoreError
from portal.errors import InvalidInput, PortalError

NO_OBJECT = "look"
"""A key that no object has: asking for it asks the region whether it is there."""


def prepare_regions() -> None:
    """Mark every configured region as ours; safe to call at every start. An unmounted disk is never taken for a new one.

    A region that should hold copies already is marked only when its newest one is there. Raises
    :class:`backups.stores.base.StoreError` naming the first region that cannot be used.
    """
    for region in REGIONS:
        newest = Copy.objects.present().filter(region=region).select_related("backup__resource").order_by("-pk").first()
        store_of(region).prepare(expecting=index_key(newest.stored_under) if newest else "")


def region_warnings() -> list[str]:
    """A sentence for each setting of a configured region's place that is not as it should be.

    Raises :class:`backups.stores.base.StoreError` naming the first region that cannot be asked.
    """
    return [sentence for region in REGIONS for sentence in store_of(region).warnings()]


def named_regions() -> list[str]:
    """Those configured, and those that are not any more though copies are said to lie there."""
    named = Copy.objects.present().order_by("region").values_list("region", flat=True).distinct()
    return [*dict.fromkeys([*REGIONS, *named])]


def regions_away() -> list[str]:
    """A sentence for each region that cannot be read: of those configured, and of those that copies lie in."""
    away = []
    for region in named_regions():
        try:
            store_of(region).stat(NO_OBJECT)
        except (StoreError, PortalError) as error:
            away.append(error.sentence)
    return away


def check_region_is_there(region: str, *, field: str) -> None:
    """Raise :class:`InvalidInput` naming the field when the region cannot be read: its disk is not mounted, say."""
    try:
        store_of(region).stat(NO_OBJECT)
    except StoreError as error:
        raise InvalidInput(error.sentence, field=field) from error
