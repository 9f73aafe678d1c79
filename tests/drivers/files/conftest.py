"""Trees for whoever needs one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.drivers.files import renames
from tests.drivers.cases.files import (
    remove_tree,
    without_exchange,
)
from tests.drivers.files.tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """No live directory yet."""
    made = Tree(tmp_path)
    yield made
    remove_tree(made.roots)


@pytest.fixture
def open_tree() -> Iterator[Tree]:
    """The same where another user may come, with an empty live directory of that user."""
    home = Path(tempfile.mkdtemp())
    home.chmod(0o755)
    made = Tree(home)
    made.live.mkdir()
    yield made
    remove_tree(home)


@pytest.fixture
def no_exchange() -> Iterator[None]:
    """A file system that cannot exchange two names in one step."""
    real = without_exchange()
    yield
    renames.renameat2 = real  # type: ignore[assignment]
