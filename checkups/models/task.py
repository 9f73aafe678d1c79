"""Tasks: what somebody has to see to after a finding failed. They go on after the checkup is signed."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from checkups.models.finding import CheckupFinding
from portal.history import History
from portal.models import User
from portal.permissions import Person, visible
from portal.roles import Permission


class TaskQuerySet(models.QuerySet["Task"]):
    """Questions about tasks."""

    def visible_to(self, user: Person) -> Self:
        """Those of resources whose checkups the person may see before they are signed: IT and auditors."""
        return self.filter(visible(user, Permission.VIEW_COMPLIANCE, "finding__resource__application__client"))

    def open(self) -> Self:
        """Those not done."""
        return self.filter(done_at__isnull=True)


class Task(models.Model):
    """One failed finding, in somebody's hands until a day. It is done when the finding passes, or somebody says how."""

    finding = models.OneToOneField(CheckupFinding, models.PROTECT, related_name="task")
    opened_at = models.DateTimeField()
    owner = models.ForeignKey(User, models.PROTECT, related_name="+")
    due_on = models.DateField()
    advice = models.TextField(help_text="What to do next.")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    outcome = models.TextField(blank=True, help_text="How it ended.")

    told_at = models.DateTimeField(null=True, help_text="When its owner was mailed; empty again for a new owner.")

    history = History(excluded_fields=["told_at"])
    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="task_done_says_how", condition=Q(done_at__isnull=True) | ~Q(outcome="")),
        ]
        indexes = [models.Index(fields=["due_on", "id"], condition=Q(done_at__isnull=True), name="task_open")]

    def __str__(self) -> str:
        return f"task of finding {self.finding_id}"
