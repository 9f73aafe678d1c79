"""Which keys a store has, and the one that marks its place."""

from __future__ import annotations

import re

from backups.stores.base import StoreError

KEY = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,255}(?:/(?!\.)[A-Za-z0-9._-]{1,255})*")
MARK = ".region"
"""No key of an object: it holds the region's name."""


def checked(key: str) -> str:
    """The key itself; raises :class:`StoreError` for one that is not a key, before it can name a place elsewhere."""
    if not KEY.fullmatch(key):
        raise StoreError(f"“{key}” is not a key of the store: only letters, digits and ._- between slashes.")
    return key
