"""Adds five small resources of one application to a running portal, of which one's newest backup is spoilt in the store.

``python -m tests.browser.five`` works on the portal that the environment names, and prints the trees as they were.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

NAMES = [f"magazine-{number}" for number in range(1, 6)]
SPOILT = NAMES[2]


def make_five() -> dict[str, Any]:
    """For each its tree, the digest of what its newest backup holds and, of the spoilt one, what the one before holds."""
    from django.conf import settings
    from django.utils import timezone

    from backups.actions.registering import register_resource
    from backups.actions.taking import perform_backup, queue_backup
    from backups.models import Backup, BackupOrigin
    from portal.models import Application, Client, User
    from tests.app.world import fingerprint

    application = Application.objects.create(client=Client.objects.get(name="Meridian Verlag"), name="Magazine")
    now, by, made = timezone.now(), User.objects.get(username="ivo"), {}
    for name in NAMES:
        tree = Path(settings.FILES_ROOTS[0]) / name
        tree.mkdir()
        (tree / "issue.txt").write_text(f"{name} of the day before\n")
        resource = register_resource(
            by=by, application=application, name=name, kind="files", environment="staging",
            home_region="eu-central-1", other_region="eu-west-1", settings={"path": str(tree)},
        )  # fmt: skip
        perform_backup(resource.backups.get().pk, clock=lambda: now - timedelta(days=1))
        before = fingerprint(tree)
        (tree / "issue.txt").write_text(f"{name} of today\n")
        newest = queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None, now=now)
        perform_backup(newest.pk, clock=lambda: now - timedelta(minutes=1))
        made[name] = {"tree": str(tree), "newest": fingerprint(tree), "before": before}
        if name == SPOILT:
            copy = Backup.objects.get(pk=newest.pk).copies.get()
            data = Path(settings.STORE_REGIONS[copy.region]) / copy.stored_under / "data.zst"
            data.write_bytes(b"x" + data.read_bytes()[1:])
        (tree / "issue.txt").unlink()  # the hazard
    return made


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    sys.stdout.write(json.dumps(make_five()))
