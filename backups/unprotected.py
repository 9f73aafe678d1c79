"""Which of the things that discovery found are backed up, and to whom the others belong by their tags. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from backups.drivers.provider import Candidate

CLIENT, APPLICATION, ENVIRONMENT = "client", "application", "environment"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_ENVIRONMENTS = {
    "production": "production", "prod": "production", "live": "production",
    "staging": "staging", "stage": "staging", "test": "staging", "acceptance": "staging",
    "development": "development", "dev": "development",
}  # fmt: skip


def unprotected(found: Iterable[Candidate], registered: Collection[tuple[str, str]]) -> Iterator[Candidate]:
    """What of it has no resource. ``registered`` are kinds and locators.

    What consists of others is either protected as a whole, or as far as these are: once one of them is registered by
    itself, so are the rest to be.
    """
    for one in found:
        if (one.kind, one.locator) in registered:
            continue
        rest = [part for part in one.within if (part.kind, part.locator) not in registered]
        if len(rest) < len(one.within):
            yield from rest
        else:
            yield one


def locators(found: Iterable[Candidate]) -> Iterator[tuple[str, str]]:
    """The kind and the locator of all of it, and of what it consists of."""
    for one in found:
        yield one.kind, one.locator
        yield from locators(one.within)


def tagged(tags: Mapping[str, str], name: str) -> str:
    """The value of a tag, however its key is written: ``client``, ``Client``, ``acme:client``; empty when there is none."""
    for key, value in sorted(tags.items()):
        if key.lower().rpartition(":")[2] == name:
            return value.strip()
    return ""


def environment_of(tags: Mapping[str, str]) -> str:
    """The environment that the tags name; empty when they name none that is known."""
    return _ENVIRONMENTS.get(tagged(tags, ENVIRONMENT).lower(), "")


def name_for(text: str) -> str:
    """A resource's name made of what people call it: ``Shop DB (1)`` becomes ``shop-db-1``; empty when nothing is left."""
    return _NOT_IN_NAMES.sub("-", text.lower()).strip("-")[:63].rstrip("-")
