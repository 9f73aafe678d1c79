"""The demo's clients, applications, people and resources, made by the portal's own actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from backups.actions.registering import register_resource
from backups.models import Environment, Resource
from portal.demo.cast import CAST, CLIENTS, MERIDIAN, NORDWIND
from portal.demo.databases import DATABASES
from portal.demo.postgres import Server
from portal.history import acting
from portal.models import Application, Client, Membership, User

HOME_REGION, OTHER_REGION = "eu-central-1", "eu-west-1"


@dataclass(frozen=True)
class Planned:
    """One resource of the demo."""

    name: str
    client: str
    application: str
    environment: Environment

    @property
    def kind(self) -> str:
        """Its driver."""
        return "postgres" if self.name in DATABASES else "files"


RESOURCES = (
    Planned("shop-db", NORDWIND, "Web shop", Environment.PRODUCTION),
    Planned("shop-uploads", NORDWIND, "Web shop", Environment.PRODUCTION),
    Planned("wiki-pages", NORDWIND, "Wiki", Environment.STAGING),
    Planned("cms-db", MERIDIAN, "Website", Environment.PRODUCTION),
    Planned("cms-media", MERIDIAN, "Website", Environment.PRODUCTION),
    Planned("cms-preview", MERIDIAN, "Website", Environment.STAGING),
    Planned("press-archive", MERIDIAN, "Website", Environment.PRODUCTION),
)
REMOVED, REMOVED_NIGHTS_AGO = "press-archive", 12


def person(username: str) -> User:
    """One of the cast."""
    return User.objects.get(username=username)


def demo_home() -> Path:
    """Where the demo's resources really are."""
    return Path(settings.DATA_DIR) / "demo"


def tree_of(name: str) -> Path:
    """The directory of a files resource."""
    return demo_home() / "files" / name


def make_people() -> None:
    """The clients and the cast."""
    with acting(None, "the demo's cast"), transaction.atomic():
        clients = {name: Client.objects.create(name=name) for name in CLIENTS}
        for one in CAST:
            first, _, last = one.name.partition(" ")
            user = User.objects.create_user(one.username, one.email, one.password, first_name=first, last_name=last)
            held_for: list[Client | None] = [clients[name] for name in one.clients]
            for client in held_for or [None]:
                Membership.objects.create(user=user, role=one.role, client=client)


def register_all(server: Server) -> dict[str, Resource]:
    """Register every resource, as a person of IT does. Their data must be there already."""
    by = person("ivo")
    made = {}
    for planned in RESOURCES:
        client = Client.objects.get(name=planned.client)
        with acting(by, "the demo's company"):
            application, _ = Application.objects.get_or_create(client=client, name=planned.application)
        made[planned.name] = register_resource(
            by=by,
            application=application,
            name=planned.name,
            kind=planned.kind,
            environment=planned.environment,
            home_region=HOME_REGION,
            other_region=OTHER_REGION,
            settings=_settings_of(planned, server),
            reason="Taken over into the portal",
        )
    return made


def _settings_of(planned: Planned, server: Server) -> Mapping[str, str]:
    if planned.kind == "postgres":
        return server.settings_of(DATABASES[planned.name][0])
    return {"path": str(tree_of(planned.name))}
