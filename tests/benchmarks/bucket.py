"""How quick backups of buckets are, and how many calls they cost: beside plain copying by boto3, in the same run.

Run ``python -m tests.benchmarks.bucket --size 2.5G``: 50,000 small objects (50 kB of the size make one) in the simulated AWS,
which runs in this process and takes most of the time, though of versions it looks at no more than the page it gives; so what
counts is the ratio, and the calls per object. One in a hundred is changed before the second backup. Plain copying lists both
sides and copies what differs by size or ETag, and nothing else:
no list that outlives the next copying, no headers noted, no tags, no proof that all of it is there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from backups.artefacts import ArtefactWriter
from backups.drivers.bucket import Pace
from backups.stores.directory import DirectoryStore
from tests.drivers import aws
from tests.drivers.aws import answered
from tests.drivers.case import until_done
from tests.drivers.cases.bucket import DRIVER, empty_account, make, make_vaults
from tests.drivers.many import versions_in_pages

UNITS = {"M": 10**6, "G": 10**9}
BYTES_AN_OBJECT = 50_000
THREADS = Pace().threads
SOURCE, PLAIN = "bench-source", "bench-plain"


def client() -> Any:
    """Made anew each time, so that its calls are counted."""
    assumed = aws.client("sts").assume_role(RoleArn=aws.ROLE, RoleSessionName="bench")["Credentials"]
    return boto3.client(
        "s3",
        region_name=aws.HOME,
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
        config=Config(max_pool_connections=32),
    )


def each(jobs: list[Callable[[], object]]) -> None:
    """All of them, as many at once as the driver has."""
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(lambda job: job(), jobs):
            pass


def change(numbers: range) -> None:
    """Write those objects anew."""
    s3, at = aws.client("s3"), str(time.time()).encode()
    keys = [f"{number % 97:02d}/{number:07d}" for number in numbers]
    each([partial(s3.put_object, Bucket=SOURCE, Key=key, Body=at + key.encode()) for key in keys])


def plain() -> None:
    """What ``aws s3 sync`` does: both listings, and a copy of what differs."""
    s3 = client()

    def listed(bucket: str) -> dict[str, tuple[int, str]]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {one["Key"]: (one["Size"], one["ETag"]) for page in pages for one in page.get("Contents", ())}

    there = listed(PLAIN)
    different = [key for key, seen in listed(SOURCE).items() if there.get(key) != seen]
    each(
        [partial(s3.copy_object, Bucket=PLAIN, Key=key, CopySource={"Bucket": SOURCE, "Key": key}) for key in different]
    )


def backup(store: DirectoryStore, token: str, tags: str) -> Callable[[], None]:
    """A backup by the driver."""
    settings = {"account": "hosting", "region": aws.HOME, "bucket": SOURCE, "tags": tags}
    driver = replace(DRIVER, pace=Pace(seconds=3600))

    def run() -> None:
        with ArtefactWriter(store, token, kind="s3", header={}) as writer:
            writer.finish(until_done(lambda: driver.take(settings, writer, lambda done, expected=None: None)))

    return run


def measured(name: str, run: Callable[[], None], objects: int, base: float) -> float:
    """Run it, print a line, and give the seconds."""
    calls = 0

    def count(**_: Any) -> None:
        nonlocal calls
        calls += 1

    with answered("s3", "*", count):
        started = time.perf_counter()
        run()
        seconds = time.perf_counter() - started
    ratio = f"{base / seconds:6.2f}" if base else f"{1:6.2f}"
    print(
        f"{name:44} {seconds:8.1f}s {1000 * seconds / objects:7.2f} ms {calls:9,} {calls / objects:7.3f} {ratio}",
        flush=True,
    )
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Backups of a bucket beside plain copying.")
    parser.add_argument("--size", default="2.5G")
    parser.add_argument("--rounds", type=int, default=1, help="Changes and incremental backups, one after the other.")
    options = parser.parse_args()
    objects = int(float(options.size[:-1]) * UNITS[options.size[-1]]) // BYTES_AN_OBJECT
    with versions_in_pages(), tempfile.TemporaryDirectory() as folder:
        store = DirectoryStore("bench", Path(folder) / "store")
        store.prepare()
        make_vaults()
        for name in (SOURCE, PLAIN):
            make(aws.client("s3"), name, aws.HOME)
        change(range(objects))
        print(
            f"A bucket of {objects:,} objects\n{'':44} {'seconds':>9} {'object':>10} {'calls':>9} {'a piece':>7} {'ratio':>6}"
        )
        base = measured("plain copying, first", plain, objects, 0)
        measured("our backup, first", backup(store, "b/first", "none"), objects, base)
        for turn in range(options.rounds):
            change(range(turn, objects, 100))
            base = measured("plain copying, 1 % changed", plain, objects, 0)
            measured("our backup, 1 % changed, no tags", backup(store, f"b/{turn}", "none"), objects, base)
            measured("our backup, nothing changed, no tags", backup(store, f"b/{turn}-n", "none"), objects, base)
            measured("our backup, nothing changed, tags read", backup(store, f"b/{turn}-t", "read"), objects, base)
        empty_account()


if __name__ == "__main__":
    main()
