"""A simulated AWS of this test process's own, over HTTP on loopback: EC2, RDS, S3, STS of moto.

It does everything at once and checks little, so what takes long, fails or is slow is put there by the tests, in its rows and
in botocore's events; never in our own code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

from backups.aws.accounts import AwsAccount, AwsRegion
from backups.drivers.base import DriverError

NUMBER = "111122223333"
HOME, AWAY = "eu-central-1", "eu-west-1"
ROLE = f"arn:aws:iam::{NUMBER}:role/haas-backup-portal"
ACCOUNT = AwsAccount(
    "hosting",
    NUMBER,
    role=ROLE,
    external_id="9f0c1b7e-portal",
    regions={region: AwsRegion(region) for region in (HOME, AWAY)},
)


@dataclass(frozen=True)
class KnownAccounts:
    """Accounts by name; picklable, for the kill tests' child processes."""

    known: Mapping[str, AwsAccount]

    def __call__(self, name: str) -> AwsAccount:
        """See backups.aws.accounts.Accounts."""
        if name not in self.known:
            raise DriverError(f"There is no AWS account “{name}”. An administrator adds it.")
        return self.known[name]


ACCOUNTS = KnownAccounts({"hosting": ACCOUNT})


@cache
def endpoint() -> str:
    """Where it answers; started by the first who asks, for as long as the process lives."""
    os.environ.update(
        MOTO_EC2_LOAD_DEFAULT_AMIS="false",
        AWS_ACCESS_KEY_ID="portal",
        AWS_SECRET_ACCESS_KEY="not-a-secret",
        AWS_MAX_ATTEMPTS="2",
        AWS_EC2_METADATA_DISABLED="true",
    )
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
    return os.environ["AWS_ENDPOINT_URL"]


def client(service: str, region: str = HOME) -> Any:
    """A client of plain boto3 in the account, to look at things without the code under test."""
    endpoint()
    session = boto3.Session(region_name=region)
    assumed = session.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    return session.client(
        service,
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )


@contextmanager
def rows(service: str, region: str = HOME) -> Iterator[Any]:
    """The simulated account's own rows, to make pending, old or faulty what is never so by itself."""
    from moto.backends import get_backend

    endpoint()
    yield get_backend(service)[NUMBER][region]  # type: ignore[call-overload]
