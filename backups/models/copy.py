"""Copies: a backup's physical artefact in one region."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from backups.drivers.provider import KeptAt
from backups.models.backup import Backup
from backups.proof import PROOF_LABELS, Proof


class CopyState(models.TextChoices):
    """What there is of a copy."""

    WRITING = "writing", "Being written"
    PRESENT = "present", "Present"
    DAMAGED = "damaged", "Damaged"
    DELETING = "deleting", "Being deleted"  # counts no more; its bytes may still be there
    DELETED = "deleted", "Deleted"


class CopyQuerySet(models.QuerySet["Copy"]):
    """Questions about copies."""

    def present(self) -> Self:
        """Complete and not found damaged."""
        return self.filter(state=CopyState.PRESENT)

    def unread(self) -> Self:
        """Present, but the last try to read one failed: neither sound nor proven to be damaged."""
        return self.present().filter(unread_at__isnull=False)

    def standing(self) -> Self:
        """Those whose bytes count: present, or damaged and not deleted yet."""
        return self.filter(state__in=[CopyState.PRESENT, CopyState.DAMAGED])


class Copy(models.Model):
    """One copy. ``proof`` says how far it was proven, and ``proven_at`` when."""

    backup = models.ForeignKey(Backup, models.PROTECT, related_name="copies")
    region = models.CharField(max_length=40)
    prefix = models.CharField(
        max_length=120, blank=True, db_default="", help_text="Where it lies in its region's store; see stored_under."
    )
    state = models.CharField(max_length=10, choices=CopyState.choices)
    stored_bytes = models.BigIntegerField(default=0)
    proof = models.PositiveSmallIntegerField(
        choices=[(level.value, label) for level, label in PROOF_LABELS.items()], default=Proof.RECORDED
    )
    proven_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True)
    wakes_at = models.DateTimeField(null=True, help_text="When the provider is asked again how far it is.")
    kept = models.JSONField(
        default=dict, db_default={}, help_text="What the provider keeps of it: drivers.base.KeptAt."
    )
    bytes_done = models.BigIntegerField(default=0)
    bytes_expected = models.BigIntegerField(null=True)
    checksum_at = models.DateTimeField(null=True, help_text="When every stored byte of it was last read and held.")
    unread_at = models.DateTimeField(null=True, help_text="When reading it last failed in a way that proves nothing.")
    unread = models.TextField(blank=True, db_default="", help_text="What kept it from being read, in a sentence.")
    damaged_at = models.DateTimeField(null=True)
    damage = models.TextField(blank=True, db_default="", help_text="What was found, in a sentence.")
    deleted_at = models.DateTimeField(null=True)

    objects = CopyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["backup", "region"],
                condition=Q(state__in=["writing", "present"]),
                name="copy_once_per_region",
            ),
            models.CheckConstraint(
                name="copy_deleted_says_when",
                condition=Q(state="deleted", deleted_at__isnull=False) | ~Q(state="deleted"),
            ),
            models.CheckConstraint(
                name="copy_waits_while_writing", condition=Q(wakes_at__isnull=True) | Q(state="writing")
            ),
            models.CheckConstraint(
                name="copy_present_has_bytes", condition=~Q(state="present") | Q(stored_bytes__gt=0)
            ),
        ]
        indexes = [
            models.Index(fields=["region", "state"], name="copy_by_region"),
            models.Index(fields=["heartbeat_at"], condition=Q(state="writing"), name="copy_writing"),
            models.Index(fields=["wakes_at"], condition=Q(wakes_at__isnull=False), name="copy_waiting"),
            models.Index(fields=["checksum_at", "id"], condition=Q(state="present"), name="copy_by_checksum"),
            models.Index(fields=["id"], condition=Q(state="deleting"), name="copy_deleting"),
            models.Index(
                fields=["region", "id"], condition=Q(state="present", unread_at__isnull=False), name="copy_unread"
            ),
        ]

    def __str__(self) -> str:
        return f"copy of backup {self.backup_id} in {self.region}"

    @property
    def stored_under(self) -> str:
        """The prefix of its objects, which no other copy ever writes to. Rows of the first release name none."""
        return self.prefix or self.backup.prefix

    @property
    def kept_at(self) -> KeptAt | None:
        """``kept`` as the drivers know it; None where all of the copy is in its region's store."""
        return KeptAt.from_json(self.kept)

    @property
    def proof_level(self) -> Proof:
        """``proof`` as its enum."""
        return Proof(self.proof)
