"""References to secrets: what is accepted, what is found, and what is never repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups.secrets import NotAReference, SecretMissing, resolve, validate_reference


def test_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DB_PASSWORD", " pass word ")
    assert resolve("env:SHOP_DB_PASSWORD") == " pass word "
    monkeypatch.setenv("SHOP_DB_PASSWORD", "changed")
    assert resolve("env:SHOP_DB_PASSWORD") == "changed"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("SHOP_DB_PASSWORD", raising=False)
    if value is not None:
        monkeypatch.setenv("SHOP_DB_PASSWORD", value)
    with pytest.raises(SecretMissing, match="variable SHOP_DB_PASSWORD is not set"):
        resolve("env:SHOP_DB_PASSWORD")


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
