"""Addresses of the pages about checkups."""

from __future__ import annotations

from django.urls import URLPattern, path

from checkups.views import asking, calendar, checkup, deciding, exports, finding, following, testing, year

urlpatterns: list[URLPattern] = [
    path("checkups/", year.checkups, name="checkups"),
    path("checkups/set/", year.checkup_set, name="checkup_set"),
    path("checkups/calendar/<str:token>.ics", calendar.checkup_calendar, name="checkup_calendar"),
    path("checkups/test/<int:pk>/", testing.test_backup, name="backup_test"),
    path("checkups/trials/<int:pk>/", testing.trial, name="trial"),
    path("checkups/trials/<int:pk>/live/", testing.trial_live, name="trial_live"),
    path("checkups/asking/<int:pk>/", asking.asking, name="asking"),
    path("checkups/asking/<int:pk>/remove/", asking.asking_remove, name="asking_remove"),
    path("checkups/<int:pk>/", checkup.checkup_page, name="checkup"),
    path("checkups/<int:pk>/live/", checkup.checkup_live, name="checkup_live"),
    path("checkups/<int:pk>/change/", deciding.change, name="checkup_change"),
    path("checkups/<int:pk>/withdraw/", deciding.withdraw, name="checkup_withdraw"),
    path("checkups/<int:pk>/pause/", deciding.pause, name="checkup_pause"),
    path("checkups/<int:pk>/resume/", deciding.resume, name="checkup_resume"),
    path("checkups/<int:pk>/again/", deciding.check_again, name="checkup_check_again"),
    path("checkups/<int:pk>/cancel/", deciding.cancel, name="checkup_cancel"),
    path("checkups/<int:pk>/sign/", deciding.sign, name="checkup_sign"),
    path("checkups/<int:pk>/record.pdf", exports.pdf, name="checkup-pdf"),
    path("checkups/<int:pk>/record.json", exports.json, name="checkup-json"),
    path("checkups/<int:pk>/record.csv", exports.csv, name="checkup-csv"),
    path("checkups/<int:pk>/findings/<int:finding>/", finding.finding_page, name="checkup_finding"),
    path("checkups/<int:pk>/findings/<int:finding>/live/", finding.finding_live, name="checkup_finding_live"),
    path("checkups/<int:pk>/findings/<int:finding>/again/", following.again, name="finding_check_again"),
    path("checkups/<int:pk>/findings/<int:finding>/hand-on/", following.handed_on, name="checkup_task_hand_on"),
    path("checkups/<int:pk>/findings/<int:finding>/done/", following.done, name="checkup_task_done"),
]
