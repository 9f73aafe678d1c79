"""Words that every verb of a driver uses: a resource's settings, a manifest's lines, progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Settings = Mapping[str, str]
"""A resource's settings by name. Secret ones hold *references* (see :mod:`backups.secrets`), never the secret."""


ManifestEntry = Mapping[str, Any]
"""One JSON-able line of a manifest."""


@dataclass(frozen=True)
class Setting:
    """One setting of a resource kind: how a form asks for it, and whether it is secret."""

    name: str
    label: str
    help: str = ""
    required: bool = True
    default: str = ""
    secret: bool = False  # the value is a reference: env:NAME or file:/path


class Progress(Protocol):
    """Called often by whoever moves bytes; the receiver thins the calls out. May raise to cancel."""

    def __call__(self, bytes_done: int, bytes_expected: int | None = None) -> None:
        """Note how far it is."""
