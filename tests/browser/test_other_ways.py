"""The other ways a request goes: beside, as a download, rejected, and never approved by who filed it."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.world import fingerprint
from tests.browser.asking import ask_for, tuesday
from tests.browser.people import Visit, wait_for_status
from tests.browser.portal import RunningPortal


def test_beside_leaves_the_live_one_alone(visit: Visit, portal: RunningPortal) -> None:
    backup, before = tuesday(portal), fingerprint(portal.tree)
    client = visit.sign_in("nora")
    request = ask_for(client, None, backup, mode="Beside", cause="An infrastructure problem")
    expect(client.get_by_text("Free of charge, because").first).to_be_visible()
    approve(visit, request)
    wait_for_status(client, "Completed")
    where = client.get_by_text(re.compile("It stands beside the live one: ")).first.inner_text().partition(": ")[2]
    assert fingerprint(Path(where)) == backup["digest"]
    assert fingerprint(portal.tree) == before
    visit.look(client, "request-beside")
    client.goto("/charges/")
    expect(client.get_by_text("Nothing to review").or_(client.locator("[data-card]")).first).to_be_visible()
    expect(client.locator(f"a[href='{request}']")).to_have_count(0)


def test_an_export_is_downloaded_and_unpacks_to_what_was(visit: Visit, portal: RunningPortal, tmp_path: Path) -> None:
    backup = tuesday(portal)
    client = visit.sign_in("nora")
    request = ask_for(client, None, backup, mode="Export", cause="A copy is wanted")
    approve(visit, request)
    wait_for_status(client, "Completed")
    visit.look(client, "request-export")
    with client.expect_download() as coming:
        client.get_by_role("link", name=re.compile("^Download")).click()
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    expect(client.get_by_text(hashlib.sha256(file.read_bytes()).hexdigest()).first).to_be_visible()
    command = client.get_by_text(re.compile("^mkdir .* zstd -dc ")).inner_text()
    assert unpack(command, file, tmp_path / "unpacked") == backup["digest"]

    colleague = visit.sign_in("finn")
    colleague.goto(request)
    expect(colleague.get_by_text("An export can be downloaded only by the person who asked for it.")).to_be_visible()


def unpack(command: str, file: Path, target: Path) -> str:
    """Type what the page shows, where the file was saved; the digest of what comes out."""
    typed = command.replace("NEW-DIRECTORY", str(target))
    subprocess.run(["bash", "-o", "pipefail", "-c", typed], check=True, timeout=60, cwd=file.parent)
    inside = [path for path in target.iterdir() if path.is_dir()]
    return fingerprint(inside[0] if len(inside) == 1 and not list(target.glob("*.bin")) else target)


def test_a_rejected_request_says_why_and_touches_nothing(visit: Visit, portal: RunningPortal) -> None:
    before = fingerprint(portal.tree)
    client = visit.sign_in("nora")
    request = ask_for(client, None, tuesday(portal), mode="In place", cause="Something was deleted")
    it = visit.sign_in("ivo")
    it.goto(request)
    it.get_by_role("button", name="Reject…").click()
    dialog = it.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Thursday’s backup is the better one; please ask for that.")
    dialog.get_by_role("button", name=re.compile("^Reject RR-")).click()
    wait_for_status(client, "Rejected")
    expect(client.get_by_text("Thursday’s backup is the better one").first).to_be_visible()
    visit.look(client, "request-rejected")
    assert fingerprint(portal.tree) == before


def test_nobody_approves_their_own_request(visit: Visit, portal: RunningPortal) -> None:
    it = visit.sign_in("tara")
    request = ask_for(it, None, tuesday(portal), mode="Beside", cause="An infrastructure problem")
    button = it.get_by_role("button", name=re.compile("^Approve…"))
    expect(button).to_have_attribute("aria-disabled", "true")
    button.press("Enter")
    sentence = "You filed this request; another person of IT decides about it. You can cancel it."
    expect(it.locator("[popover]:popover-open", has_text=sentence)).to_be_visible()
    visit.look(it, "request-own")
    it.goto("/approvals/")
    expect(it.get_by_role("row", name=re.compile(sentence))).to_be_visible()
    it.goto(request)
    it.get_by_role("button", name="Cancel…").click()
    it.get_by_role("dialog").get_by_label("Reason").fill("Only tried.")
    it.get_by_role("button", name=re.compile("^Cancel RR-")).click()
    wait_for_status(it, "Cancelled")


def test_a_price_is_accepted_by_the_client_and_a_corrected_cause_makes_it_free(
    visit: Visit, portal: RunningPortal
) -> None:
    it, client = visit.sign_in("tara"), visit.sign_in("nora")
    request = ask_for(it, None, tuesday(portal), mode="Beside", cause="Something else")
    expect(it.get_by_text("Nordwind Outdoor’s turn.")).to_be_visible()
    client.goto("/")
    waiting = client.get_by_role("region", name="Waits for you")
    expect(waiting).to_contain_text("at most EUR")
    expect(
        client.get_by_role("navigation").get_by_role("link", name=re.compile("^Requests 1 waiting for you"))
    ).to_be_visible()
    visit.look(client, "start-client-waiting")
    client.goto("/requests/?group=me")
    expect(client.get_by_role("row").filter(has_text="You")).to_have_count(1)
    visit.look(client, "requests-waiting-for-me")
    client.goto("/inbox/")
    expect(client.get_by_role("link", name=re.compile("The estimate waits for you to accept"))).to_be_visible()
    client.goto("/")
    waiting.get_by_role("link", name=re.compile("^Read and decide")).click()
    client.wait_for_url(f"**{request}")
    visit.look(client, "request-awaiting-consent")
    client.get_by_role("button", name="Accept the estimate…").click()
    visit.look(client, "request-accept")
    client.get_by_role("dialog").get_by_role("button", name=re.compile("^Accept EUR")).click()
    expect(client.get_by_text("the estimate is accepted.")).to_be_visible()
    expect(client.get_by_text("IT’s turn.")).to_be_visible()
    wait_for_status(it, "Submitted")
    it.get_by_role("button", name="Correct the cause…").click()
    dialog = it.get_by_role("dialog")
    dialog.get_by_label("What really caused it?").select_option("infrastructure")
    dialog.get_by_label("How do you know?").fill("The disk was replaced that night.")
    visit.look(it, "request-correct")
    dialog.get_by_role("button", name=re.compile("^Correct the cause of RR-")).click()
    expect(it.get_by_text("the cause is corrected.")).to_be_visible()
    client.reload()
    expect(client.get_by_text("Free of charge, because").first).to_be_visible()
    visit.look(client, "request-corrected")
    it.get_by_role("button", name="Cancel…").click()
    it.get_by_role("dialog").get_by_label("Reason").fill("Found it elsewhere.")
    it.get_by_role("button", name=re.compile("^Cancel RR-")).click()
    wait_for_status(client, "Cancelled")


def test_prices_and_months_are_fit_to_show(visit: Visit) -> None:
    rolf, amir = visit.sign_in("rolf"), visit.sign_in("amir")
    for page, paths in (
        (rolf, ("/prices/", "/prices/new/")),
        (amir, ("/charges/months/", "/charges/exports/", "/requests/kept/")),
    ):
        for path in paths:
            page.goto(path)
            visit.look(page, path.strip("/").replace("/", "-"))
    rolf.goto("/prices/")
    rolf.get_by_role("link", name=re.compile("^Change")).first.click()
    visit.look(rolf, "agreement")


@pytest.mark.parametrize("person", ["nora", "ivo", "ada", "amir"])
def test_every_list_can_be_used_by_everybody(visit: Visit, person: str) -> None:
    page = visit.sign_in(person)
    for path in ("/requests/", "/requests/new/", "/approvals/", "/charges/"):
        answer = page.goto(path)
        assert answer is not None
        if answer.status == 200:
            visit.look(page, f"{person}-{path.strip('/').replace('/', '-')}")
        else:
            assert answer.status == 403
            expect(page.get_by_role("main")).to_contain_text(re.compile("Only |Charges are for"))


def test_what_would_be_kept_is_seen_whole_on_a_phone(visit: Visit) -> None:
    it = visit.sign_in("ivo")
    it.goto("/what-if/?daily=2")
    expect(it.get_by_role("region", name="Table of resources").get_by_role("link").first).to_be_visible()
    visit.look(it, "what-if")


def approve(visit: Visit, request: str) -> None:
    """IT approves what replaces nothing: no name has to be typed."""
    it = visit.sign_in("ivo")
    it.goto(request)
    it.get_by_role("button", name="Approve…").click()
    it.get_by_role("dialog").get_by_role("button", name=re.compile("^(Restore|Make) shop-files as of Tue")).click()
    expect(it.get_by_text("is approved.")).to_be_visible()
