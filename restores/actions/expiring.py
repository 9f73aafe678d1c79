"""Requests on which nobody acts in time expire. Time never approves."""

from __future__ import annotations

from datetime import datetime

import structlog

from backups.actions.belief import policy_moment
from portal.errors import Refused
from restores.actions.moves import apply_move, expiry_of
from restores.models import RestoreRequest
from restores.workflow import Move, Status

log = structlog.get_logger(__name__)

A_TURN = 200


def expire_requests(now: datetime) -> int:
    """Expire what is over; how many. By the moment that retention believes: an expired request pins its backup no more."""
    for status in Status:  # those that an older portal filed
        if ends := expiry_of(status, now):
            RestoreRequest.objects.filter(status=status.value, expires_at__isnull=True).update(expires_at=ends)
    moment, done = policy_moment(now), 0
    for request in RestoreRequest.objects.filter(expires_at__lte=moment).order_by("expires_at")[:A_TURN]:
        done += _expire(request, now, moment)
    return done


def _expire(request: RestoreRequest, now: datetime, moment: datetime) -> bool:
    def check(locked: RestoreRequest) -> None:
        if locked.expires_at is None or locked.expires_at > moment:
            raise Refused("Somebody has acted on it meanwhile.")

    try:
        apply_move(request, Move.EXPIRE, by=None, now=now, check=check)
    except Refused as error:
        log.info("request.not_expired", request=request.number, why=str(error))
        return False
    return True
