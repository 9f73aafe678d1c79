"""Adds five small resources of one application to a running portal, of which one's newest backup is spoilt in the store.

``python -m tests.browser.five`` works on the portal that the environment names, and prints the trees as they were.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

NAMES = [f"magazine-{number}" for number in range(1, 6)]
SPOILT = NAMES[2]
PATIENCE = 60  # seconds


def make_five() -> dict[str, Any]:
    """For each its tree, the digest of what its newest backup holds and, of the spoilt one, what the one before holds."""
    from django.conf import settings
    from django.utils import timezone

    from backups.actions.registering import register_resource
    from backups.actions.taking import queue_backup
    from backups.models import BackupOrigin
    from portal.models import Application, Client, User
    from tests.app.world import fingerprint

    application = Application.objects.create(client=Client.objects.get(name="Meridian Verlag"), name="Magazine")
    by, made = User.objects.get(username="ivo"), {}
    for name in NAMES:
        tree = Path(settings.FILES_ROOTS[0]) / name
        tree.mkdir()
        (tree / "issue.txt").write_text(f"{name} of the day before\n")
        resource = register_resource(
            by=by, application=application, name=name, kind="files", environment="staging",
            home_region="eu-central-1", other_region="eu-west-1", settings={"path": str(tree)},
        )  # fmt: skip
        _taken(resource.backups.get())
        before = fingerprint(tree)
        (tree / "issue.txt").write_text(f"{name} of today\n")
        newest = _taken(queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None, now=timezone.now()))
        made[name] = {"tree": str(tree), "newest": fingerprint(tree), "before": before}
        if name == SPOILT:
            copy = newest.copies.get()
            data = Path(settings.STORE_REGIONS[copy.region]) / copy.stored_under / "data.zst"
            data.write_bytes(b"x" + data.read_bytes()[1:])
        (tree / "issue.txt").unlink()  # the hazard
    return made


def _taken(backup: Any) -> Any:
    """The backup once it is taken: by this process, or by a worker of the portal that was faster."""
    from backups.actions.taking import perform_backup

    perform_backup(backup.pk)
    until = time.monotonic() + PATIENCE
    backup.refresh_from_db()
    while backup.is_open:
        if time.monotonic() > until:
            raise SystemExit(f"{backup} was not taken within {PATIENCE} seconds.")
        time.sleep(0.1)
        backup.refresh_from_db()
    if not backup.is_good:
        raise SystemExit(backup.error)
    return backup


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    sys.stdout.write(json.dumps(make_five()))
