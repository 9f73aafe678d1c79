"""A machine with three volumes in the simulated AWS: the root disk, and two that are awkward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backups.drivers.ec2 import EbsDriver, Ec2Driver, VolumesDriver
from backups.drivers.words import ManifestEntry, Settings
from tests.drivers import aws
from tests.drivers.aws import before_each_step
from tests.drivers.case import BadInput, DriverCase, Fingerprint

WHOLE, SINGLE = Ec2Driver(aws.ACCOUNTS), EbsDriver(aws.ACCOUNTS)
ZONE = f"{aws.HOME}a"


def build(ec2: Any) -> str:
    """The machine's id."""
    [made] = ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web-1"}]}],
    )["Instances"]
    for device, size, kind, more in (
        ("/dev/sdf", 10, "gp3", {"Iops": 4000, "Throughput": 200, "Encrypted": True}),
        ("/dev/sdg", 20, "gp2", {}),
    ):
        volume = ec2.create_volume(
            AvailabilityZone=ZONE,
            Size=size,
            VolumeType=kind,
            TagSpecifications=[
                {
                    "ResourceType": "volume",
                    "Tags": [{"Key": "Name", "Value": f"data {device}"}, {"Key": "team=x", "Value": "ünïcödé ✓"}],
                }
            ],
            **more,
        )
        ec2.attach_volume(VolumeId=volume["VolumeId"], InstanceId=made["InstanceId"], Device=device)
    return str(made["InstanceId"])


@dataclass
class Ec2Case:
    """See the protocol. What a volume holds is told by the snapshot that it is of, and by a tag that stands for it."""

    driver: VolumesDriver
    settings: Settings
    ec2: Any = field(repr=False)
    before_each_step: Callable[[Callable[[], None]], None] = before_each_step
    noted: dict[str, str] = field(default_factory=dict)  # where the originals were attached, by volume

    @property
    def bad_inputs(self) -> Sequence[BadInput]:
        """See the protocol."""
        bad = [
            ("no such account", "account", "nobody"),
            ("a region of others", "region", "us-east-1"),
            ("no machine id", "machine", "web-1"),
            ("a zero byte", "machine", "i-0123456789abcdef0\0"),
        ]
        if not self.driver.whole:
            bad += [("no device", "device", "sdf; rm"), ("no device at all", "device", "")]
        return [BadInput(what, {**self.settings, name: value}, name) for what, name, value in bad]

    @property
    def machine(self) -> str:
        return self.settings["machine"]

    def of(self, name: str) -> list[dict[str, Any]]:
        """The volumes called so."""
        if name == self.driver.locator(self.settings):
            wanted = [{"Name": "attachment.instance-id", "Values": [self.machine]}]
        else:
            wanted = [{"Name": "tag:haas:restore", "Values": [name]}, {"Name": "status", "Values": ["available"]}]
        found = self.ec2.describe_volumes(Filters=wanted)["Volumes"]
        device = self.settings.get("device")
        return [one for one in found if device is None or device == self.device(one)]

    def device(self, volume: dict[str, Any]) -> str:
        for attached in volume["Attachments"]:
            return str(attached["Device"])
        return {tag["Key"]: tag["Value"] for tag in volume["Tags"]}.get("haas:part") or self.noted[volume["VolumeId"]]

    def snapshot(self, name: str) -> Fingerprint:
        """See the protocol."""
        volumes = self.of(name)
        assert volumes, f"{name} is not there"
        return {
            self.device(one): str(
                (
                    one["Size"], one["VolumeType"], one.get("Iops") if one["VolumeType"] == "gp3" else None,
                    one.get("Throughput"), one["Encrypted"], one["AvailabilityZone"],
                    sorted((tag["Key"], tag["Value"]) for tag in one.get("Tags", ()) if self.is_own(tag)),
                )
            )
            for one in volumes
        }  # fmt: skip

    def is_own(self, tag: dict[str, str]) -> bool:
        return not tag["Key"].startswith("haas:") and not tag["Value"].startswith("haas-")

    def exists(self, name: str) -> bool:
        """See the protocol."""
        return bool(self.of(name))

    def names(self) -> frozenset[str]:
        """See the protocol: volumes count where they are, not by their ids, which a restore changes."""
        found = self.ec2.describe_volumes()["Volumes"]
        return frozenset(
            f"{self.machine} {self.device(one)}" if one["Attachments"] else one["VolumeId"]
            for one in found
            if one["State"] != "deleted"
        )

    def mutate(self) -> None:
        """See the protocol."""
        for one in self.of(self.driver.locator(self.settings)):
            self.ec2.create_tags(Resources=[one["VolumeId"]], Tags=[{"Key": "content", "Value": "changed"}])

    def grow(self, megabytes: int) -> None:
        """See the protocol: nothing is read out of a volume."""

    def lose(self) -> None:
        """See the protocol."""
        for one in self.of(self.driver.locator(self.settings)):
            self.ec2.detach_volume(VolumeId=one["VolumeId"], InstanceId=self.machine)
            self.ec2.delete_volume(VolumeId=one["VolumeId"])

    def stir(self, name: str) -> None:
        """See the protocol: of volumes alone nothing acts."""

    def acting(self, name: str) -> list[str]:
        """See the protocol."""
        found = self.ec2.describe_volumes(Filters=[{"Name": "tag:haas:restore", "Values": [name]}])["Volumes"]
        return [one["VolumeId"] for one in found if one["Attachments"]]

    def tamper(self, name: str) -> str:
        """See the protocol."""
        one = next(one for one in self.of(name) if self.device(one) == "/dev/sdf")
        self.ec2.create_tags(Resources=[one["VolumeId"]], Tags=[{"Key": "team=x", "Value": "others"}])
        return "/dev/sdf: tags"

    def tamper_manifest(self, entries: list[ManifestEntry]) -> tuple[list[ManifestEntry], str]:
        """See the protocol."""
        changed = [{**entry, "size": 11} if entry["device"] == "/dev/sdf" else entry for entry in entries]
        return changed, "/dev/sdf: size"


def opened(driver: VolumesDriver, device: str) -> Iterator[DriverCase]:
    """A fresh machine, terminated afterwards, and everything that was made of it."""
    ec2 = aws.client("ec2")
    settings = {"account": "hosting", "region": aws.HOME, "machine": build(ec2)}
    case = Ec2Case(driver, {**settings, "device": device} if device else settings, ec2)
    for one in ec2.describe_volumes()["Volumes"]:
        for attached in one["Attachments"]:
            case.noted[one["VolumeId"]] = attached["Device"]
    try:
        yield case
    finally:
        ec2.terminate_instances(InstanceIds=[case.machine])
        for one in ec2.describe_volumes()["Volumes"]:
            if one["Attachments"]:
                ec2.detach_volume(VolumeId=one["VolumeId"], InstanceId=case.machine)
            ec2.delete_volume(VolumeId=one["VolumeId"])
        for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]:
            ec2.delete_snapshot(SnapshotId=one["SnapshotId"])


@contextmanager
def open_case(home: Path) -> Iterator[DriverCase]:
    """A whole machine."""
    yield from opened(WHOLE, "")
