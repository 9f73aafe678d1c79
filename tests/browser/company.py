"""Fills an empty portal with a small company and a week of real backups; run in a process of its own.

``python -m tests.browser.company`` works on the portal that the environment names (DATA_DIR, FILES_ROOTS, …) and
prints what it made as JSON: ids, days, and the digests of the trees as they were.
"""

from __future__ import annotations

import json
import os
import random
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

PASSWORD = "right horse battery"
NAMES = {
    "nora": "Nora Lindqvist", "finn": "Finn Aalto", "milan": "Milan Horvat", "ivo": "Ivo Petersen",
    "tara": "Tara Okafor", "amir": "Amir Haddad", "ada": "Ada Winter", "rolf": "Rolf Anders",
}  # fmt: skip
DAYS = 8
FILES = 400
SMALL, LARGE = 2_000_000, 250_000_000  # bytes of the one large file; last Tuesday’s takes long enough to be watched


def make_company() -> dict[str, Any]:
    """The cast, one directory tree with a backup for each of the last days, and another client's resource."""
    from django.conf import settings
    from django.utils import timezone

    from backups.actions.copying import copy_to_other_region
    from portal.models import Application, Client
    from portal.roles import Role
    from portal.words import company_zone
    from restores.actions.prices import publish_card
    from restores.pricing import Rate
    from tests.app.world import fingerprint, person

    shop, books = Client.objects.create(name="Nordwind Outdoor"), Client.objects.create(name="Meridian Verlag")
    roles = {
        "nora": (Role.CLIENT, shop), "finn": (Role.CLIENT, shop), "milan": (Role.CLIENT, books), "ivo": (Role.IT, None),
        "tara": (Role.IT, None), "amir": (Role.ACCOUNT_MANAGER, shop), "ada": (Role.AUDITOR, None),
        "rolf": (Role.ADMINISTRATOR, None),
    }  # fmt: skip
    people = {name: person(name, role, client) for name, (role, client) in roles.items()}
    for name, user in people.items():
        user.first_name, user.last_name = NAMES[name].split()
        user.save()

    publish_card(
        by=people["rolf"],
        currency="EUR",
        valid_from=timezone.now().astimezone(company_zone()).date(),
        rates={"": Rate(flat=Decimal(40), per_gib=Decimal(2), per_hour=Decimal(90), usual_hours=Decimal("0.5"))},
        reason="The prices of the year.",
    )
    root = Path(settings.FILES_ROOTS[0])
    tree, other = root / "shop-files", root / "catalogue"
    for path in (tree, other):
        path.mkdir(parents=True)
    midnight = timezone.now().astimezone(company_zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    made: dict[str, Any] = {"tree": str(tree), "backups": [], "days": []}
    applications = [
        Application.objects.create(client=shop, name="Shop"),
        Application.objects.create(client=books, name="Books"),
    ]
    _write_day(tree, 0)
    _write_day(other, 0, large=1000)
    resource = _register(people["ivo"], applications[0], "shop-files", tree, midnight - timedelta(days=30))
    elsewhere = _register(people["ivo"], applications[1], "catalogue", other, midnight - timedelta(days=30))
    for ago in range(DAYS, 0, -1):
        at = midnight - timedelta(days=ago) + timedelta(hours=3, minutes=12)
        _write_day(tree, DAYS - ago + 1, large=LARGE if at.weekday() == 1 else SMALL)
        backup = _back_up(resource, at)
        made["backups"].append(
            {"pk": backup, "at": at.isoformat(), "weekday": at.weekday(), "digest": fingerprint(tree)}
        )
    _write_day(tree, DAYS + 1)
    for one in (resource, elsewhere):  # the portal that starts now would take them itself, in the middle of a story
        _back_up(one, timezone.now())
    copy_to_other_region(resource.pk)
    return {**made, "resource": resource.pk, "elsewhere": elsewhere.pk, "today": fingerprint(tree)}


def _write_day(tree: Path, day: int, large: int = SMALL) -> None:
    """The tree as it is on that day: some files the same every day, some changed, some only of that day."""
    chance = random.Random(day)
    for number in range(FILES):
        folder = tree / f"products-{number % 20:02}"
        folder.mkdir(exist_ok=True)
        if number % 10 == day % 10 or day == 0:
            (folder / f"product {number}.json").write_text(json.dumps({"price": chance.randrange(1000), "day": day}))
    (tree / f"orders of day {day}.csv").write_text("\n".join(str(chance.random()) for _ in range(1000)))
    (tree / "pictures.bin").write_bytes(chance.randbytes(large))
    if day > 0:
        (tree / f"orders of day {day - 1}.csv").unlink()


def _register(by: Any, application: Any, name: str, tree: Path, at: datetime) -> Any:
    from backups.actions.registering import register_resource
    from backups.actions.taking import perform_backup

    resource = register_resource(
        by=by, application=application, name=name, kind="files", environment="production",
        home_region="eu-central-1", other_region="eu-west-1", settings={"path": str(tree)},
    )  # fmt: skip
    perform_backup(resource.backups.get().pk, clock=lambda: at)
    return resource


def _back_up(resource: Any, at: datetime) -> int:
    from backups.actions.taking import perform_backup, queue_backup
    from backups.models import Backup, BackupOrigin

    backup = queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None, now=at)
    perform_backup(backup.pk, clock=lambda: at)
    done = Backup.objects.get(pk=backup.pk)
    if not done.is_good:
        raise SystemExit(f"{done.error}\n{done.error_detail}")
    return done.pk


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("prepare_regions", verbosity=0)
    sys.stdout.write(json.dumps(make_company()))
