"""Reading notices, following requests, and choosing what comes by mail. Each person for themselves."""

from __future__ import annotations

from django.utils import timezone

from portal.models import User
from restores.models import Follow, Notice, Preferences, RestoreRequest
from restores.permissions import check_can_be_told


def mark_read(*, by: User, notice: Notice | None = None) -> int:
    """The one notice, or all of the person's, are read; how many were not before."""
    unread = Notice.objects.filter(person=by).unread()
    if notice is not None:
        unread = unread.filter(pk=notice.pk)
    return unread.update(read_at=timezone.now())


def mark_seen(*, by: User, request: RestoreRequest) -> None:
    """Whoever looks at the request has read what they were told of it."""
    unread = Notice.objects.filter(person=by, request=request).unread()
    if unread.exists():  # most looks change nothing, and then write nothing
        unread.update(read_at=timezone.now())


def follow(*, by: User, request: RestoreRequest) -> None:
    """Be told of each change from now on. Raises NotPermitted."""
    check_can_be_told(by)
    Follow.objects.update_or_create(request=request, person=by, defaults={"following": True})


def unfollow(*, by: User, request: RestoreRequest) -> None:
    """Be told only when it is one's turn. Acting on the request later does not change that. Raises NotPermitted."""
    check_can_be_told(by)
    Follow.objects.update_or_create(request=request, person=by, defaults={"following": False})


def is_following(person: User, request: RestoreRequest) -> bool:
    """Whether they are told of each change."""
    said = Follow.objects.filter(request=request, person=person).values_list("following", flat=True).first()
    return request.filed_by_id == person.pk if said is None else said


def choose(*, by: User, mail_turn: bool, mail_followed: bool, digest: bool) -> Preferences:
    """Set what comes by mail. Raises NotPermitted."""
    check_can_be_told(by)
    chosen = {"mail_turn": mail_turn, "mail_followed": mail_followed, "digest": digest}
    return Preferences.objects.update_or_create(person=by, defaults=chosen)[0]
