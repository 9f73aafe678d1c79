"""What a phone shows of checkups, in a real browser: no table is cut. The pages are made by the portal's own code, without workers."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib.staticfiles import finders
from django.test import Client as Web
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route

from checkups.actions.signing import sign, standing
from tests.checkup_rows import make_checkup, make_found
from tests.factories import Cast, make_backup, make_resource
from tests.fixtures import cast

__all__ = ["cast"]

PHONE = {"width": 390, "height": 800}
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
CUT = """[...document.querySelectorAll(".table-wrap")].filter(one => one.scrollWidth > one.clientWidth)
  .map(one => one.getAttribute("aria-label"))"""


def opened(chromium: Browser, html: str) -> Page:
    """The page on a phone, with the portal's own styles."""

    def answer(route: Route) -> None:
        _, _, name = route.request.url.partition("/static/")
        path = finders.find(name) if name else None
        if isinstance(path, str):
            route.fulfill(path=path)
        else:
            route.fulfill(body=html, content_type="text/html")

    page = chromium.new_page(viewport=PHONE)
    page.route("**/*", answer)
    page.goto("http://phone.test/")
    return page


def as_it(cast: Cast, address: str) -> str:
    web = Web()
    web.force_login(cast.it, backend=BACKEND)
    answer = web.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_no_table_of_a_checkup_is_cut(chromium: Browser, cast: Cast) -> None:
    resources = [make_resource(cast.shop, name) for name in ("shop-db", "a-name-that-takes-the-better-part-of-a-line")]
    before, ready = make_checkup(cast.it, on=date(2026, 5, 20)), make_checkup(cast.it)
    for checkup, minutes in ((before, 1430), (ready, 1320)):
        for resource in resources:
            make_found(checkup, resource, minutes=minutes)
    for person in (cast.it, cast.second_it):
        before = sign(by=person, checkup=before, digest=standing(before).digest)
    html = as_it(cast, ready.get_absolute_url())
    page = opened(chromium, html)
    try:
        assert page.locator("text=Time of all restores together").count() == 1
        assert page.evaluate(CUT) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    finally:
        page.close()


def test_no_backup_of_a_resource_is_cut(chromium: Browser, cast: Cast) -> None:
    resource = make_resource(cast.shop, "shop-db")
    for days in range(3):
        make_backup(resource, timezone.now() - timedelta(days=days), regions=("eu-central-1", "eu-west-1"))
    page = opened(chromium, as_it(cast, resource.get_absolute_url()))
    try:
        assert page.get_by_role("link", name="Restore…").count() == 3
        assert "Table of backups" not in page.evaluate(CUT)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    finally:
        page.close()
