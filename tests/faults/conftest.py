"""The real servers that the drivers' tests use."""

from __future__ import annotations

from tests.drivers.conftest import postgres_server

__all__ = ["postgres_server"]
