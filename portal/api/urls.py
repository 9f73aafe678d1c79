"""Addresses of the API, below /api/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path
from rest_framework.routers import APIRootView, DefaultRouter

from backups.api.compliance import FindingViews, RunViews
from backups.api.holds import HoldViews
from backups.api.unprotected import DiscoveredViews
from backups.api.views import BackupViews, ResourceViews
from checkups.api.asking import ApplicationCheckViews
from checkups.api.findings import CheckupFindingViews, FindingsOfCheckup
from checkups.api.tasks import TaskViews
from checkups.api.trials import TestViews, TrialViews
from checkups.api.views import CheckupViews
from portal.api.clients import ApplicationViews, ClientViews
from portal.api.docs import DocsView, SchemaView
from portal.api.me import MeView
from portal.api.nothing import NothingHere
from portal.api.tokens import RevokeView, TokenView
from portal.api.views import Recorded
from restores.api.charges import ChargeViews
from restores.api.exports import ChargeExportViews
from restores.api.incidents import IncidentViews
from restores.api.notices import NoticeViews, PreferencesView
from restores.api.prices import EstimateView, RateCardViews
from restores.api.views import RequestViews


class Root(Recorded, APIRootView):
    """What there is."""

    schema = None  # type: ignore[assignment]  # DRF's way to leave a view out


router = DefaultRouter(use_regex_path=False)
router.APIRootView = Root
router.include_format_suffixes = False
router.register("clients", ClientViews)
router.register("applications", ApplicationViews)
router.register("resources", ResourceViews)
router.register("backups", BackupViews)
router.register("holds", HoldViews)
router.register("findings", FindingViews)
router.register("unprotected", DiscoveredViews, basename="unprotected")
router.register("retention-runs", RunViews)
router.register("restore-requests", RequestViews)
router.register("charges", ChargeViews)
router.register("charge-exports", ChargeExportViews)
router.register("rate-cards", RateCardViews)
router.register("incidents", IncidentViews)
router.register("notices", NoticeViews)
router.register("checkups", CheckupViews)
router.register("checkup-findings", CheckupFindingViews)
router.register("checkup-tasks", TaskViews)
router.register("trials", TrialViews)

urlpatterns: list[URLPattern | URLResolver] = [
    path("token/", TokenView.as_view(), name="api-token"),
    path("token/revoke/", RevokeView.as_view(), name="api-token-revoke"),
    path("me/", MeView.as_view(), name="api-me"),
    path("preferences/", PreferencesView.as_view(), name="api-preferences"),
    path("estimate/", EstimateView.as_view(), name="estimate"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    path("checkups/<int:pk>/findings/", FindingsOfCheckup.as_view({"get": "list"}), name="checkup-findings"),
    path(
        "resources/<int:pk>/application-check/",
        ApplicationCheckViews.as_view({"get": "look", "put": "say", "delete": "stop"}),
        name="application-check",
    ),
    path("backups/<int:pk>/test/", TestViews.as_view({"post": "test"}), name="backup-test"),
    *router.urls,
    re_path("", NothingHere.as_view()),
]
