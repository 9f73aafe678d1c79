"""When a restore starts, how long what it left is kept, and that nothing in use goes without a word."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from backups.drivers.base import Mode
from backups.models import Pin, Resource
from portal.errors import InvalidInput, NotPermitted, Refused
from restores.actions.deciding import approve, cancel
from restores.actions.keeping import extend_kept
from restores.actions.performing import perform_restore
from restores.actions.scheduling import reschedule
from restores.actions.sweeping import sweep_restores
from restores.actions.tidying import _warn, tidy, warn_of_what_goes
from restores.models import Attempt, RestoreRequest
from restores.wording import next_of
from restores.workflow import Status
from tests.app.world import World, filed, restored

pytestmark = pytest.mark.usefixtures("scratch_is_empty")


def scheduled(world: World, resource: Resource, start_at: datetime | None) -> RestoreRequest:
    request = filed(world, resource.backups.get(), Mode.EXPORT)
    return approve(by=world.it, request=request, plan_digest=request.plan_digest, start_at=start_at)


def test_a_scheduled_restore_starts_then_and_not_before(
    world: World, resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr("restores.actions.sweeping.hand_over", lambda task, pk: sent.append((task, pk)))
    now = timezone.now()
    start = now + timedelta(hours=5)
    request = scheduled(world, resource, start)
    assert "starts by itself on" in next_of(request, now)
    perform_restore(request.pk)
    sweep_restores(now + timedelta(hours=4), lost_before=now)
    request.refresh_from_db()
    assert (request.state, sent) == (Status.APPROVED, [])
    sweep_restores(start, lost_before=now)
    assert sent == [("restores.restore", request.pk)]
    perform_restore(request.pk, clock=lambda: start)
    request.refresh_from_db()
    assert request.state is Status.COMPLETED


def test_a_scheduled_restore_is_moved_started_at_once_or_cancelled(world: World, resource: Resource) -> None:
    request = scheduled(world, resource, timezone.now() + timedelta(hours=5))
    later = timezone.now() + timedelta(days=2)
    assert reschedule(by=world.it2, request=request, start_at=later, reason="The shop asked.").start_at == later
    assert reschedule(by=world.it, request=request, start_at=None).start_at is None
    perform_restore(request.pk)
    request.refresh_from_db()
    assert request.state is Status.COMPLETED
    with pytest.raises(Refused, match="while it is approved"):
        reschedule(by=world.it, request=request, start_at=later)
    other = scheduled(world, resource, later)
    assert cancel(by=world.owner, request=other, reason="Not needed.").state is Status.CANCELLED
    perform_restore(other.pk, clock=lambda: later)
    assert not other.attempts.exists()


@pytest.mark.parametrize(("days", "words"), [(-1.0, "has passed"), (31.0, "30 days at most")])
def test_a_start_that_makes_no_sense_is_refused(world: World, resource: Resource, days: float, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        scheduled(world, resource, timezone.now() + timedelta(days=days))
    assert RestoreRequest.objects.get().state is Status.SUBMITTED


def test_only_it_says_when(world: World, resource: Resource) -> None:
    request = scheduled(world, resource, timezone.now() + timedelta(hours=5))
    for name in ("owner", "staff", "manager", "auditor", "administrator", "robot"):
        with pytest.raises(NotPermitted):
            reschedule(by=getattr(world, name), request=request, start_at=None)


def test_what_stands_beside_goes_only_after_it_was_said(world: World, resource: Resource) -> None:
    request = restored(world, resource.backups.get(), Mode.BESIDE)
    attempt = request.attempts.get()
    beside, ends = Path(attempt.place["beside"]), attempt.kept_until
    assert ends is not None
    assert beside.is_dir()
    late = ends + timedelta(days=3)
    assert tidy(clock=lambda: late) == 0, "nobody was told"
    assert warn_of_what_goes(ends - timedelta(days=4)) == 0
    assert warn_of_what_goes(late) == 1
    assert warn_of_what_goes(late) == 0
    assert "is removed after" in request.events.last().text  # type: ignore[union-attr]
    assert tidy(clock=lambda: late + timedelta(days=1)) == 0, "told only a day ago"
    assert beside.is_dir()
    assert tidy(clock=lambda: late + timedelta(days=2, minutes=1)) == 1
    assert not beside.exists()


@pytest.mark.parametrize("mode", [Mode.IN_PLACE, Mode.BESIDE, Mode.EXPORT])
def test_it_keeps_longer_what_a_restore_left(world: World, resource: Resource, mode: Mode) -> None:
    request = restored(world, resource.backups.get(), mode)
    before = request.attempts.get().kept_until
    assert before is not None
    warn_of_what_goes(before - timedelta(days=1))
    until = (timezone.now() + timedelta(days=40)).date()
    after = extend_kept(by=world.it, request=request, until=until, reason="The client is on holiday.")
    assert after.kept_until is not None
    assert after.kept_until > before + timedelta(days=20)
    assert after.warned_at is None, "it is said again before it goes"
    assert tidy(clock=lambda: before + timedelta(days=3)) == 0
    pinned = Pin.objects.get()
    assert pinned.until is not None
    assert pinned.until >= after.kept_until
    with pytest.raises(InvalidInput, match="as long as that already"):
        extend_kept(by=world.it, request=request, until=until, reason="Again.")
    with pytest.raises(InvalidInput, match="90 days from today"):
        extend_kept(by=world.it, request=request, until=until + timedelta(days=400), reason="For ever.")
    with pytest.raises(InvalidInput, match="Say why"):
        extend_kept(by=world.it, request=request, until=until + timedelta(days=1), reason="")


def test_what_is_gone_is_not_kept_longer_and_only_it_keeps(world: World, resource: Resource) -> None:
    request = restored(world, resource.backups.get(), Mode.EXPORT)
    until = (timezone.now() + timedelta(days=40)).date()
    for name in ("owner", "staff", "manager", "auditor", "administrator", "robot"):
        with pytest.raises(NotPermitted):
            extend_kept(by=getattr(world, name), request=request, until=until, reason="Longer.")
    Attempt.objects.update(kept_until=timezone.now() - timedelta(hours=1))
    with pytest.raises(Refused, match="no longer kept"):
        extend_kept(by=world.it, request=request, until=until, reason="Longer.")


def test_a_word_said_late_is_kept_and_one_about_an_old_end_is_not_said(world: World, resource: Resource) -> None:
    request = restored(world, resource.backups.get(), Mode.BESIDE)
    stale, ends = request.attempts.get(), request.attempts.get().kept_until
    assert ends is not None
    late = ends - timedelta(hours=1)
    until = (late + timedelta(days=40)).date()
    extend_kept(by=world.it, request=request, until=until, reason="In use.")
    assert not _warn(stale, late), "it was kept longer meanwhile"
    request.attempts.update(kept_until=ends)
    assert warn_of_what_goes(late) == 1
    kept = request.attempts.get().kept_until
    assert kept is not None
    assert kept >= late + timedelta(days=2), "so long it can still be kept longer"
