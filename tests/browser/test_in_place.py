"""The story of the portal: last Tuesday comes back, byte for byte, and today comes back after it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.app.world import fingerprint
from tests.browser.asking import ask_for, tuesday
from tests.browser.people import Visit, wait_for_status
from tests.browser.portal import RunningPortal


def test_last_tuesday_comes_back_and_can_be_undone_and_is_charged(visit: Visit, portal: RunningPortal) -> None:
    backup = tuesday(portal)
    assert fingerprint(portal.tree) == portal.company["today"]

    client = visit.sign_in("nora")
    visit.look(client, "start-client")
    request = ask_for(client, visit, backup, mode="In place", cause="A release or a change")
    expect(client.get_by_text("IT’s turn.")).to_be_visible()
    visit.look(client, "request-submitted-client")

    it = visit.sign_in("ivo")
    it.goto("/approvals/")
    visit.look(it, "approvals")
    it.keyboard.press("j")
    it.keyboard.press("Enter")
    it.wait_for_url(f"**{request}")
    visit.look(it, "request-submitted-it")
    _approve(it, visit)

    expect(client.get_by_role("heading", name="Attempt 1")).to_be_visible()
    visit.snap(client, "request-running")
    for page in (client, it):  # nobody reloads
        wait_for_status(page, "Completed")
    assert fingerprint(portal.tree) == backup["digest"]
    expect(client.locator(".outcome")).to_contain_text("SHA-256")
    visit.look(client, "request-completed-client")
    visit.look(it, "request-completed-it")

    _undo(it, visit)
    for page in (client, it):
        wait_for_status(page, "Undone")
    assert fingerprint(portal.tree) == portal.company["today"]
    visit.look(client, "request-undone")

    _confirm_the_charge(visit, request)


def _approve(it: Page, visit: Visit) -> None:
    it.get_by_role("button", name="Approve…").click()
    dialog = it.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^Replace shop-files with Tue")).click()
    expect(dialog.get_by_label(re.compile("Type shop-files"))).to_be_focused()  # the browser asks for it
    dialog.get_by_label(re.compile("Type shop-files")).fill("shop-db")
    dialog.get_by_label("Note").fill("Agreed with Nora on the phone.")
    dialog.get_by_role("button", name=re.compile("^Replace shop-files with Tue")).click()
    dialog = it.get_by_role("dialog")
    expect(dialog).to_contain_text("Type shop-files to approve")
    expect(dialog.get_by_label("Note")).to_have_value("Agreed with Nora on the phone.")
    visit.look(it, "request-approve")
    dialog.get_by_label(re.compile("Type shop-files")).fill("shop-files")
    dialog.get_by_role("button", name=re.compile("^Replace shop-files with Tue")).click()
    expect(it.get_by_text("is approved. The restore starts in a moment.")).to_be_visible()


def _undo(it: Page, visit: Visit) -> None:
    it.get_by_role("button", name="Undo…").click()
    dialog = it.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Tuesday was the wrong day after all.")
    visit.look(it, "request-undo")
    dialog.get_by_role("button", name="Bring back shop-files as it was before the restore").click()


def _confirm_the_charge(visit: Visit, request: str) -> None:
    manager = visit.sign_in("amir")
    manager.get_by_role("link", name=re.compile("^Charges")).click()
    card = manager.locator("[data-card]", has=manager.locator(f"a[href='{request}']"))
    expect(card).to_contain_text("A release broke the shop")
    visit.look(manager, "charges")
    manager.keyboard.press("j")
    manager.keyboard.press("c")
    card.get_by_label("Reason for the decision").fill("The release was the client’s own.")
    card.get_by_role("button", name=re.compile("^Charge EUR")).click()
    expect(manager.get_by_text("is confirmed.")).to_be_visible()
    expect(manager.get_by_role("table")).to_contain_text("The release was the client’s own.")
    visit.look(manager, "charges-decided")
    manager.get_by_role("table").get_by_role("link", name=re.compile("^RR-")).first.click()
    visit.look(manager, "charge")
