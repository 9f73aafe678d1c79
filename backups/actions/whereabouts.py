"""Whether a resource is still the thing that was registered."""

from __future__ import annotations

from backups.kinds import driver_of
from backups.models import Resource
from portal.errors import Refused


def check_not_moved(resource: Resource) -> None:
    """Refuse when the settings lead elsewhere than when it was registered: a link was turned to another's data, say.

    Asked before anything is read from, or written to, the resource.
    """
    driver = driver_of(resource.kind)
    now = driver.locator(resource.settings)
    if now != resource.locator:
        raise Refused(
            f"The {driver.noun} {resource.name} leads to another place than when it was registered, so nothing was done."
            " IT has to see who changed it, and register it anew if that is right."
        )
