"""Where a region is in S3, and the one door through which its bucket is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from backups.aws import clients
from backups.stores.s3.errors import action_of, translated

PART = 32 << 20
THREADS = 4
CONNECTIONS = 32
"""Kept open by one process: several uploads of THREADS each, and reads beside them."""


def _client(aws_region: str, endpoint: str) -> Any:
    """Its credentials are whatever boto3 finds: role, environment, file."""

    def make() -> Any:
        return botocore.session.Session().create_client(
            "s3",
            region_name=aws_region,
            endpoint_url=endpoint or None,
            config=clients.config(
                mode="standard",  # several threads of one upload share the client: none is to be held back for another
                max_pool_connections=CONNECTIONS,
                # Servers of one's own rarely have a name for each bucket.
                s3={"addressing_style": "path" if endpoint else "auto"},
            ),
        )

    return clients.client_of(("store", aws_region, endpoint), make)


@dataclass(frozen=True)
class Place:
    """A region's bucket; what lies in it under ``prefix``, which is empty or ends with a slash, is the region's."""

    region: str
    bucket: str
    prefix: str
    aws_region: str
    endpoint: str

    def __str__(self) -> str:
        """For people: where to look."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/") + (f" ({self.endpoint})" if self.endpoint else "")

    @property
    def client(self) -> Any:
        """For its events and paginators; what it raises is botocore's."""
        return _client(self.aws_region, self.endpoint)

    def call(self, operation: str, key: str = "", **arguments: Any) -> dict[str, Any]:
        """What S3 answers. ``operation`` is the API's name: ``GetObject``. Raises :class:`StoreError` in words."""
        with self.said(operation, version="VersionId" in arguments):
            client = self.client
            if key:
                arguments["Key"] = self.prefix + key
            method = getattr(client, botocore.xform_name(operation))
            answer: dict[str, Any] = method(Bucket=self.bucket, **arguments)
        return answer

    def pages(self, operation: str, under: str = "", **arguments: Any) -> Iterator[dict[str, Any]]:
        """The pages of a list of what begins with ``under``, each asked for when the one before has been used."""
        with self.said(operation):
            paginator = self.client.get_paginator(botocore.xform_name(operation))
            pages = iter(paginator.paginate(Bucket=self.bucket, Prefix=self.prefix + under, **arguments))
        while True:
            with self.said(operation):
                page = next(pages, None)
            if page is None:
                return
            yield page

    @contextmanager
    def said(self, operation: str, *, version: bool = False) -> Iterator[None]:
        """Have botocore's errors leave as :class:`StoreError`."""
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise translated(error, self.region, str(self), action_of(operation, version=version)) from error
