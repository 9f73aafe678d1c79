"""Registering a resource by the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from backups.kinds import KINDS
from backups.models import Resource
from tests.factories import Cast
from tests.pages.conftest import As


@pytest.fixture
def directory() -> Path:
    made = Path(settings.FILES_ROOTS[0]) / f"pages-{uuid4().hex[:8]}"
    made.mkdir(parents=True)
    (made / "page.txt").write_text("hello")
    return made


def filled(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "name": "shop-files",
        "application": cast.shop.pk,
        "environment": "production",
        "home_region": "eu-central-1",
        "other_region": "eu-west-1",
    } | changes


def test_every_kind_asks_for_its_own_settings(as_: As) -> None:
    browser = as_("it")
    shown = browser.get("/resources/new/").content.decode()
    for kind, driver in KINDS.items():
        assert f'href="?kind={kind}"' in shown
        form = browser.get(f"/resources/new/?kind={kind}").content.decode()
        for setting in driver.settings:
            assert f'name="setting-{setting.name}"' in form
            assert not setting.secret or "never the secret itself" in form
    unknown = browser.get("/resources/new/?kind=fax")
    assert unknown.status_code == 400
    assert "There is no resource kind “fax”. Choose one of: files, mysql, postgres." in unknown.content.decode()


def test_registering(as_: As, cast: Cast, directory: Path) -> None:
    answer = as_("it").post("/resources/new/?kind=files", filled(cast, **{"setting-path": str(directory)}))
    made = Resource.objects.get()
    assert answer["Location"] == made.get_absolute_url()
    assert (made.name, made.settings["path"], made.created_by) == ("shop-files", str(directory), cast.it)
    assert made.backups.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "Shop Files"}, "name", "small letters, digits and dashes"),
        ({"other_region": "eu-central-1"}, "other_region", "must differ from the home region"),
        ({"setting-path": "/etc"}, "setting-path", ""),
        ({"setting-path": ""}, "setting-path", "required"),
        ({"application": ""}, "application", "required"),
    ],
)
def test_errors_stand_beside_their_field(
    as_: As, cast: Cast, directory: Path, changes: dict[str, Any], field: str, words: str
) -> None:
    given = filled(cast, **({"setting-path": str(directory)} | changes))
    answer = as_("it").post("/resources/new/?kind=files", given)
    assert answer.status_code == 400
    errors = answer.context["form"].errors
    assert list(errors) == [field]
    assert words.lower() in errors[field][0].lower()
    assert errors[field][0][:20] in answer.content.decode().replace("&#x27;", "'")
    assert not Resource.objects.exists()


def test_what_is_registered_already_and_a_region_that_is_not_there_are_refused(
    as_: As, cast: Cast, directory: Path
) -> None:
    given = filled(cast, **{"setting-path": str(directory)})
    mark = Path(settings.STORE_REGIONS["eu-west-1"]) / ".region"
    away = mark.rename(mark.with_name(".away"))
    answer = as_("it").post("/resources/new/?kind=files", given)
    away.rename(mark)
    assert answer.status_code == 400
    assert "its disk is not mounted there" in answer.context["form"].errors["other_region"][0]
    assert as_("it").post("/resources/new/?kind=files", given).status_code == 302
    again = as_("it").post("/resources/new/?kind=files", given | {"name": "again"})
    assert again.status_code == 400
    assert "is the resource shop-files" in again.context["form"].errors["setting-path"][0]
