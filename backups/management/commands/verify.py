"""``manage.py verify``: read stored copies now and hold them against their checksums."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum
from django.utils import timezone
from tqdm import tqdm

from backups.actions.presence import check_presence
from backups.actions.regions import regions_away
from backups.actions.verifying import verify_copy, verify_due
from backups.drivers.base import DriverError
from backups.management.finding import resource_named
from backups.models import Copy
from portal.errors import PortalError
from portal.words import counted


class Command(BaseCommand):
    """Verify copies; exits with 1 when any was found damaged or could not be read."""

    help = "Read stored copies and hold them against their checksums. What is damaged is recorded, and replaced by a worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose copies, or which part of the schedule."""
        parser.add_argument("resources", nargs="*", metavar="NAME_OR_ID", help="Left out: the copies of all of them.")
        parser.add_argument(
            "--due", action="store_true", help="Only what the schedule has due, as slowly as it does it."
        )
        parser.add_argument(
            "--presence", action="store_true", help="Only whether every copy is there in its full size."
        )
        parser.add_argument("--json", action="store_true", help="As JSON, for programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if options["resources"] and (options["due"] or options["presence"]):
            raise CommandError("Name resources, or give --due or --presence; not both.", returncode=2)
        begun = timezone.now()
        unread: list[str] = []
        if options["presence"]:
            read, unread = check_presence()
        elif options["due"]:
            read, unread = verify_due()
            unread += [sentence for sentence in regions_away() if sentence not in unread]
        else:
            read = self._read(options, unread)
        found = Copy.objects.filter(damaged_at__gte=begun)  # whatever became of it: workers replace copies meanwhile
        damaged = list(found.select_related("backup__resource").order_by("pk"))
        self._tell(options, read, damaged, unread)
        if damaged or unread:
            raise SystemExit(1)

    def _read(self, options: dict[str, Any], unread: list[str]) -> int:
        copies = Copy.objects.present().select_related("backup__resource").order_by("pk")
        if options["resources"]:
            copies = copies.filter(backup__resource__in=[resource_named(words) for words in options["resources"]])
        read = passed = 0
        whole = copies.aggregate(bytes=Sum("stored_bytes", default=0))["bytes"]
        with tqdm(total=whole, unit="B", unit_scale=True, disable=None) as bar:  # silent where nobody looks

            def watched(bytes_done: int, bytes_expected: int | None = None) -> None:
                bar.update(min(passed + bytes_done, whole) - bar.n)

            for copy in copies.iterator():
                try:
                    read += verify_copy(copy, watched=watched)
                except (DriverError, PortalError) as error:
                    if error.sentence not in unread:  # one region is away, not each of its copies
                        unread.append(error.sentence)
                passed += copy.stored_bytes
                watched(0)
        return read

    def _tell(self, options: dict[str, Any], read: int, damaged: list[Copy], unread: list[str]) -> None:
        rows = [
            {
                "copy": one.pk,
                "backup": one.backup_id,
                "resource": one.backup.resource.name,
                "region": one.region,
                "damage": one.damage,
            }
            for one in damaged
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"sound": read, "damaged": rows, "not_read": unread}, indent=2))
            return
        what = "there in full size" if options["presence"] else "sound"
        self.stdout.write(f"{counted(read, 'copy is', 'copies are')} {what}.")
        for row in rows:
            self.stdout.write(
                f"DAMAGED: backup {row['backup']} of {row['resource']} in {row['region']}: {row['damage']}"
            )
        for sentence in unread:
            self.stdout.write(f"NOT READ: {sentence}")
