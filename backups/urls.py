"""Addresses of resources and backups."""

from __future__ import annotations

from django.urls import path

from backups.views import backup, compliance, compliance_exports, policy, resource, resources, what_if

urlpatterns = [
    path("resources/", resources.resources, name="resources"),
    path("resources/export.csv", resources.export, name="resources_export"),
    path("resources/new/", resource.register, name="resource_new"),
    path("resources/<int:pk>/", resource.resource, name="resource"),
    path("resources/<int:pk>/back-up/", resource.back_up, name="resource_back_up"),
    path("backups/<int:pk>/", backup.backup, name="backup"),
    path("backups/<int:pk>/live/", backup.live, name="backup_live"),
    path("compliance/", compliance.compliance, name="compliance"),
    path("compliance/findings.csv", compliance_exports.findings, name="compliance_findings"),
    path("compliance/report.pdf", compliance_exports.report, name="compliance_report"),
    path("what-if/", what_if.what_if, name="what_if"),
    path("policy/", policy.policy, name="policy"),
]
