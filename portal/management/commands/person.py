"""``manage.py person add|role``: people and their roles from the command line; how the first administrator is made."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.history import acting
from portal.models import Client, Membership, User
from portal.roles import COMPANY_WIDE, Role

LARGEST_PASSWORD = 4096


class Command(BaseCommand):
    """Add people and give them roles, as whoever may run commands on this machine."""

    help = "Add a person with a role, or give a person another role. The first administrator is made this way."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="Add a person with one role. The password is asked for.")
        add.add_argument("username", metavar="USERNAME")
        add.add_argument("--email", required=True, help="Where a forgotten password's link is sent.")
        add.add_argument("--name", default="", help="First and last name; pages show it instead of the username.")
        add.add_argument(
            "--password-file",
            metavar="PATH",
            help="Read the password from the first line of a file; - is standard input.",
        )
        role = verbs.add_parser("role", help="Give a person one more role.")
        role.add_argument("username", metavar="USERNAME")
        for verb in (add, role):
            verb.add_argument("--role", required=True, choices=[one.value for one in Role])
            verb.add_argument("--client", metavar="NAME", help="For whom: client, staff and account_manager need one.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says, or end with a sentence: nothing is then changed."""
        role, client = Role(options["role"]), _client(Role(options["role"]), options["client"])
        try:
            if options["verb"] == "add":
                user = self._add(options, role, client)
            else:
                user = _known(options["username"])
                with acting(None, "given a role by manage.py person role"):
                    _give(user, role, client)
        except ValidationError as error:
            raise CommandError(_in_words(error)) from error
        whose = f" of {client}" if client else ""
        self.stdout.write(f"{user.username} is {role.label}{whose} now.")

    def _add(self, options: dict[str, Any], role: Role, client: Client | None) -> User:
        first, _, last = options["name"].strip().partition(" ")
        user = User(username=options["username"], email=options["email"], first_name=first, last_name=last)
        user.full_clean(exclude=["password"])
        if User.objects.filter(email__iexact=user.email).exists():
            raise CommandError(f"Somebody has the address {user.email} already. Each person needs one of their own.")
        password = _password(options["password_file"])
        validate_password(password, user)
        user.set_password(password)
        with acting(None, "added by manage.py person add"), transaction.atomic():
            user.save()
            _give(user, role, client)
        return user


def _give(user: User, role: Role, client: Client | None) -> None:
    membership = Membership(user=user, role=role, client=client)
    membership.full_clean()
    membership.save()


def _client(role: Role, name: str | None) -> Client | None:
    if role in COMPANY_WIDE:
        if name:
            raise CommandError(f"{role.label} is a role for the whole company. Leave --client out.", returncode=2)
        return None
    if not name:
        raise CommandError(f"{role.label} is a role for one client. Say for whom: --client NAME.", returncode=2)
    found = Client.objects.filter(name=name).first()
    if found is None:
        raise CommandError(f"There is no client “{name}”. An administrator makes it at /administration/.", returncode=2)
    return found


def _known(username: str) -> User:
    found = User.objects.filter(username=username).first()
    if found is None:
        raise CommandError(f"There is no person “{username}”. Make them with: person add.", returncode=2)
    return found


def _password(path: str | None) -> str:
    """The password from the file, or asked for twice; never from an argument, which every user could see."""
    if path is not None:
        try:
            with sys.stdin if path == "-" else Path(path).open(encoding="utf-8") as file:
                return file.readline(LARGEST_PASSWORD).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The password file {path} cannot be read ({type(error).__name__}).") from error
    if not sys.stdin.isatty():
        raise CommandError(
            "There is nobody to ask for the password. Give it by --password-file PATH, or - for standard input."
        )
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same once more: ") != password:
        raise CommandError("The two are not the same. Nobody was added; start again.")
    return password


def _in_words(error: ValidationError) -> str:
    """All sentences, each with the field it is about."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        sentence if field == "__all__" else f"{field}: {sentence}"
        for field, sentences in error.message_dict.items()
        for sentence in sentences
    )
