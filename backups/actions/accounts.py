"""What may be set of AWS accounts and their regions, and removing an account that nothing is in any more."""

from __future__ import annotations

import re

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from backups.actions.companyfindings import settle_finding
from backups.actions.discovering import forget_discovered
from backups.actions.providerlook import subject_of
from backups.aws.access import Access
from backups.awsaccounts import as_driver_knows
from backups.drivers.base import DriverError
from backups.drivers.bucket.vault import ROOT
from backups.findings import Code
from backups.kinds import REGIONS, store_buckets
from backups.models import Account, AccountRegion, Copy, CopyState, Discovered, Resource
from portal.errors import InvalidInput, Refused
from portal.words import counted

OF_REGIONS = (Code.UNPROTECTED, Code.UNLISTED, Code.REGION_AWAY, Code.STRAY)
"""What can be found of a region of an account."""
EXAMPLES = 5
_KEY = re.compile(r"alias/[\w/-]+|arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:(?:key/[\w-]+|alias/[\w/-]+)")


def check_account_settings(account: Account) -> None:
    """Refuse what each field by itself does not show. Raises :class:`InvalidInput`."""
    others = Account.objects.exclude(pk=account.pk)
    if others.filter(name=account.name).exists():
        raise InvalidInput(
            f"There is an AWS account “{account.name}” already. “manage.py aws_account change {account.name}” changes it."
        )
    if same := others.filter(number=account.number).first():
        raise InvalidInput(f"The AWS account {account.number} is set up already, as “{same.name}”.")
    if account.role and account.role.split(":")[4] != account.number:
        raise InvalidInput(
            f"The role is one of the account {account.role.split(':')[4]}, not of {account.number}. Correct --role or --number."
        )
    if bool(account.key_id) != bool(account.key_secret):
        raise InvalidInput("A key has two parts. Name both with --key-id and --key-secret, or neither.")


def check_region(region: AccountRegion) -> None:
    """Refuse a region in which the portal could not keep what backups are of, and a key that does not count there."""
    if region.name not in REGIONS:
        raise InvalidInput(
            f"The portal has no region {region.name}, so no backup could be kept there. Choose one of {', '.join(REGIONS)}, or"
            " add it to STORE_REGIONS first."
        )
    if not region.kms_key:
        return
    found = _KEY.fullmatch(region.kms_key)
    if found is None:
        raise InvalidInput(
            "That is no key of KMS. Give its ARN, such as arn:aws:kms:eu-west-1:123456789012:key/…, or an alias/… of it."
        )
    if found[1] not in (None, region.name):
        raise InvalidInput(f"That key is in {found[1]}, and does not count in {region.name}. Name one of that region.")


def check_vault(region: AccountRegion, vault: str) -> None:
    """Refuse a vault that is, or may be, somebody's live bucket, and any other while backups lie in the one that is set."""
    buckets = Resource.objects.standing().filter(kind="s3")
    if vault in store_buckets() or vault in {one.settings.get("bucket") for one in buckets}:
        raise Refused(f"The bucket {vault} is backed up itself, or is a region of the portal's own store.")
    there = Copy.objects.filter(region=region.name, backup__resource__kind="s3").exclude(state=CopyState.DELETED)
    if region.vault not in ("", vault) and any(
        copy.backup.resource.settings.get("account") == region.account.name
        for copy in there.select_related("backup__resource")
    ):
        raise Refused(
            f"Backups lie in {region.vault}, and would not be found in another vault. They go when no policy keeps them."
        )
    if _discovered(vault).exists():
        _check_nobodys(region, vault)


def _check_nobodys(region: AccountRegion, vault: str) -> None:
    """Discovery has found the bucket: one that was just made to be the vault, and is empty, or a live one."""
    try:
        access = Access(as_driver_knows(region.account), region.name)
        found = access.call("s3", "list_objects_v2", Bucket=vault, Delimiter="/", MaxKeys=2)
    except DriverError as error:
        raise Refused(
            f"The bucket {vault} was found as one without backups, and whether it is empty could not be told. {error.sentence}"
        ) from error
    above = [one["Prefix"] for one in found.get("CommonPrefixes", ())]
    if found.get("Contents") or set(above) - {f"{ROOT}/"}:
        raise Refused(
            f"The bucket {vault} was found as one without backups, and holds what is not the portal's. Make a bucket that"
            " nobody else writes to, and set that."
        )


def _discovered(bucket: str) -> QuerySet[Discovered]:
    return Discovered.objects.filter(kind="s3", settings__bucket=bucket)


def set_vault(region: AccountRegion) -> None:
    """What has become a vault is no bucket without backups any more."""
    forget_discovered(_discovered(region.vault))


def users_of(account: Account) -> list[str]:
    """What keeps the account from being removed, in words: its resources, and copies of others."""
    resources = Resource.objects.standing().filter(settings__account=account.name)
    copies = Copy.objects.filter(backup__resource__settings__account=account.name).exclude(state=CopyState.DELETED)
    said = []
    if number := resources.count():
        names = list(resources.order_by("name").values_list("name", flat=True)[:EXAMPLES])
        said.append(f"{counted(number, 'resource')} ({', '.join(names)}{' …' if number > EXAMPLES else ''})")
    if number := copies.count():
        said.append(counted(number, "stored copy", "stored copies"))
    return said


def check_unused(account: Account, what: str) -> None:
    """Raises :class:`Refused`, in words, while resources or copies are in the account."""
    if used := users_of(account):
        raise Refused(
            f"The AWS account {account.name} is used by {' and '.join(used)}, so {what}. Remove these resources first; the"
            " policy says until when copies are kept."
        )


def settle_findings_of(account: Account) -> None:
    """Nothing is to be found of its regions under the number that it has."""
    for region in account.regions.select_related("account"):
        for code in OF_REGIONS:
            settle_finding(code, subject_of(region), timezone.now())


def remove_account(account: Account) -> None:
    """It, its regions, and what was found there. Raises :class:`Refused` while something is in it."""
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        check_unused(account, "it stays")
        settle_findings_of(account)
        account.delete()
