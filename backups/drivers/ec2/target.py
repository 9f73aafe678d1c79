"""The settings of machines and volumes, and which of the two a resource is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers.awssettings import access_of
from backups.drivers.base import DriverError, Place
from backups.drivers.words import Setting, Settings

MACHINE_ID = re.compile(r"i-[0-9a-f]{8,17}")
DEVICE_NAME = re.compile(r"/dev/[a-z0-9/]{2,30}|xvd[a-z]{1,2}")
MACHINE = Setting("machine", "Machine", "Its instance id, i-…")
DEVICE = Setting(
    "device",
    "Device",
    "Where the volume is attached, such as /dev/sdf. A restore puts another volume there, so the device is what stays.",
)


@dataclass(frozen=True)
class Target:
    """Where a resource is: a machine with all its volumes, or the volume at one ``device`` of it."""

    access: Access
    machine: str
    device: str  # empty: all

    @property
    def locator(self) -> str:
        """The canonical one."""
        return locator(self.access.account.name, self.access.region, self.machine, self.device)

    @property
    def words(self) -> str:
        """What it is called in sentences."""
        return f"{self.machine} {self.device}".strip()

    def own(self, place: Place) -> None:
        """Refuse a place that is not the resource's: a stored row must not lead to another's volumes."""
        if place.live != self.locator or place.live in (place.beside, place.kept):
            raise DriverError(
                f"The restore was prepared for {place.live}, but the resource is {self.locator} now. Start a new restore."
            )


def locator(account: str, region: str, machine: str, device: str) -> str:
    """``account/region/machine``, and ``:device`` after it for a volume."""
    return f"{account}/{region}/{machine}" + (f":{device}" if device else "")


def locator_of(settings: Settings) -> str:
    """The canonical locator, without asking anybody."""
    account, region, machine, device = (
        settings.get(name, "").strip() for name in ("account", "region", "machine", "device")
    )
    return locator(account, region, machine, device)


def target_of(accounts: Accounts, settings: Settings, *, whole: bool) -> Target:
    """Where the settings lead. Raises :class:`DriverError` naming the one at fault."""
    access = access_of(accounts, settings)
    machine = settings.get("machine", "").strip()
    if not MACHINE_ID.fullmatch(machine):
        raise DriverError("Enter the machine's instance id, such as i-0123456789abcdef0.", setting="machine")
    device = "" if whole else settings.get("device", "").strip()
    if not whole and not DEVICE_NAME.fullmatch(device):
        raise DriverError("Enter the device where the volume is attached, such as /dev/sdf.", setting="device")
    return Target(access, machine, device)
