"""What holds for every test."""

from __future__ import annotations

import os

import hypothesis
import pytest

hypothesis.settings.register_profile("portal", deadline=None)
hypothesis.settings.load_profile("portal")

FORBID_SKIPS = os.environ.get("PORTAL_FORBID_SKIPS") == "1"


@pytest.fixture(scope="session", autouse=True)
def regions() -> None:
    """The regions of the run's own store, ready for use."""
    from backups.kinds import REGIONS, store_of

    for region in REGIONS:
        store_of(region).prepare()


def _fail_instead(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Where everything is installed (CI), a skip hides a missing program."""
    if FORBID_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, and no skip is allowed here: {why}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    _fail_instead(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    report = yield
    _fail_instead(report)
    return report
