"""Which files may be attached, told by their names and by what they hold, and how their names are cleaned.

Nothing here makes a file safe to open. It keeps programs and pages out, and a name from lying about what a file is.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

import puremagic

from portal.errors import InvalidInput

CHUNK = 65_536
HEAD = 8192
EXTENSION_MAX = 8
INVISIBLE_IN_TEXT = bytes({*range(32)} - set(b"\t\n\f\r\x1b"))  # \x1b: the colours of logs


@dataclass(frozen=True)
class FileKind:
    """A kind of file. ``holds(file)`` says whether the bytes are of that kind."""

    content_type: str
    holds: Callable[[BinaryIO], bool]


def _begins_as(*extensions: str) -> Callable[[BinaryIO], bool]:
    """Whether the first bytes are those of files with one of the extensions."""

    def holds(file: BinaryIO) -> bool:
        try:
            found = puremagic.magic_string(file.read(HEAD))
        except (puremagic.PureError, ValueError):  # nothing known begins so; or there is nothing
            return False
        return not {f".{name}" for name in extensions}.isdisjoint(match.extension for match in found)

    return holds


def _is_text(file: BinaryIO) -> bool:
    """Whether all of it is text: UTF-8, UTF-16 with its mark, or an older encoding of one byte for each letter."""
    if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        file.seek(0)
        return _is_utf16(file)
    file.seek(0)
    while chunk := file.read(CHUNK):
        if len(chunk.translate(None, INVISIBLE_IN_TEXT)) < len(chunk):
            return False
    return True


def _is_utf16(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        while chunk := file.read(CHUNK):
            if any(ord(one) < 128 and one.encode() in INVISIBLE_IN_TEXT for one in decoder.decode(chunk)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


_DOCUMENT = "application/vnd.openxmlformats-officedocument"
_JPEG = FileKind("image/jpeg", _begins_as("jpg", "jpeg"))

KINDS = {
    "png": FileKind("image/png", _begins_as("png")),
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "gif": FileKind("image/gif", _begins_as("gif")),
    "webp": FileKind("image/webp", _begins_as("webp")),
    "heic": FileKind("image/heic", _begins_as("heic", "heif")),
    "pdf": FileKind("application/pdf", _begins_as("pdf")),
    "txt": FileKind("text/plain", _is_text),
    "log": FileKind("text/plain", _is_text),
    "md": FileKind("text/markdown", _is_text),
    "csv": FileKind("text/csv", _is_text),
    "tsv": FileKind("text/tab-separated-values", _is_text),
    "json": FileKind("application/json", _is_text),
    "sql": FileKind("application/sql", _is_text),
    "docx": FileKind(f"{_DOCUMENT}.wordprocessingml.document", _begins_as("docx")),
    "xlsx": FileKind(f"{_DOCUMENT}.spreadsheetml.sheet", _begins_as("xlsx")),
    "odt": FileKind("application/vnd.oasis.opendocument.text", _begins_as("odt", "docx")),  # any of them is a zip file
    "ods": FileKind("application/vnd.oasis.opendocument.spreadsheet", _begins_as("ods", "docx")),
}
"""By extension, in small letters. No archives and no pages: nobody could see what comes with them."""

POSSIBLE = ", ".join(KINDS)


def kind_of(name: str, file: BinaryIO) -> FileKind:
    """The kind of the file of that (clean) name. Raises :class:`InvalidInput` when it may not be attached.

    The whole file may be read; its position afterwards is anywhere.
    """
    kind = KINDS.get(extension_of(name))
    if kind is None:
        raise InvalidInput(f"“{name}” is of a kind that cannot be attached. Possible are: {POSSIBLE}.", field="file")
    file.seek(0)
    if not file.read(1):
        raise InvalidInput(f"“{name}” is empty. Choose another file.", field="file")
    file.seek(0)
    if not kind.holds(file):
        raise InvalidInput(
            f"“{name}” does not hold what its name says. Save it anew as one of: {POSSIBLE}.", field="file"
        )
    return kind


def extension_of(name: str) -> str:
    """ "png" of "Screen.PNG"."""
    return PurePosixPath(name).suffix.removeprefix(".").lower()


def clean_name(given: str, longest: int) -> str:
    """The last part of the given name, as people would read it: in one line, without what cannot be seen or turns its order.

    At most ``longest`` characters, its extension among them; "file" where nothing is left before it.
    """
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = "".join(one if one.isprintable() else " " if one.isspace() else "" for one in last)
    stem, dot, extension = unicodedata.normalize("NFC", " ".join(seen.split())).rpartition(".")
    if not dot or len(extension) > EXTENSION_MAX:
        stem, dot, extension = f"{stem}{dot}{extension}", "", ""
    tail = f"{dot}{extension.strip()}"
    return (stem.strip(" .")[: longest - len(tail)].rstrip() or "file") + tail
