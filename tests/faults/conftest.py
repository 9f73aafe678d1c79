"""The small company of the actions' tests, and the real servers of the drivers'."""

from __future__ import annotations

from tests.app.conftest import five, sent, tree, world
from tests.drivers.conftest import own_server, postgres_server
from tests.fixtures_aws import account, ec2

__all__ = ["account", "ec2", "five", "own_server", "postgres_server", "sent", "tree", "world"]
