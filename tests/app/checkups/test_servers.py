"""Servers on which checkups restore, instead of beside the live thing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from backups.models import Resource, ResourceState
from checkups.models import Check, CheckStatus
from checkups.servers import check_servers
from tests.app.checkups.carrying import begun, carried_out
from tests.app.world import World, make_resource, make_resource_of, make_tree
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
        assert f"stands in scratch on {scratch.host}, which is for checkups" in said
        assert "This is another database server than the one that was backed up." in said
        assert trial.tidied_at is not None
        assert not [name for name in scratch.databases() if "cu-" in name]


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
        ({"postgres": {"hots": "scratch"}}, "sets postgres.hots, which there is not. There are: host, port"),
        ({"postgres": {"password": "hunter2"}}, "Enter where the secret is kept, not the secret itself"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_start(settings: Any, chosen: dict[str, Any], words: str) -> None:
    settings.CHECKUP_SERVERS = chosen
    with pytest.raises(ImproperlyConfigured, match=words) as refused:
        check_servers()
    assert "hunter2" not in str(refused.value)
