"""What holds for every test."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import hypothesis
import pytest
from pytest_django import DjangoDbBlocker

hypothesis.settings.register_profile("portal", deadline=None)
hypothesis.settings.load_profile("portal")

# Every session of boto3 would read Amazon's descriptions of its services anew, megabytes of JSON that nobody changes.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

FORBID_SKIPS = os.environ.get("PORTAL_FORBID_SKIPS") == "1"


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """In place of pytest-django's: where the migrations are as in the run before, they are not applied once more."""
    from django.test import TransactionTestCase
    from django.test.utils import setup_databases, teardown_databases

    from tests.database import empty_tables, end_other_sessions, migrated

    cache = getattr(request.config, "cache", None)  # switched off, there is none
    folder = cache.mkdir("portal-database") if cache else Path(os.environ["PORTAL_TEST_DIR"])
    with django_db_blocker.unblock(), migrated(folder) as ready:
        made = setup_databases(verbosity=0, interactive=False, keepdb=ready)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield
    with django_db_blocker.unblock():
        try:
            end_other_sessions()
            teardown_databases(made, verbosity=0)
        except Exception as error:
            request.node.warn(pytest.PytestWarning(f"The test database could not be removed: {error!r}"))


@pytest.fixture(scope="session", autouse=True)
def regions() -> None:
    """The regions of the run's own store, ready for use."""
    from backups.kinds import REGIONS, store_of

    for region in REGIONS:
        store_of(region).prepare()


def pytest_collection_finish() -> None:
    """What was read to find the tests stays to the end: looking through it for garbage again and again took a tenth of a run."""
    gc.collect()
    gc.freeze()


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
