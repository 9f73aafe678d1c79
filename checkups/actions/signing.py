"""Signing a checkup: two people put their names to exactly what its record says. The second signature seals it.

The record of a large company takes a while to read, so it is hashed before the transaction; the transaction then sees
that nothing has happened to the checkup since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from checkups.actions.moves import apply_move, locked_checkup
from checkups.actions.recording import content_digest, record_of
from checkups.actions.settling import let_go
from checkups.models import Checkup, Signature, Trial
from checkups.models.finding import FindingStatus
from checkups.permissions import check_can_sign
from checkups.record import digest_of
from checkups.workflow import Move
from portal.errors import InvalidInput, Refused
from portal.models import User
from portal.reasons import REASON_MAX, TOO_LONG, telling_reason, visible_text
from portal.words import counted

STATEMENT_MISSING = "Something failed: say in a statement what becomes of it."
CHANGED = "The record has changed since you looked. Look at it again, then sign."
NUMBER = 2


@dataclass(frozen=True)
class Standing:
    """What is to be signed, and who has signed just that."""

    digest: str
    version: tuple[datetime, int]
    signatures: list[Signature]


def standing(checkup: Checkup) -> Standing:
    """What the record of the checkup says now. Signatures under an earlier state of it do not count."""
    version = _version(checkup)
    digest = content_digest(checkup)
    return Standing(digest, version, list(checkup.signatures.filter(sha256=digest)))


def _version(checkup: Checkup) -> tuple[datetime, int]:
    last = checkup.events.order_by("-pk").values_list("pk", flat=True).first()
    return checkup.status_changed_at, last or 0


def open_failures(checkup: Checkup) -> int:
    """How many findings failed and stayed so."""
    return checkup.findings.filter(status=FindingStatus.FAILED).count()


def sign(*, by: User, checkup: Checkup, digest: str, statement: str = "", now: datetime | None = None) -> Checkup:
    """Sign what has the ``digest``, as the page showed it. Raises InvalidInput naming ``statement`` where one is needed."""
    now = now or timezone.now()
    untidied = _untidied(checkup)  # asked first: that scratch is removed is in the record, and changes it once more
    seen = standing(checkup)
    check_can_sign(by, checkup, seen.signatures)
    if untidied:
        raise Refused(
            f"Scratch of {counted(untidied, 'try', 'tries')} is not removed yet; the portal is at it. Sign once it is gone:"
            " the record says so."
        )
    if digest != seen.digest:
        raise Refused(CHANGED)
    signature = Signature(
        checkup=checkup, by=by, name=str(by), at=now, statement=_statement(checkup, statement), sha256=seen.digest
    )
    given = [*seen.signatures, signature]
    final = digest_of(record_of(checkup, given)) if len(given) == NUMBER else ""
    with transaction.atomic():
        locked = locked_checkup(checkup.pk)
        check_can_sign(by, locked, list(locked.signatures.filter(sha256=seen.digest)))
        if _version(locked) != seen.version or locked.signatures.filter(sha256=seen.digest).count() != len(given) - 1:
            raise Refused(CHANGED)
        signature.save()
        if not final:
            return locked

        def seal(row: Checkup) -> None:
            row.sealed_at, row.sha256 = now, final

        sealed = apply_move(locked, Move.SEAL, by=by, now=now, alter=seal)
        let_go(sealed)
    return sealed


def _statement(checkup: Checkup, statement: str) -> str:
    try:
        if open_failures(checkup):
            return telling_reason(statement, STATEMENT_MISSING)
    except InvalidInput as error:
        raise InvalidInput(error.sentence, field="statement") from error
    if len(statement) > REASON_MAX:
        raise InvalidInput(TOO_LONG, field="statement")
    return visible_text(statement)


def _untidied(checkup: Checkup) -> int:
    return Trial.objects.untidied().filter(check_row__finding__checkup=checkup).count()
