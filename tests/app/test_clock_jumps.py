"""A clock that leaps in the middle of a restore: live data is whole, the record is true, nothing goes before its time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client as Browser
from django.utils import timezone

from backups.drivers.base import DriverError, Mode
from backups.kinds import driver_of
from backups.models import Pin, Resource
from restores.actions.performing import perform_restore
from restores.actions.sweeping import sweep_restores
from restores.actions.tidying import tidy
from restores.actions.undoing import perform_undo, request_undo
from restores.models import Attempt, RestoreRequest
from restores.workflow import Status
from tests.app.world import World, approved, filed, fill_tree, fingerprint

LEAPS = [timedelta(days=400), timedelta(days=-400)]


class Leaping:
    """The clock, which leaps for good when it is read for the ``nth`` time."""

    def __init__(self, nth: int, leap: timedelta) -> None:
        self.nth, self.leap, self.read = nth, leap, 0

    def __call__(self) -> datetime:
        self.read += 1
        return timezone.now() + (self.leap if self.read >= self.nth else timedelta(0))


def request_of(world: World, resource: Resource, mode: Mode) -> RestoreRequest:
    return approved(world, filed(world, resource.backups.get(), mode))


def after(request: RestoreRequest) -> RestoreRequest:
    """What it is once the portal has looked at it by the true clock."""
    sweep_restores(timezone.now(), lost_before=timezone.now() - timedelta(minutes=5))
    return RestoreRequest.objects.get(pk=request.pk)


@pytest.mark.parametrize("leap", LEAPS, ids=["ahead", "back"])
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("nth", [2, 6, pytest.param(4, marks=pytest.mark.slow), *(
    pytest.param(nth, marks=pytest.mark.slow) for nth in (8, 10, 12, 14, 16, 18, 20, 22)
)])  # fmt: skip
def test_in_the_middle_of_a_restore(
    world: World, resource: Resource, tree: Path, mode: Mode, leap: timedelta, nth: int
) -> None:
    backed_up = fingerprint(tree)
    fill_tree(tree, "today")
    today = fingerprint(tree)
    request = request_of(world, resource, mode)
    clock = Leaping(nth, leap)
    perform_restore(request.pk, clock=clock)
    done = after(request)
    assert done.state is Status.COMPLETED
    assert fingerprint(tree) == (backed_up if mode is Mode.IN_PLACE else today)
    attempt = done.attempts.get()
    assert attempt.proof
    assert Pin.objects.filter(backup=request.backup).exists()
    tidy()
    kept = Attempt.objects.get(pk=attempt.pk)
    if clock.read < nth or leap > timedelta(0):
        assert kept.tidied_at is None, "what it left is kept"
    browser = Browser()
    browser.force_login(world.owner)
    assert browser.get(done.get_absolute_url()).status_code == 200
    if mode is Mode.IN_PLACE and kept.tidied_at is None and kept.kept_until and kept.kept_until > timezone.now():
        perform_undo(request_undo(by=world.it, request=done, reason="The wrong day.").pk)
        assert fingerprint(tree) == today


@pytest.mark.parametrize("leap", LEAPS, ids=["ahead", "back"])
def test_a_health_check_that_fails_puts_the_original_back_all_the_same(
    world: World, resource: Resource, tree: Path, leap: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose swap it was is known by rows: the moment of the swap may lie before the attempt's own beginning."""
    fill_tree(tree, "today")
    today = fingerprint(tree)
    request = request_of(world, resource, Mode.IN_PLACE)

    def sick(*_: object) -> str:
        raise DriverError("It does not answer.")

    monkeypatch.setattr(type(driver_of("files")), "health", sick)
    perform_restore(request.pk, clock=Leaping(3, leap))
    assert after(request).state is Status.FAILED
    assert fingerprint(tree) == today
