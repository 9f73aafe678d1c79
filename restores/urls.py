"""Addresses of the pages about restores."""

from __future__ import annotations

from django.urls import URLPattern, path

from restores.views import approvals, asking, charges, deciding, downloading, inbox, kept, lists, prices, request_page

urlpatterns: list[URLPattern] = [
    path("requests/", lists.requests, name="requests"),
    path("requests/new/", asking.request_new, name="request_new"),
    path("requests/new/summary/", asking.request_new_summary, name="request_new_summary"),
    path("requests/new/backups/", asking.request_new_backups, name="request_new_backups"),
    path("requests/kept/", kept.kept, name="kept"),
    path("requests/<int:pk>/", request_page.request_page, name="request"),
    path("requests/<int:pk>/live/", request_page.request_live, name="request_live"),
    path("requests/<int:pk>/accept/", deciding.request_accept, name="request_accept"),
    path("requests/<int:pk>/decline/", deciding.request_decline, name="request_decline"),
    path("requests/<int:pk>/correct/", deciding.request_correct, name="request_correct"),
    path("requests/<int:pk>/approve/", deciding.request_approve, name="request_approve"),
    path("requests/<int:pk>/reject/", deciding.request_reject, name="request_reject"),
    path("requests/<int:pk>/cancel/", deciding.request_cancel, name="request_cancel"),
    path("requests/<int:pk>/retry/", deciding.request_retry, name="request_retry"),
    path("requests/<int:pk>/stop/", deciding.request_stop, name="request_stop"),
    path("requests/<int:pk>/schedule/", deciding.request_schedule, name="request_schedule"),
    path("requests/<int:pk>/extend/", deciding.request_extend, name="request_extend"),
    path("requests/<int:pk>/undo/", deciding.request_undo_restore, name="request_undo"),
    path("requests/<int:pk>/download/", downloading.request_download, name="request_download"),
    path("requests/<int:pk>/follow/", inbox.request_follow, name="request_follow"),
    path("requests/<int:pk>/unfollow/", inbox.request_unfollow, name="request_unfollow"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read/", inbox.notices_read, name="notices_read"),
    path("inbox/<int:pk>/read/", inbox.notice_read, name="notice_read"),
    path("preferences/", inbox.preferences, name="preferences"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("prices/", prices.prices, name="prices"),
    path("prices/new/", prices.rate_card_new, name="rate_card_new"),
    path("prices/<int:pk>/withdraw/", prices.rate_card_withdraw, name="rate_card_withdraw"),
    path("prices/agreements/<int:client>/", prices.agreement, name="agreement"),
    path("charges/", charges.charges, name="charges"),
    path("charges/<int:pk>/", charges.charge, name="charge"),
    path("charges/<int:pk>/confirm/", charges.charge_confirm, name="charge_confirm"),
    path("charges/<int:pk>/waive/", charges.charge_waive, name="charge_waive"),
]
