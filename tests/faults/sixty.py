"""Sixty real resources of every kind that runs here, each with a backup and its copy in the other region; and six faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from backups.actions.copying import continue_copy, copy_to_other_region
from backups.artefacts import ArtefactWriter, StoredArtefact, StoredArtefactInfo
from backups.drivers.base import Taken
from backups.drivers.words import ManifestEntry
from backups.kinds import store_of
from backups.models import AccountRegion, Backup, Copy, Resource
from tests.app.world import HOME, OTHER, World, make_resource_of, make_tree, remove_tree
from tests.drivers import aws
from tests.drivers.cases import mysql
from tests.drivers.cases.bucket import VAULTS, empty_account, make, make_vaults
from tests.drivers.cases.ec2 import build
from tests.drivers.cases.rds import build as build_rds
from tests.drivers.databases import Database
from tests.faults.subjects import CONTENT, LiveMariaDB, new_name

TREES, POSTGRES, MARIADB, MACHINES, INSTANCES, BUCKETS = 30, 14, 10, 2, 2, 2


@contextmanager
def sixty(world: World, request: pytest.FixtureRequest, scratch: Path) -> Iterator[dict[str, Resource]]:
    """By name."""
    with ExitStack() as stack:
        made = {one.name: one for one in _all(world, request, scratch, stack)}
        assert len(made) == TREES + POSTGRES + MARIADB + MACHINES + INSTANCES + BUCKETS == 60
        for resource in made.values():
            copied(resource)
        yield made


def copied(resource: Resource) -> None:
    """Its latest monthly stands in the other region."""
    for _ in range(5):
        copy_to_other_region(resource.pk)
        waiting = Copy.objects.filter(backup__resource=resource, wakes_at__isnull=False)
        for pk in list(waiting.values_list("pk", flat=True)):
            continue_copy(pk)
    assert Copy.objects.present().filter(backup__resource=resource, region=OTHER).exists(), resource


def _all(world: World, request: pytest.FixtureRequest, scratch: Path, stack: ExitStack) -> Iterator[Resource]:
    for number in range(TREES):
        path = make_tree(name=f"tree-{number:02}")
        stack.callback(_remove_all, path)
        yield make_resource_of(world, "files", {"path": str(path)}, name=path.name)
    for number in range(POSTGRES):
        database = stack.enter_context(
            Database(request.getfixturevalue("postgres_server"), scratch / str(number), new_name())
        )
        database.execute(CONTENT)
        yield make_resource_of(world, "postgres", database.settings, name=f"pg-{number:02}")
    for number in range(MARIADB):
        live = LiveMariaDB(mysql.server(), new_name())
        stack.callback(live.remove)
        yield make_resource_of(world, "mysql", live.settings, name=f"my-{number:02}")
    yield from _at_aws(world, request, stack)


def _at_aws(world: World, request: pytest.FixtureRequest, stack: ExitStack) -> Iterator[Resource]:
    account = request.getfixturevalue("account")
    ec2, rds = request.getfixturevalue("ec2"), request.getfixturevalue("rds")
    stack.callback(empty_account)
    make_vaults()
    for region, vault in VAULTS.items():
        AccountRegion.objects.filter(account=account, name=region).update(vault=vault)
    here = {"account": account.name, "region": HOME}
    for number in range(MACHINES):
        yield make_resource_of(world, "ec2", {**here, "machine": build(ec2)}, name=f"ec2-{number}")
    for number in range(INSTANCES):
        name = str(build_rds(rds, f"books-{number}")["DBInstanceIdentifier"])
        yield make_resource_of(world, "rds", {**here, "instance": name}, name=f"rds-{number}")
    for number in range(BUCKETS):
        make(aws.client("s3"), f"uploads-{number}", HOME)
        for key in range(20):
            aws.client("s3").put_object(Bucket=f"uploads-{number}", Key=f"picture {key}", Body=bytes([key]) * 1000)
        yield make_resource_of(world, "s3", {**here, "bucket": f"uploads-{number}"}, name=f"s3-{number}")


def _remove_all(path: Path) -> None:
    for leftover in path.parent.glob(f"*{path.name}*"):
        remove_tree(leftover)


def parts_of(copy: Copy) -> tuple[bytes, list[ManifestEntry]]:
    """What is stored of it: the dump, and the manifest's lines."""
    stored = StoredArtefact(
        store_of(copy.region), copy.stored_under, StoredArtefactInfo.from_json(copy.backup.artefact)
    )
    with stored.open() as data:
        return data.read(), list(stored.manifest())


def stored_anew(resource: Resource, data: bytes, lines: list[ManifestEntry]) -> Backup:
    """Its backup holds that from now on, and every checksum says that this is what was stored."""
    backup = resource.backups.good().get()
    copy = backup.copies.get(region=HOME)
    header: dict[str, Any] = {"resource": str(resource.uid), "name": resource.name, "taken_at": str(backup.taken_at)}
    prefix = f"{backup.prefix}-anew"
    with ArtefactWriter(store_of(HOME), prefix, kind=resource.kind, header=header) as writer:
        writer.write(data)
        for line in lines:
            writer.record(line)
        info = writer.finish(Taken(len(data), backup.summary))
    Copy.objects.filter(pk=copy.pk).update(prefix=prefix)
    Backup.objects.filter(pk=backup.pk).update(artefact=info.as_json(), checksum=info.checksum)
    Copy.objects.filter(backup=backup).exclude(region=HOME).update(state="deleted", deleted_at=backup.taken_at)
    copied(resource)
    return backup
