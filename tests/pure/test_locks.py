"""The locks fit pyproject.toml and can be used anywhere: every package pinned and hashed, no address in them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = {"base": (), "demo": ("demo",), "dev": ("demo", "test", "lint")}


def pins(lock: str) -> dict[str, tuple[str, str]]:
    """Version and text of each pinned package."""
    text = (ROOT / "locks" / f"{lock}.txt").read_text()
    blocks = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)((?:[^\n]*\\\n)*[^\n]*)$", text, re.MULTILINE)
    return {canonicalize_name(name): (version, rest) for name, version, rest in blocks}


def wanted(lock: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [line for extra in EXTRAS[lock] for line in project["optional-dependencies"][extra]]
    return [Requirement(line) for line in [*project["dependencies"], *extras]]


@pytest.mark.parametrize("lock", EXTRAS)
def test_every_requirement_is_pinned_within_its_bounds(lock):
    pinned = pins(lock)
    for requirement in wanted(lock):
        assert canonicalize_name(requirement.name) in pinned, f"{requirement.name} is not in {lock}: run 'make lock'"
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)][0])


@pytest.mark.parametrize("lock", [*EXTRAS, "uv"])
def test_every_pin_is_hashed_and_no_address_is_recorded(lock):
    pinned = pins(lock)
    assert pinned
    for name, (_, rest) in pinned.items():
        assert "--hash=sha256:" in rest, f"{name} has no hash"
    assert "://" not in (ROOT / "locks" / f"{lock}.txt").read_text()


def test_the_locks_agree_with_one_another():
    everything = {name: version for name, (version, _) in pins("dev").items()}
    for lock in ("base", "demo"):
        assert {name: version for name, (version, _) in pins(lock).items()}.items() <= everything.items()
