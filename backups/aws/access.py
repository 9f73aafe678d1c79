"""Getting into an account, and the one door through which drivers call AWS there.

Sessions and clients are kept for the life of the process, by what they were made of: a changed role or key counts at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import NoCredentialsError

from backups.aws import clients
from backups.aws.accounts import AwsAccount
from backups.aws.actions import action_of
from backups.aws.errors import said
from backups.drivers.base import DriverError
from backups.secrets import resolve

PAGE = 1000
"""As many as EC2 gives at once. Without it a large account's answer can take minutes, or be refused."""

SMALLER_PAGES = {"rds": 100}
"""Where more at once is refused."""


LOOKS = ("Describe", "Get", "Head", "List")
"""What the names of operations begin with that change nothing."""

CONNECTIONS = 32
"""Kept open by one client: objects of S3 are copied by many small calls at once."""


class Access:
    """Calls in one account and region. ``hasty``: for a person who waits, who is told soon that AWS does not answer."""

    def __init__(self, account: AwsAccount, region: str, *, hasty: bool = False) -> None:
        self.account = account
        self.region = region
        self._hasty = hasty
        self._guard: Callable[[], object] | None = None
        self._guarded: dict[tuple[str, bool], Any] = {}
        self._lock = threading.Lock()

    def guarded(self, guard: Callable[[], object]) -> Access:
        """The same, but before a request that changes something is sent, or sent again, ``guard`` is asked; it may raise."""
        made = Access(self.account, self.region, hasty=self._hasty)
        made._guard = guard
        return made

    def call(self, service: str, operation: str, *, once: bool = False, **arguments: Any) -> dict[str, Any]:
        """What AWS answers. ``operation`` is boto3's name: ``describe_volumes``. Raises :class:`DriverError` in words.

        ``once``: it is not sent again where no answer came, because it may have been done.
        """
        client = self._client(service, once=once)
        with said(self.account.name, self.region, action_of(client, service, operation)):
            answer: dict[str, Any] = getattr(client, operation)(**arguments)
        return answer

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """All entries under ``key``, page after page: calls grow with pages, not with what they list."""
        client = self._client(service)
        action = action_of(client, service, operation)
        size = SMALLER_PAGES.get(service, PAGE)
        pages = iter(client.get_paginator(operation).paginate(PaginationConfig={"PageSize": size}, **arguments))
        while True:
            with said(self.account.name, self.region, action):
                page = next(pages, None)
            if page is None:
                return
            yield from page.get(key, ())

    def _client(self, service: str, *, once: bool = False) -> Any:
        account = self.account
        # Looked up each time, so that renewed ones count.
        keys = (resolve(account.key_id), resolve(account.key_secret)) if account.key_id else ()

        def make() -> Any:
            with said(account.name, self.region, "sts:AssumeRole"):
                session = _session(account, keys, self.region, hasty=self._hasty)
                _check_number(session, account, self.region, hasty=self._hasty)
                tries = 1 if once else clients.TRIES
                made = clients.config(tries=tries, hasty=self._hasty, max_pool_connections=CONNECTIONS)
                return session.create_client(service, region_name=self.region, config=made)

        if self._guard is None:
            return clients.client_of((service, self.region, once, self._hasty, account, *map(hash, keys)), make)
        with self._lock:
            if (service, once) not in self._guarded:
                client = make()
                client.meta.events.register_first(f"before-send.{service}", self._ask)
                self._guarded[service, once] = client
            return self._guarded[service, once]

    def _ask(self, event_name: str, **_: Any) -> None:
        if self._guard is not None and not event_name.rpartition(".")[2].startswith(LOOKS):
            self._guard()


def _check_number(session: Any, account: AwsAccount, region: str, *, hasty: bool) -> None:
    """The credentials lead into the account that is meant. In another one nothing would be found, and all called lost."""
    sts = session.create_client("sts", region_name=region, config=clients.config(hasty=hasty))
    number = sts.get_caller_identity()["Account"]
    if number != account.number:
        raise DriverError(
            f"The credentials for the AWS account {account.name} lead into the account {number}, not into {account.number}."
            " Correct the role or the keys."
        )


def _session(account: AwsAccount, keys: tuple[str, ...], region: str, *, hasty: bool) -> Any:
    session = botocore.session.Session()
    if keys:
        session.set_credentials(*keys)
    if account.role:
        if (source := session.get_credentials()) is None:
            raise NoCredentialsError
        fetcher = AssumeRoleCredentialFetcher(
            lambda service, **arguments: session.create_client(
                service, **{"region_name": region, "config": clients.config(hasty=hasty), **arguments}
            ),
            source,
            account.role,
            extra_args={
                "RoleSessionName": clients.NAME,
                **({"ExternalId": account.external_id} if account.external_id else {}),
            },
        )
        assumed = botocore.session.Session()
        assumed._credentials = DeferredRefreshableCredentials(  # botocore has no public way to set what renews itself
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        return assumed
    return session
