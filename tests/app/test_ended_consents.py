"""The update that knows ended consents by their ids: what was made free before asks the client again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from restores.charging import Cause
from restores.models import Consent, ConsentKind, RestoreRequest
from tests.app.world import World
from tests.factories import make_backup, make_request, make_resource


@pytest.mark.django_db(transaction=True)
def test_what_is_free_or_was_made_free_since_has_no_consent_that_stands(world: World) -> None:
    now = timezone.now()
    backup = make_backup(make_resource(world.application), now)

    def asked(cause: Cause, *given: timedelta, freed: timedelta | None = None) -> RestoreRequest:
        request = make_request(backup, world.owner, cause=cause)
        RestoreRequest.objects.filter(pk=request.pk).update(freed_at=now + freed if freed is not None else None)
        for moment in given:
            Consent.objects.create(
                request=request, kind=ConsentKind.PERSON, amount=Decimal("45.00"), currency="EUR",
                plan_digest=request.plan_digest, given_at=now + moment, given_by=world.owner,
            )  # fmt: skip
        return request

    hour = timedelta(hours=1)
    call_command("migrate", "restores", "0011", verbosity=0)
    call_command("migrate", "restores", verbosity=0)
    charged = asked(Cause.DELETED_BY_MISTAKE, hour)
    made_free = asked(Cause.INFRASTRUCTURE, hour)
    never_asked = asked(Cause.INFRASTRUCTURE)
    dear_again = asked(Cause.DELETED_BY_MISTAKE, hour, 3 * hour, freed=2 * hour)
    call_command("migrate", "restores", "0011", verbosity=0)
    call_command("migrate", "restores", verbosity=0)

    def stand(request: RestoreRequest) -> list[bool]:
        return [consent.stands for consent in RestoreRequest.objects.get(pk=request.pk).consents.order_by("pk")]

    assert [stand(one) for one in (charged, made_free, never_asked, dear_again)] == [[True], [False], [], [False, True]]
