"""Which files may be attached, and under which names."""

from __future__ import annotations

import unicodedata
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import InvalidInput
from restores.filekinds import KINDS, clean_name, kind_of

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)
JPEG = b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x01" + bytes(40)
ZIP = b"PK\x03\x04\x14\x00\x06\x00" + bytes(60)
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00" + bytes(200)
HOLDS = {
    "png": PNG, "jpg": JPEG, "jpeg": JPEG, "gif": b"GIF89a" + bytes(40), "webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40),
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(30), "pdf": b"%PDF-1.7\n" + bytes(40),
    "docx": ZIP, "xlsx": ZIP, "odt": ZIP, "ods": ZIP,
}  # fmt: skip


@pytest.mark.parametrize("extension", KINDS)
def test_each_kind_is_known_by_what_it_holds(extension: str) -> None:
    kind_of(f"shop.{extension}", BytesIO(HOLDS.get(extension, b"Stock;Price\n12;4.50\n")))
    for wrong in (PROGRAM, b"<!DOCTYPE html><html>\0</html>", bytes(50)):
        with pytest.raises(InvalidInput, match="does not hold what its name says"):
            kind_of(f"shop.{extension}", BytesIO(wrong))


@pytest.mark.parametrize(
    "name", ["shop.exe", "shop.html", "shop.svg", "shop.zip", "shop.png.js", "shop", "shop.", ".png"]
)
def test_other_kinds_are_refused_by_their_name(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be attached. Possible are: png, jpg"):
        kind_of(name, BytesIO(PNG))


@pytest.mark.parametrize(
    ("held", "fine"),
    [
        (b"plain\r\n\tlines\n", True),
        ("Größe, ×, 株式会社\n".encode(), True),
        ("Größe\n".encode("cp1252"), True),
        ("Größe\n".encode("utf-16"), True),
        (b"\x1b[31mERROR\x1b[0m\n", True),
        (b"\xff\xfe" + b"a\0\0\0", False),  # a zero in UTF-16
        (b"\xff\xfea", False),  # half a letter
        (b"x" * 70_000 + b"\0", False),  # far from its start
        (b"\x08\x07", False),
    ],
)
def test_text_is_text_to_its_end(held: bytes, fine: bool) -> None:
    if fine:
        assert kind_of("import.LOG", BytesIO(held)).content_type == "text/plain"
    else:
        with pytest.raises(InvalidInput, match="does not hold"):
            kind_of("import.LOG", BytesIO(held))


def test_an_empty_file_is_told_to_be_empty() -> None:
    with pytest.raises(InvalidInput, match=r"“shop\.txt” is empty"):
        kind_of("shop.txt", BytesIO())


@pytest.mark.parametrize(
    ("given_name", "clean"),
    [
        ("Screen shot.PNG", "Screen shot.PNG"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\clara\\prices.csv", "prices.csv"),
        ("prices\u202egnp.exe", "pricesgnp.exe"),  # shown as "pricesexe.png" otherwise
        ("a\0b\r\nc\td.txt", "ab c d.txt"),
        ("  .hidden.txt", "hidden.txt"),
        (".txt", "file.txt"),
        ("...", "file."),
        ("", "file"),
        ("Pre\u0301ise.txt", "Préise.txt"),
        ("株式会社.pdf", "株式会社.pdf"),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
        ("no-extension-" + "x" * 300, "no-extension-" + "x" * 107),
    ],
)
def test_names_are_cleaned(given_name: str, clean: str) -> None:
    assert clean_name(given_name, 120) == clean


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_name_becomes_one_that_people_can_read(given_name: str) -> None:
    name = clean_name(given_name, 120)
    assert 0 < len(name) <= 120
    assert name.isprintable()
    assert not set(name) & set("/\\")
    assert unicodedata.is_normalized("NFC", name)
    assert clean_name(name, 120) == name
