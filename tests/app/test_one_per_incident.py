"""Of an incident and a resource one request is not closed; the migration that allows closed ones beside it goes both ways."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backups.models import Resource
from restores.actions.incidents import declare
from restores.charging import Cause
from restores.models import RestoreRequest
from restores.workflow import Status
from tests.app.world import World
from tests.factories import make_backup, make_request, make_resource


@pytest.mark.django_db(transaction=True)
def test_going_back_keeps_the_newest_in_its_incident(world: World) -> None:
    backup = make_backup(make_resource(world.application), timezone.now())
    incident = declare(by=world.it, hazard="Lost.", resources=Resource.objects.filter(pk=backup.resource_id))

    def make(status: Status) -> RestoreRequest:
        return make_request(backup, world.it, status=status, cause=Cause.INFRASTRUCTURE, incident=incident)

    closed, newest = make(Status.CANCELLED), make(Status.FAILED)
    with pytest.raises(IntegrityError), transaction.atomic():
        make(Status.APPROVED)
    call_command("migrate", "restores", "0009", verbosity=0)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select id, incident_id from restores_restorerequest order by id")
            assert cursor.fetchall() == [(closed.pk, None), (newest.pk, incident.pk)]
    finally:
        call_command("migrate", "restores", verbosity=0)
