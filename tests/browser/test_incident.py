"""A hazard, from declaring it to its record: one confirmation, a board that follows, and other clients who see nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.app.world import fingerprint
from tests.browser.five import SPOILT
from tests.browser.people import MINUTE, Visit, wait_for_status
from tests.browser.portal import RunningPortal


def test_a_hazard_is_declared_confirmed_followed_and_closed(visit: Visit, portal: RunningPortal) -> None:
    tree = portal.tree.parent / "catalogue"
    whole = fingerprint(tree)
    for file in tree.glob("*.csv"):
        file.unlink()
    it = visit.sign_in("ivo")
    it.goto("/incidents/")
    it.get_by_role("link", name="Declare an incident").click()
    it.get_by_label("What happened?").fill("A controller died; what lay on its disks is gone.")
    it.get_by_role("searchbox", name="Search for applications").fill("catal")
    it.keyboard.press("Enter")
    expect(it.get_by_label("Single resources").get_by_role("option")).to_have_count(1)
    expect(it.get_by_label("What happened?")).to_have_value(re.compile("A controller died"))
    it.get_by_label("Single resources").select_option(label="catalogue (Meridian Verlag)")
    it.get_by_role("button", name="Show what is affected").click()
    expect(it.get_by_role("heading", name="1 resource is affected")).to_be_visible()
    visit.look(it, "incident-new")
    it.get_by_role("button", name="Declare it").click()
    expect(it.get_by_text("Nothing runs yet")).to_be_visible()
    address, number = it.url, it.get_by_role("heading", level=1).inner_text()
    visit.look(it, "incident-open")
    it.get_by_role("button", name="Confirm and start…").click()
    dialog = it.get_by_role("dialog")
    dialog.get_by_label(re.compile(f"^Type {number}")).fill(number)
    dialog.get_by_role("button", name="Restore 1 resource now").click()
    wait_for_status(it, "Recovering")
    expect(it.locator(".board").get_by_text("Recovered", exact=True)).to_be_visible(timeout=MINUTE)
    assert fingerprint(tree) == whole

    theirs, others = visit.sign_in("milan"), visit.sign_in("nora")
    theirs.goto(address)
    expect(theirs.get_by_text("A controller died").first).to_be_visible()
    visit.look(theirs, "incident-client")
    assert others.goto(address).status == 404  # type: ignore[union-attr]

    it.get_by_role("button", name="Close…").click()
    it.get_by_role("dialog").get_by_label("Reason").fill("All is back.")
    it.get_by_role("dialog").get_by_role("button", name=f"Close {number}").click()
    wait_for_status(it, "Closed")
    visit.look(it, "incident-closed")
    with it.expect_download() as coming:
        it.get_by_role("link", name="Record as PDF").click()
    assert coming.value.suggested_filename == f"{number}.pdf"
    it.goto("/incidents/zabbix/")
    visit.look(it, "zabbix-hosts")


def test_of_five_one_fails_and_goes_on_with_its_next_good_backup(visit: Visit, portal: RunningPortal) -> None:
    five = json.loads(portal.run("-m", "tests.browser.five"))
    it = visit.sign_in("tara")
    it.goto("/incidents/new/")
    it.get_by_label("What happened?").fill("The host of the magazine burnt down.")
    it.get_by_label("Whole applications").select_option(label="Magazine (Meridian Verlag)")
    it.get_by_role("button", name="Show what is affected").click()
    expect(it.get_by_role("heading", name="5 resources are affected")).to_be_visible()
    it.get_by_role("button", name="Declare it").click()
    it.get_by_role("button", name="Confirm and start…").click()
    it.get_by_role("dialog").get_by_role("button", name="Restore 5 resources now").click()
    board = it.locator(".board")
    expect(board.get_by_text("Recovered", exact=True)).to_have_count(4, timeout=MINUTE)
    expect(board.get_by_text("Failed", exact=True)).to_have_count(1, timeout=MINUTE)
    further = board.get_by_role("link", name="Restore the next good backup…")
    expect(further).to_be_visible(timeout=MINUTE)
    visit.look(it, "incident-failed")
    further.click()
    expect(it.get_by_role("heading", level=1)).to_contain_text(SPOILT)
    visit.look(it, "incident-next")
    it.get_by_role("button", name=re.compile("^Replace|^Restore")).click()
    expect(board.get_by_text("Recovered", exact=True)).to_have_count(5, timeout=MINUTE)
    for name, was in five.items():
        assert fingerprint(Path(was["tree"])) == was["before" if name == SPOILT else "newest"], name
    visit.look(it, "incident-recovered")
