"""The real servers that the drivers' tests use."""

from __future__ import annotations

from tests.drivers.conftest import own_server, postgres_server

__all__ = ["own_server", "postgres_server"]
