"""What the page of a backup shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import QueryDict

from backups.condition import condition_of_backup, condition_of_copy
from backups.forms import HoldForm
from backups.keeping import Keeping, keepings_of
from backups.models import BackupOrigin, BackupStatus, CopyState, Hold, Pin
from backups.permissions import check_can_hold, check_can_release
from backups.wording import next_try
from portal.forms import ReasonForm
from portal.models import User
from portal.permissions import has_permission
from portal.roles import Permission
from portal.rules import refusal
from portal.words import company_zone

OF_A_HOLD = ("backup__resource__application__client", "placed_by", "released_by")


def backup_page(
    user: User,
    backup: Any,
    now: datetime,
    *,
    hold_form: HoldForm | None = None,
    released: Mapping[int, ReasonForm] | None = None,
) -> dict[str, Any]:
    """The template's variables. ``backup.kept`` are its copies; the forms given came back with an error."""
    resource, client = backup.resource, backup.resource.client
    present = [copy for copy in backup.kept if copy.state == CopyState.PRESENT]
    keeping = keepings_of([backup], now).get(backup.pk)
    return {
        "backup": backup,
        "resource": resource,
        "condition": condition_of_backup(backup, len(present)),
        "keeping": keeping,
        "copies": [_copy(copy, keeping) for copy in backup.kept],
        "next_try": _next_try(backup, now),
        "restorable": backup.is_good and bool(present),
        "technical": has_permission(user, Permission.VIEW_TECHNICAL, client),
        "may_file": has_permission(user, Permission.FILE_REQUESTS, client),
        "may_hold": has_permission(user, Permission.HOLD_BACKUPS, client),
        "why_not_hold": refusal(check_can_hold, user, backup),
        "hold_form": hold_form or HoldForm(),
        "holds": [_hold(hold, user, now, (released or {}).get(hold.pk)) for hold in _holds(backup)],
        "pins": Pin.objects.standing(now).filter(backup=backup).order_by("label"),
    }


def release_form(hold: Hold, data: QueryDict | None = None) -> ReasonForm:
    """The form that releases a hold: one of several on the page."""
    form = ReasonForm(data, auto_id=f"id-hold-{hold.pk}-%s")
    form.fields["reason"].label = "Why does it end?"
    return form


def _copy(copy: Any, keeping: Keeping | None) -> dict[str, Any]:
    verdict = keeping.copies.get(copy.pk) if keeping else None
    return {"copy": copy, "condition": condition_of_copy(copy), "verdict": verdict}


def _holds(backup: Any) -> list[Hold]:
    """All of them, the newest first."""
    return list(Hold.objects.filter(backup=backup).select_related(*OF_A_HOLD).order_by("-placed_at", "-pk"))


def _hold(hold: Hold, user: User, now: datetime, form: ReasonForm | None) -> dict[str, Any]:
    """A hold, whether it stands, and if so its release."""
    over = hold.released_at is None and hold.until < now.astimezone(company_zone()).date()
    return {
        "hold": hold,
        "key": f"release-{hold.pk}",
        "over": over,
        "may_release": not over and not refusal(check_can_release, user, hold),
        "form": form or release_form(hold),
    }


def _next_try(backup: Any, now: datetime) -> str:
    """What follows a failure, if nothing has followed it yet."""
    if backup.status != BackupStatus.FAILED or backup.origin == BackupOrigin.FINAL:
        return ""
    later = backup.resource.backups.filter(queued_at__gt=backup.queued_at).order_by("queued_at").first()
    return "It was tried again since." if later else next_try(backup, backup.resource, now)
