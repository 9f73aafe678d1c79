"""The settings of a database instance, and where they lead."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers.awssettings import access_of
from backups.drivers.base import DriverError, Place
from backups.drivers.words import Setting, Settings

IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9]){0,62}")
INSTANCE = Setting(
    "instance", "Instance", "Its DB instance identifier, such as shop-db: the first part of its endpoint."
)


@dataclass(frozen=True)
class Target:
    """Where a resource is: the instance that has this name."""

    access: Access
    name: str

    @property
    def locator(self) -> str:
        """The canonical one."""
        return f"{self.access.account.name}/{self.access.region}/{self.name}"

    def own(self, place: Place) -> None:
        """Refuse a place that is not the resource's: a stored row must not lead to another's instance."""
        if place.live != self.locator or {place.live, self.name} & {place.beside, place.kept}:
            raise DriverError(
                f"The restore was prepared for {place.live}, but the resource is {self.locator} now. Start a new restore."
            )


def locator_of(settings: Settings) -> str:
    """``account/region/instance``, without asking anybody. RDS keeps names in small letters."""
    account, region, name = (settings.get(key, "").strip() for key in ("account", "region", "instance"))
    return f"{account}/{region}/{name.lower()}"


def target_of(accounts: Accounts, settings: Settings) -> Target:
    """Where the settings lead. Raises :class:`DriverError` naming the one at fault."""
    access = access_of(accounts, settings)
    name = settings.get("instance", "").strip().lower()
    if not IDENTIFIER.fullmatch(name) or len(name) > 63:
        raise DriverError(
            "Enter the DB instance identifier, such as shop-db: letters, digits and single hyphens.", setting="instance"
        )
    return Target(access, name)
