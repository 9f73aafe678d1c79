"""Clients and their applications."""

from __future__ import annotations

from django.db import models

from portal.history import History


class Client(models.Model):
    """A company whose applications are hosted."""

    name = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    history = History()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Application(models.Model):
    """One of a client's applications."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="applications")
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    history = History()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["client", "name"], name="application_name_once_per_client")]

    def __str__(self) -> str:
        return self.name
