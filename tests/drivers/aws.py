"""A simulated AWS of this test process's own, over HTTP on loopback: EC2, RDS, S3, STS of moto.

It does everything at once and checks little, so what takes long, fails or is slow is put there by the tests, in its rows and
in botocore's events; never in our own code.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import botocore.endpoint
import botocore.session
from botocore.awsrequest import AWSResponse

from backups.aws import access, clients
from backups.aws.accounts import AwsAccount, AwsRegion
from backups.drivers.base import DriverError

NUMBER = "111122223333"
LOOKS = (*access.LOOKS, "AssumeRole")
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

    import moto.backends
    from moto.server import ThreadedMotoServer

    from portal.demo.awsgaps import fill_gaps

    fill_gaps()
    modules = tuple(moto.backends.list_of_moto_modules())  # which it lists from the disk for each request
    moto.backends.list_of_moto_modules = lambda: modules
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
    return os.environ["AWS_ENDPOINT_URL"]


@cache
def client(service: str, region: str = HOME) -> Any:
    """A client of plain boto3 in the account, to look at things without the code under test."""
    endpoint()
    return plain_client(service, region)


def plain_client(service: str, region: str = HOME) -> Any:
    """The same in a program that a test has started: of the AWS that its environment names."""
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


@contextmanager
def answered(service: str, operation: str, answer: Callable[..., Any], *, event: str = "before-send") -> Iterator[None]:
    """Meanwhile such calls of this process get that answer, which stands in for AWS's: refusals, throttling, faults.

    ``answer(request, **kwargs)`` returns an AWSResponse, or None to let the call through. With another ``event`` of
    botocore it is given what that brings, such as the parsed answer after a call.
    """
    original = botocore.session.Session.create_client

    def create(self: Any, name: str, *arguments: Any, **more: Any) -> Any:
        made = original(self, name, *arguments, **more)
        if name == service:
            made.meta.events.register(f"{event}.{service}.{operation}", answer)
        return made

    clients.forget_clients()
    botocore.session.Session.create_client = create
    try:
        yield
    finally:
        botocore.session.Session.create_client = original
        clients.forget_clients()


def before_each_step(step: Callable[[], None]) -> None:
    """Call it before each request that changes something, and before the answer to one arrives."""
    original = botocore.endpoint.Endpoint._send_request

    def sent(self: Any, request: dict[str, Any], operation: Any) -> Any:
        changes = not operation.name.startswith(LOOKS)
        if changes:
            step()
        answer = original(self, request, operation)
        if changes:
            step()
        return answer

    botocore.endpoint.Endpoint._send_request = sent


class _Body(io.BytesIO):
    """As urllib3 hands it to botocore."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def body_of(text: str) -> Any:
    """The body of an answer."""
    return _Body(text.encode())


def _bytes(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else b""


def refusal(code: str, status: int = 403, *, times: int = 1_000, words: str = "No.") -> Callable[..., Any]:
    """An answer of EC2, RDS or S3 that says so, that many times; then calls go through."""
    left = [times]

    def answer(request: Any, **_: Any) -> Any:
        if not left[0]:
            return None
        left[0] -= 1
        body = f"<Error><Code>{code}</Code><Message>{words}</Message></Error>"
        if b"Action=" in _bytes(request.body):
            body = f"<Response><Errors>{body}</Errors></Response>"
        return AWSResponse(request.url, status, {}, body_of(body))

    return answer
