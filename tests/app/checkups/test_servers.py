"""Servers on which checkups restore, instead of beside the live thing."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.models import Copy, Resource, ResourceState
from checkups.actions.running import check_untried_again
from checkups.models import Check, CheckStatus
from checkups.servers import check_servers, instead_of
from portal.errors import Refused
from tests.app.checkups.carrying import begun, carried_out
from tests.app.checkups.test_checkup import spoil
from tests.app.world import OTHER, World, make_resource, make_resource_of, make_tree
from tests.drivers.databases import VARIABLE, Database
from tests.drivers.servers import PASSWORD, SUPERUSER, PostgresServer, installations


def removed(resource: Resource, world: World) -> None:
    now = timezone.now()
    Resource.objects.filter(pk=resource.pk).update(
        state=ResourceState.REMOVED, removed_at=now, removal_asked_at=now, removed_by=world.it, removal_reason="Left.",
    )  # fmt: skip


@pytest.mark.skipif(not installations(), reason="PostgreSQL is not installed")
def test_a_removed_database_whose_server_is_gone_is_tried_on_another(
    world: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with PostgresServer() as its_own, PostgresServer() as scratch:
        with Database(its_own, tmp_path) as shop:
            owner = shop.role("shopkeeper")  # whom the other server does not know
            shop.execute("CREATE TABLE orders (id int PRIMARY KEY); ALTER TABLE orders OWNER TO shopkeeper")
            shop.execute("INSERT INTO orders SELECT generate_series(1, 1000); GRANT ALL ON orders TO shopkeeper")
            assert owner["user"] == "shopkeeper"
            resource = make_resource_of(world, "postgres", shop.settings, name="shop-db", environment="production")
        its_own.close()
        removed(resource, world)
        settings.CHECKUP_SERVERS = {
            "postgres": {
                "host": scratch.host,
                "port": str(scratch.port),
                "user": SUPERUSER,
                "password": f"env:{VARIABLE}",
            }
        }
        carried_out(begun(world))
        check = Check.objects.get(finding__resource=resource)
        assert check.status == CheckStatus.PASSED, check.sentence
        trial = check.trials.get()
        said = " ".join(step["sentence"] for step in trial.steps)
        assert f"was restored whole into scratch on {scratch.host}, which is for checkups" in said
        assert "This is another database server than the one that was backed up." in said
        assert trial.tidied_at is not None
        assert not [name for name in scratch.databases() if "cu-" in name]


@pytest.mark.skipif(not installations(), reason="PostgreSQL is not installed")
def test_after_an_outage_all_that_could_not_be_tried_is_tried_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    damaged = make_resource(world, make_tree(name="damaged-tree"))
    with PostgresServer() as server, Database(server, tmp_path) as shop:
        resource = make_resource_of(world, "postgres", shop.settings, name="shop-db")
        for one in (resource, damaged):
            copy_to_other_region(one.pk)
        spoil(Copy.objects.get(backup__resource=damaged, region=OTHER))
        checkup = begun(world)
        with pytest.raises(Refused, match="nothing that could not be tried"):
            check_untried_again(by=world.it, checkup=checkup)
        server.kill()
        for hours in (0, 1, 2, 3):
            carried_out(checkup, later=timedelta(hours=hours))
        assert checkup.findings.filter(status="failed").count() == 2
        server.start()
        assert check_untried_again(by=world.it, checkup=checkup) == 1
        carried_out(checkup)
        assert checkup.findings.get(status="passed").name == "shop-db"
        assert checkup.findings.get(status="failed").name == "damaged-tree"
        told = set(checkup.events.filter(move="check_again").values_list("text", flat=True))
        assert told == {f"{world.it} had 1 resource checked again that could not be tried"}


def test_a_directory_tree_is_restored_where_the_company_says(world: World, settings: Any) -> None:
    tree = make_tree()
    resource = make_resource(world, tree)
    shutil.rmtree(tree)
    elsewhere = Path(settings.FILES_ROOTS[0]) / "for-checkups"
    elsewhere.mkdir()
    removed(resource, world)
    settings.CHECKUP_SERVERS = {"files": {"path": str(elsewhere / "tree")}}
    carried_out(begun(world))
    check = Check.objects.get(finding__resource=resource)
    assert check.status == CheckStatus.PASSED, check.sentence
    assert check.trials.get().place["beside"].startswith(str(elsewhere))
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"oracle": {"host": "scratch"}}, "names the kind oracle"),
        ({"rds": {"region": "eu-west-1"}}, "names the kind rds"),
        ({"postgres": {"hots": "scratch"}}, "sets postgres.hots, which cannot be set. There are: host, port"),
        ({"postgres": {"host": "scratch", "dbname": "shop"}}, "sets postgres.dbname, which cannot be set"),
        ({"postgres": {"user": "checkups"}}, "postgres.host: Name its host as well"),
        ({"postgres": {"host": "scratch"}}, "postgres.user: Role is missing"),
        ({"mysql": {"host": "scratch", "user": "checkups", "port": "abc"}}, "mysql.port: Port must be a number"),
        ({"files": {"path": "not/absolute"}}, "files.path"),
        (
            {"postgres": {"host": "scratch", "user": "checkups", "password": "hunter2"}},
            "Enter where the secret is kept, not the secret itself",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_at_start(settings: Any, chosen: dict[str, Any], words: str) -> None:
    settings.CHECKUP_SERVERS = chosen
    with pytest.raises(ImproperlyConfigured, match=words) as refused:
        check_servers()
    assert "hunter2" not in str(refused.value)


def test_another_host_gets_nothing_of_how_the_live_one_is_reached(settings: Any) -> None:
    settings.CHECKUP_SERVERS = {"postgres": {"host": "scratch", "user": "checkups"}}
    own = {
        "host": "db1",
        "port": "5433",
        "dbname": "shop",
        "user": "shop",
        "password": "env:RESOURCE_SHOP",
        "sslmode": "disable",
    }
    assert instead_of("postgres", own) == {"host": "scratch", "user": "checkups", "dbname": "shop"}
    assert instead_of("mysql", own) == own


def test_no_scratch_is_built_inside_of_what_is_live(world: World, settings: Any) -> None:
    live, tree = make_tree(name="live-shop"), make_tree()
    make_resource(world, live)
    resource = make_resource(world, tree)
    before = sorted(path.name for path in live.rglob("*"))
    settings.CHECKUP_SERVERS = {"files": {"path": str(live / "scratch-tree")}}
    carried_out(begun(world))
    for check in Check.objects.filter(finding__resource=resource, what="both"):
        assert check.status == CheckStatus.FAILED
        assert check.sentence.startswith("The place for checkups lies inside of live-shop, which is live.")
    assert sorted(path.name for path in live.rglob("*")) == before


def test_what_another_server_takes_promises_nothing_of_the_live_one(world: World, settings: Any) -> None:
    elsewhere = Path(settings.FILES_ROOTS[0]) / "for-times"
    elsewhere.mkdir()
    settings.CHECKUP_SERVERS = {"files": {"path": str(elsewhere / "tree")}}
    resource = make_resource(world, make_tree())
    carried_out(begun(world))
    assert Check.objects.filter(finding__resource=resource, status=CheckStatus.PASSED).exists()
    resource.refresh_from_db()
    assert resource.recovery_ms is None
