"""People at their browsers: each has a context of their own, signs in, looks, clicks; their pages are photographed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.company import PASSWORD
from tests.browser.portal import RunningPortal

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MINUTE = 60_000  # milliseconds
WIDER_THAN_THE_WINDOW = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > wide + 1)
    .map((element) => element.outerHTML.slice(0, 120)).slice(0, 4);
}"""

CUT_OFF = """() => [...document.querySelectorAll(".table-wrap:has(.table-stacked)")]
  .filter((wrap) => wrap.scrollWidth > wrap.clientWidth)
  .map((wrap) => wrap.getAttribute("aria-label"))"""
"""Tables whose rows become lists on a phone, and that have to be scrolled sideways all the same."""


EXPECTED = (
    "Failed to load resource",  # refusals answer 4xx on purpose
    "htmx:sendAbort",  # somebody left the page while a part of it was being fetched;
    "htmx:afterRequest",  # htmx says both of that
)


class Visit:
    """The browsers of one story."""

    def __init__(self, chromium: Browser, portal: RunningPortal, screenshots: Path) -> None:
        self._chromium = chromium
        self._portal = portal
        self._screenshots = screenshots
        self._open: list[BrowserContext] = []
        self.complaints: list[str] = []

    def sign_in(self, name: str, **options: Any) -> Page:
        """A browser in which that person is signed in."""
        page = self.browser(**options)
        page.goto("/sign-in/")
        page.get_by_label("User name or email").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        return page

    def browser(self, **options: Any) -> Page:
        """A browser of its own, with nobody signed in. What its console complains of is kept."""
        context = self._chromium.new_context(
            base_url=self._portal.url, **{"viewport": WIDE, "locale": "en-GB", **options}
        )
        self._open.append(context)
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _note(self, line: ConsoleMessage) -> None:
        if line.type == "error" and not line.text.startswith(EXPECTED):
            self.complaints.append(line.text)

    def look(self, page: Page, name: str) -> None:
        """Photograph the page wide, narrow and dark, and note what keeps anybody from using it."""
        self._screenshots.mkdir(parents=True, exist_ok=True)
        before = page.viewport_size
        for kind, size, scheme in (("wide", WIDE, "light"), ("narrow", NARROW, "light"), ("dark", WIDE, "dark")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.screenshot(path=self._screenshots / f"{name}-{kind}.png", full_page=True)
            self._check(page, f"{name}, {kind}", thoroughly=kind != "wide")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(before or WIDE)  # type: ignore[arg-type]

    def snap(self, page: Page, name: str) -> None:
        """Photograph only what is in the window now, while it moves."""
        self._screenshots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=self._screenshots / f"{name}.png")

    def _check(self, page: Page, where: str, *, thoroughly: bool) -> None:
        for violation in Axe().run(page).response["violations"] if thoroughly else []:
            nodes = [node["html"] for node in violation["nodes"]][:3]
            self.complaints.append(f"{where}: {violation['id']}: {violation['help']}: {nodes}")
        if sideways := page.evaluate(WIDER_THAN_THE_WINDOW):
            self.complaints.append(f"{where}: the page scrolls sideways: {sideways}")
        if cut_off := page.evaluate(CUT_OFF):
            self.complaints.append(f"{where}: not seen whole: {cut_off}")

    def close(self) -> None:
        """Close all; no page may have given reason to complain."""
        for context in self._open:
            context.close()
        assert not self.complaints, "\n".join(self.complaints)


def wait_for_status(page: Page, label: str) -> None:
    """Wait, without reloading, until the request's pill says so."""
    expect(page.locator(".page-title .pill")).to_have_text(label, timeout=MINUTE)
