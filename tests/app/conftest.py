"""Fixtures of the actions' tests. A real database that other processes can open, a real directory, real regions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from backups.models import Resource
from portal import handover
from tests.app.world import World, make_resource, make_tree, make_world, remove_tree


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def tree() -> Iterator[Path]:
    path = make_tree()
    yield path
    for leftover in path.parent.glob(f"*{path.name}*"):
        remove_tree(leftover)


@pytest.fixture
def resource(world: World, tree: Path) -> Resource:
    return make_resource(world, tree)


@pytest.fixture
def five(world: World) -> Iterator[list[Resource]]:
    """Five trees with a backup each, all of them spoilt since; the first is production."""
    trees = [make_tree(name=f"shop-{number}") for number in range(5)]
    made = [
        make_resource(world, tree, environment="staging" if number else "production")
        for number, tree in enumerate(trees)
    ]
    for tree in trees:
        (tree / "sub" / "page.txt").write_text("spoilt\n")
    yield made
    for tree in trees:
        for leftover in tree.parent.glob(f"*{tree.name}*"):
            remove_tree(leftover)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The requests that workers were woken for, in that order."""
    queue: list[int] = []
    monkeypatch.setattr(
        handover, "_send", lambda task, args: queue.append(args[0]) if task.startswith("restores.restore") else None
    )
    return queue


@pytest.fixture
def scratch_is_empty() -> Iterator[None]:
    yield
    assert not list(Path(settings.SCRATCH_DIR).glob("attempt-*")), "scratch was left behind"
