"""Addresses of resources and backups."""

from __future__ import annotations

from django.urls import path

from backups.views import (
    backup,
    compliance,
    compliance_exports,
    policy,
    removal,
    resource,
    resources,
    retention,
    unprotected,
    what_if,
)

urlpatterns = [
    path("resources/", resources.resources, name="resources"),
    path("resources/export.csv", resources.export, name="resources_export"),
    path("resources/new/", resource.register, name="resource_new"),
    path("resources/unprotected/", unprotected.unprotected, name="unprotected"),
    path("resources/unprotected/<int:pk>/take-in/", unprotected.take_in_one, name="unprotected_take_in"),
    path("resources/<int:pk>/", resource.resource, name="resource"),
    path("resources/<int:pk>/back-up/", resource.back_up, name="resource_back_up"),
    path("resources/<int:pk>/remove/", removal.remove, name="resource_remove"),
    path("resources/<int:pk>/bring-back/", removal.bring_back, name="resource_bring_back"),
    path("backups/<int:pk>/", backup.backup, name="backup"),
    path("backups/<int:pk>/live/", backup.live, name="backup_live"),
    path("backups/<int:pk>/hold/", backup.hold, name="backup_hold"),
    path("holds/<int:pk>/release/", backup.release, name="hold_release"),
    path("retention/", retention.runs, name="retention"),
    path("retention/next/", retention.upcoming, name="retention_next"),
    path("retention/<int:pk>/", retention.run, name="retention_run"),
    path("retention/<int:pk>/carry-on/", retention.carry_on, name="retention_carry_on"),
    path("retention/<int:pk>/refuse/", retention.refuse, name="retention_refuse"),
    path("compliance/", compliance.compliance, name="compliance"),
    path("compliance/findings.csv", compliance_exports.findings, name="compliance_findings"),
    path("compliance/report.pdf", compliance_exports.report, name="compliance_report"),
    path("what-if/", what_if.what_if, name="what_if"),
    path("policy/", policy.policy, name="policy"),
]
