"""What an AWS account is to the portal: how to get into it, and what it has set for each of its regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class AwsRegion:
    """What holds for backups in one region. ``kms_key``: what copies that come there are encrypted with; empty: AWS's own.

    ``vault``: the bucket in which copies of buckets are kept there; empty: none are.
    """

    name: str
    kms_key: str = ""
    vault: str = ""


@dataclass(frozen=True)
class AwsAccount:
    """One account. With a ``role`` the portal assumes it, with the external id; its own credentials are then boto3's.

    ``key_id`` and ``key_secret`` are references (:mod:`backups.secrets`), for those who have no role to give; both or none.
    """

    name: str
    number: str  # twelve digits
    role: str = ""  # its ARN
    external_id: str = ""
    key_id: str = ""
    key_secret: str = ""
    regions: Mapping[str, AwsRegion] = field(default_factory=dict, hash=False, compare=False)


class Accounts(Protocol):
    """Where drivers find accounts."""

    def __call__(self, name: str) -> AwsAccount:
        """The account of that name. Raises :class:`~backups.drivers.base.DriverError` when there is none."""
