"""Addresses of the pages about restores."""

from __future__ import annotations

from django.urls import URLPattern, path

from restores.views import approvals, asking, charges, deciding, downloading, lists, part, request_page

urlpatterns: list[URLPattern] = [
    path("requests/", lists.requests, name="requests"),
    path("requests/new/", asking.request_new, name="request_new"),
    path("requests/new/summary/", asking.request_new_summary, name="request_new_summary"),
    path("requests/new/backups/", asking.request_new_backups, name="request_new_backups"),
    path("requests/new/part/", part.request_new_part, name="request_new_part"),
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
]
