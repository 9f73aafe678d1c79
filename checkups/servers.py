"""Places of their own in which checkups restore, instead of beside the live thing: CHECKUP_SERVERS.

What is live has no work from checkups then, and a removed resource whose server is gone can be tried still.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from backups.drivers.base import DriverError, Place
from backups.drivers.words import Settings
from backups.kinds import KEPT_AT_PROVIDERS, KINDS
from backups.models import Resource, ResourceState
from backups.secrets import validate_reference

WHAT = ("dbname",)
"""Settings that say what on a server a resource is. All others say how the server is reached, and go with it."""


def instead_of(kind: str, own: Settings) -> Settings:
    """The settings with which a backup of that kind is tried: the resource's ``own``, changed as the company has set it.

    Another host gets nothing of how the resource's own is reached: neither its user nor its password.
    """
    chosen = _chosen(kind)
    kept = {name: own[name] for name in WHAT if name in own} if "host" in chosen else own
    return {**kept, **chosen}


def is_elsewhere(kind: str) -> bool:
    """Whether backups of that kind are restored elsewhere than beside the live thing."""
    return bool(_chosen(kind))


def host_in_words(kind: str) -> str:
    """ " on scratch-db, which is for checkups"; empty where no other host was named."""
    host = _chosen(kind).get("host", "")
    return f" on {host}, which is for checkups" if host else ""


def check_is_apart(kind: str, place: Place) -> None:
    """Raises :class:`DriverError` when the scratch would be built inside of something live."""
    if not is_elsewhere(kind):
        return
    around = [str(path) for path in PurePath(place.beside).parents]
    live = Resource.objects.filter(kind=kind, locator__in=around).exclude(state=ResourceState.REMOVED).first()
    if live is not None:
        raise DriverError(
            f"The place for checkups lies inside of {live}, which is live. Whoever runs the portal names one of its own in"
            " CHECKUP_SERVERS.",
            detail=place.beside,
        )


def check_servers() -> None:
    """See at start that CHECKUP_SERVERS names kinds and settings that can be meant. Raises ImproperlyConfigured."""
    possible = sorted(KINDS.keys() - KEPT_AT_PROVIDERS)
    for kind, chosen in settings.CHECKUP_SERVERS.items():
        if kind not in possible:
            raise ImproperlyConfigured(
                f"CHECKUP_SERVERS names the kind {kind}. It is for backups in the portal's own store:"
                f" {', '.join(possible)}."
            )
        known = [setting.name for setting in KINDS[kind].settings if setting.name not in WHAT]
        for name in chosen:
            if name not in known:
                raise ImproperlyConfigured(
                    f"CHECKUP_SERVERS sets {kind}.{name}, which cannot be set. There are: {', '.join(known)}."
                )
        try:
            _check(kind, chosen)
        except DriverError as error:
            at_fault = f"{kind}.{error.setting}" if error.setting else kind
            raise ImproperlyConfigured(f"CHECKUP_SERVERS, {at_fault}: {error.sentence}") from None


def _check(kind: str, chosen: Mapping[str, str]) -> None:
    """Raises :class:`DriverError` for values with which no server can be meant."""
    names = {setting.name for setting in KINDS[kind].settings}
    if "host" in names and "host" not in chosen:
        raise DriverError("Name its host as well: nothing goes to another server's users by chance.", setting="host")
    for setting in KINDS[kind].settings:
        if setting.secret and setting.name in chosen:
            validate_reference(chosen[setting.name])
    KINDS[kind].locator({**{name: "checkup" for name in WHAT if name in names}, **chosen})


def _chosen(kind: str) -> Mapping[str, str]:
    chosen: Mapping[str, str] = settings.CHECKUP_SERVERS.get(kind, {})
    return chosen
