"""``manage.py aws_account add|change|region|list|check|look|remove``: the AWS accounts that resources may be in."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from backups.actions.accounts import (
    check_account_settings,
    check_region,
    check_unused,
    check_vault,
    remove_account,
    set_vault,
    settle_findings_of,
)
from backups.actions.discovering import discover_region
from backups.aws.checking import check_account
from backups.awsaccounts import as_driver_knows
from backups.drivers.base import DriverError
from backups.kinds import REGIONS
from backups.models import Account, AccountRegion
from backups.secrets import validate_reference
from portal.errors import PortalError
from portal.history import acting
from portal.words import counted

NAME = "The account's name in the portal."
CHANGING = ("number", "role", "key_id", "key_secret")
MARKS = {True: "ok", False: "MISSING", None: "unknown"}


class Command(BaseCommand):
    """Set up accounts, as whoever may run commands on this machine."""

    help = "Set up an AWS account, its regions, their vaults and keys; list, try out, look through or remove accounts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="Set up an account. Its external id is made here and printed.")
        add.add_argument("name", help="What resources call it; it never changes.")
        add.add_argument("--number", required=True, help="Its twelve digits.")
        _add_ways_in(add, default="")
        add.add_argument(
            "--region",
            action="append",
            default=[],
            required=True,
            help="A region to work in, one of the portal's own; several times. Copies need two.",
        )
        change = verbs.add_parser("change", help="Change an account. What is not named stays; “” empties it.")
        change.add_argument("name", help=NAME)
        change.add_argument("--number", default=None, help="Its twelve digits; only while nothing is in it.")
        _add_ways_in(change, default=None)
        region = verbs.add_parser(
            "region", help="Add a region to an account, or set its key and its vault. What is not named stays."
        )
        region.add_argument("name", help=NAME)
        region.add_argument(
            "region", help="A region of AWS that is also one of the portal's own, such as eu-central-1."
        )
        region.add_argument(
            "--kms-key",
            default=None,
            help="What copies coming there are encrypted with, an ARN or alias/…; empty: AWS's own key.",
        )
        region.add_argument(
            "--vault",
            default=None,
            help="The bucket in which copies of buckets are kept there, and nothing else; empty: none are.",
        )
        verbs.add_parser("list", help="List the accounts, with their external ids, regions, vaults and keys.")
        check = verbs.add_parser("check", help="Try it out: what the portal sees, and which permission is missing.")
        check.add_argument("name", help=NAME)
        look = verbs.add_parser("look", help="Look now for what has no backups, in all its regions.")
        look.add_argument("name", help=NAME)
        remove = verbs.add_parser("remove", help="Forget an account in which nothing is backed up any more.")
        remove.add_argument("name", help=NAME)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        try:
            getattr(self, f"_{options['verb']}")(options)
        except (DriverError, PortalError) as error:
            raise CommandError(error.sentence) from error
        except ValidationError as error:
            raise CommandError(_in_words(error)) from error

    def _add(self, options: dict[str, Any]) -> None:
        account = Account(**{name: options[name] for name in ("name", *CHANGING)})
        with acting(None, "set up by manage.py aws_account"), transaction.atomic():
            _save_account(account)
            for name in dict.fromkeys(options["region"]):
                _save(AccountRegion(account=account, name=name))
        self.stdout.write(f"The AWS account {account.name} is set up.")
        self._tell_external_id(account)
        self.stdout.write(
            f"Next: manage.py aws_policy {account.name}, then manage.py aws_account check {account.name}."
        )

    def _tell_external_id(self, account: Account) -> None:
        if account.role:
            self.stdout.write("Its role has to ask for the external id:")
            self.stdout.write(f"  {account.external_id}")

    def _change(self, options: dict[str, Any]) -> None:
        account = _named(options["name"])
        given = {name: options[name] for name in CHANGING if options[name] is not None}
        if not given:
            raise CommandError("Say what to change: --role, --number, --key-id or --key-secret.", returncode=2)
        with acting(None, "changed by manage.py aws_account"), transaction.atomic():
            if given.get("number", account.number) != account.number:
                check_unused(account, "its number stays")
                settle_findings_of(account)
            for name, value in given.items():
                setattr(account, name, value)
            _save_account(account)
        self.stdout.write(f"The AWS account {account.name} is changed.")
        self._tell_external_id(account)
        self.stdout.write(f"Next: manage.py aws_account check {account.name}.")

    def _region(self, options: dict[str, Any]) -> None:
        account = _named(options["name"])
        region = account.regions.filter(name=options["region"]).first() or AccountRegion(
            account=account, name=options["region"]
        )
        if options["kms_key"] is not None:
            region.kms_key = options["kms_key"]
        if options["vault"] is not None:
            check_vault(region, options["vault"])
            region.vault = options["vault"]
        with acting(None, "set by manage.py aws_account"), transaction.atomic():
            _save(region)
            if region.vault:
                set_vault(region)
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
            way_in = f"{account.role}\texternal id {account.external_id}" if account.role else _without_role(account)
            self.stdout.write(f"{account.name}\t{account.number}\t{way_in}")
            for region in account.regions.all():
                vault = f"vault {region.vault}" if region.vault else "no vault"
                key = f"key {region.kms_key}" if region.kms_key else "AWS's own key"
                self.stdout.write(f"  {region.name}\t{vault}\t{key}")

    def _check(self, options: dict[str, Any]) -> None:
        failed = 0
        for seen in check_account(as_driver_knows(_named(options["name"])), REGIONS):
            failed += seen.well is False
            self.stdout.write(f"{MARKS[seen.well]:8}{seen.sentence}")
            self.stdout.flush()  # each takes its time, and somebody waits
        if failed:
            raise CommandError(f"{failed} of these have to be seen to before backups can be relied on.", returncode=1)

    def _look(self, options: dict[str, Any]) -> None:
        account, failed = _named(options["name"]), False
        for region in account.regions.all():
            refusals = discover_region(region.pk)
            failed = failed or bool(refusals)
            number = region.discovered.count()
            have = "has" if number == 1 else "have"
            without = f"{counted(number, 'thing')} {have} no backups" if number else "nothing is without backups"
            listed = f"of what could be listed {without}" if refusals else without
            self.stdout.write(f"{region.name}: {listed}.{''.join(f' {sentence}' for sentence in refusals)}")
            self.stdout.flush()
        if failed:
            raise CommandError(
                f"Not all could be listed. “manage.py aws_account check {account.name}” says what is missing.",
                returncode=1,
            )

    def _remove(self, options: dict[str, Any]) -> None:
        account = _named(options["name"])
        with acting(None, "removed by manage.py aws_account"):
            remove_account(account)
        self.stdout.write(f"The AWS account {account.name} is forgotten here. Remove the portal's role there, too.")


def _add_ways_in(parser: ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--role", default=default, metavar="ARN", help="The role that the portal assumes there, by its ARN."
    )
    parser.add_argument(
        "--key-id", default=default, metavar="REFERENCE", help="Without a role: where the access key's id is kept."
    )
    parser.add_argument(
        "--key-secret", default=default, metavar="REFERENCE", help="And where the secret access key is kept."
    )


def _without_role(account: Account) -> str:
    return "by keys" if account.key_id else "by the portal's own credentials"


def _named(name: str) -> Account:
    account = Account.objects.filter(name=name).first()
    if account is None:
        known = ", ".join(Account.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no AWS account “{name}”. There are: {known}.", returncode=2)
    return account


def _save_account(account: Account) -> None:
    for reference in filter(None, (account.key_id, account.key_secret)):
        validate_reference(reference)
    account.clean_fields()
    check_account_settings(account)
    account.save()


def _save(region: AccountRegion) -> None:
    region.full_clean()
    check_region(region)
    region.save()


def _in_words(error: ValidationError) -> str:
    return " ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
