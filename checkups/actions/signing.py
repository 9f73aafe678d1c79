"""Signing a checkup: two people put their names to exactly what its record says. The second signature seals it.

The record of a large company takes minutes to read, so what it says is worked out beforehand, by a worker, and kept with
the version of the checkup that it is of; a signature holds for that version alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from checkups.actions.moves import apply_move, locked_checkup
from checkups.actions.recording import content_digest, record_of
from checkups.actions.settling import let_go
from checkups.actions.versions import known_digest, version_of
from checkups.models import Checkup, Signature, Trial
from checkups.models.finding import FindingStatus
from checkups.permissions import check_can_sign
from checkups.record import digest_of
from checkups.workflow import Move, Status
from portal.errors import InvalidInput, PortalError, Refused
from portal.handover import hand_over
from portal.models import User
from portal.reasons import REASON_MAX, TOO_LONG, telling_reason, visible_text
from portal.words import counted

STATEMENT_MISSING = "Something failed: say in a statement what becomes of it."
MENDED_STATEMENT_MISSING = "Something failed first: say in a statement what it was."
SCRATCH_STATEMENT_MISSING = "Scratch of it cannot be removed yet: say in a statement what becomes of it."
CHANGED = "The record has changed since you looked. Look at it again, then sign."
BEING_READ = "What the record says is being worked out. Look again in a few minutes."
NUMBER = 2

SMALL = 300
"""Of so many findings the record is read in a moment, while a person waits."""

SCRATCH_PATIENCE = timedelta(hours=1)
"""After that nobody waits any longer for a server that does not let its scratch be removed."""


@dataclass(frozen=True)
class Standing:
    """What is to be signed, and who has signed just that. Without a ``digest`` it is being worked out."""

    digest: str
    signatures: list[Signature]


def standing(checkup: Checkup) -> Standing:
    """What the record of the checkup says now. Signatures under an earlier state of it do not count."""
    digest = known_digest(checkup)
    if not digest and checkup.findings.count() <= SMALL:
        digest = work_out(checkup)
    elif not digest:
        hand_over("checkups.work_out", checkup.pk)
    return Standing(digest, list(checkup.signatures.filter(sha256=digest).order_by("pk")) if digest else [])


def work_out(checkup: Checkup) -> str:
    """Read the whole record and keep what it hashes to; empty when something happened to it meanwhile."""
    before = version_of(checkup)
    digest = content_digest(checkup)
    fresh = Checkup.objects.get(pk=checkup.pk)
    if fresh.state is not Status.READY or version_of(fresh) != before:
        return ""
    Checkup.objects.filter(pk=checkup.pk, status=Status.READY.value).update(
        content_sha256=digest, content_version=before
    )
    checkup.content_sha256, checkup.content_version = digest, before
    if fresh.told_ready_at is None:
        hand_over("checkups.tell_ready")
    return digest


def open_failures(checkup: Checkup) -> int:
    """How many findings failed and stayed so."""
    return checkup.findings.filter(status=FindingStatus.FAILED).count()


def sign(*, by: User, checkup: Checkup, digest: str, statement: str = "", now: datetime | None = None) -> Checkup:
    """Sign what has the ``digest``, as the page showed it. Raises InvalidInput naming ``statement`` where one is needed."""
    now = now or timezone.now()
    seen = standing(checkup)
    check_can_sign(by, checkup, seen.signatures)
    check_scratch_is_gone(checkup, now)
    if not seen.digest:
        raise Refused(BEING_READ)
    if digest != seen.digest:
        raise Refused(CHANGED)
    statement = _statement(checkup, statement)
    with transaction.atomic():
        locked = locked_checkup(checkup.pk)
        given = list(locked.signatures.filter(sha256=seen.digest))
        check_can_sign(by, locked, given)
        if known_digest(locked) != seen.digest or len(given) >= NUMBER:
            raise Refused(CHANGED)
        Signature.objects.create(checkup=locked, by=by, name=str(by), at=now, statement=statement, sha256=seen.digest)
    if len(given) + 1 < NUMBER:
        return locked
    if locked.findings.count() <= SMALL:
        return seal(locked, now)
    hand_over("checkups.seal", locked.pk)
    return locked


def seal(checkup: Checkup, now: datetime) -> Checkup:
    """Complete the record of a checkup that two people have signed. Safe to call twice: who comes second finds it done."""
    signatures = _sealing(checkup)
    if signatures is None:
        return checkup
    if content_digest(checkup) != signatures[0].sha256:  # somebody went past the portal: what was signed is no more
        Checkup.objects.filter(pk=checkup.pk).update(content_sha256="", content_version="")
        return checkup
    final = digest_of(record_of(checkup, signatures))

    def check(locked: Checkup) -> None:
        if _sealing(locked) != signatures:
            raise Refused(CHANGED)

    def alter(locked: Checkup) -> None:
        locked.sealed_at, locked.sha256 = now, final
        let_go(locked)

    try:
        return apply_move(checkup, Move.SEAL, by=signatures[-1].by, now=now, check=check, alter=alter)
    except PortalError:  # sealed by another worker, or checked again just now
        return Checkup.objects.get(pk=checkup.pk)


def hand_over_sealing() -> None:
    """What the sweeper does: what two people have signed and no worker has sealed is sealed; unread records are read."""
    for checkup in Checkup.objects.filter(status=Status.READY.value):
        if not known_digest(checkup):
            hand_over("checkups.work_out", checkup.pk)
        elif _sealing(checkup) is not None:
            hand_over("checkups.seal", checkup.pk)


def _sealing(checkup: Checkup) -> list[Signature] | None:
    """The two signatures under what the record says now, in their order; None as long as there are not two."""
    digest = known_digest(checkup)
    if not digest or checkup.state is not Status.READY:
        return None
    given = list(checkup.signatures.filter(sha256=digest).select_related("by").order_by("pk"))
    return given if len(given) >= NUMBER else None


def _statement(checkup: Checkup, statement: str) -> str:
    missing = STATEMENT_MISSING if open_failures(checkup) else ""
    if not missing and checkup.findings.filter(failed_at__isnull=False).exists():
        missing = MENDED_STATEMENT_MISSING
    if not missing and _untidied(checkup).exists():
        missing = SCRATCH_STATEMENT_MISSING
    try:
        if missing:
            return telling_reason(statement, missing)
    except InvalidInput as error:
        raise InvalidInput(error.sentence, field="statement") from error
    if len(statement) > REASON_MAX:
        raise InvalidInput(TOO_LONG, field="statement")
    return visible_text(statement)


def check_scratch_is_gone(checkup: Checkup, now: datetime) -> None:
    """Raises Refused while the portal is still at removing what its tries have built."""
    young = _untidied(checkup).filter(finished_at__gt=now - SCRATCH_PATIENCE, finished_at__lte=now).count()
    if young:
        raise Refused(
            f"Scratch of {counted(young, 'try', 'tries')} is not removed yet; the portal is at it. Sign once it is gone, or"
            " after an hour: the record says so."
        )


def _untidied(checkup: Checkup) -> QuerySet[Trial]:
    return Trial.objects.untidied().filter(check_row__finding__checkup=checkup)
