"""``manage.py aws_policy NAME``: the IAM policies that the portal's role in an account needs, to be pasted there."""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.aws.policy import permissions, trust
from backups.awsaccounts import account_named
from backups.drivers.base import DriverError

ARN = re.compile(r"^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:(role|user|assumed-role|root)(/[\w+=,.@/-]+)?$")
"""Whom a trust policy may name."""


class Command(BaseCommand):
    """Print what the role may do, or who may assume it."""

    help = "Print the IAM policy for the portal's role in an AWS account; with --trust its trust policy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The account, and which of the two policies."""
        parser.add_argument("account", help="The account's name in the portal.")
        parser.add_argument(
            "--trust", metavar="ARN", help="Print the trust policy instead: the ARN that the portal runs as."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        try:
            account = account_named(options["account"])
        except DriverError as error:
            raise CommandError(error.sentence, returncode=2) from error
        if options["trust"] is not None and not ARN.match(options["trust"]):
            raise CommandError(
                "--trust takes the ARN that the portal runs as, such as arn:aws:iam::999999999999:role/portal.",
                returncode=2,
            )
        policy = trust(account, options["trust"]) if options["trust"] is not None else permissions(account)
        self.stdout.write(json.dumps(policy, indent=2))
