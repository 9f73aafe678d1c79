"""A bucket with awkward objects in the simulated AWS, and a vault in each of its two regions."""

from __future__ import annotations

import gzip
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from backups.aws.accounts import AwsRegion
from backups.drivers.bucket import BucketDriver, Pace
from backups.drivers.bucket.target import hash_of
from backups.drivers.words import ManifestEntry, Settings
from tests.drivers import aws
from tests.drivers.aws import before_each_step
from tests.drivers.case import BadInput, DriverCase, Fingerprint

VAULTS = {aws.HOME: "acme-vault-central", aws.AWAY: "acme-vault-west"}
STORE = "acme-portal-store"
ACCOUNT = replace(aws.ACCOUNT, regions={name: AwsRegion(name, vault=vault) for name, vault in VAULTS.items()})
ACCOUNTS = aws.KnownAccounts({"hosting": ACCOUNT})
DRIVER = BucketDriver(ACCOUNTS, frozenset({STORE}), Pace(lease=0))
BLOCKS = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
ODD = (
    "/leading",
    "a//b",
    "a/../b",
    "A/case",
    "a/case",
    "ends in a space ",
    "plus+ &?#%41=~",
    "ünïcödé ✓",
    "long-" + "k" * 1019,
)


def make(s3: Any, name: str, region: str) -> None:
    """A bucket that is private and keeps versions."""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=BLOCKS)


def make_vaults() -> None:
    """Those of both regions."""
    for region, vault in VAULTS.items():
        make(aws.client("s3", region), vault, region)


def fill(s3: Any, bucket: str) -> None:
    """Twelve objects, a deleted one, and earlier versions."""
    for number, key in enumerate(ODD):
        s3.put_object(Bucket=bucket, Key=key, Body=f"content {number}".encode(), Tagging="team=a%20b&x=y")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    s3.put_object(Bucket=bucket, Key="page.html", Body=b"older")
    s3.put_object(
        Bucket=bucket,
        Key="page.html",
        Body=b"<p>Hello</p>",
        ContentType="text/html; charset=utf-8",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="a b.html"',
        ContentLanguage="de",
        Metadata={"owner": "shop", "note": "a b"},
        StorageClass="STANDARD_IA",
    )
    s3.put_object(Bucket=bucket, Key="orders.csv", Body=b"1;2;3", Tagging="keep=yes")
    s3.put_object(Bucket=bucket, Key="gone", Body=b"deleted since")
    s3.delete_object(Bucket=bucket, Key="gone")


def empty(s3: Any, bucket: str) -> None:
    """Every version, and the bucket."""
    while True:
        page = s3.list_object_versions(Bucket=bucket)
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if not found:
            break
        named = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})
    s3.delete_bucket(Bucket=bucket)


def empty_account() -> None:
    """No bucket is left."""
    for region in VAULTS:
        s3 = aws.client("s3", region)
        for one in s3.list_buckets(BucketRegion=region)["Buckets"]:
            empty(s3, one["Name"])


@dataclass
class BucketCase:
    """See the protocol."""

    driver: BucketDriver
    settings: Settings
    s3: Any = field(repr=False)
    before_each_step: Callable[[Callable[[], None]], None] = before_each_step

    @property
    def bucket(self) -> str:
        return self.settings["bucket"]

    @property
    def bad_inputs(self) -> Sequence[BadInput]:
        """See the protocol."""
        bad = [
            ("no such account", "account", "nobody"),
            ("a region of others", "region", "us-east-1"),
            ("no bucket name", "bucket", "s3://Shop"),
            ("a zero byte", "bucket", "shop\0"),
            ("no such bucket", "bucket", "shop-that-is-not-there"),
            ("one that a restore has made", "bucket", "haas-rr-1042-1-ff9db6-0a1b2c3d"),
            ("a vault", "bucket", VAULTS[aws.AWAY]),
            ("the portal's store", "bucket", STORE),
            ("no choice of tags", "tags", "maybe"),
        ]
        return [BadInput(what, {**self.settings, name: value}, name) for what, name, value in bad]

    def of(self, name: str) -> str:
        """The bucket called so."""
        return self.bucket if name == self.driver.locator(self.settings) else name

    def latest(self, bucket: str) -> dict[str, str]:
        """The version of each key that is live."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        return {one["Key"]: one["VersionId"] for page in pages for one in page.get("Versions", ()) if one["IsLatest"]}

    def seen(self, bucket: str, key: str, version: str, tagged: dict[str, str] | None = None) -> str:
        named = {"Bucket": bucket, "Key": key, "VersionId": version}
        got = self.s3.get_object(**named)
        tags = self.s3.get_object_tagging(**named)["TagSet"]
        borne = tagged if tagged is not None else {one["Key"]: one["Value"] for one in tags}
        return str(
            (
                hashlib.sha256(got["Body"].read()).hexdigest(), got["ContentLength"], got["ContentType"],
                got.get("CacheControl"), got.get("ContentDisposition"), got.get("ContentLanguage"),
                sorted(got["Metadata"].items()), got.get("StorageClass"), sorted(borne.items()),
            )
        )  # fmt: skip

    def was(self, kept: str) -> dict[str, tuple[str, dict[str, str] | None]] | None:
        """What was live before an exchange, with its tags where those alone changed, by the journal; None for none."""
        beside = f"{kept.removesuffix('-before')}-{hash_of(self.driver.locator(self.settings))[:8]}"
        prefix = f"haas/restores/{hash_of(self.driver.locator(self.settings))}/{beside}/"
        found = self.s3.list_objects_v2(Bucket=VAULTS[aws.HOME], Prefix=prefix + "plan/").get("Contents", ())
        with suppress(ClientError):
            self.s3.head_object(Bucket=VAULTS[aws.HOME], Key=prefix + "state")
            live: dict[str, Any] = {key: (version, None) for key, version in self.latest(self.bucket).items()}
            for one in found:
                body = self.s3.get_object(Bucket=VAULTS[aws.HOME], Key=one["Key"])["Body"].read()
                for line in map(json.loads, filter(None, gzip.decompress(body).split(b"\n"))):
                    live.pop(line["key"], None)
                    if line["was"]:
                        live[line["key"]] = (line["was"]["version"], line["was_tags"])
            return live
        return None

    def snapshot(self, name: str) -> Fingerprint:
        """See the protocol."""
        if name.endswith("-before"):
            versions = self.was(name)
            assert versions is not None, f"{name} is not there"
            return {key: self.seen(self.bucket, key, *which) for key, which in versions.items()}
        bucket = self.of(name)
        return {key: self.seen(bucket, key, version) for key, version in self.latest(bucket).items()}

    def exists(self, name: str) -> bool:
        """See the protocol. What is live as well, object for object, is not counted as standing beside."""
        live = self.driver.locator(self.settings)
        if name.endswith("-before"):
            return self.was(name) is not None and self.snapshot(name) != self.snapshot(live)
        if self.of(name) not in self.buckets() or not self.latest(self.of(name)):
            return False
        return name == live or self.bucket not in self.buckets() or self.snapshot(name) != self.snapshot(live)

    def buckets(self) -> set[str]:
        return {one["Name"] for one in self.s3.list_buckets()["Buckets"]}

    def names(self) -> frozenset[str]:
        """See the protocol."""
        return frozenset(self.buckets())

    def mutate(self) -> None:
        """See the protocol."""
        self.s3.put_object(Bucket=self.bucket, Key="orders.csv", Body=b"1;2;4", Tagging="keep=no")
        self.s3.put_object(Bucket=self.bucket, Key="new", Body=b"new")
        self.s3.delete_object(Bucket=self.bucket, Key="empty")
        tags = {"TagSet": [{"Key": "team", "Value": "others"}]}
        self.s3.put_object_tagging(Bucket=self.bucket, Key="a//b", Tagging=tags)

    def grow(self, megabytes: int) -> None:
        """See the protocol."""
        for number in range(megabytes * 2):
            self.s3.put_object(Bucket=self.bucket, Key=f"grown/{number}", Body=secrets.token_bytes(1 << 19))

    def lose(self) -> None:
        """See the protocol."""
        empty(self.s3, self.bucket)

    def stir(self, name: str) -> None:
        """See the protocol: a bucket does nothing but what is set for it, and nothing is."""

    def acting(self, name: str) -> list[str]:
        """See the protocol."""
        told = self.s3.get_bucket_notification_configuration(Bucket=name)
        found = [what for what in told if what != "ResponseMetadata"]
        for ask in (
            self.s3.get_bucket_replication,
            self.s3.get_bucket_lifecycle_configuration,
            self.s3.get_bucket_policy,
        ):
            with suppress(ClientError):
                found.append(str(ask(Bucket=name)))
        return found

    def tamper(self, name: str) -> str:
        """See the protocol."""
        self.s3.put_object(Bucket=self.of(name), Key="orders.csv", Body=b"1;2;9", Tagging="keep=yes")
        return "orders.csv: another content"

    def tamper_manifest(self, entries: list[ManifestEntry]) -> tuple[list[ManifestEntry], str]:
        """See the protocol."""
        changed = [{**entry, "size": 6} if entry["key"] == "orders.csv" else entry for entry in entries]
        return changed, "orders.csv: size"


@contextmanager
def open_case(home: Path) -> Iterator[DriverCase]:
    """A bucket in the home region."""
    s3 = aws.client("s3")
    make_vaults()
    settings = {"account": "hosting", "region": aws.HOME, "bucket": f"shop-{secrets.token_hex(4)}"}
    make(s3, settings["bucket"], aws.HOME)
    fill(s3, settings["bucket"])
    try:
        yield BucketCase(DRIVER, settings, s3)
    finally:
        empty_account()
