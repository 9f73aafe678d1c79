"""The small company of the actions' tests, and the real servers of the drivers'."""

from __future__ import annotations

from tests.app.conftest import five, sent, tree, world
from tests.drivers.conftest import own_server, postgres_server

__all__ = ["five", "own_server", "postgres_server", "sent", "tree", "world"]
