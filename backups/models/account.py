"""AWS accounts, and the regions of each in which the portal may work. Keys are references, never the keys."""

from __future__ import annotations

import secrets

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from portal.history import History

_NAME = RegexValidator(
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "Use small letters, digits and dashes, such as hosting-main."
)
_NUMBER = RegexValidator(r"^[0-9]{12}$", "An account's number has twelve digits.")
_REGION = RegexValidator(r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$", "Enter a region of AWS, such as eu-central-1.")
_BUCKET = RegexValidator(
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", "Enter the name of a bucket, such as acme-vault-central."
)
_ROLE = RegexValidator(
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}$",
    "Enter the role's ARN, such as arn:aws:iam::123456789012:role/haas-backup-portal.",
)


def new_external_id() -> str:
    """What the account's role asks of whoever assumes it: ours to choose, so that no other customer of ours can name it."""
    return f"haas-{secrets.token_hex(16)}"


class Account(models.Model):
    """One AWS account. Resources name it in their settings by its ``name``, which therefore never changes."""

    name = models.CharField(max_length=63, unique=True, validators=[_NAME])
    number = models.CharField(max_length=12, unique=True, validators=[_NUMBER], help_text="Twelve digits.")
    role = models.CharField(
        max_length=600, blank=True, validators=[_ROLE], help_text="The ARN of the role that the portal assumes there."
    )
    external_id = models.CharField(
        max_length=80,
        default=new_external_id,
        editable=False,
        help_text="Named in the role's trust policy (sts:ExternalId).",
    )
    key_id = models.CharField(
        max_length=300, blank=True, help_text="Without a role: a reference to the access key's id."
    )
    key_secret = models.CharField(max_length=300, blank=True, help_text="And one to the secret access key.")
    created_at = models.DateTimeField(auto_now_add=True)

    history = History()

    class Meta:
        ordering = ["name"]
        verbose_name = "AWS account"
        constraints = [
            models.CheckConstraint(
                name="account_has_both_keys_or_none",
                condition=Q(key_id="", key_secret="") | (~Q(key_id="") & ~Q(key_secret="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AccountRegion(models.Model):
    """A region of an account in which resources may be, and copies may go to."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="regions")
    name = models.CharField(max_length=40, validators=[_REGION])
    kms_key = models.CharField(
        max_length=300,
        blank=True,
        help_text="The key (ARN or alias) that copies coming to this region are encrypted with; empty: AWS's own.",
    )
    listed_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When all that is there was last listed whole, to find what has no backups.",
    )

    vault = models.CharField(
        max_length=63,
        blank=True,
        validators=[_BUCKET],
        help_text="The bucket in which copies of buckets are kept in this region; empty: no bucket can be backed up here.",
    )

    history = History(excluded_fields=["listed_at"])

    class Meta:
        ordering = ["name"]
        verbose_name = "region"
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="account_region_once")]

    def __str__(self) -> str:
        return f"{self.account} {self.name}"
