"""``manage.py backup NAME_OR_ID``: back up now, as from the resource's page."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.actions.taking import request_backup
from backups.management.finding import person_named, resource_named, sentences
from backups.models import Backup

LOOK_EVERY_SECONDS = 0.5


class Command(BaseCommand):
    """Queue a backup of one resource."""

    help = "Back a resource up now. A worker does it; --wait waits for the end and fails when the backup does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What, by whom, why."""
        parser.add_argument("resource", metavar="NAME_OR_ID")
        parser.add_argument("--by", required=True, metavar="USERNAME", help="Who asks for it: a person of IT or staff.")
        parser.add_argument("--reason", required=True, help="Why; it is kept with the backup.")
        parser.add_argument("--wait", action="store_true", help="Wait until it is finished.")
        parser.add_argument("--json", action="store_true", help="Answer as JSON, for programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue it, and wait if asked to."""
        resource, by = resource_named(options["resource"]), person_named(options["by"])
        with sentences():
            backup = request_backup(by=by, resource=resource, reason=options["reason"])
        while options["wait"] and backup.is_open:
            time.sleep(LOOK_EVERY_SECONDS)
            backup.refresh_from_db()
        self.stdout.write(json.dumps(_row(backup)) if options["json"] else _sentence(backup, resource.name))
        if options["wait"] and not backup.is_good:
            raise CommandError(f"The backup failed: {backup.error}")


def _row(backup: Backup) -> dict[str, Any]:
    return {"id": backup.pk, "resource": backup.resource_id, "status": backup.status, "checksum": backup.checksum}


def _sentence(backup: Backup, name: str) -> str:
    return f"Backup {backup.pk} of {name}: {backup.get_status_display().lower()}."
