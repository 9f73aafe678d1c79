"""Discovery: what is at AWS and has no backups, what has them and is not there; and that a failed listing changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.actions.discovering import discover_region
from backups.actions.registering import register_resource
from backups.actions.taking_in import proposals_for, take_in
from backups.findings import Code
from backups.models import Account, AccountRegion, Discovered, Finding, Resource, ResourceState
from portal.errors import NotPermitted, Refused
from portal.models import Application, Client
from tests.app.world import HOME, OTHER, World
from tests.drivers import aws
from tests.drivers.aws import answered, refusal
from tests.drivers.cases.ec2 import ZONE, build
from tests.fixtures_aws import account, ec2, machine

pytestmark = pytest.mark.slow  # a simulated AWS of many resources

__all__ = ["account", "ec2", "machine"]


@pytest.fixture
def region(account: Account) -> AccountRegion:
    return account.regions.select_related("account").get(name=HOME)


def register(world: World, kind: str, machine: str, **how: str) -> Resource:
    return register_resource(
        by=world.it, application=world.application, name=kind, kind=kind, environment="staging", home_region=HOME,
        other_region=OTHER, settings={"account": "hosting", "region": HOME, "machine": machine, **how},
    )  # fmt: skip


def found() -> list[str]:
    return [one.locator for one in Discovered.objects.order_by("locator")]


def finding() -> Finding | None:
    return Finding.objects.open().filter(code=Code.UNPROTECTED.value).first()


def test_a_stopped_machine_without_backups_is_found_and_said(
    world: World, ec2: Any, machine: str, region: AccountRegion
) -> None:
    ec2.stop_instances(InstanceIds=[machine])
    discover_region(region.pk)
    row = Discovered.objects.get()
    assert (row.kind, row.name, row.size_bytes) == ("ec2", "web-1", 38 << 30)
    assert row.sentence == f"{machine}, stopped: 3 volumes, 38 GiB"
    said = finding()
    assert said is not None
    assert said.sentence == f"1 machine in AWS {aws.NUMBER} {HOME} has no backups: web-1"
    first = row.first_seen_at
    discover_region(region.pk)
    row.refresh_from_db()
    assert (row.first_seen_at, row.seen_at > first) == (first, True)


def test_what_is_registered_is_not_among_it(world: World, machine: str, region: AccountRegion) -> None:
    discover_region(region.pk)
    register(world, "ec2", machine)
    assert found() == [], "at once, not with the next listing"
    assert finding() is None
    discover_region(region.pk)
    assert found() == []


def test_beside_one_volume_that_is_registered_the_others_are_found(
    world: World, machine: str, region: AccountRegion
) -> None:
    register(world, "ebs", machine, device="/dev/sdf")
    discover_region(region.pk)
    assert found() == [f"hosting/{HOME}/{machine}:{device}" for device in ("/dev/sda1", "/dev/sdg")]


def test_a_volume_that_lies_about_is_said_with_what_to_do(world: World, ec2: Any, region: AccountRegion) -> None:
    ec2.create_volume(AvailabilityZone=ZONE, Size=5)
    discover_region(region.pk)
    row = Discovered.objects.get()
    assert row.why_not.startswith("It is attached to no machine")
    with pytest.raises(Refused, match="attached to no machine"):
        take_in(by=world.it, found=row)


def test_what_the_portal_made_is_nobodys_to_take_in(world: World, ec2: Any, region: AccountRegion) -> None:
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=5)["VolumeId"]
    ec2.create_tags(Resources=[volume], Tags=[{"Key": "haas:restore", "Value": "haas-rr-1-1-abcdef"}])
    discover_region(region.pk)
    assert found() == []


def test_what_is_not_there_any_more_goes_from_the_list(
    world: World, ec2: Any, machine: str, region: AccountRegion
) -> None:
    discover_region(region.pk)
    ec2.terminate_instances(InstanceIds=[machine])
    discover_region(region.pk)
    assert not Discovered.objects.filter(kind="ec2").exists()


@pytest.mark.parametrize("operation", ["DescribeInstances", "DescribeVolumes"])
def test_a_listing_that_fails_changes_nothing(
    world: World, ec2: Any, machine: str, region: AccountRegion, operation: str
) -> None:
    resource = register(world, "ec2", machine)
    other = build(ec2)
    discover_region(region.pk)
    before = found()
    assert before == [f"hosting/{HOME}/{other}"]
    for code in ("UnauthorizedOperation", "RequestLimitExceeded"):
        with answered("ec2", operation, refusal(code)):
            discover_region(region.pk)
            discover_region(region.pk)
    assert found() == before
    resource.refresh_from_db()
    assert (resource.state, resource.missed_sightings) == (ResourceState.ACTIVE, 0)


def unlisted() -> list[str]:
    return [one.sentence for one in Finding.objects.open().filter(code=Code.UNLISTED.value)]


def test_what_could_not_be_listed_for_hours_is_said_until_it_can(
    world: World, machine: str, region: AccountRegion
) -> None:
    discover_region(region.pk)
    region.refresh_from_db()
    listed = region.listed_at
    assert listed is not None
    assert unlisted() == []
    refused = refusal("UnauthorizedOperation")
    for hours, said in ((1, False), (7, True), (8, True)):
        later = timezone.now() + timedelta(hours=hours)
        with answered("ec2", "DescribeVolumes", refused):
            discover_region(region.pk, clock=lambda: later)  # noqa: B023
        assert len(unlisted()) == said
    assert "does not let the portal call ec2:DescribeVolumes" in unlisted()[0]
    assert f"since {listed:%d %b %Y %H:%M} UTC" in unlisted()[0]
    region.refresh_from_db()
    assert region.listed_at == listed
    discover_region(region.pk)
    assert unlisted() == []


def test_a_region_that_was_never_listed_is_said_at_once(world: World, ec2: Any, region: AccountRegion) -> None:
    with answered("ec2", "DescribeVolumes", refusal("UnauthorizedOperation")):
        discover_region(region.pk)
    assert unlisted()[0].startswith(f"Not all that is in AWS {aws.NUMBER} {HOME} could be listed yet: ")


def test_a_listing_that_comes_after_a_newer_one_changes_nothing(
    world: World, ec2: Any, machine: str, region: AccountRegion
) -> None:
    late = timezone.now() - timedelta(minutes=5)
    discover_region(region.pk)
    before = found()
    ec2.terminate_instances(InstanceIds=[machine])
    discover_region(region.pk, clock=lambda: late)
    assert found() == before == [f"hosting/{HOME}/{machine}"]


def test_a_machine_of_which_no_snapshot_can_be_made_is_found_with_the_reason(
    world: World, ec2: Any, machine: str, region: AccountRegion
) -> None:
    for one in ec2.describe_volumes()["Volumes"]:
        ec2.detach_volume(VolumeId=one["VolumeId"], InstanceId=machine)
        ec2.delete_volume(VolumeId=one["VolumeId"])
    discover_region(region.pk)
    row = Discovered.objects.get()
    assert (row.name, row.sentence) == ("web-1", f"{machine}, running: 0 volumes, 0 GiB")
    assert row.why_not.startswith("It has no EBS volume")


def test_two_listings_without_it_flag_a_resource_and_it_comes_back(
    world: World, ec2: Any, machine: str, region: AccountRegion
) -> None:
    resource = register(world, "ebs", machine, device="/dev/sdf")
    [volume] = [
        one["VolumeId"] for one in ec2.describe_volumes()["Volumes"] if one["Attachments"][0]["Device"] == "/dev/sdf"
    ]
    ec2.detach_volume(VolumeId=volume, InstanceId=machine)
    states = []
    for minutes in (1, 2, 20, 62):  # what comes again within the half hour is the same sighting
        later = timezone.now() + timedelta(minutes=minutes)
        discover_region(region.pk, clock=lambda: later)  # noqa: B023
        resource.refresh_from_db()
        states.append(resource.state)
    assert states == [ResourceState.ACTIVE] * 3 + [ResourceState.VANISHED]
    ec2.attach_volume(VolumeId=volume, InstanceId=machine, Device="/dev/sdf")
    later = timezone.now() + timedelta(minutes=63)
    discover_region(region.pk, clock=lambda: later)
    resource.refresh_from_db()
    assert resource.state == ResourceState.ACTIVE


def tag(ec2: Any, machine: str, **tags: str) -> None:
    ec2.create_tags(
        Resources=[machine], Tags=[{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]
    )


def test_it_is_taken_in_as_its_tags_say(world: World, ec2: Any, machine: str, region: AccountRegion) -> None:
    tag(ec2, machine, Client="shopco", acme_application="Shop", Environment="prod")
    discover_region(region.pk)
    made = take_in(by=world.it, found=Discovered.objects.get())
    assert (made.name, made.application, made.environment) == ("web-1", world.application, "production")
    assert (made.home_region, made.other_region, made.locator) == (HOME, OTHER, f"hosting/{HOME}/{machine}")
    assert made.backups.count() == 1
    assert made.history.latest().history_change_reason == "taken in from what discovery found"
    assert found() == []


@pytest.mark.parametrize(
    ("tags", "missing"),
    [
        ({}, "do not say whose it is"),
        ({"client": "Shopco"}, "do not say whose it is"),
        ({"client": "Nobody", "application": "Shop"}, "knows no application “Shop” of a client “Nobody”"),
        ({"client": "Shopco", "application": "Shop"}, "do not say what it is for"),
        ({"client": "Shopco", "application": "Shop", "environment": "moon"}, "do not say what it is for"),
    ],
)
def test_what_the_tags_do_not_say_is_asked_for(
    world: World, ec2: Any, machine: str, region: AccountRegion, tags: dict[str, str], missing: str
) -> None:
    tag(ec2, machine, **tags) if tags else None
    discover_region(region.pk)
    with pytest.raises(Refused, match=missing):
        take_in(by=world.it, found=Discovered.objects.get())
    assert not Resource.objects.exists()


def test_only_it_takes_in(world: World, machine: str, region: AccountRegion) -> None:
    discover_region(region.pk)
    for name in ("owner", "staff", "manager", "auditor", "stranger", "nobody"):
        with pytest.raises(NotPermitted):
            take_in(by=world.people[name], found=Discovered.objects.get())
    assert not Resource.objects.exists()


def test_proposals_ask_as_often_for_many_as_for_one(
    world: World, region: AccountRegion, django_assert_num_queries: Any
) -> None:
    now = timezone.now()
    client = Client.objects.create(name="Other")
    for number in range(60):
        Application.objects.create(client=client, name=f"App {number}")
        Discovered.objects.create(
            region=region, kind="ec2", locator=f"hosting/{HOME}/i-{number:08x}", name=f"m{number}", sentence="a machine",
            tags={"client": "Other", "application": f"App {number}"}, first_seen_at=now, seen_at=now,
        )  # fmt: skip
    for many in (1, 60):
        rows = list(
            Discovered.objects.select_related("region__account").prefetch_related("region__account__regions")[:many]
        )
        with django_assert_num_queries(2):
            proposals = proposals_for(rows)
        assert {one.application is not None for one in proposals.values()} == {True}
