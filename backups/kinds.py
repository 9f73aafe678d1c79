"""The one literal table of resource kinds, and the regions of the portal's own store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from backups.awsaccounts import account_named
from backups.drivers.base import Driver
from backups.drivers.bucket import BucketDriver
from backups.drivers.ec2 import EbsDriver, Ec2Driver
from backups.drivers.files import FilesDriver
from backups.drivers.mysql import MysqlDriver
from backups.drivers.postgres import PostgresDriver
from backups.drivers.rds import RdsDriver
from backups.stores.base import Store
from backups.stores.directory import DirectoryStore
from backups.stores.s3 import S3Store
from portal.errors import InvalidInput, Refused


def store_buckets() -> frozenset[str]:
    """The buckets that regions of the portal's own store are in."""
    places = (urlsplit(place) for place in settings.STORE_REGIONS.values())
    return frozenset(place.netloc for place in places if place.scheme == "s3")


KINDS: dict[str, Driver] = {
    driver.kind: driver
    for driver in (
        FilesDriver(settings.FILES_ROOTS),
        PostgresDriver(),
        MysqlDriver(),
        Ec2Driver(account_named),
        EbsDriver(account_named),
        RdsDriver(account_named),
        BucketDriver(account_named, store_buckets()),
    )
}

KEPT_AT_PROVIDERS = frozenset(kind for kind, driver in KINDS.items() if driver.kept is not None)
"""Of these the portal's own regions hold only what each backup is of."""

REGIONS: tuple[str, ...] = tuple(settings.STORE_REGIONS)


def driver_of(kind: str) -> Driver:
    """The driver of a kind. Raises :class:`InvalidInput` naming the kinds there are."""
    try:
        return KINDS[kind]
    except KeyError:
        known = ", ".join(sorted(KINDS))
        raise InvalidInput(f"There is no resource kind “{kind}”. Choose one of: {known}.", field="kind") from None


def store_of(region: str) -> Store:
    """The store of a region. Raises :class:`Refused` when the region is no longer configured."""
    try:
        place = settings.STORE_REGIONS[region]
    except KeyError:
        raise Refused(f"The region {region} is not configured. IT has to add it to STORE_REGIONS.") from None
    return S3Store.at(region, place) if place.startswith("s3:") else DirectoryStore(region, Path(place))
