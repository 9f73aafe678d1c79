"""What Zabbix reported, and what its hosts are here: by people's word alone, never guessed from a name."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from backups.models import Resource
from portal.history import History
from portal.models import Application
from restores.models.incident import Incident


class ZabbixHostQuerySet(models.QuerySet["ZabbixHost"]):
    """Questions about hosts."""

    def unknown(self) -> Self:
        """Those that were reported, and of which nobody has said what they are."""
        return self.filter(resources__isnull=True, applications__isnull=True)

    def known(self) -> Self:
        """Those that stand for something."""
        return self.filter(Q(resources__isnull=False) | Q(applications__isnull=False)).distinct()


class ZabbixHost(models.Model):
    """One host as Zabbix calls it, and what is affected when it has a problem."""

    host = models.CharField(max_length=128, unique=True)
    seen_at = models.DateTimeField(null=True, help_text="When it was last reported.")
    resources = models.ManyToManyField(Resource, blank=True, related_name="zabbix_hosts")
    applications = models.ManyToManyField(Application, blank=True, related_name="zabbix_hosts")

    history = History(excluded_fields=["seen_at"], m2m_fields=[resources, applications])
    objects = ZabbixHostQuerySet.as_manager()

    class Meta:
        ordering = ["host"]
        constraints = [models.CheckConstraint(name="zabbix_host_has_a_name", condition=~Q(host=""))]

    def __str__(self) -> str:
        return self.host


class ZabbixEvent(models.Model):
    """One problem event of Zabbix. Its id is stored once, so that a message said twice does nothing twice."""

    event_id = models.CharField(max_length=20, unique=True)
    trigger = models.CharField(max_length=500)
    severity = models.CharField(max_length=40, blank=True)
    hosts = models.JSONField(default=list)
    clock = models.DateTimeField(help_text="When the problem began, by Zabbix.")
    seen_at = models.DateTimeField()
    recovered_at = models.DateTimeField(null=True, help_text="When its recovery was reported.")
    incident = models.OneToOneField(Incident, models.PROTECT, null=True, related_name="zabbix_event")
    may_lack = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Whether its proposal has to be looked at for what its hosts stand for by now.",
    )

    class Meta:
        indexes = [models.Index(fields=["id"], condition=Q(may_lack=True), name="zabbix_event_may_lack")]

    def __str__(self) -> str:
        return f"event {self.event_id}"
