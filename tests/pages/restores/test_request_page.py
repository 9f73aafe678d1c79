"""A request's page: what it says in each state, to whom, and how its moving part moves and stops."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from backups.drivers.base import Mode
from backups.kinds import KINDS
from backups.models import Backup
from restores.actions.undone import record_undone
from restores.models import Attempt, AttemptKind, AttemptStatus, Event, RestoreRequest, Step, StepStatus
from restores.stepnames import StepName
from restores.workflow import STATUSES, Status
from tests.factories import Cast, make_attempt, make_backup, make_request, make_resource
from tests.pages.restores.conftest import As, finish

NBSP = "\N{NO-BREAK SPACE}"


def page_of(as_: As, person: str, request: RestoreRequest) -> str:
    return as_(person).get(f"/requests/{request.pk}/").content.decode().replace(NBSP, " ")


def live_of(as_: As, request: RestoreRequest, seen: str, person: str = "client") -> Any:
    return as_(person).get(f"/requests/{request.pk}/live/", {"seen": seen}, headers={"HX-Request": "true"})


def begin(request: RestoreRequest, cast: Cast, **facts: Any) -> Attempt:
    """A restore that runs."""
    attempt = make_attempt(request, cast.it, **facts)
    RestoreRequest.objects.filter(pk=request.pk).update(status=Status.RUNNING)
    request.refresh_from_db()
    return attempt


def step(attempt: Attempt, position: int, name: StepName, status: StepStatus, sentence: str = "", **facts: Any) -> Step:
    now = timezone.now()
    ended = None if status is StepStatus.RUNNING else now
    values: dict[str, Any] = {"started_at": now - timedelta(seconds=1000), "finished_at": ended, "sentence": sentence}
    return Step.objects.create(attempt=attempt, position=position, name=name, status=status, **(values | facts))


@pytest.mark.parametrize("status", [Status.SUBMITTED, Status.REJECTED, Status.CANCELLED, Status.APPROVED])
def test_the_page_says_what_why_and_what_happens_next(as_: As, cast: Cast, backup: Backup, status: Status) -> None:
    request = make_request(backup, cast.client, status=status)
    page = page_of(as_, "client", request)
    assert request.number in page
    assert STATUSES[status].label in page
    assert STATUSES[status].next in page
    assert "<strong>in place</strong>: everything saved after that (2 d 6 h) is replaced" in page
    assert "The prices were overwritten by an import." in page
    assert "A release or a change of the application went wrong" in page
    assert backup.checksum[:12] in page
    assert ("/srv/nowhere" in page) is False
    assert "/srv/nowhere" in page_of(as_, "it", request)


def test_whose_turn_it_is_is_said_to_the_reader(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    assert "IT’s turn." in page_of(as_, "client", submitted)
    finish(submitted, cast)
    assert "Your turn." in page_of(as_, "client", submitted)
    assert f"{cast.client}’s turn." in page_of(as_, "it", submitted)


def test_a_running_restore_shows_its_steps_and_real_progress(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    attempt = begin(submitted, cast, bytes_done=85_000_000_000, bytes_expected=340_000_000_000)
    step(attempt, 1, StepName.PREFLIGHT, StepStatus.DONE, "/srv/nowhere is a directory.")
    step(attempt, 2, StepName.PIN, StepStatus.DONE, "The copy is held.")
    step(attempt, 3, StepName.RESTORE, StepStatus.RUNNING)
    page = page_of(as_, "client", submitted)
    assert "85 GB of 340 GB · 85 MB/s · about 50 min left" in page
    assert 'value="25" max="100"' in page
    assert "The copy is held." in page
    assert "/srv/nowhere" not in page
    assert "/srv/nowhere is a directory." in page_of(as_, "it", submitted)
    assert "Swap" in page
    assert 'hx-trigger="every 1s"' in page


def test_a_total_that_is_not_known_is_not_made_up(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    attempt = begin(submitted, cast, bytes_done=850_000_000)
    step(attempt, 1, StepName.RESTORE, StepStatus.RUNNING)
    page = page_of(as_, "client", submitted)
    assert "850 MB; the total is not known" in page
    assert "<progress" not in page


def test_the_moving_part_moves_changes_the_page_once_and_then_stops(
    as_: As, submitted: RestoreRequest, cast: Cast
) -> None:
    assert live_of(as_, submitted, "submitted-0-0-0").status_code == 204
    attempt = begin(submitted, cast)
    answer = live_of(as_, submitted, "submitted-0-0-0")
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (200, "#request", "outerHTML")
    seen = f"running-1-{attempt.pk}-0"
    assert f"seen={seen}" in answer.content.decode()
    answer = live_of(as_, submitted, seen)
    assert "HX-Retarget" not in answer
    assert 'id="live"' in answer.content.decode()
    RestoreRequest.objects.filter(pk=submitted.pk).update(status=Status.UNDONE, closed_at=timezone.now())
    Attempt.objects.update(status=AttemptStatus.COMPLETED, finished_at=timezone.now(), proof="all of it")
    answer = live_of(as_, submitted, seen)
    assert (answer.status_code, answer["HX-Retarget"]) == (286, "#request")
    assert "hx-trigger" not in answer.content.decode()


def test_a_restore_that_is_being_stopped_says_so(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    attempt = begin(submitted, cast)
    assert "The restore is running; this page follows it." in page_of(as_, "client", submitted)
    asked = {"stop_asked_at": timezone.now(), "stop_asked_by": cast.client, "stop_reason": "The wrong day."}
    Attempt.objects.filter(pk=attempt.pk).update(**asked)
    page = page_of(as_, "client", submitted)
    assert "The restore is being stopped" in page
    assert "The restore is running" not in page
    answer = live_of(as_, submitted, f"running-1-{attempt.pk}-0")
    assert answer["HX-Retarget"] == "#request", "a page that stands open hears of it"
    Attempt.objects.filter(pk=attempt.pk).update(went_live_at=timezone.now())
    assert "being stopped" not in page_of(as_, "client", submitted), "what is live is not stopped any more"


def test_an_open_page_hears_what_the_cleaning_up_has_to_say(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    stopped = "Its worker stopped."
    attempt = finish(submitted, cast, Status.FAILED, status="interrupted", proof="", error=stopped, went_live_at=None)
    match = re.search(r"seen=(failed-[0-9-]+)", page_of(as_, "client", submitted))
    assert match
    assert live_of(as_, submitted, match[1]).status_code == 204
    Attempt.objects.filter(pk=attempt.pk).update(error=f"{stopped} The live data is as it was.")
    answer = live_of(as_, submitted, match[1])
    assert (answer.status_code, answer["HX-Retarget"]) == (200, "#request")
    assert "The live data is as it was." in answer.content.decode()


def test_what_has_come_to_rest_is_not_replaced_while_the_rest_moves(
    as_: As, submitted: RestoreRequest, cast: Cast
) -> None:
    failed = finish(submitted, cast, Status.FAILED, status="failed", proof="", error="No room.", went_live_at=None)
    page = page_of(as_, "client", submitted)
    assert page.count('role="alert"') == 1
    attempt = begin(submitted, cast, number=2)
    page = page_of(as_, "client", submitted)
    assert "No room." in page
    assert f'<details class="card run"><summary class="cluster"><strong>Attempt {failed.number}</strong>' in page
    assert 'role="alert"' not in page
    part = live_of(as_, submitted, f"running-2-{attempt.pk}-{len(failed.error)}").content.decode()
    assert "Attempt 2" in part
    assert "No room." not in part
    assert "<details" not in part
    assert not re.search(r'role="(alert|status)"|aria-live', part)


def test_a_new_attempt_that_waits_says_so(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    finish(submitted, cast, Status.FAILED, status="failed", proof="", error="No room.", went_live_at=None)
    RestoreRequest.objects.filter(pk=submitted.pk).update(status=Status.APPROVED)
    page = page_of(as_, "client", submitted)
    assert "Waiting to start." in page
    assert "No room." in page


def test_a_failure_is_said_in_words_and_the_technical_part_is_for_it(
    as_: As, submitted: RestoreRequest, cast: Cast
) -> None:
    sentence = "There is no room left on the disk. The live data is as it was."
    attempt = finish(
        submitted, cast, Status.FAILED, status="failed", proof="", error=sentence, error_detail="OSError: ENOSPC at /srv",
        went_live_at=None, kept_until=None,
    )  # fmt: skip
    step(attempt, 1, StepName.RESTORE, StepStatus.FAILED, "There is no room left on the disk.")
    page = page_of(as_, "client", submitted)
    assert page.count("There is no room left on the disk.") == 1
    assert "ENOSPC" not in page
    assert "ENOSPC" in page_of(as_, "it", submitted)
    assert "ENOSPC" in page_of(as_, "auditor", submitted)


def test_an_interrupted_step_is_not_shown_as_running(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    attempt = finish(
        submitted, cast, Status.FAILED, status="interrupted", proof="", error="Its worker stopped.", went_live_at=None
    )
    step(attempt, 1, StepName.RESTORE, StepStatus.RUNNING)
    page = page_of(as_, "client", submitted)
    assert "is-running" not in page
    assert "interrupted" in page


def test_a_completed_one_shows_proof_and_until_when_it_can_be_undone(as_: As, completed: RestoreRequest) -> None:
    page = page_of(as_, "client", completed)
    assert "1,203 files: every SHA-256 as in the manifest" in page
    assert "Undo until" in page


def test_the_loss_is_measured_at_the_moment_of_the_swap(as_: As, cast: Cast, backup: Backup, now: datetime) -> None:
    request = make_request(backup, cast.client)
    finish(request, cast, went_live_at=now - timedelta(hours=50), finished_at=now - timedelta(hours=50))
    assert "everything saved after that (4 h) was replaced" in page_of(as_, "client", request)


def test_after_an_undo_the_loss_still_ends_where_the_restore_did(
    as_: As, cast: Cast, backup: Backup, now: datetime
) -> None:
    """What was saved between the restore and the undo is no part of what came back."""
    request = make_request(backup, cast.client, mode=Mode.IN_PLACE)
    restored = now - timedelta(hours=50)
    finish(request, cast, went_live_at=restored, finished_at=restored)
    undo = Attempt.objects.create(
        request=request, kind=AttemptKind.UNDO, number=2, status=AttemptStatus.COMPLETED, target="x", asked_by=cast.it,
        asked_at=now, started_at=now, finished_at=now, reason="The wrong day.", proof="The original is live again.",
    )  # fmt: skip
    record_undone(undo, now=now, by=cast.it, reason="The wrong day.")
    page = page_of(as_, "client", request)
    assert "what had been saved after that (4 h) is back" in page
    assert '<strong class="bad">4 h</strong> of changes' in page


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_a_restore_in_place_interrupts_is_said_before_it_is_approved(
    as_: As, cast: Cast, now: datetime, kind: str
) -> None:
    request = make_request(make_backup(make_resource(cast.shop, "one", kind=kind), now), cast.client)
    interrupts = KINDS[kind].interrupts
    plan = f"<dt>Interrupts</dt><dd>{escape(interrupts)}</dd>"
    assert plan in page_of(as_, "client", request)
    page = page_of(as_, "it", request)
    assert plan in page
    assert interrupts in dialog_of(page, "act-approve")
    finish(request, cast)
    assert interrupts in dialog_of(page_of(as_, "it", request), "act-undo")
    assert interrupts not in str(request.plan), "a better wording needs no new approval"


def test_what_interrupts_nothing_says_nothing_of_it(as_: As, cast: Cast, backup: Backup) -> None:
    page = page_of(as_, "it", make_request(backup, cast.client, mode=Mode.BESIDE))
    assert "Interrupts" not in page
    assert KINDS["files"].interrupts not in page


def dialog_of(page: str, name: str) -> str:
    """What stands in a dialog, up to where the next one begins."""
    [found] = re.findall(rf'<(?:dialog|div|section)[^>]* id="{name}".*?</form>', page, re.DOTALL)
    return str(found)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_beside_says_what_to_do_with_it_as_long_as_it_is_there(as_: As, cast: Cast, now: datetime, kind: str) -> None:
    backup = make_backup(make_resource(cast.shop, "one", kind=kind), now)
    request = make_request(backup, cast.client, mode=Mode.BESIDE)
    attempt = finish(request, cast)
    assert KINDS[kind].afterwards in page_of(as_, "client", request)
    Attempt.objects.filter(pk=attempt.pk).update(tidied_at=now)
    assert KINDS[kind].afterwards not in page_of(as_, "client", request)


def test_beside_says_where_it_stands(as_: As, cast: Cast, backup: Backup) -> None:
    request = make_request(backup, cast.client, mode=Mode.BESIDE)
    finish(request, cast)
    assert "<code>/srv/beside</code>" in page_of(as_, "client", request)


def test_an_undo_is_followed_like_a_restore(as_: As, completed: RestoreRequest, cast: Cast) -> None:
    Attempt.objects.create(
        request=completed, kind=AttemptKind.UNDO, number=2, status=AttemptStatus.QUEUED, target="x", asked_by=cast.it,
        asked_at=timezone.now(), reason="The wrong day.",
    )  # fmt: skip
    page = page_of(as_, "client", completed)
    assert "Bring the original back" in page
    assert "The wrong day." in page
    assert 'hx-trigger="every 1s"' in page


def test_other_requests_on_the_resource_are_named(as_: As, submitted: RestoreRequest, cast: Cast) -> None:
    other = make_request(submitted.backup, cast.colleague, mode=Mode.EXPORT)
    closed = make_request(submitted.backup, cast.colleague, status=Status.REJECTED)
    page = page_of(as_, "it", submitted)
    assert other.number in page
    assert closed.number not in page


@pytest.mark.parametrize("person", ["client", "it", "auditor"])
def test_the_page_asks_the_database_as_often_however_long_the_story(
    as_: As, submitted: RestoreRequest, cast: Cast, person: str
) -> None:

    browser = as_(person)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert browser.get(f"/requests/{submitted.pk}/").status_code == 200
        return len(queries)

    attempt = begin(submitted, cast)
    step(attempt, 1, StepName.PREFLIGHT, StepStatus.DONE)
    before = asked()
    for position, name in enumerate(list(StepName)[1:], 2):
        step(attempt, position, name, StepStatus.DONE)
    for _ in range(5):
        Event.objects.create(
            request=submitted, at=timezone.now(), by=cast.it, move="note", to_status="running", text="x"
        )
        make_request(submitted.backup, cast.colleague)
    assert asked() == before
