"""What there is in a region of an account: every machine with its volumes, running or not, and volumes that lie about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backups.aws import tags
from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers.ec2.machine import GIB, Machine, Volume, machine_of
from backups.drivers.ec2.take import said_of
from backups.drivers.ec2.target import locator
from backups.drivers.provider import Candidate


@dataclass(frozen=True)
class Ec2Discovery:
    """See :class:`~backups.drivers.provider.Discovery`."""

    accounts: Accounts

    def everything(self, account: str, region: str) -> Iterator[Candidate]:
        """Two listings, by pages, however much there is. What the portal itself has made is not listed."""
        access = Access(self.accounts(account), region)
        by_machine: dict[str, list[Volume]] = defaultdict(list)
        loose: list[Volume] = []
        for found in access.pages("ec2", "describe_volumes", "Volumes"):
            volume = Volume.of(found)
            if volume.machine:
                for one in {attached["InstanceId"] for attached in found["Attachments"]}:
                    by_machine[one].append(Volume.of(found, one))
            elif volume.state == "available" and tags.RESTORE not in volume.tags:
                loose.append(volume)
        for reservation in access.pages("ec2", "describe_instances", "Reservations"):
            for found in reservation.get("Instances") or ():
                one = machine_of(found)
                if not one.is_gone:
                    yield _machine(access, one, sorted(by_machine[one.id], key=lambda volume: volume.device))
        for volume in loose:
            yield _loose(access, volume)


def _machine(access: Access, one: Machine, volumes: list[Volume]) -> Candidate:
    settings = {"account": access.account.name, "region": access.region, "machine": one.id}
    return Candidate(
        kind="ec2",
        locator=locator(access.account.name, access.region, one.id, ""),
        settings=settings,
        name=one.name or one.id,
        sentence=f"{one.id}, {one.state}: {said_of(volumes)}",
        size_bytes=sum(volume.size for volume in volumes) * GIB,
        tags=tags.own(one.tags),
        within=tuple(_attached(access, one, volume, settings) for volume in volumes),
        why_not="" if volumes else "It has no EBS volume, so AWS can make no snapshot of it. Back up what it holds.",
    )


def _attached(access: Access, one: Machine, volume: Volume, settings: Mapping[str, str]) -> Candidate:
    return Candidate(
        kind="ebs",
        locator=locator(access.account.name, access.region, one.id, volume.device),
        settings={**settings, "device": volume.device},
        name=volume.tags.get("Name") or f"{one.name or one.id} {volume.device}",
        sentence=f"{volume.id} at {volume.device} of {one.id}, {one.state}: {volume.size:,} GiB",
        size_bytes=volume.size * GIB,
        tags={**tags.own(one.tags), **tags.own(volume.tags)},
    )


def _loose(access: Access, volume: Volume) -> Candidate:
    return Candidate(
        kind="ebs",
        locator=f"{access.account.name}/{access.region}/{volume.id}",
        settings={},
        name=volume.tags.get("Name") or volume.id,
        sentence=f"{volume.id}, attached to nothing: {volume.size:,} GiB",
        size_bytes=volume.size * GIB,
        tags=tags.own(volume.tags),
        why_not="It is attached to no machine, so a restore could be put nowhere. Attach it to one; or delete it, if nobody"
        " needs it.",
    )
