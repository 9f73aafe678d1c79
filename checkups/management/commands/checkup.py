"""``manage.py checkup``: the checkups there are, their records, and whether the signed ones still verify."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from checkups.actions.recording import record_of
from checkups.management.naming import checkup_named
from checkups.management.verify_verb import verify
from checkups.models import Checkup


class Command(BaseCommand):
    """List, print, verify."""

    help = "The validity checkups: list them, print the record of one, verify that signed records say what was signed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs and what each takes."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        checking = verbs.add_parser(
            "verify", help="Compute the SHA-256 of signed records anew and compare. Exits with 1 where one differs."
        )
        checking.add_argument("number", nargs="?", default="", help="Such as CU-2026-11-15. Left out: all signed ones.")
        checking.add_argument(
            "--file", default="", metavar="RECORD.JSON", help="Compare a record that was kept as well."
        )
        record = verbs.add_parser("record", help="Print a record as canonical JSON.")
        record.add_argument("number", help="Such as CU-2026-11-15.")
        listing = verbs.add_parser("list", help="List the checkups, the latest first.")
        listing.add_argument("--json", action="store_true", help="As JSON, for programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        if options["verb"] == "verify":
            verify(self, options["number"], options["file"])
        elif options["verb"] == "record":
            for piece in record_of(checkup_named(options["number"])):
                self.stdout.write(piece, ending="")
        else:
            self._list(as_json=options["json"])

    def _list(self, *, as_json: bool) -> None:
        rows = [
            {
                "number": checkup.number,
                "status": checkup.status,
                "resources": checkup.findings.count(),
                "failed": checkup.findings.filter(status="failed").count(),
                "sealed_at": checkup.sealed_at.isoformat().replace("+00:00", "Z") if checkup.sealed_at else None,
                "sha256": checkup.sha256,
            }
            for checkup in Checkup.objects.all()
        ]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            self.stdout.write("\t".join("–" if value in (None, "") else str(value) for value in row.values()))
