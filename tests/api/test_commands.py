"""The commands: the same actions, sentences and exit codes for people at a terminal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from backups.models import Backup, BackupStatus, Resource
from portal.models import Application, Client
from tests.factories import Cast, make_removed, make_resource


@pytest.fixture
def tree() -> Iterator[Path]:
    path = Path(settings.FILES_ROOTS[0]) / "command-tree"
    path.mkdir()
    (path / "page.txt").write_text("hello")
    yield path
    shutil.rmtree(path)


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def add(cast: Cast, tree: Path, **changes: str) -> str:
    options = {
        "by": cast.it.username,
        "client": "Shopco",
        "application": "Shop",
        "name": "shop-pages",
        "kind": "files",
        "home-region": "eu-central-1",
        "set": f"path={tree}",
        **changes,
    }
    return run("resource", "add", *(f"--{name}={value}" for name, value in options.items() if value != "--"))


def test_adding_a_resource_queues_its_first_backup(cast: Cast, tree: Path) -> None:
    assert add(cast, tree).startswith("Registered shop-pages (")
    made = Resource.objects.get()
    assert (made.environment, made.other_region, made.created_by) == ("production", "eu-west-1", cast.it)
    assert made.history.get().history_user == cast.it
    assert made.backups.get().status == BackupStatus.QUEUED


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"by": "nobody-at-all"}, 2, "There is no active person"),
        ({"set": "path"}, 2, "give each setting once"),
        ({"application": "Nothing"}, 2, "--create makes it"),
        ({"by": "clara-of-shopco"}, 1, "Only IT registers resources."),
        ({"kind": "tape"}, 1, "There is no resource kind “tape”."),
        ({"set": "path=/etc"}, 1, "(path)"),
        ({"home-region": "mars"}, 1, "There is no region “mars”."),
    ],
)
def test_what_cannot_be_added(cast: Cast, tree: Path, changes: dict[str, str], code: int, words: str) -> None:
    with pytest.raises(CommandError) as refused:
        add(cast, tree, **changes)
    assert refused.value.returncode == code
    assert words in str(refused.value)
    assert not Resource.objects.exists()


def test_a_client_is_made_on_request_and_not_left_behind_by_a_refusal(cast: Cast, tree: Path) -> None:
    new = {"client": "Newco", "application": "Site"}
    words = [f"--{name}={value}" for name, value in new.items()]
    usual = [f"--by={cast.it.username}", "--create", "--kind=files", "--home-region=eu-west-1", "--name=site"]
    with pytest.raises(CommandError, match="FILES_ROOTS"):
        run("resource", "add", *words, *usual, "--set=path=/etc")
    assert not Client.objects.filter(name="Newco").exists()
    run("resource", "add", *words, *usual, f"--set=path={tree}")
    made = Application.objects.get(client__name="Newco", name="Site")
    assert made.history.first().history_user == cast.it
    assert Resource.objects.get().other_region == "eu-central-1"


def test_the_list_is_for_people_and_programs(cast: Cast) -> None:
    made = make_resource(cast.shop, "shop-db")
    make_removed(cast.shop, "gone")
    assert run("resource", "list").split("\t")[:3] == [str(made.pk), "shop-db", "Shopco"]
    (row,) = json.loads(run("resource", "list", "--json"))
    assert (row["id"], row["application"], row["last_good_at"]) == (made.pk, "Shop", None)


def test_backing_up_by_name_or_id(cast: Cast) -> None:
    made = make_resource(cast.shop, "shop-db")
    said = run("backup", "shop-db", "--by", cast.staff.username, "--reason", "before a release")
    backup = Backup.objects.get()
    assert said == f"Backup {backup.pk} of shop-db: queued.\n"
    assert (backup.requested_by, backup.reason) == (cast.staff, "before a release")
    with pytest.raises(CommandError, match="under way already") as refused:
        run("backup", str(made.pk), "--by", cast.it.username, "--reason", "again")
    assert refused.value.returncode == 1


def test_an_unclear_name_is_not_guessed(cast: Cast) -> None:
    ids = [make_resource(application, "db").pk for application in (cast.shop, cast.news)]
    with pytest.raises(CommandError, match=rf"Say which by its id: {ids[0]} \(Shopco, Shop\), {ids[1]} ") as refused:
        run("backup", "db", "--by", cast.it.username, "--reason", "x")
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="There is no resource"):
        run("backup", "nothing", "--by", cast.it.username, "--reason", "x")


@pytest.mark.parametrize("good", [True, False])
def test_waiting_ends_with_the_backup(cast: Cast, monkeypatch: pytest.MonkeyPatch, good: bool) -> None:
    make_resource(cast.shop, "shop-db")
    ended: dict[str, Any] = {"finished_at": timezone.now(), "taken_at": timezone.now()}
    ended |= {"status": "finished", "stored_bytes": 1, "source_bytes": 1, "checksum": "a" * 64} if good else {}
    ended |= {} if good else {"status": "failed", "error": "The disk is full."}

    def worker(_: float) -> None:
        Backup.objects.update(**ended)

    monkeypatch.setattr("time.sleep", worker)
    words = ("backup", "shop-db", "--by", cast.it.username, "--reason", "x", "--wait", "--json")
    if good:
        assert json.loads(run(*words))["status"] == "finished"
    else:
        with pytest.raises(CommandError, match="The backup failed: The disk is full."):
            run(*words)
