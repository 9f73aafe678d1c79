"""References to secrets, and looking them up at the last moment.

A secret setting holds a *reference*, ``scheme:place``, never the secret itself: ``env:SHOP_DB_PASSWORD`` is an
environment variable of the portal's workers, ``file:/run/secrets/shop-db`` a file they can read. References may be
stored, shown and logged; what they resolve to may not. Nothing is cached, so a changed secret counts at once.

To add a scheme, add a line to :data:`SCHEMES`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backups.drivers.base import DriverError

LARGEST_FILE = 64 * 1024  # no secret is larger; a mistaken path must not be read whole


class SecretMissing(DriverError):
    """The reference has no secret behind it here and now."""


class NotAReference(DriverError):
    """The value is not a reference. It may be the secret itself, so no message repeats it."""


@dataclass(frozen=True)
class Scheme:
    """One place where secrets live: ``place`` is what a valid reference looks like after the colon."""

    place: re.Pattern[str]
    example: str
    resolve: Callable[[str], str]


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SecretMissing(
            f"The environment variable {name} is not set where the portal's workers run. Set it, then try again."
        )
    return value


def _from_file(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SecretMissing(
            f"The secret file {path} cannot be read ({error.strerror}). Create it, readable for the portal's workers.",
            detail=f"{type(error).__name__}: {error.strerror}",
        ) from None
    if len(content) > LARGEST_FILE:
        raise SecretMissing(f"The file {path} is too large to be a secret. Check the path.")
    try:
        # Editors and `echo` end a file with a newline that is not part of the secret; other blanks may be.
        value = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecretMissing(f"The secret file {path} is not text in UTF-8. Check the path.") from None
    if not value or "\0" in value:
        raise SecretMissing(f"The secret file {path} holds no usable secret. Write the secret into it, then try again.")
    return value


SCHEMES: dict[str, Scheme] = {
    "env": Scheme(re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), "env:SHOP_DB_PASSWORD", _from_environment),
    "file": Scheme(re.compile(r"/[^\0\r\n]+"), "file:/run/secrets/shop-db", _from_file),
}


def validate_reference(value: str) -> None:
    """See that the value is a reference, without looking up what it names. Raises :class:`NotAReference`."""
    scheme, _, place = value.partition(":")
    if scheme in SCHEMES and SCHEMES[scheme].place.fullmatch(place):
        return
    examples = " or ".join(known.example for known in SCHEMES.values())
    raise NotAReference(
        f"Enter where the secret is kept, not the secret itself: {examples}. Secrets are never stored in the portal."
    )


def resolve(reference: str) -> str:
    """The secret behind a reference. Raises :class:`SecretMissing` or :class:`NotAReference`."""
    validate_reference(reference)
    scheme, _, place = reference.partition(":")
    return SCHEMES[scheme].resolve(place)
