"""What went wrong, in words: a sentence for the client, the technical part for IT."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from backups.drivers.base import DriverError
from backups.stores.base import StoreError
from portal.errors import PortalError


@dataclass(frozen=True)
class Words:
    """Both halves."""

    sentence: str
    detail: str = ""


def in_words(error: Exception) -> Words:
    """Both halves of any error that can end a step."""
    if isinstance(error, DriverError | StoreError):
        return Words(error.sentence, error.detail)
    if isinstance(error, PortalError):
        return Words(error.sentence)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Words("There is no room left on the disk. IT has to make room, then try again.", str(error))
    return Words(
        "The restore stopped because of a fault in the portal. IT has to look at it.",
        f"{type(error).__name__}: {error}",
    )
