"""The settings that all resources at AWS have: the account, and the region in it."""

from __future__ import annotations

import re

from backups.aws.access import Access
from backups.aws.accounts import Accounts
from backups.drivers.base import ATTEMPT_NAME, DriverError
from backups.drivers.words import Setting, Settings

ACCOUNT = Setting("account", "AWS account", "By its name in the portal.")
REGION = Setting("region", "AWS region", "Where it is, such as eu-central-1. It is the home region, too.")

_OF_A_RESTORE = re.compile(rf"haas-{ATTEMPT_NAME}(-before|-[0-9a-f]{{8}})?")


def not_of_a_restore(noun: str, name: str) -> None:
    """Refuse what a restore has made or put aside: the portal itself removes it in time. ``noun`` is also its setting."""
    if _OF_A_RESTORE.fullmatch(name):
        raise DriverError(
            f"The {noun} {name} belongs to a restore, which removes it when its time is over. Copy what is needed to one of"
            " its own, and give that.",
            setting=noun,
        )


def access_of(accounts: Accounts, settings: Settings) -> Access:
    """The account and region that the settings name. Raises :class:`DriverError` naming the one at fault."""
    name, region = (settings.get(key, "").strip() for key in ("account", "region"))
    try:
        account = accounts(name)
    except DriverError as error:
        error.setting = "account"
        raise
    if region not in account.regions:
        known = ", ".join(sorted(account.regions)) or "none yet"
        raise DriverError(
            f"“{region}” is no region of the AWS account {name}. It has: {known}. An administrator adds others to it.",
            setting="region",
        )
    return Access(account, region)
