"""Documents as PDF: any name can be written, and the same content makes the same bytes."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.paper import Paper, letters, writable

MADE_AT = datetime(2026, 11, 24, 3, 12, tzinfo=ZoneInfo("Europe/Berlin"))


def made(text: str) -> bytes:
    paper = Paper("Compliance", "HaaS backups", MADE_AT)
    paper.heading(text)
    paper.say(text)
    paper.rows(("What", "Whose"), (1, 2), [(text, "Shopco")] * 3)
    return bytes(paper.output())


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Ťřída – Ελλάς, Привет, “x” → ≥", "Ťřída – Ελλάς, Привет, “x” → ≥"),
        ("株式会社", "ZhuShiHuiShe"),
        ("a\0b\nc\u202ed", "a b c d"),
        ("shop 🎉", "shop :tada:"),
        ("\U000f0000", " "),
        ("", ""),
    ],
)
def test_what_the_typeface_lacks_is_spelled(text: str, written: str) -> None:
    assert writable(text) == written


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_written(text: str) -> None:
    assert all(ord(one) in letters() for one in writable(text))


@pytest.mark.parametrize("text", ["株式会社 🎉 \0 \u202e שלום", "x" * 5000, "a b " * 2000, "**bold** <b>&amp;", ""])
def test_no_name_is_a_fault(text: str) -> None:
    assert made(text).startswith(b"%PDF-")


@pytest.mark.parametrize("number", range(38, 46))
def test_no_page_has_the_last_row_alone_and_each_has_the_head(number: int) -> None:
    paper = Paper("Compliance", "HaaS backups", MADE_AT)
    paper.rows(("What", "Whose"), (1, 2), [(f"row {index}", "Shopco") for index in range(number)])
    done = subprocess.run(["pdftotext", "-", "-"], input=bytes(paper.output()), capture_output=True, check=True)
    pages = [page for page in done.stdout.decode().split("\f") if page.strip()]
    assert [page.count("Whose") for page in pages] == [1] * len(pages)
    assert [int(row) for page in pages for row in re.findall(r"row (\d+)", page)] == list(range(number))
    assert pages[-1].count("row ") > 1


def test_the_same_content_makes_the_same_bytes() -> None:
    assert made("shop-db") == made("shop-db")
    assert made("shop-db") != made("shop-files")


def test_it_says_when_it_was_made() -> None:
    assert MADE_AT.astimezone(UTC).hour == 2
    assert b"(D:20261124031200+01'00')" in made("shop-db").replace(b"\\", b"")
