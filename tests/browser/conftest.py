"""Fixtures of the browser stories: one Chromium and one running portal for all of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.people import Visit
from tests.browser.portal import RunningPortal, new_portal

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 30_000  # milliseconds; a page that waits for somebody asks again only every few seconds
SCREENSHOTS = Path(__file__).resolve().parents[2] / "test-results" / "screenshots"


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before xdist looks for groups, and after all others have sorted
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """One process tells all stories: they share the portal. They take their time, so they are for CI.

    It begins with them: told last, no other process would have anything left to do.
    """
    for item in items:
        if _is_story(item):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("browser"))
    yield
    items.sort(key=lambda item: not _is_story(item))


def _is_story(item: pytest.Item) -> bool:
    return Path(__file__).parent in item.path.parents


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    expect.set_options(timeout=PATIENCE)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop runs in the thread of the tests
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def portal(chromium: Browser) -> Iterator[RunningPortal]:
    """A portal with a company and a week of backups, as it is right after the start of the first story."""
    running = new_portal()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def visit(chromium: Browser, portal: RunningPortal) -> Iterator[Visit]:
    """Opens browsers for people, and closes them afterwards."""
    visiting = Visit(chromium, portal, SCREENSHOTS)
    yield visiting
    visiting.close()
