"""How quick regions in S3 are: through our store, by boto3's transfers, and by obstore where that is installed.

Run ``python -m tests.benchmarks.s3 --size 2G``: one file up to a Swift on loopback and down again, in turns. What counts is
the ratio: the server takes a core or two itself. boto3's CRT client is left out, because it ignores the endpoint.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from backups.stores.s3 import S3Store
from tests.benchmarks.measure import Contender, compete, run_program, table
from tests.drivers.swift import ENVIRONMENT, KEY, SECRET, SwiftServer

UNITS = {"M": 10**6, "G": 10**9}
CHUNK = 1 << 19
OURS = "our store"
BUCKET = "bench"
TUNED = TransferConfig(
    multipart_chunksize=32 << 20, multipart_threshold=32 << 20, max_concurrency=4, io_chunksize=1 << 20
)


def store_at(endpoint: str) -> S3Store:
    """Our region there."""
    return S3Store("bench", BUCKET, "region", "eu-central-1", endpoint)


def up(store: S3Store, path: Path) -> None:
    """The file to our store, as the artefacts write it: chunk by chunk."""
    with path.open("rb") as file, store.writer("data.zst") as writer:
        while chunk := file.read(CHUNK):
            writer.write(chunk)
        writer.commit()


def down(store: S3Store) -> None:
    """And back to nowhere."""
    with store.open("data.zst") as file:
        while file.read(CHUNK):
            pass


def by_boto3(endpoint: str, path: Path, config: TransferConfig) -> tuple[Callable[[], None], Callable[[], None]]:
    """Up and down by boto3's transfers."""
    client: Any = boto3.client(
        "s3",
        region_name="eu-central-1",
        endpoint_url=endpoint,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=32),
    )

    def upload() -> None:
        with path.open("rb") as file:
            client.upload_fileobj(file, BUCKET, "boto3", Config=config)

    def download() -> None:
        with Path(os.devnull).open("wb") as nowhere:
            client.download_fileobj(BUCKET, "boto3", nowhere, Config=config)

    return upload, download


def by_obstore(endpoint: str, path: Path) -> tuple[Callable[[], None], Callable[[], None]]:
    """Up and down by obstore, with parts like ours."""
    obstore: Any = importlib.import_module("obstore")
    there = importlib.import_module("obstore.store").S3Store(
        BUCKET,
        endpoint=endpoint,
        region="eu-central-1",
        access_key_id=KEY,
        secret_access_key=SECRET,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )

    def upload() -> None:
        file: BinaryIO
        with path.open("rb") as file:
            obstore.put(there, "obstore", file, chunk_size=32 << 20, max_concurrency=4)

    def download() -> None:
        for _ in obstore.get(there, "obstore").stream(min_chunk_size=CHUNK):
            pass

    return upload, download


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Regions in S3 beside other ways to move a file.")
    parser.add_argument("--size", default="1G")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs=3, metavar=("WAY", "ENDPOINT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        way, endpoint, name = options.only
        up(store_at(endpoint), Path(name)) if way == "up" else down(store_at(endpoint))
        return
    os.environ.update(ENVIRONMENT)
    total = int(float(options.size[:-1]) * UNITS[options.size[-1]])
    with SwiftServer("eu-central-1") as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data"
        with path.open("wb") as file:
            for start in range(0, total, 1 << 20):
                file.write(os.urandom(min(1 << 20, total - start)))
        server.client().create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": server.location})
        store = store_at(server.endpoint)
        store.prepare()
        ways = {
            OURS: (lambda: up(store, path), lambda: down(store)),
            "boto3, by default": by_boto3(server.endpoint, path, TransferConfig()),
            "boto3, tuned": by_boto3(server.endpoint, path, TUNED),
        }
        if importlib.util.find_spec("obstore"):
            ways["obstore"] = by_obstore(server.endpoint, path)
        for title, which in (("Up to S3", 0), ("Down from S3", 1)):
            series = compete([Contender(name, both[which]) for name, both in ways.items()], options.rounds)
            way = title.split()[0].lower()
            program = [sys.executable, "-m", "tests.benchmarks.s3", "--only", way, server.endpoint, str(path)]
            series[OURS].peak_mb = run_program(program)
            print(table(f"{title}, {total / 1e6:,.0f} MB", series, total, OURS), flush=True)


if __name__ == "__main__":
    main()
