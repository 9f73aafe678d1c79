"""The cases by kind. Each factory takes an empty directory and is a context manager around a live case."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tests.drivers.case import DriverCase

Factory = Callable[[Path], AbstractContextManager[DriverCase]]

KEPT_BY_PROVIDER = frozenset({"ec2", "ebs", "rds"})
KINDS = ("files", "mysql", "postgres", *sorted(KEPT_BY_PROVIDER))


def factories() -> dict[str, Factory]:
    """The factory ``open_case`` of every kind that has a module here."""
    found: dict[str, Factory] = {}
    for kind in KINDS:
        if find_spec(f"{__name__}.{kind}") is not None:
            found[kind] = import_module(f"{__name__}.{kind}").open_case
    return found
