"""``manage.py aws_account add|region|list|check``: the AWS accounts that resources may be in."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from backups.aws.checking import check_account
from backups.awsaccounts import as_driver_knows
from backups.drivers.base import DriverError
from backups.kinds import store_buckets
from backups.models import Account, AccountRegion, Copy, CopyState, Resource, ResourceState
from backups.secrets import validate_reference
from portal.history import acting

MARKS = {True: "ok", False: "MISSING", None: "unknown"}


class Command(BaseCommand):
    """Set up accounts, as whoever may run commands on this machine."""

    help = "Set up an AWS account and its regions, list them, or try one out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="Set up an account. Its external id is made here and printed.")
        add.add_argument("name", help="What resources call it; it never changes.")
        add.add_argument("--number", required=True, help="Its twelve digits.")
        add.add_argument("--role", default="", metavar="ARN", help="The role that the portal assumes there.")
        add.add_argument(
            "--key-id", default="", metavar="REFERENCE", help="Without a role: where the access key's id is kept."
        )
        add.add_argument(
            "--key-secret", default="", metavar="REFERENCE", help="And where the secret access key is kept."
        )
        add.add_argument(
            "--region", action="append", default=[], required=True, help="A region to work in; several times."
        )
        region = verbs.add_parser("region", help="Add a region to an account, or set its key.")
        region.add_argument("name")
        region.add_argument("region")
        region.add_argument(
            "--kms-key", default=None, help="What copies coming there are encrypted with; empty: AWS's own key."
        )
        region.add_argument(
            "--vault", default=None, help="The bucket in which copies of buckets are kept there; empty: none are."
        )
        verbs.add_parser("list", help="List the accounts.")
        check = verbs.add_parser("check", help="Try it out: what the portal sees, and which permission is missing.")
        check.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        {"add": self._add, "region": self._region, "list": self._list, "check": self._check}[options["verb"]](options)

    def _add(self, options: dict[str, Any]) -> None:
        account = Account(**{name: options[name] for name in ("name", "number", "role", "key_id", "key_secret")})
        try:
            for reference in filter(None, (account.key_id, account.key_secret)):
                validate_reference(reference)
            with acting(None, "set up by manage.py aws_account"), transaction.atomic():
                account.full_clean()
                account.save()
                for name in dict.fromkeys(options["region"]):
                    _save(AccountRegion(account=account, name=name))
        except DriverError as error:
            raise CommandError(error.sentence) from error
        except ValidationError as error:
            raise CommandError(_in_words(error)) from error
        self.stdout.write(f"The AWS account {account.name} is set up. Its role has to ask for the external id:")
        self.stdout.write(f"  {account.external_id}")
        self.stdout.write(
            f"Next: manage.py aws_policy {account.name}, then manage.py aws_account check {account.name}."
        )

    def _region(self, options: dict[str, Any]) -> None:
        account = _named(options["name"])
        region = account.regions.filter(name=options["region"]).first() or AccountRegion(
            account=account, name=options["region"]
        )
        if options["kms_key"] is not None:
            region.kms_key = options["kms_key"]
        if options["vault"] is not None:
            _check_vault(region, options["vault"])
            region.vault = options["vault"]
        try:
            with acting(None, "set by manage.py aws_account"):
                _save(region)
        except ValidationError as error:
            raise CommandError(_in_words(error)) from error
        key = (
            f"encrypted with {region.kms_key}"
            if region.kms_key
            else "encrypted with AWS's own key where they were encrypted"
        )
        self.stdout.write(f"{account.name} works in {region.name}; copies that come there are {key}.")
        if region.vault:
            self.stdout.write(f"Copies of buckets are kept in {region.vault}.")

    def _list(self, options: dict[str, Any]) -> None:
        for account in Account.objects.prefetch_related("regions"):
            regions = ", ".join(region.name for region in account.regions.all()) or "no region yet"
            self.stdout.write(f"{account.name}\t{account.number}\t{account.role or 'by keys'}\t{regions}")

    def _check(self, options: dict[str, Any]) -> None:
        failed = 0
        for seen in check_account(as_driver_knows(_named(options["name"]))):
            failed += seen.well is False
            self.stdout.write(f"{MARKS[seen.well]:8}{seen.sentence}")
        if failed:
            raise CommandError(f"{failed} of these have to be seen to before backups can be relied on.", returncode=1)


def _named(name: str) -> Account:
    account = Account.objects.filter(name=name).first()
    if account is None:
        known = ", ".join(Account.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no AWS account “{name}”. There are: {known}.", returncode=2)
    return account


def _save(region: AccountRegion) -> None:
    region.full_clean()
    region.save()


def _check_vault(region: AccountRegion, vault: str) -> None:
    """Refuse a vault that is backed up itself or is the portal's store, and any other while backups lie in the one that is set."""
    buckets = Resource.objects.filter(kind="s3").exclude(state=ResourceState.REMOVED)
    if vault in store_buckets() or vault in {one.settings.get("bucket") for one in buckets}:
        raise CommandError(f"The bucket {vault} is backed up itself, or is a region of the portal's own store.")
    there = Copy.objects.filter(region=region.name, backup__resource__kind="s3").exclude(state=CopyState.DELETED)
    if region.vault not in ("", vault) and any(
        copy.backup.resource.settings.get("account") == region.account.name
        for copy in there.select_related("backup__resource")
    ):
        raise CommandError(
            f"Backups lie in {region.vault}, and would not be found in another vault. They go when no policy keeps them."
        )


def _in_words(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
