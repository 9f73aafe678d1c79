r"""Keys: how what a part of a backup is made of is written, on one line that people can read and forms send back.

A key is the names from the top down, with slashes between. Whatever a name holds that does not print (a newline, a
byte that is not UTF-8), that is a slash, or that is a backslash, is written as an escape, so that every key stands for
one thing and every thing has one key: ``photos/new\x0aline.jpg``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|(\\))")


def key_of(names: Iterable[str]) -> str:
    """The key of what these names lead to; names as os.fsdecode() gives them."""
    return "/".join(map(written, names))


def written(name: str) -> str:
    """One name, on one line."""
    if name.isprintable() and "\\" not in name and "/" not in name:
        return name
    return "".join(map(_sign, name))


def names_of(key: str) -> tuple[str, ...]:
    """The names that a key stands for. Raises ValueError for what is no key."""
    names = tuple(map(_read, key.split("/")))
    if key_of(names) != key:
        raise ValueError(f"not a key: {key!r}")
    return names


def without_doubles(keys: Iterable[str]) -> list[str]:
    """The keys in order, without those that are below another one of them: the same part, always written the same."""
    kept = set(keys)
    return sorted(key for key in kept if not any(above in kept for above in above_of(key)))


def above_of(key: str) -> Iterable[str]:
    """The keys of what holds it, the nearest first."""
    while (cut := key.rfind("/")) >= 0:
        key = key[:cut]
        yield key


def _sign(sign: str) -> str:
    if sign == "\\":
        return "\\\\"
    if sign.isprintable() and sign != "/":
        return sign
    return "".join(f"\\x{byte:02x}" for byte in sign.encode("utf-8", "surrogateescape"))


def _read(text: str) -> str:
    raw = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else b"\\", text.encode())
    return raw.decode("utf-8", "surrogateescape")
