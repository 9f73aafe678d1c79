"""Addresses of the pages about restores."""

from __future__ import annotations

from django.urls import URLPattern, path

from restores.views import (
    approvals,
    asking,
    charges,
    deciding,
    downloading,
    incident_deciding,
    incident_record,
    incidents,
    lists,
    request_page,
    zabbix_hook,
    zabbix_hosts,
)

urlpatterns: list[URLPattern] = [
    path("requests/", lists.requests, name="requests"),
    path("requests/new/", asking.request_new, name="request_new"),
    path("requests/new/summary/", asking.request_new_summary, name="request_new_summary"),
    path("requests/new/backups/", asking.request_new_backups, name="request_new_backups"),
    path("requests/<int:pk>/", request_page.request_page, name="request"),
    path("requests/<int:pk>/live/", request_page.request_live, name="request_live"),
    path("requests/<int:pk>/accept/", deciding.request_accept, name="request_accept"),
    path("requests/<int:pk>/decline/", deciding.request_decline, name="request_decline"),
    path("requests/<int:pk>/correct/", deciding.request_correct, name="request_correct"),
    path("requests/<int:pk>/approve/", deciding.request_approve, name="request_approve"),
    path("requests/<int:pk>/reject/", deciding.request_reject, name="request_reject"),
    path("requests/<int:pk>/cancel/", deciding.request_cancel, name="request_cancel"),
    path("requests/<int:pk>/retry/", deciding.request_retry, name="request_retry"),
    path("requests/<int:pk>/undo/", deciding.request_undo_restore, name="request_undo"),
    path("requests/<int:pk>/download/", downloading.request_download, name="request_download"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("charges/", charges.charges, name="charges"),
    path("charges/<int:pk>/", charges.charge, name="charge"),
    path("charges/<int:pk>/confirm/", charges.charge_confirm, name="charge_confirm"),
    path("charges/<int:pk>/waive/", charges.charge_waive, name="charge_waive"),
    path("incidents/", incidents.incidents, name="incidents"),
    path("incidents/new/", incidents.incident_new, name="incident_new"),
    path("incidents/zabbix/", zabbix_hosts.zabbix_hosts, name="zabbix_hosts"),
    path("incidents/<int:pk>/", incidents.incident_page, name="incident"),
    path("incidents/<int:pk>/live/", incidents.incident_live, name="incident_live"),
    path("incidents/<int:pk>/record.pdf", incident_record.incident_record, name="incident_record"),
    path("incidents/<int:pk>/times.csv", incident_record.incident_times, name="incident_times"),
    path("incidents/<int:pk>/add/", incidents.incident_extend, name="incident_extend"),
    path("incidents/<int:pk>/take-on/", incident_deciding.incident_take_on, name="incident_take_on"),
    path("incidents/<int:pk>/arrange/", incident_deciding.incident_arrange, name="incident_arrange"),
    path("incidents/<int:pk>/confirm/", incident_deciding.incident_confirm, name="incident_confirm"),
    path("incidents/<int:pk>/take-out/", incident_deciding.incident_take_out, name="incident_take_out"),
    path("incidents/<int:pk>/dismiss/", incident_deciding.incident_dismiss, name="incident_dismiss"),
    path("incidents/<int:pk>/close/", incident_deciding.incident_close, name="incident_close"),
    path("api/hooks/zabbix/", zabbix_hook.zabbix_hook, name="zabbix_hook"),
]
