"""The verbs, each done by a module of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers import awssettings
from backups.drivers.awssettings import not_of_a_restore
from backups.drivers.base import Artefact, DriverError, Found, Mode, NotFound, Place, Sink, Standing, Taken, Verified
from backups.drivers.bucket import beside, exchange, keeping, preflight, removing, restore, take, target, vaults, verify
from backups.drivers.bucket.discovery import BucketDiscovery
from backups.drivers.bucket.listing import keeps_versions, pages
from backups.drivers.bucket.pace import NO_BUCKET, Pace, why
from backups.drivers.bucket.target import Target, hash_of, locator_of
from backups.drivers.counting import counted, megabytes
from backups.drivers.provider import KeptAt, Owned
from backups.drivers.questions import not_by_sql
from backups.drivers.words import Progress, Setting, Settings
from backups.proof import Proof


@dataclass(frozen=True)
class BucketKept:
    """The lists in vaults and what they name; see :class:`~backups.drivers.provider.Kept`."""

    accounts: Accounts
    pace: Pace

    def region(self, settings: Settings) -> str:
        """The setting of that name."""
        return settings["region"].strip()

    def regions(self, settings: Settings) -> Sequence[str]:
        """Those of the account that have a vault."""
        regions = self.accounts(settings["account"].strip()).regions
        return sorted(name for name, region in regions.items() if region.vault)

    def copy(self, settings: Settings, kept: KeptAt, region: str, token: str, progress: Progress) -> KeptAt:
        """By S3 itself, from vault to vault; what is there already is not copied again."""
        locator = locator_of(settings)
        here, there = (vaults.vault_in(self._in(settings, name), hash_of(locator)) for name in (kept.region, region))
        return keeping.copy(here, there, kept, token, locator, self.pace, progress)

    def check(self, settings: Settings, kept: KeptAt) -> None:
        """The list is whole, and all that it names is there."""
        keeping.check(vaults.vault_in(self._in(settings, kept.region), hash_of(locator_of(settings))), kept)

    def delete(self, settings: Settings, region: str, token: str, kept: KeptAt | None) -> None:
        """The list, and what it alone names."""
        access = self._in(settings, region)
        if kept is not None:
            vaults.check_same(kept, vaults.vault_in(access, ""))
        if settings.get("bucket"):
            removing.delete(vaults.vault_in(access, hash_of(locator_of(settings))), token, self.pace)
            return
        for vault in removing.holding(access, token):
            removing.delete(vault, token, self.pace)

    def owned(self, settings: Settings, region: str) -> Iterator[Owned]:
        """Every list in the region's vault."""
        return keeping.owned(self._in(settings, region))

    def _in(self, settings: Settings, region: str) -> Access:
        return Access(self.accounts(settings["account"].strip()), region)


@dataclass(frozen=True)
class BucketDriver:
    """Buckets. ``stores`` are those that the portal's own store is in. See :mod:`backups.drivers.bucket`."""

    accounts: Accounts
    stores: frozenset[str] = frozenset()
    pace: Pace = field(default_factory=Pace)

    kind: ClassVar[str] = "s3"
    label: ClassVar[str] = "S3 bucket"
    noun: ClassVar[str] = "bucket"
    settings: ClassVar[tuple[Setting, ...]] = (awssettings.ACCOUNT, awssettings.REGION, target.BUCKET, target.TAGS)
    export_suffix: ClassVar[str] = ""
    stops_writers: ClassVar[bool] = False
    exchanged: ClassVar[str] = "was put in the place of the other, object by object, as new versions"
    interrupts: ClassVar[str] = (
        "Applications are not kept off while objects are exchanged one by one: stop them where that matters."
    )
    appears: ClassVar[str] = "A new bucket appears next to {name}, under a name of its own."
    afterwards: ClassVar[str] = "Copy from it what you need."
    modes: ClassVar[frozenset[Mode]] = frozenset({Mode.IN_PLACE, Mode.BESIDE})
    proves: ClassVar[Proof] = Proof.RESTORED
    shares_with: ClassVar[frozenset[str]] = frozenset({"s3"})
    answers: ClassVar[bool] = False
    parts: ClassVar[None] = None

    @property
    def kept(self) -> BucketKept:
        """What vaults hold."""
        return BucketKept(self.accounts, self.pace)

    @property
    def discovery(self) -> BucketDiscovery:
        """All buckets but the portal's own."""
        return BucketDiscovery(self.accounts, self.stores, self.pace)

    def check(self, settings: Settings) -> Found:
        """The bucket is there, and can be listed; so is the vault of its region."""
        asked = self._target(settings)
        access, bucket = asked.access, asked.bucket
        not_of_a_restore("bucket", bucket)
        try:
            where = access.call("s3", "head_bucket", Bucket=bucket).get("BucketRegion") or access.region
        except DriverError as error:
            if why(error) in NO_BUCKET:
                raise NotFound(
                    f"There is no bucket {bucket} in the AWS account {access.account.name}.",
                    detail=error.detail,
                    setting="bucket",
                ) from error
            raise
        if where != access.region:
            raise DriverError(f"The bucket {bucket} is in {where}, not in {access.region}.", setting="region")
        vaults.check_fit(access)
        versions = keeps_versions(access, bucket) == "Enabled"
        first = next(pages(access, bucket, versions=False))
        size = sum(one.size for one in first.objects)
        held = (
            f"more than {counted(len(first.objects), 'object')}"
            if first.after
            else f"{counted(len(first.objects), 'object')}, {megabytes(size)}"
        )
        keeps = "keeps versions" if versions else "keeps no versions, so it can be restored beside only"
        return Found(asked.locator, f"Bucket {bucket}: {held}; it {keeps}", None if first.after else size)

    def locator(self, settings: Settings) -> str:
        """``account/region/bucket``."""
        return locator_of(settings)

    def overlaps(self, one: str, other: str) -> bool:
        """The same."""
        return one == other

    def exclusive(self, locator: str) -> str:
        """The bucket."""
        return locator

    def take(self, settings: Settings, sink: Sink, progress: Progress) -> Taken:
        """What is new is copied into the vault; the list of all, and what is set for the bucket, into the sink."""
        return take.take(self._target(settings), sink, progress)

    def place(self, settings: Settings, token: str, mode: Mode) -> Place:
        """``beside`` is a bucket; nobody else in the world may have one of that name."""
        live = self.locator(settings)
        return Place(live, f"haas-{token}-{hash_of(live)[:8]}", f"haas-{token}-before")

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """The vault, and for in place the live bucket."""
        return preflight.preflight(self._own(settings, place), mode, artefact)

    def restore(self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress) -> None:
        """A bucket, filled from the vault."""
        restore.restore(self._own(settings, place), place, artefact, progress)

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Every object of it as it was, and no other."""
        return verify.verify(self._own(settings, place), place, artefact, progress)

    def trial_settings(self, settings: Settings, kept: KeptAt | None) -> Settings:
        """Its own: S3 copies out of the vault in the other region as well, so that one is what is tried."""
        return settings

    def neutralise(self, settings: Settings, place: Place) -> list[str]:
        """Nothing is to be done: the bucket has been made without anything that acts."""
        beside.see_own(self._own(settings, place).access, place.beside)
        return [
            "The bucket is private, and has no notifications, replication, lifecycle rules or policy: none is brought back."
        ]

    def ask(self, settings: Settings, place: Place, question: str, seconds: float) -> str:
        """Refused: there is no SQL."""
        raise not_by_sql(self.noun)

    def reach(self, settings: Settings, place: Place) -> Mapping[str, str]:
        """The bucket and its region."""
        return {"bucket": place.beside, "region": self._own(settings, place).access.region}

    def identify(self, settings: Settings, place: Place) -> Place:
        """The journal of the exchange is written."""
        return exchange.identify(self._own(settings, place), place)

    def stop_writers(self, settings: Settings, place: Place) -> str:
        """Nothing keeps applications off a bucket that would not cut them off elsewhere, too."""
        return "S3 has no way to keep applications off a bucket for a while. Stop them by hand where it matters."

    def swap(self, settings: Settings, place: Place) -> None:
        """The restored objects as new versions of the live ones."""
        exchange.swap(self._own(settings, place), place)

    def swap_back(self, settings: Settings, place: Place) -> None:
        """The versions that were live before, as new ones."""
        exchange.swap_back(self._own(settings, place), place)

    def standing(self, settings: Settings, place: Place) -> Standing:
        """By how far the exchange is."""
        return exchange.standing(self._target(settings), place)

    def resume_writers(self, settings: Settings, place: Place) -> None:
        """None was stopped."""

    def health(self, settings: Settings, place: Place) -> str:
        """The bucket answers, and the exchange is whole."""
        return exchange.health(self._own(settings, place), place)

    def discard(self, settings: Settings, place: Place, name: str) -> None:
        """The bucket beside, or the journal with it; versions in the live bucket stay."""
        exchange.discard(self._own(settings, place), place, name)

    def _target(self, settings: Settings) -> Target:
        return target.target_of(self.accounts, settings, self.stores, self.pace)

    def _own(self, settings: Settings, place: Place) -> Target:
        found = self._target(settings)
        found.own(place)
        return found
