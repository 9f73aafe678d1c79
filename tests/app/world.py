"""A small company with real resources, for the tests of the actions."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from backups.actions.registering import register_resource
from backups.actions.taking import perform_backup, queue_backup
from backups.drivers.base import Mode
from backups.drivers.words import Settings
from backups.kinds import store_of
from backups.models import Backup, BackupOrigin, Resource
from portal.models import Application, Client, Membership, User
from portal.roles import COMPANY_WIDE, Role
from restores.actions.deciding import approve
from restores.actions.filing import file_request
from restores.actions.performing import perform_restore
from restores.charging import Cause
from restores.models import RestoreRequest
from tests.factories import make_people

HOME, OTHER = "eu-central-1", "eu-west-1"


@dataclass
class World:
    """Two clients; a person of each role for the first, a stranger of the second."""

    client: Client
    elsewhere: Client
    application: Application
    people: dict[str, User]

    def __getattr__(self, name: str) -> User:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None


def person(username: str, role: Role, client: Client | None = None, *, service: bool = False) -> User:
    user = User.objects.create_user(
        username, f"{username}@example.com", "right horse battery", is_service_account=service
    )
    Membership.objects.create(user=user, role=role, client=None if role in COMPANY_WIDE else client)
    return user


def make_world() -> World:
    client, elsewhere = Client.objects.create(name="Shopco"), Client.objects.create(name="Mediaco")
    users = make_people(
        (User(username="owner"), Role.CLIENT, client),
        (User(username="colleague"), Role.CLIENT, client),
        (User(username="staff"), Role.STAFF, client),
        (User(username="it"), Role.IT, None),
        (User(username="it2"), Role.IT, None),
        (User(username="manager"), Role.ACCOUNT_MANAGER, client),
        (User(username="auditor"), Role.AUDITOR, None),
        (User(username="administrator"), Role.ADMINISTRATOR, None),
        (User(username="stranger"), Role.CLIENT, elsewhere),
        (User(username="robot", is_service_account=True), Role.IT, None),
        (User(username="nobody"), None, None),
    )
    people = {user.username: user for user in users}
    return World(client, elsewhere, Application.objects.create(client=client, name="Shop"), people)


def make_tree(text: str = "first", *, name: str = "") -> Path:
    """A real directory below the allowed root, with a few different things in it."""
    path = Path(settings.FILES_ROOTS[0]) / (name or f"tree-{uuid.uuid4().hex[:8]}")
    (path / "empty").mkdir(parents=True)
    (path / "sub").mkdir()
    fill_tree(path, text)
    os.symlink("sub/page.txt", path / "link")
    return path


def fill_tree(path: Path, text: str) -> None:
    """Another day's content."""
    (path / "sub" / "page.txt").write_text(f"page of {text}\n")
    (path / f"{text}.bin").write_bytes(hashlib.sha256(text.encode()).digest() * 1000)


def fingerprint(path: Path) -> str:
    """What stands in a tree, independent of the portal's own code."""
    digest = hashlib.sha256()
    for folder, folders, files in sorted(os.walk(path)):
        folders.sort()
        for name in sorted([*files, *folders]):
            full = Path(folder) / name
            digest.update(f"{full.relative_to(path)} {full.lstat().st_mode:o} ".encode())
            digest.update(os.readlink(full).encode() if full.is_symlink() else b"")
            digest.update(full.read_bytes() if full.is_file() and not full.is_symlink() else b"")
    return digest.hexdigest()


def make_resource(world: World, tree: Path, *, name: str = "", environment: str = "staging") -> Resource:
    """A registered directory tree whose first backup has been taken."""
    return make_resource_of(world, "files", {"path": str(tree)}, name=name or tree.name, environment=environment)


def make_resource_of(world: World, kind: str, how: Settings, *, name: str, environment: str = "staging") -> Resource:
    """A registered resource of any kind whose first backup has been taken. ``how`` are its settings."""
    resource = register_resource(
        by=world.it,
        application=world.application,
        name=name,
        kind=kind,
        environment=environment,
        home_region=HOME,
        other_region=OTHER,
        settings=dict(how),
    )
    taken(resource.backups.get())
    resource.refresh_from_db()
    return resource


def taken(backup: Backup) -> Backup:
    """Carried out, and woken at once while it waits for its provider."""
    for _ in range(5):
        perform_backup(backup.pk)
        backup.refresh_from_db()
        if not backup.is_open:
            break
    return backup


def backup_now(resource: Resource, *, at: datetime | None = None) -> Backup:
    """One more finished backup."""
    moment = at or timezone.now()
    backup = queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None, now=moment)
    perform_backup(backup.pk, clock=lambda: moment)
    backup.refresh_from_db()
    return backup


def stored_prefixes(resource: Resource, region: str = HOME) -> set[str]:
    """What the region's store really holds of the resource: the prefixes of its artefacts."""
    return {"/".join(one.key.split("/")[:2]) for one in store_of(region).list(f"{resource.uid}/")}


def filed(world: World, backup: Backup, mode: Mode = Mode.IN_PLACE, cause: Cause = Cause.BAD_CHANGE) -> RestoreRequest:
    return file_request(by=world.owner, backup=backup, mode=mode, reason="A release broke the pages.", cause=cause)


def approved(world: World, request: RestoreRequest) -> RestoreRequest:
    name = request.resource.name
    return approve(by=world.it, request=request, plan_digest=request.plan_digest, typed_name=name)


def restored(
    world: World, backup: Backup, mode: Mode = Mode.IN_PLACE, cause: Cause = Cause.BAD_CHANGE
) -> RestoreRequest:
    """Filed, approved and carried out."""
    request = approved(world, filed(world, backup, mode, cause))
    perform_restore(request.pk)
    return RestoreRequest.objects.get(pk=request.pk)


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def remove_tree(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
