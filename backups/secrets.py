"""References to secrets, and looking them up at the last moment.

A secret setting holds a *reference*, ``scheme:place``, never the secret itself: ``env:RESOURCE_SHOP_DB`` is an
environment variable of the portal's web server and workers, ``file:/run/secrets/resources/shop-db`` a file they can
read. References may be stored, shown and logged; what they resolve to may not. Nothing is cached, so a changed secret
counts at once.

Whoever registers a resource chooses both the reference and the host that its secret is sent to. So a reference leads
only to what was put there for resources (:class:`Bounds`), never to the portal's own secrets.

To add a scheme, add a line to :data:`SCHEMES`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backups.drivers.base import DriverError

PREFIX_VARIABLE, DEFAULT_PREFIX = "SECRETS_ENV_PREFIX", "RESOURCE_"
DIRECTORY_VARIABLE, DEFAULT_DIRECTORY = "SECRETS_DIR", "/run/secrets/resources"

LARGEST_FILE = 64 * 1024  # no secret is larger; a mistaken path must not be read whole


class SecretMissing(DriverError):
    """The reference has no secret behind it here and now."""


class OutOfBounds(DriverError):
    """The reference leads to something that was not put there for resources."""


class NotAReference(DriverError):
    """The value is not a reference. It may be the secret itself, so no message repeats it."""


@dataclass(frozen=True)
class Bounds:
    """How far references reach. That nothing of the portal's own lies within is checked when the portal starts."""

    prefixes: tuple[str, ...]
    directory: Path

    @property
    def examples(self) -> tuple[str, ...]:
        """References as they are entered."""
        return (*(f"env:{prefix}SHOP_DB" for prefix in self.prefixes[:1]), f"file:{self.directory}/shop-db")

    @property
    def sentence(self) -> str:
        """What can be referred to, for people."""
        names = " or ".join(self.prefixes)
        return f"an environment variable whose name begins with {names}, or a file below {self.directory}"


def bounds() -> Bounds:
    """Those that the environment sets, read anew, so that every process that looks secrets up has the same."""
    prefixes = (os.environ.get(PREFIX_VARIABLE) or DEFAULT_PREFIX).split(",")
    directory = Path(os.environ.get(DIRECTORY_VARIABLE) or DEFAULT_DIRECTORY).expanduser()
    return Bounds(tuple(filter(None, map(str.strip, prefixes))), directory.resolve())


@dataclass(frozen=True)
class Scheme:
    """One place where secrets live: ``place`` is what a valid reference looks like after the colon."""

    place: re.Pattern[str]
    resolve: Callable[[str, Bounds], str]


def _from_environment(name: str, within: Bounds) -> str:
    if not name.startswith(within.prefixes):
        raise OutOfBounds(
            f"The environment variable {name} is not meant for resources, so the portal does not read it."
            f" Refer to {within.sentence}."
        )
    value = os.environ.get(name)
    if not value:
        raise SecretMissing(
            f"The environment variable {name} is not set where the portal runs. Set it for the web server and the"
            " workers, then try again."
        )
    return value


def _from_file(path: str, within: Bounds) -> str:
    real = Path(path).resolve()  # a link in there must not lead out again
    if within.directory not in real.parents:
        raise OutOfBounds(
            f"The file {path} is not meant for resources, so the portal does not read it. Refer to {within.sentence}."
        )
    try:
        with real.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SecretMissing(
            f"The secret file {path} cannot be read ({error.strerror}). Create it where the portal runs, readable for"
            " the web server and the workers.",
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
    "env": Scheme(re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), _from_environment),
    "file": Scheme(re.compile(r"/[^\0\r\n]+"), _from_file),
}


def validate_reference(value: str) -> None:
    """See that the value is a reference, without looking up what it names. Raises :class:`NotAReference`."""
    scheme, _, place = value.partition(":")
    if scheme in SCHEMES and SCHEMES[scheme].place.fullmatch(place):
        return
    examples = " or ".join(bounds().examples)
    raise NotAReference(
        f"Enter where the secret is kept, not the secret itself: {examples}. Secrets are never stored in the portal."
    )


def resolve(reference: str) -> str:
    """The secret behind a reference. Raises :class:`SecretMissing`, :class:`OutOfBounds` or :class:`NotAReference`."""
    validate_reference(reference)
    scheme, _, place = reference.partition(":")
    return SCHEMES[scheme].resolve(place, bounds())
