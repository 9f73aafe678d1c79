"""Asking for a restore in the browser, as the stories do it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.people import Visit
from tests.browser.portal import RunningPortal

REASON = "A release broke the shop: the prices of all tents are wrong since Wednesday."


def tuesday(portal: RunningPortal) -> dict[str, Any]:
    """Last Tuesday's backup, with the digest of the tree as it was then."""
    backup: dict[str, Any] = next(made for made in reversed(portal.company["backups"]) if made["weekday"] == 1)
    return backup


def ask_for(page: Page, visit: Visit | None, backup: dict[str, Any], *, mode: str, cause: str) -> str:
    """File a request from the list of resources on; the path of its page. With ``visit`` each state is looked at.

    Where the person may accept a price, they do.
    """
    page.goto("/resources/")
    page.get_by_role("link", name="shop-files").first.click()
    page.get_by_role("link", name=re.compile("Ask for a restore|Restore")).first.click()
    expect(page.get_by_role("heading", name="Ask for a restore")).to_be_visible()
    if visit:
        visit.look(page, "ask-empty")
    page.get_by_role("button", name="File the request").click()
    expect(page.get_by_text("Pick the backup to go back to.")).to_be_visible()
    page.locator(f"input[name=backup][value='{backup['pk']}']").check()
    page.get_by_label(mode).check()
    page.get_by_label(re.compile(cause)).check()
    expect(page.locator("#summary")).to_contain_text("may be charged" if "infra" not in cause else "Free of charge")
    page.get_by_role("button", name="File the request").click()
    expect(page.get_by_text("Say what happened and why")).to_be_visible()
    page.get_by_label("What happened?").fill(REASON)
    accepts = page.get_by_label(re.compile("I accept up to"))
    if accepts.count():
        accepts.check()
    if visit:
        visit.look(page, "ask-filled")
    page.get_by_role("button", name="File the request").click()
    page.wait_for_url(re.compile(r"/requests/\d+/$"))
    expect(page.get_by_text("is filed.")).to_be_visible()
    return urlsplit(page.url).path
