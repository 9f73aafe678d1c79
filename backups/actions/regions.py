"""Preparing the regions of the portal's own store, without ever taking an unmounted disk for a new region."""

from __future__ import annotations

from backups.artefacts import index_key
from backups.kinds import REGIONS, store_of
from backups.models import Copy


def prepare_regions() -> None:
    """Mark every configured region as ours; safe to call at every start.

    A region that should hold copies already is marked only when its newest one is there. Raises
    :class:`backups.stores.base.StoreError` naming the first region that cannot be used.
    """
    for region in REGIONS:
        newest = Copy.objects.present().filter(region=region).select_related("backup__resource").order_by("-pk").first()
        store_of(region).prepare(expecting=index_key(newest.stored_under) if newest else "")
