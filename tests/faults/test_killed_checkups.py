"""A worker killed with -9 in the middle of a checkup: nothing is done twice, nothing is forgotten, no scratch is left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from backups.models import Resource
from checkups.actions.scratch import remove_scratch
from checkups.actions.sweeping import sweep_checkups
from checkups.actions.trying import perform_trial
from checkups.models import Check, CheckStatus, Trial, TrialStatus
from checkups.workflow import Status
from tests.app.checkups.carrying import begun, carried_out
from tests.app.world import World, make_resource_of
from tests.faults.death import cut_off, killed
from tests.faults.subjects import Subject
from tests.faults.subjects_there import subject_of

STEPS = ("preflight", "restore", "neutralise", "verify")
MOMENTS = ("begun", "done, not recorded", "recorded")


@pytest.fixture
def subject(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Iterator[Subject]:
    with subject_of(kind, request, tmp_path) as made:
        yield made


@pytest.fixture
def resource(world: World, subject: Subject) -> Resource:
    return make_resource_of(world, subject.kind, subject.settings, name="shop")


def swept() -> datetime:
    """The sweeper, once the heartbeat is late, and the removing of scratch that it hands over."""
    later = timezone.now() + timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS + 5)
    for _ in range(2):
        sweep_checkups(later, lost_before=later - timedelta(seconds=settings.HEARTBEAT_LOST_SECONDS))
    for trial in Trial.objects.untidied():
        remove_scratch(trial.pk)
    return later


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "fate"),
    [
        pytest.param("files", killed, id="files-killed"),
        pytest.param("postgres", killed, id="postgres-killed"),
        pytest.param("files", cut_off, id="files-cut_off"),
    ],
)
@pytest.mark.parametrize(
    ("step", "when"),
    [(step, when) for step in STEPS for when in MOMENTS] + [("remove", "begun"), ("remove", "recorded")],
)
def test_in_any_step(world: World, resource: Resource, subject: Subject, step: str, when: str, fate: object) -> None:
    if fate is cut_off and step == "remove":
        when = "begun"
    live = (subject.look(), subject.names())
    checkup = begun(world)
    trial = Trial.objects.get(status=TrialStatus.QUEUED)
    fate("try", trial.pk, step, when)  # type: ignore[operator]
    perform_trial(trial.pk)  # the message comes again
    dead = Trial.objects.get(pk=trial.pk)
    swept()
    dead.refresh_from_db()
    assert dead.status in (TrialStatus.INTERRUPTED, TrialStatus.PASSED, TrialStatus.FAILED)
    assert dead.tidied_at is not None
    assert (subject.look(), subject.names()) == live, "what is live is as it was, and nothing is left beside it"

    carried_out(checkup, later=timedelta(hours=3))
    assert checkup.state is Status.READY
    checks = Check.objects.filter(finding__checkup=checkup)
    assert {check.status for check in checks if check.what != "elsewhere"} == {CheckStatus.PASSED}
    assert (subject.look(), subject.names()) == live
    assert not Trial.objects.untidied().exists()
    assert not list(Path(settings.SCRATCH_DIR).glob("trial-*"))
    passed = Trial.objects.filter(status=TrialStatus.PASSED, check_row__what__in=["both", "daily"])
    assert passed.count() == 1, "proven once"
