"""One volume of the machine of the case beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.drivers.case import DriverCase
from tests.drivers.cases.ec2 import SINGLE, opened


@contextmanager
def open_case(home: Path) -> Iterator[DriverCase]:
    """The volume at /dev/sdf."""
    yield from opened(SINGLE, "/dev/sdf")
