"""Buckets for tests, on the simulated AWS and on a real Swift; and what goes wrong on the way to them.

Faults are put into botocore's events or into a TCP connection, never into our own code.
"""

from __future__ import annotations

import io
import secrets
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from backups.stores.s3 import S3Store
from tests.drivers import aws
from tests.drivers.swift import SwiftServer


def moto_client(region: str) -> Any:
    """A client of plain botocore on the simulated AWS."""
    return botocore.session.Session().create_client(
        "s3", region_name=region, endpoint_url=aws.endpoint(), config=Config(s3={"addressing_style": "path"})
    )


def moto_bucket(region: str = aws.HOME) -> str:
    """A new bucket of the simulated AWS."""
    name = f"backups-{secrets.token_hex(6)}"
    moto_client(region).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    return name


def moto_store(name: str = "north", region: str = aws.HOME) -> S3Store:
    """A prepared region in a bucket of its own of the simulated AWS."""
    store = S3Store(name, moto_bucket(region), "portal/regions", region, aws.endpoint())
    store.prepare()
    return store


def swift_bucket(server: SwiftServer) -> str:
    """A new bucket of that server."""
    name = f"backups-{secrets.token_hex(6)}"
    server.client().create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": server.location})
    return name


def swift_store(server: SwiftServer, name: str = "north") -> S3Store:
    """A prepared region in a bucket of its own of that server."""
    store = S3Store(name, swift_bucket(server), "portal/regions", server.location, server.endpoint)
    store.prepare()
    return store


def uploads(store: S3Store) -> list[str]:
    """The keys of uploads that are neither completed nor given up."""
    found = store.place.client.list_multipart_uploads(Bucket=store.place.bucket).get("Uploads", [])
    return [upload["Key"] for upload in found]


def versions(store: S3Store) -> list[str]:
    """The keys of all versions and delete markers beside the mark's."""
    found = store.place.client.list_object_versions(Bucket=store.place.bucket)
    keys = [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, [])]
    return sorted(key for key in keys if not key.endswith(".region"))


def answer(request: Any, status: int, code: str) -> AWSResponse:
    """What S3 answers when it will not."""
    body = f"<Error><Code>{code}</Code><Message>It is so.</Message></Error>".encode()

    class Raw(io.BytesIO):
        def stream(self, *args: object, **kwargs: object) -> Iterator[bytes]:
            yield self.read()

    return AWSResponse(request.url, status, {"content-type": "application/xml"}, Raw(body))


@contextmanager
def on_sending(store: S3Store, operation: str, handler: Callable[[Any], AWSResponse | None]) -> Iterator[None]:
    """Have ``handler`` look at each request of that operation, and answer in the server's place if it likes."""

    def called(request: Any, **other: object) -> AWSResponse | None:
        return handler(request)

    events = store.place.client.meta.events
    events.register(f"before-send.s3.{operation}", called)
    try:
        yield
    finally:
        events.unregister(f"before-send.s3.{operation}", called)


@contextmanager
def refusing(store: S3Store, operation: str, status: int, code: str, *, times: int = 1_000_000) -> Iterator[list[Any]]:
    """Have the first requests of that operation refused; gives the list of them all."""
    seen: list[Any] = []

    def refuse(request: Any) -> AWSResponse | None:
        seen.append(request)
        return answer(request, status, code) if len(seen) <= times else None

    with on_sending(store, operation, refuse):
        yield seen


@contextmanager
def losing_the_first_answer(store: S3Store, operation: str) -> Iterator[None]:
    """Have the first request of that operation done, and answered by an error all the same."""
    seen: list[Any] = []

    def lose(request: Any) -> AWSResponse | None:
        seen.append(request)
        if len(seen) > 1:
            return None
        URLLib3Session().send(request)
        return answer(request, 500, "InternalError")

    with on_sending(store, operation, lose):
        yield


class Wire:
    """A TCP connection to a server that can be cut while something comes back over it. Use as a context manager."""

    def __init__(self, endpoint: str) -> None:
        host, _, port = endpoint.removeprefix("http://").rpartition(":")
        self._server = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.cut_after: list[int] = []
        """After how many bytes from the server the connection is cut; one number for each cut that is still to come."""
        self.connections = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._closing = False
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listening.accept()
            if self._closing:
                return client.close()
            self.connections += 1
            thread = threading.Thread(target=self._pass_on, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server, selectors.DefaultSelector() as either:
            either.register(client, selectors.EVENT_READ, server)
            either.register(server, selectors.EVENT_READ, client)
            while not self._closing:
                for key, _ in either.select(0.05):
                    with suppress(OSError):
                        data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                        if data and not (key.fileobj is server and self._cut(len(data))):
                            key.data.sendall(data)
                            continue
                    return

    def _cut(self, length: int) -> bool:
        if not self.cut_after:
            return False
        self.cut_after[0] -= length
        if self.cut_after[0] > 0:
            return False
        del self.cut_after[0]
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._closing = True
        socket.create_connection(self._listening.getsockname()).close()
        for thread in self._threads:
            thread.join()
        self._listening.close()
