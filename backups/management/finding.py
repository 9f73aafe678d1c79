"""Finding what the commands' arguments name, and ending them with a sentence: 2 for wrong usage, 1 for a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db.models import Q
from django.utils import timezone

from backups.models import Resource, ResourceState
from backups.wording import removed_words
from portal.entered import whole_number
from portal.errors import PortalError
from portal.models import User
from portal.words import company_zone


@contextmanager
def sentences() -> Iterator[None]:
    """What the actions refuse ends the command with their sentence and exit code 1."""
    try:
        yield
    except PortalError as error:
        field = f" ({error.field})" if error.field else ""
        raise CommandError(f"{error.sentence}{field}") from error


def person_named(username: str) -> User:
    """The active person of that username."""
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise CommandError(f"There is no active person “{username}”.", returncode=2)
    return found


def resource_named(words: str) -> Resource:
    """The standing resource of that id or name. A name that several have is refused: nothing is guessed.

    Of one that was removed it is said when, and what can be done.
    """
    standing = Resource.objects.standing().select_related("application__client")
    found = list(standing.filter(name=words))
    if not found and (number := whole_number(words)) is not None:
        found = list(standing.filter(pk=number))
    if not found:
        raise _not_there(words)
    if len(found) > 1:
        known = ", ".join(f"{resource.pk} ({resource.client}, {resource.application})" for resource in found)
        raise CommandError(f"Several resources are named “{words}”. Say which by its id: {known}.", returncode=2)
    return found[0]


def _not_there(words: str) -> CommandError:
    named = Q(name=words) if (number := whole_number(words)) is None else Q(name=words) | Q(pk=number)
    removed = Resource.objects.filter(named, state=ResourceState.REMOVED).select_related("removed_by")
    last = removed.order_by("-removed_at", "-pk").first()
    if last is None:
        return CommandError(f"There is no resource “{words}”.", returncode=2)
    return CommandError(removed_words(last, timezone.now().astimezone(company_zone()).date()))
