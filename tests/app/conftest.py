"""Fixtures of the actions' tests. A real database that other processes can open, a real directory, real regions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from backups.models import Resource
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
def scratch_is_empty() -> Iterator[None]:
    yield
    assert not list(Path(settings.SCRATCH_DIR).glob("attempt-*")), "scratch was left behind"
