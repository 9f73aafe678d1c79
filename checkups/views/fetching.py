"""Fetching what a page is about through what the person may see: a stranger gets 404."""

from __future__ import annotations

from typing import cast

from django.db.models import Prefetch
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from backups.models import Backup, Copy, Resource
from checkups.models import Check, Checkup, CheckupFinding, Trial
from portal.models import User

OF_A_TRIAL = ("resource__application__client", "copy__backup", "asked_by", "check_row__finding__checkup")


def person(http: HttpRequest) -> User:
    """Who asks. The sign-in middleware has seen to it that it is somebody."""
    return cast(User, http.user)


def checkup_or_404(user: User, pk: int) -> Checkup:
    """One checkup."""
    return get_object_or_404(Checkup.objects.visible_to(user).select_related("set_by"), pk=pk)


def finding_or_404(user: User, checkup: int, pk: int) -> CheckupFinding:
    """One finding with its checks and all that was tried for each."""
    trials = Trial.objects.order_by("pk").select_related("backup")
    checks = Check.objects.order_by("pk").select_related("backup").prefetch_related(Prefetch("trials", trials))
    found = (
        CheckupFinding.objects.visible_to(user)
        .filter(checkup=checkup)
        .select_related("checkup", "resource__application__client", "task__owner", "task__done_by")
        .prefetch_related(Prefetch("checks", checks))
    )
    return get_object_or_404(found, pk=pk)


def trial_or_404(user: User, pk: int) -> Trial:
    """One trial."""
    return get_object_or_404(Trial.objects.visible_to(user).select_related(*OF_A_TRIAL), pk=pk)


def backup_or_404(user: User, pk: int) -> Backup:
    """One backup with its present copies."""
    copies = Prefetch("copies", Copy.objects.present().order_by("pk"), to_attr="present")
    found = Backup.objects.visible_to(user).select_related("resource__application__client").prefetch_related(copies)
    return get_object_or_404(found, pk=pk)


def resource_or_404(user: User, pk: int) -> Resource:
    """One resource with its client."""
    return get_object_or_404(Resource.objects.visible_to(user).select_related("application__client"), pk=pk)
