"""Servers of their own on which checkups restore, instead of beside the live thing: CHECKUP_SERVERS.

What is live has no work from checkups then, and a removed resource whose server is gone can be tried still.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backups.drivers.base import DriverError
from backups.drivers.words import Settings
from backups.kinds import KEPT_AT_PROVIDERS, KINDS
from backups.secrets import validate_reference


def instead_of(kind: str, own: Settings) -> Settings:
    """The settings with which a backup of that kind is tried: the resource's ``own``, changed as the company has set it."""
    return {**own, **settings.CHECKUP_SERVERS.get(kind, {})}


def place_in_words(kind: str) -> str:
    """Where its scratch is, for the step that tells of it: empty where it is beside the live thing."""
    host = settings.CHECKUP_SERVERS.get(kind, {}).get("host", "")
    return f" on {host}, which is for checkups" if host else ""


def check_servers() -> None:
    """See at start that CHECKUP_SERVERS names kinds and settings that there are. Raises ImproperlyConfigured."""
    possible = sorted(KINDS.keys() - KEPT_AT_PROVIDERS)
    for kind, chosen in settings.CHECKUP_SERVERS.items():
        if kind not in possible:
            raise ImproperlyConfigured(
                f"CHECKUP_SERVERS names the kind {kind}. It is for backups in the portal's own store:"
                f" {', '.join(possible)}."
            )
        known = {setting.name: setting for setting in KINDS[kind].settings}
        for name, value in chosen.items():
            if name not in known:
                raise ImproperlyConfigured(
                    f"CHECKUP_SERVERS sets {kind}.{name}, which there is not. There are: {', '.join(known)}."
                )
            if known[name].secret:
                _check_reference(kind, name, value)


def _check_reference(kind: str, name: str, value: str) -> None:
    try:
        validate_reference(value)
    except DriverError as error:
        raise ImproperlyConfigured(f"CHECKUP_SERVERS, {kind}.{name}: {error.sentence}") from None
