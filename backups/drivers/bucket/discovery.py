"""What buckets there are in a region of an account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from backups.aws import tags
from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.aws.answers import REFUSED
from backups.drivers.base import DriverError
from backups.drivers.bucket.pace import NO_BUCKET, Pace, why
from backups.drivers.bucket.target import locator
from backups.drivers.provider import Candidate


@dataclass(frozen=True)
class BucketDiscovery:
    """See :class:`~backups.drivers.provider.Discovery`."""

    accounts: Accounts
    stores: frozenset[str]
    pace: Pace

    def everything(self, account: str, region: str) -> Iterator[Candidate]:
        """One listing, by pages, and a call for the tags of each. What the portal itself has made or uses is not listed."""
        access = Access(self.accounts(account), region)
        own = self.stores | {one.vault for one in access.account.regions.values()}
        buckets = access.pages("s3", "list_buckets", "Buckets", BucketRegion=region)
        found = (one for one in buckets if one["Name"] not in own and one.get("BucketRegion", region) == region)
        while group := list(islice(found, 100)):
            for one in self.pace.each([partial(_candidate, access, bucket) for bucket in group]):
                if one is not None:
                    yield one


def _candidate(access: Access, bucket: dict[str, Any]) -> Candidate | None:
    name = bucket["Name"]
    try:
        borne = tags.read(access.call("s3", "get_bucket_tagging", Bucket=name), "TagSet")
    except DriverError as error:
        if why(error) in NO_BUCKET:  # gone since it was listed
            return None
        if why(error) not in REFUSED | {"NoSuchTagSet"}:  # a bucket may have a policy of its own that denies it
            raise
        borne = {}
    if tags.RESTORE in borne:
        return None
    return Candidate(
        kind="s3",
        locator=locator(access.account.name, access.region, name),
        settings={"account": access.account.name, "region": access.region, "bucket": name},
        name=name,
        sentence=f"Bucket {name}, made on {bucket['CreationDate']:%Y-%m-%d}",
        tags=tags.own(borne),
    )
