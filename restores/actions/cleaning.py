"""After an attempt that failed or stopped: see what is live, put it right, remove scratch. Never touches live data
that applications may have written to.

Until that is done the attempt has a ``resend_at``: the sweeper hands it over again, and nobody decides about the
request meanwhile. Removing the scratch comes last and may take long; it is tried again with the hourly tidying.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from backups.actions.taking import Clock
from backups.drivers.base import Driver, DriverError, Mode, Place, Standing
from backups.drivers.words import Settings
from backups.kinds import driver_of
from portal.errors import Refused
from portal.handover import LONGEST_WAIT
from restores.actions.moves import note
from restores.actions.telling import WITH_OWNERS
from restores.actions.turns import wake_those_behind
from restores.actions.undone import record_undone
from restores.actions.words import in_words
from restores.audience import Audience
from restores.models import Attempt, AttemptKind
from restores.stepnames import StepName
from restores.succession import ENDED_BADLY

log = structlog.get_logger(__name__)

TELL_AFTER = timedelta(minutes=15)
NOT_YET = "The portal could not put things right yet after an attempt"
AS_IT_WAS = "The live data is as it was."
CLAIMED_FOR = timedelta(minutes=5)
"""Longer than putting things right takes; then another worker may try."""


@dataclass(frozen=True)
class Outcome:
    """What stands now, in a sentence for the people of the request, and a technical part for IT."""

    sentence: str
    detail: str = ""
    known: bool = True  # whether it is known which data is live


@dataclass(frozen=True)
class _Settled:
    """How things came to rest: what to say, what is kept until when, and whether scratch is to be removed."""

    outcome: Outcome
    kept_until: datetime | None = None
    went_live_at: datetime | None = None
    scratch: bool = False


def workdir_of(attempt: Attempt) -> Path:
    """The attempt's scratch directory."""
    return Path(settings.SCRATCH_DIR) / f"attempt-{attempt.pk}"


def put_back(attempt: Attempt, *, swap_back: bool, clock: Clock) -> Outcome:
    """Bring things to rest after an attempt that did not end well, and record what is kept until when.

    ``swap_back``: when the restored data is live already, exchange the two again (only right at once, before
    anybody was told); otherwise it stays and IT decides. Never raises: what could not be done is tried again.
    """
    shutil.rmtree(workdir_of(attempt), ignore_errors=True)
    if attempt.request.restore_mode is Mode.EXPORT or not attempt.place:
        _rest(attempt, tidied_at=clock())
        return Outcome(AS_IT_WAS)
    resource = attempt.request.resource
    try:
        driver, place = driver_of(resource.kind), Place.from_json(attempt.place)
        settled = _settle(attempt, driver, resource.settings, place, swap_back, clock)
    except Exception as error:
        log.warning("restore.not_put_back", attempt=attempt.pk, exc_info=True)
        words = in_words(error)
        _rest(attempt, resend_at=clock() + timedelta(seconds=settings.RESEND_AFTER_SECONDS))
        return Outcome(
            "The portal could not yet see to it that everything is as it should be; it tries again by itself.",
            f"{words.sentence} {words.detail}".strip(),
            known=False,
        )
    if not settled.scratch:
        _rest(attempt, kept_until=settled.kept_until, went_live_at=settled.went_live_at)
        return settled.outcome
    _rest(attempt, kept_until=clock())  # due at once: should this process die while it removes it, the tidying does
    return _without_scratch(attempt, driver, place, settled.outcome, clock)


def _settle(
    attempt: Attempt, driver: Driver, values: Settings, place: Place, swap_back: bool, clock: Clock
) -> _Settled:
    """Bring the right one of the two under the live name, open to applications. Raises what the driver raises."""
    steps = set(attempt.steps.values_list("name", flat=True))
    if not place.identity and StepName.STOP_WRITERS not in steps:  # nothing live was touched: no server need be asked
        return _Settled(Outcome(AS_IT_WAS), scratch=StepName.RESTORE in steps)
    later = clock() + timedelta(days=settings.KEEP_ORIGINAL_DAYS)
    standing, why = _standing(driver, values, place)
    if standing is Standing.UNKNOWN:
        return _Settled(
            Outcome(
                f"{why or 'It could not be told which data is live, so nothing was touched.'} IT has to look.",
                str(place),
                known=False,
            ),
            attempt.kept_until,
            attempt.went_live_at,
        )
    if standing is Standing.ORIGINAL:
        if attempt.request.restore_mode is Mode.IN_PLACE:
            driver.resume_writers(values, place)
        if attempt.went_live_at:  # swapped back already: what was restored stays for a while, it was live
            return _Settled(Outcome(AS_IT_WAS), kept_until=later)
        return _Settled(Outcome(AS_IT_WAS), scratch=True)
    if swap_back and not place.replaced_nothing:
        driver.stop_writers(values, place)
        driver.swap_back(values, place)
        driver.resume_writers(values, place)
        return _Settled(Outcome(f"The original was put back at once. {AS_IT_WAS}"), kept_until=later)
    driver.swap(values, place)  # completes a swap that was cut short
    driver.resume_writers(values, place)
    kept = "nothing had stood there before" if place.replaced_nothing else "the original is kept"
    return _Settled(
        Outcome(
            f"The restored data, compared with its manifest beforehand, is live and {kept}. "
            "IT approves another attempt to finish" + ("." if place.replaced_nothing else ", or undoes it.")
        ),
        kept_until=None if place.replaced_nothing else later,
        went_live_at=attempt.went_live_at or clock(),
    )


def _standing(driver: Driver, values: Settings, place: Place) -> tuple[Standing, str]:
    """What is live, and for UNKNOWN why, where that is known.

    An exchange cut short where names cannot be exchanged in one step is taken back first: the original gets its name again.
    """
    standing = driver.standing(values, place)
    if standing is not Standing.NOTHING:
        return standing, ""
    try:
        driver.swap_back(values, place)
    except DriverError as error:
        if error.retry:
            raise
        return Standing.UNKNOWN, error.sentence  # the original is gone: not by us, and not for us to guess
    standing = driver.standing(values, place)
    if standing in (Standing.NOTHING, Standing.RESTORED):
        raise DriverError("The original does not have its name again yet. The portal looks again.", retry=True)
    return standing, ""


def _without_scratch(attempt: Attempt, driver: Driver, place: Place, outcome: Outcome, clock: Clock) -> Outcome:
    try:
        driver.discard(attempt.request.resource.settings, place, place.beside)
    except Exception as error:
        log.warning("restore.scratch_left", attempt=attempt.pk, exc_info=True)
        sentence = f"{outcome.sentence} What it left beside could not be removed yet; the portal tries again."
        return Outcome(sentence, in_words(error).sentence)
    _rest(attempt, tidied_at=clock())
    return outcome


def _rest(attempt: Attempt, *, resend_at: datetime | None = None, **values: object) -> None:
    """Record what is kept. Without ``resend_at`` the attempt needs no more putting right."""
    for name, value in {"resend_at": resend_at, **values}.items():
        setattr(attempt, name, value)
    attempt.save(update_fields=["resend_at", *values])


def clean_up(attempt_id: int, *, clock: Clock = timezone.now) -> None:
    """Put things right after an attempt that could not do it itself, and tell it on the timeline.

    Safe to call twice, and by two at once: only who claims it does anything.
    """
    attempt = Attempt.objects.select_related("request__resource").get(pk=attempt_id)
    now = clock()
    soon = Q(resend_at__lte=now + timedelta(seconds=settings.RESEND_AFTER_SECONDS))
    put_off = Q(resend_at__gt=now + CLAIMED_FOR + LONGEST_WAIT)  # by a clock that was ahead
    waiting = Attempt.objects.filter(soon | put_off, pk=attempt_id, status__in=ENDED_BADLY)
    if not waiting.update(resend_at=now + CLAIMED_FOR):
        return
    if attempt.kind == AttemptKind.UNDO:
        _clean_up_undo(attempt, clock)
        return
    was_live = attempt.went_live_at
    outcome = put_back(attempt, swap_back=False, clock=clock)
    if attempt.resend_at is not None:  # not yet; what was said before still holds
        _not_yet(attempt, outcome.detail, clock)
        return
    replaced = (
        attempt.went_live_at is not None and was_live is None and not Place.from_json(attempt.place).replaced_nothing
    )
    news = "Live data was replaced" if replaced else ""
    with transaction.atomic():
        attempt.error = f"{attempt.error} {outcome.sentence}"
        attempt.error_detail = "\n".join(filter(None, (attempt.error_detail, outcome.detail)))
        attempt.save(update_fields=["error", "error_detail"])
        text = "The portal cleaned up" + (f"; {attempt.request.resource} had been replaced" if news else "")
        note(attempt.request, by=None, now=clock(), text=text, reason=outcome.sentence, news=news, audience=WITH_OWNERS)
        _wake(attempt, clock)


def _not_yet(attempt: Attempt, detail: str, clock: Clock) -> None:
    """Keep why for IT, and tell them once when it goes on: until then nothing else is restored there."""
    now = clock()
    with transaction.atomic():
        if detail and detail not in attempt.error_detail:
            attempt.error_detail = "\n".join(filter(None, (attempt.error_detail, detail)))
            attempt.save(update_fields=["error_detail"])
        ended = attempt.finished_at or attempt.started_at or now
        if now - ended < TELL_AFTER or attempt.request.events.filter(at__gte=ended, text=NOT_YET).exists():
            return
        note(
            attempt.request,
            by=None,
            now=now,
            text=NOT_YET,
            reason="Until then nothing else is restored there. It tries again by itself, as soon as what it needs answers.",
            news="Not put right yet",
            audience=[Audience.IT, Audience.FOLLOWERS],
        )


def _wake(attempt: Attempt, clock: Clock) -> None:
    """What waited until it was known how things stand may start."""
    transaction.on_commit(partial(wake_those_behind, attempt.request.resource_id, clock()), robust=True)


def _clean_up_undo(attempt: Attempt, clock: Clock) -> None:
    """An undo that stopped: by the identities the original is live (then it is undone, truly) or it is not."""
    values, place = attempt.request.resource.settings, Place.from_json(attempt.place)
    try:
        driver = driver_of(attempt.request.resource.kind)
        standing, why = _standing(driver, values, place)
        if standing is Standing.ORIGINAL:
            driver.swap_back(values, place)  # completes it
        if standing is not Standing.UNKNOWN:
            driver.resume_writers(values, place)
    except Exception as error:
        log.warning("undo.not_put_right", attempt=attempt.pk, exc_info=True)
        _rest(attempt, resend_at=clock() + timedelta(seconds=settings.RESEND_AFTER_SECONDS))
        words = in_words(error)
        _not_yet(attempt, f"{words.sentence} {words.detail}".strip(), clock)
        return
    with transaction.atomic():
        _rest(attempt)
        _wake(attempt, clock)
        if standing is Standing.ORIGINAL:
            record_undone(attempt, now=clock(), by=None, reason="The swap back had been done.")
            return
        live = {
            Standing.RESTORED: "the restored data is still live",
            Standing.UNKNOWN: "it could not be told which data is live; IT has to look",
        }[standing]
        text = f"The undo did not take place; {live}"
        note(attempt.request, by=None, now=clock(), text=text, reason=why, news="Not undone")


def clean_up_earlier(attempt: Attempt, clock: Clock) -> None:
    """Before a new attempt: finish putting things right after earlier ones on the same target.

    Raises :class:`Refused` when that cannot be finished now. An export has nothing to do with what stands there.
    """
    if attempt.request.restore_mode is Mode.EXPORT:
        return
    earlier = Attempt.objects.filter(target=attempt.target, status__in=ENDED_BADLY, resend_at__isnull=False)
    for pk in earlier.values_list("pk", flat=True):
        clean_up(pk, clock=clock)
    if earlier.exists():
        raise Refused(
            "The portal has not yet put things right after an earlier attempt on the same target. Try again in a moment."
        )
