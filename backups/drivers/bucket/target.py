"""The settings of buckets, and where they lead."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers.awssettings import access_of
from backups.drivers.base import DriverError, Place
from backups.drivers.bucket.pace import Pace
from backups.drivers.words import Setting, Settings

BUCKET_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)*[a-z0-9]")
BUCKET = Setting("bucket", "Bucket", "Its name, without s3:// before it.")
READ, NONE = "read", "none"
TAGS = Setting(
    "tags",
    "Tags of objects",
    "read: those of every object are read for each backup, which costs a call for each. none: nobody tags objects there.",
    required=False,
    default=READ,
)


@dataclass(frozen=True)
class Target:
    """A bucket that is backed up. ``tagged``: whether its objects may have tags."""

    access: Access
    bucket: str
    tagged: bool
    pace: Pace

    @property
    def locator(self) -> str:
        """The canonical one."""
        return locator(self.access.account.name, self.access.region, self.bucket)

    @property
    def hash(self) -> str:
        """What the resource is called in vaults."""
        return hash_of(self.locator)

    def own(self, place: Place) -> None:
        """Refuse a place that is not the resource's: a stored row must not lead to another's buckets."""
        if place.live != self.locator or place.live in (place.beside, place.kept):
            raise DriverError(
                f"The restore was prepared for {place.live}, but the resource is {self.locator} now. Start a new restore."
            )


def hash_of(locator: str) -> str:
    """Short for a locator."""
    return hashlib.sha256(locator.encode()).hexdigest()[:24]


def locator(account: str, region: str, bucket: str) -> str:
    """``account/region/bucket``."""
    return f"{account}/{region}/{bucket}"


def locator_of(settings: Settings) -> str:
    """The canonical locator, without asking anybody."""
    return locator(*(settings.get(name, "").strip() for name in ("account", "region", "bucket")))


def target_of(accounts: Accounts, settings: Settings, stores: frozenset[str], pace: Pace) -> Target:
    """Where the settings lead. Raises :class:`DriverError` naming the one at fault."""
    access = access_of(accounts, settings)
    bucket = settings.get("bucket", "").strip()
    if not BUCKET_NAME.fullmatch(bucket):
        raise DriverError("Enter the bucket's name, such as shop-uploads, without s3:// before it.", setting="bucket")
    if bucket in stores or bucket in {one.vault for one in access.account.regions.values()}:
        raise DriverError(
            f"The portal itself keeps backups in the bucket {bucket}, so it cannot be one that is backed up.",
            setting="bucket",
        )
    tags = settings.get("tags", "").strip() or READ
    if tags not in (READ, NONE):
        raise DriverError(f"For the tags of objects enter {READ} or {NONE}.", setting="tags")
    return Target(access, bucket, tags == READ, pace)
