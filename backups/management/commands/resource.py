"""``manage.py resource add|list``: the same registration as on the page and over the API."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import ProtectedError

from backups.actions.registering import register_resource
from backups.kinds import KINDS
from backups.management.finding import person_named, sentences
from backups.models import Environment, Resource
from backups.permissions import check_can_register
from backups.regions import next_region
from portal.history import acting
from portal.models import Application, Client, User


class Command(BaseCommand):
    """Register resources and list them."""

    help = "Register a resource, or list those there are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The two verbs and their options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="Register a resource; its first backup is taken at once.")
        add.add_argument("--by", required=True, metavar="USERNAME", help="Who registers it: a person of IT.")
        add.add_argument("--client", required=True)
        add.add_argument("--application", required=True)
        add.add_argument("--create", action="store_true", help="Make the client and the application if need be.")
        add.add_argument("--name", required=True)
        add.add_argument("--kind", required=True, help=f"One of: {', '.join(KINDS)}.")
        add.add_argument("--environment", default="production", help=f"One of: {', '.join(Environment.values)}.")
        add.add_argument("--home-region", required=True)
        add.add_argument("--other-region", help="Left out: the next region that is configured.")
        add.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="A setting of the kind.")
        add.add_argument("--reason", default="")
        listing = verbs.add_parser("list", help="List the resources that are not removed.")
        listing.add_argument("--json", action="store_true", help="As JSON, for programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        if options["verb"] == "add":
            self._add(options)
        else:
            self._list(as_json=options["json"])

    def _add(self, options: dict[str, Any]) -> None:
        by, settings = person_named(options["by"]), _settings(options["set"])
        with sentences():
            check_can_register(by, None)
            application, made = _application(by, options["client"], options["application"], create=options["create"])
            try:
                resource = register_resource(
                    by=by,
                    application=application,
                    name=options["name"],
                    kind=options["kind"],
                    environment=options["environment"],
                    home_region=options["home_region"],
                    other_region=options["other_region"] or next_region(options["home_region"]),
                    settings=settings,
                    reason=options["reason"],
                )
            except BaseException:
                _forget(by, made)
                raise
        self.stdout.write(
            f"Registered {resource.name} ({resource.pk}): {resource.locator}. Its first backup is queued."
        )

    def _list(self, *, as_json: bool) -> None:
        standing = Resource.objects.standing().select_related("application__client").order_by("name", "pk")
        rows = [_row(resource) for resource in standing.iterator()]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            self.stdout.write("\t".join(str(value if value is not None else "no backup yet") for value in row.values()))


def _settings(given: list[str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in settings:
            raise CommandError(f"--set {pair}: give each setting once, as KEY=VALUE.", returncode=2)
        settings[name] = value
    return settings


def _application(
    by: User, client_name: str, name: str, *, create: bool
) -> tuple[Application, list[Application | Client]]:
    """The application, and what had to be made for it."""
    made: list[Application | Client] = []
    client = Client.objects.filter(name=client_name).first()
    application = Application.objects.filter(client__name=client_name, name=name).first()
    if application is None and not create:
        raise CommandError(
            f"There is no application “{name}” of a client “{client_name}”. --create makes it.", returncode=2
        )
    with acting(by, "registering a resource"):
        if client is None:
            client = Client.objects.create(name=client_name)
            made.append(client)
        if application is None:
            application = Application.objects.create(client=client, name=name)
            made.append(application)
    return application, made


def _forget(by: User, made: list[Application | Client]) -> None:
    """Take back what was made for a resource that was refused, unless somebody uses it by now."""
    with acting(by, "the resource was refused"):
        for row in reversed(made):
            try:
                row.delete()
            except ProtectedError:
                return


def _row(resource: Resource) -> dict[str, Any]:
    return {
        "id": resource.pk,
        "name": resource.name,
        "client": resource.client.name,
        "application": resource.application.name,
        "kind": resource.kind,
        "environment": resource.environment,
        "state": resource.state,
        "last_good_at": resource.last_good_at.isoformat() if resource.last_good_at else None,
    }
