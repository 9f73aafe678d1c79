"""``manage.py hold``: keep a backup longer than the policy does, or no longer."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backups.actions.holding import place_hold, release_hold
from backups.management.finding import person_named, sentences
from backups.models import Backup, Hold
from portal.words import company_zone


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"“{text}” is no day such as 2026-12-01") from None


class Command(BaseCommand):
    """Place, release and list holds."""

    help = "Hold a backup so that retention leaves it alone, release a hold, or list those that stand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs and what each takes."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        place = verbs.add_parser("place", help="Hold a backup.")
        place.add_argument("backup", type=int, metavar="BACKUP_ID")
        place.add_argument(
            "--until", type=_day, required=True, metavar="YYYY-MM-DD", help="The last day it must be there."
        )
        release = verbs.add_parser("release", help="End a hold.")
        release.add_argument("hold", type=int, metavar="HOLD_ID")
        for verb in (place, release):
            verb.add_argument("--by", required=True, metavar="USERNAME", help="Who does it: a person of IT.")
            verb.add_argument("--reason", required=True, help="Why; it is kept with the hold.")
        listing = verbs.add_parser("list", help="List the holds that stand.")
        listing.add_argument("--json", action="store_true", help="As JSON, for programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        if options["verb"] == "list":
            self._list(as_json=options["json"])
            return
        by = person_named(options["by"])
        if options["verb"] == "place":
            backup = Backup.objects.filter(pk=options["backup"]).first()
            if backup is None:
                raise CommandError(f"There is no backup {options['backup']}.", returncode=2)
            with sentences():
                hold = place_hold(by=by, backup=backup, until=options["until"], reason=options["reason"])
            self.stdout.write(f"Hold {hold.pk}: backup {backup.pk} of {backup.resource} stays through {hold.until}.")
        else:
            found = Hold.objects.filter(pk=options["hold"]).first()
            if found is None:
                raise CommandError(f"There is no hold {options['hold']}.", returncode=2)
            with sentences():
                release_hold(by=by, hold=found, reason=options["reason"])
            self.stdout.write(f"Hold {found.pk} is released.")

    def _list(self, *, as_json: bool) -> None:
        today = timezone.now().astimezone(company_zone()).date()
        holds = Hold.objects.standing(today).select_related("backup__resource", "placed_by").order_by("until", "pk")
        rows = [
            {
                "id": hold.pk,
                "resource": hold.backup.resource.name,
                "backup": hold.backup_id,
                "until": hold.until.isoformat(),
                "by": hold.placed_by.username,
                "reason": hold.reason,
            }
            for hold in holds
        ]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            self.stdout.write("\t".join(str(value) for value in row.values()))
