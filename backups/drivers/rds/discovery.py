"""What database instances there are in a region of an account, running or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backups.aws import tags
from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers.provider import Candidate
from backups.drivers.rds.instance import GIB, Instance, unfit
from backups.drivers.rds.target import Target


@dataclass(frozen=True)
class RdsDiscovery:
    """See :class:`~backups.drivers.provider.Discovery`."""

    accounts: Accounts

    def everything(self, account: str, region: str) -> Iterator[Candidate]:
        """One listing, by pages, of how many there are. What stands under a name of a restore is not listed."""
        access = Access(self.accounts(account), region)
        for found in access.pages("rds", "describe_db_instances", "DBInstances"):
            one = Instance.of(found)
            if not one.is_going and one.tags.get(tags.RESTORE) not in (one.name, one.becomes):
                yield _candidate(access, one)


def _candidate(access: Access, one: Instance) -> Candidate:
    return Candidate(
        kind="rds",
        locator=Target(access, one.name).locator,
        settings={"account": access.account.name, "region": access.region, "instance": one.name},
        name=one.name,
        sentence=f"{one.name}, {one.status}: {one.words}",
        size_bytes=one.size * GIB,
        tags=tags.own(one.tags),
        why_not=unfit(one),
    )
