"""A checkup over sixty resources with six planted faults: all six are found and named rightly, and nothing else is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from backups.artefacts import delete_artefact
from backups.kinds import store_of
from backups.models import Copy, Resource
from backups.proof import Proof
from checkups.actions.recording import record_of
from checkups.actions.signing import sign, standing
from checkups.models import Check, CheckStatus
from checkups.models.finding import FindingStatus
from checkups.record import digest_of
from checkups.workflow import Status
from tests.app.checkups.carrying import begun, carried_out
from tests.app.checkups.test_checkup import spoil
from tests.app.world import HOME, OTHER, World, backup_now, make_resource_of
from tests.drivers.mariadb import PASSWORD, SUPERUSER, MariaDBServer
from tests.drivers.servers import PASSWORD as POSTGRES_PASSWORD
from tests.faults.sixty import copied, parts_of, sixty, stored_anew
from tests.fixtures_aws import rds

__all__ = ["rds"]


@pytest.fixture
def all_of_them(world: World, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Resource]]:
    with sixty(world, request, tmp_path) as made:
        yield made


@pytest.mark.slow
def test_six_faults_are_found_among_sixty_resources(world: World, all_of_them: dict[str, Resource]) -> None:
    them = all_of_them
    expected = {
        "tree-03": ("both", "damaged"),
        "pg-02": ("both", "refused"),
        "my-04": ("elsewhere", "missing"),
        "pg-05": ("both", "differs"),
        "tree-11": ("both", "differs"),
        "away": ("both", "away"),
    }
    # A flipped byte in the artefact.
    spoil(them["tree-03"].backups.get().copies.get(region=HOME))
    # A dump that was cut short before it was stored.
    data, lines = parts_of(them["pg-02"].backups.get().copies.get(region=HOME))
    stored_anew(them["pg-02"], data[: len(data) // 2], lines)
    # The copy in the other region is gone.
    gone = them["my-04"].backups.get().copies.get(region=OTHER)
    delete_artefact(store_of(OTHER), gone.stored_under)
    # A dump by a role that could not read one table: it is not in it, though the manifest names it.
    swapped(them["pg-05"], lambda: psycopg_execute(them["pg-05"], "DROP TABLE notes"))
    # A manifest of another day.
    page = Path(them["tree-11"].settings["path"]) / "sub" / "page.txt"
    swapped(them["tree-11"], lambda: page.write_text("page of another day\n"))
    # A resource whose server does not answer.
    with MariaDBServer() as server:
        server.create_database("lonely")
        os.environ["TEST_MARIADB_PASSWORD"] = PASSWORD
        how = {
            "host": server.host, "port": str(server.port), "dbname": "lonely", "user": SUPERUSER,
            "password": "env:TEST_MARIADB_PASSWORD",
        }  # fmt: skip
        copied(make_resource_of(world, "mysql", how, name="away"))

    checkup = begun(world)
    for hours in range(4):
        carried_out(checkup, later=timedelta(hours=hours))
    assert checkup.state is Status.READY
    failed = Check.objects.filter(finding__checkup=checkup, status=CheckStatus.FAILED).select_related("finding")
    found = {(check.finding.name, check.what, _fault(check)): check.sentence for check in failed}
    assert {(name, what, fault) for name, (what, fault) in expected.items()} <= set(found), found
    assert {name for name, _, _ in found} == set(expected), found
    assert "ends too early" in found["pg-02", "both", "refused"]
    assert "table public.notes is missing" in found["pg-05", "both", "differs"]
    assert checkup.findings.filter(status=FindingStatus.PASSED).count() == 55
    for check in Check.objects.filter(finding__checkup=checkup, status=CheckStatus.PASSED):
        kind = check.finding.kind
        assert check.reached_level is (Proof.RESTORED if kind in ("ec2", "rds", "s3") else Proof.CONTENT_MATCHED), kind
    digest = standing(checkup).digest  # and it can be signed, though one server is away
    for person in (world.it, world.it2):
        sign(by=person, checkup=checkup, digest=digest, statement="All six are known, and seen to.")
    checkup.refresh_from_db()
    assert digest_of(record_of(checkup)) == checkup.sha256
    assert not list(Path(settings.SCRATCH_DIR).glob("trial-*"))


def _fault(check: Check) -> str:
    last = check.trials.last()
    return last.fault if last else ""


def swapped(resource: Resource, change: Callable[[], object]) -> None:
    """Its only backup holds the data of after the change, with the manifest of before."""
    first = resource.backups.get()
    _, before = parts_of(first.copies.get(region=HOME))
    change()
    later = backup_now(resource)
    data, _ = parts_of(later.copies.get(region=HOME))
    Copy.objects.filter(backup=first).update(state="deleted", deleted_at=later.taken_at)
    resource.backups.filter(pk=first.pk).update(deleted_at=later.taken_at)
    stored_anew(resource, data, before)


def psycopg_execute(resource: Resource, statement: str) -> None:
    how = resource.settings
    with psycopg.connect(
        host=how["host"], port=how["port"], dbname=how["dbname"], user=how["user"], password=POSTGRES_PASSWORD,
        autocommit=True,
    ) as connection:  # fmt: skip
        connection.execute(statement.encode())
