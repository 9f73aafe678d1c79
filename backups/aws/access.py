"""Getting into an account, and the one door through which drivers call AWS there.

Sessions and clients are kept for the life of the process, by what they were made of: a changed role or key counts at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import NoCredentialsError

from backups.aws.accounts import AwsAccount
from backups.aws.actions import action_of
from backups.aws.errors import said
from backups.drivers.base import DriverError
from backups.secrets import resolve

SESSION_NAME = "haas-backup-portal"
TRIES = 8
"""With adaptive back-off between them: what is throttled slows down before it gives up."""

CONNECTIONS = 32
"""Kept open by one client: objects of S3 are copied by many small calls at once."""

PAGE = 1000
"""As many as EC2 gives at once. Without it a large account's answer can take minutes, or be refused."""

_lock = threading.Lock()
_clients: dict[tuple[object, ...], Any] = {}


def _config(tries: int = TRIES) -> Config:
    wanted = min(tries, int(os.environ.get("AWS_MAX_ATTEMPTS", tries)))
    return Config(
        retries={"mode": "adaptive", "total_max_attempts": wanted},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        user_agent_extra=SESSION_NAME,
    )


class Access:
    """Calls in one account and region."""

    def __init__(self, account: AwsAccount, region: str) -> None:
        self.account = account
        self.region = region

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
        pages = iter(client.get_paginator(operation).paginate(PaginationConfig={"PageSize": PAGE}, **arguments))
        while True:
            with said(self.account.name, self.region, action):
                page = next(pages, None)
            if page is None:
                return
            yield from page.get(key, ())

    def _client(self, service: str, *, once: bool = False) -> Any:
        account = self.account
        # Forked processes share no connections. Keys are looked up each time, so that renewed ones count.
        keys = (resolve(account.key_id), resolve(account.key_secret)) if account.key_id else ()
        made_of = (os.getpid(), service, self.region, once, account, *map(hash, keys))
        with _lock:
            if made_of not in _clients:
                with said(account.name, self.region, "sts:AssumeRole"):
                    session = _session(account, keys, self.region)
                    _check_number(session, account, self.region)
                    _clients[made_of] = session.create_client(
                        service, region_name=self.region, config=_config(1 if once else TRIES)
                    )
            return _clients[made_of]


def _check_number(session: Any, account: AwsAccount, region: str) -> None:
    """The credentials lead into the account that is meant. In another one nothing would be found, and all called lost."""
    sts = session.create_client("sts", region_name=region, config=_config())
    number = sts.get_caller_identity()["Account"]
    if number != account.number:
        raise DriverError(
            f"The credentials for the AWS account {account.name} lead into the account {number}, not into {account.number}."
            " Correct the role or the keys."
        )


def forget_clients() -> None:
    """Make the next call get into its account anew: after a policy or a trust was changed there."""
    with _lock:
        _clients.clear()


def _session(account: AwsAccount, keys: tuple[str, ...], region: str) -> Any:
    session = botocore.session.Session()
    if keys:
        session.set_credentials(*keys)
    if account.role:
        if (source := session.get_credentials()) is None:
            raise NoCredentialsError
        fetcher = AssumeRoleCredentialFetcher(
            lambda service, **arguments: session.create_client(
                service, **{"region_name": region, "config": _config(), **arguments}
            ),
            source,
            account.role,
            extra_args={
                "RoleSessionName": SESSION_NAME,
                **({"ExternalId": account.external_id} if account.external_id else {}),
            },
        )
        assumed = botocore.session.Session()
        assumed._credentials = DeferredRefreshableCredentials(  # botocore has no public way to set what renews itself
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        return assumed
    return session
