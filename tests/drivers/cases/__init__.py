"""The cases by kind. Each factory takes an empty directory and is a context manager around a live case."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tests.drivers.case import DriverCase

Factory = Callable[[Path], AbstractContextManager[DriverCase]]

KEPT_BY_PROVIDER = frozenset({"ec2", "ebs", "rds", "s3"})
KINDS = ("files", "mysql", "postgres", *sorted(KEPT_BY_PROVIDER))
MODULES = {"s3": "bucket"}
"""Those that are not called like their kind."""


def factories() -> dict[str, Factory]:
    """The factory ``open_case`` of every kind that has a module here."""
    found: dict[str, Factory] = {}
    for kind in KINDS:
        module = f"{__name__}.{MODULES.get(kind, kind)}"
        if find_spec(module) is not None:
            found[kind] = import_module(module).open_case
    return found
