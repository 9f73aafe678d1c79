"""References to secrets: what is accepted, what is found, and what is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups.secrets import (
    DEFAULT_DIRECTORY,
    DEFAULT_PREFIX,
    DIRECTORY_VARIABLE,
    PREFIX_VARIABLE,
    NotAReference,
    OutOfBounds,
    SecretMissing,
    resolve,
    validate_reference,
)
from portal.environment import VARIABLES

OWN = {name for one in VARIABLES for name in one.names}


@pytest.fixture(autouse=True)
def bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of an installation, with the test's directory."""
    monkeypatch.delenv(PREFIX_VARIABLE)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))


def test_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESOURCE_SHOP_DB", " pass word ")
    assert resolve("env:RESOURCE_SHOP_DB") == " pass word "
    monkeypatch.setenv("RESOURCE_SHOP_DB", "changed")
    assert resolve("env:RESOURCE_SHOP_DB") == "changed"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("RESOURCE_SHOP_DB", raising=False)
    if value is not None:
        monkeypatch.setenv("RESOURCE_SHOP_DB", value)
    with pytest.raises(SecretMissing, match="variable RESOURCE_SHOP_DB is not set"):
        resolve("env:RESOURCE_SHOP_DB")


def test_a_file_without_its_last_newline(tmp_path: Path) -> None:
    secret = tmp_path / "a secret"
    secret.write_text(" pässword \n")
    assert resolve(f"file:{secret}") == " pässword "


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"a\0b", b"x" * 100_000])
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    with pytest.raises(SecretMissing, match=str(secret)):
        resolve(f"file:{secret}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="cannot be read"):
        resolve(f"file:{tmp_path}/nothing")


@pytest.mark.parametrize("name", sorted(OWN - {PREFIX_VARIABLE, DIRECTORY_VARIABLE}))
def test_no_variable_of_the_portals_own_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hunter2")
    with pytest.raises(OutOfBounds, match="begins with RESOURCE_") as refused:
        resolve(f"env:{name}")
    assert "hunter2" not in str(refused.value) + refused.value.detail


@pytest.mark.parametrize("name", ["resource_X", "XRESOURCE_", "RESOURCE", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY"])
def test_only_variables_of_the_prefix_are_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hunter2")
    with pytest.raises(OutOfBounds):
        resolve(f"env:{name}")


def test_the_prefix_can_be_another_and_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX_VARIABLE, "DB_, OLD_")
    monkeypatch.setenv("OLD_SHOP", "found")
    assert resolve("env:OLD_SHOP") == "found"
    with pytest.raises(OutOfBounds, match="begins with DB_ or OLD_"):
        resolve("env:RESOURCE_SHOP_DB")
    monkeypatch.setenv(PREFIX_VARIABLE, ",")
    with pytest.raises(OutOfBounds):
        resolve("env:OLD_SHOP")


def test_only_files_below_the_directory_are_read_however_they_are_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret_key").write_text("hunter2")
    inside = tmp_path / "resources"
    (inside / "..data").mkdir(parents=True)
    (inside / "..data/shop-db").write_text("found")
    (inside / "shop-db").symlink_to("..data/shop-db")
    (inside / "link").symlink_to(tmp_path / "secret_key")
    (inside / "up").symlink_to(tmp_path)
    (tmp_path / "resources-of-others").write_text("hunter2")
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(inside))
    assert resolve(f"file:{inside}/shop-db") == "found"
    for path in (
        "secret_key", "resources/link", "resources/up/secret_key", "resources/../secret_key", "resources-of-others",
        "resources", "/etc/passwd", "/proc/self/environ",
    ):  # fmt: skip
        with pytest.raises(OutOfBounds, match="not meant for resources"):
            resolve(f"file:{tmp_path / path}")


def test_the_defaults_are_those_of_the_documented_variables() -> None:
    documented = {one.name: one.default for one in VARIABLES}
    assert documented[PREFIX_VARIABLE] == DEFAULT_PREFIX
    assert documented[DIRECTORY_VARIABLE] == DEFAULT_DIRECTORY


@pytest.mark.parametrize(
    "value",
    ["hunter2", "", "env:", "env:A B", "env:hunter2!", "file:relative", "file:", "vault:x", "ENV:X", "file:/a\nb"],
)
def test_what_is_not_a_reference_is_refused_and_never_repeated(value: str) -> None:
    for function in (validate_reference, resolve):
        with pytest.raises(NotAReference, match="not the secret itself") as refused:
            function(value)
        assert "hunter2" not in str(refused.value) + refused.value.detail


def test_validating_does_not_look_anything_up() -> None:
    validate_reference("env:NOT_SET_ANYWHERE")
    validate_reference("file:/not/there")
