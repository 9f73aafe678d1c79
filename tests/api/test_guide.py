"""docs/api.md, example by example, on a real directory and with the real work done between the calls."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from backups.actions.registering import register_resource
from backups.actions.removing import removal_plan
from backups.models import Account, AccountRegion, Discovered, Finding, Hold, Resource, RetentionRun
from backups.proof import Proof
from checkups.actions.recording import content_digest
from checkups.models import Checkup, Trial
from portal import handover
from restores.actions.incident_choosing import digest_of
from restores.models import Charge, Incident, RestoreRequest
from tests.checkup_rows import make_ready
from tests.factories import Cast, make_cast

GUIDE = Path(settings.BASE_DIR) / "docs" / "api.md"
EXAMPLE = re.compile(
    r"^```http\n(\w+) (\S+)\n(?:Authorization: ([^\n]+)\n)?(?:\n([^`]+))?```\n\n"  # method, address, token, body
    r"```json\n(\d+)\n([^`]*)```",  # status, answer
    re.MULTILINE,
)
MEANT = re.compile(
    r"\$[A-Z_]+|\b(?:1201|1202|34501|4201|301|601|701|801|901|1001|1101|1102|1103|2026-12-24)\b|/srv/shop-images"
)


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    """Committed, so that what is handed over after commit is."""
    return make_cast()


@pytest.fixture
def trees() -> Iterator[dict[str, Path]]:
    made = {name: Path(settings.FILES_ROOTS[0]) / name for name in ("shop-pages", "shop-images")}
    for path in made.values():
        path.mkdir()
        (path / "page.txt").write_text("as it was")
    yield made
    for name in made:
        for leftover in Path(settings.FILES_ROOTS[0]).glob(f"*{name}*"):
            shutil.rmtree(leftover)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """What was handed over, for :func:`work` to do."""
    queue: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr(handover, "_send", lambda task, args: queue.append((task, args)))
    return queue


def work(queue: list[tuple[str, tuple[Any, ...]]]) -> None:
    current_app.loader.import_default_modules()
    while queue:
        task, args = queue.pop(0)
        current_app.tasks[task].run(*args)


def make_trouble(meant: dict[str, str]) -> None:
    """A finding, a run that was stopped, and a machine that nobody backs up."""
    now = timezone.now()
    Finding.objects.create(
        subject="eu-west-1", rule="B1", code="region_away", sentence="It is away.", advice="Mount it.", since=now, opened_at=now
    )  # fmt: skip
    run = RetentionRun.objects.create(
        status="stopped", planned_at=now, copies_before=100, to_delete=31, limit_percent=20
    )
    meant["801"] = str(run.pk)
    account = Account.objects.create(name="hosting", number="111122223333")
    home, _ = (AccountRegion.objects.create(account=account, name=name) for name in ("eu-central-1", "eu-west-1"))
    found = Discovered.objects.create(
        region=home, kind="ec2", locator="hosting/eu-central-1/i-0", name="web-1", sentence="i-0, running",
        tags={"client": "Shopco", "application": "Shop"}, first_seen_at=now, seen_at=now,
    )  # fmt: skip
    meant["601"] = str(found.pk)


def make_checked(pages: Resource, cast: Cast, meant: dict[str, str]) -> Checkup:
    """A checkup that waits for two signatures; what it looked at first failed."""
    checkup = make_ready(cast.it, [pages], failing=[pages.name])
    finding = checkup.findings.get()
    meant.update({"1101": str(checkup.pk), "1102": str(finding.pk), "1103": str(finding.task.pk)})
    return checkup


@pytest.fixture
def program(settings: Any, tmp_path: Path) -> None:
    """One that says whether the pages are in a restored copy."""
    settings.CHECKUP_PROGRAMS_DIR = tmp_path
    made = tmp_path / "are-the-pages-there"
    made.write_text('#!/bin/sh\ntest -f "$COPY_PATH/page.txt"\n')
    made.chmod(0o700)


def told(example: Any, answer: Any) -> bool:
    """Whether the answer says what the example says; "…" stands for anything but nothing."""
    if isinstance(example, dict):
        return isinstance(answer, dict) and all(told(value, answer.get(name)) for name, value in example.items())
    if isinstance(example, list):
        return len(example) == len(answer) and all(map(told, example, answer))
    return answer not in (None, "") if example == "…" else bool(example == answer)


def test_every_example_of_the_guide_holds(
    cast: Cast, trees: dict[str, Path], worker: list[tuple[str, tuple[Any, ...]]], program: None
) -> None:
    pages = register_resource(
        by=cast.it,
        application=cast.shop,
        name="shop-pages",
        kind="files",
        environment="production",
        home_region="eu-central-1",
        other_region="eu-west-1",
        settings={"path": str(trees["shop-pages"])},
    )
    work(worker)
    backup = pages.backups.get()
    (trees["shop-pages"] / "page.txt").write_text("as it is")
    people = {"$CLARA": cast.client, "$IVAN": cast.it, "$ANNA": cast.account_manager}
    meant = {token: str(AuthToken.objects.create(user=user)[1]) for token, user in people.items()}
    meant |= {"1201": str(pages.pk), "34501": str(backup.pk), "/srv/shop-images": str(trees["shop-images"])}

    meant["2026-12-24"] = (timezone.now().date() + timedelta(days=30)).isoformat()
    make_trouble(meant)
    checked = make_checked(pages, cast, meant)

    def as_meant(text: str) -> str:
        for images in Resource.objects.filter(name="shop-images"):
            digest = removal_plan(images, timezone.now()).digest
            meant.update({"1202": str(images.pk), "$REMOVAL_DIGEST": digest})
        meant["$CHECKUP_DIGEST"] = content_digest(checked)
        for planned in Checkup.objects.exclude(pk=checked.pk):
            meant["1001"] = str(planned.pk)
        for hold in Hold.objects.all():
            meant["701"] = str(hold.pk)
        for request in RestoreRequest.objects.filter(incident=None):
            meant.update({"4201": str(request.pk), "$PLAN_DIGEST": request.plan_digest})
        for incident in Incident.objects.all():
            meant.update({"901": str(incident.pk), "$INCIDENT_DIGEST": digest_of(incident)})
        for charge in Charge.objects.all():
            meant["301"] = str(charge.pk)
        return MEANT.sub(lambda found: meant[found[0]], text)

    examples = EXAMPLE.findall(GUIDE.read_text())
    assert len(examples) == GUIDE.read_text().count("```http")
    for method, address, authorization, body, status, expected in examples:
        client = APIClient()
        if authorization:
            client.credentials(HTTP_AUTHORIZATION=as_meant(authorization))
        sent = json.loads(as_meant(body)) if body else None
        answer = getattr(client, method.lower())(as_meant(address), sent, **({"format": "json"} if sent else {}))
        assert answer.status_code == int(status), (method, address, answer.content)
        if expected:
            assert told(json.loads(as_meant(expected)), answer.json()), (
                f"{method} {address}: {json.dumps(answer.json())}"
            )
        work(worker)
    assert (trees["shop-pages"] / "page.txt").read_text() == "as it is"
    asked_for = Trial.objects.filter(asked_by=cast.it).order_by("pk")
    assert [(trial.status, trial.reached) for trial in asked_for] == [
        ("passed", Proof.CONTENT_MATCHED),
        ("passed", Proof.APPLICATION_ANSWERED),
    ]
