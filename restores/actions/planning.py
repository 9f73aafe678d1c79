"""The plan of a request as things stand now."""

from __future__ import annotations

from typing import Any

from backups.drivers.base import Mode
from backups.models import Backup
from restores.charging import Cause, Classification, classify
from restores.models import RestoreRequest
from restores.part import Picked
from restores.plan import make_plan, plan_digest
from restores.pricing import Estimate


def plan_for(
    backup: Backup, mode: Mode, cause: Cause, estimate: Estimate | None, picked: Picked | None = None
) -> dict[str, Any]:
    """The plan for restoring that backup, from the rows as they are now. What is free by its cause has no estimate."""
    resource = backup.resource
    return make_plan(
        resource_id=resource.pk,
        kind=resource.kind,
        locator=resource.locator,
        backup_id=backup.pk,
        checksum=backup.checksum,
        mode=mode,
        classification=classify(cause).value,
        estimate=estimate.as_json() if estimate and classify(cause) is Classification.BILLABLE else None,
        picked=picked,
    )


def digest_now(request: RestoreRequest) -> str:
    """The digest of what would be done if the request ran now; differs from the approved one when anything changed."""
    return plan_digest(plan_for(request.backup, request.restore_mode, request.why, request.estimate, request.picked))
