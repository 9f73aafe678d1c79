"""``manage.py policy``: what is kept and why, carrying it out, and where it does not hold."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backups.histories import WrongHistory, judge_file


class Command(BaseCommand):
    """Plan, apply, decide, audit. What needs the database is imported when it is asked for: judging a file needs none."""

    help = "The backup policy: plan shows what is kept and why, apply deletes what is not, audit says where it does not hold."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The verbs and what each takes."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        plan = verbs.add_parser("plan", help="What is kept, why and until when. Changes nothing.")
        plan.add_argument("resources", nargs="*", metavar="NAME_OR_ID", help="Left out: all of which backups are kept.")
        plan.add_argument(
            "--from-json", metavar="FILE", help="Judge a history that is not in the database; - reads it."
        )
        plan.add_argument("--json", action="store_true", help="As JSON, for programs.")
        apply = verbs.add_parser("apply", help="Delete what the policy does not keep.")
        apply.add_argument("--dry-run", action="store_true", help="Show what would be deleted, and delete nothing.")
        apply.add_argument("--json", action="store_true", help="As JSON, for programs.")
        decide = verbs.add_parser(
            "decide", help="Decide about a run that was stopped because it would delete too much."
        )
        decide.add_argument("run", type=int, metavar="RUN", help="Its number.")
        which = decide.add_mutually_exclusive_group(required=True)
        which.add_argument("--carry-on", action="store_true", help="Delete what it planned.")
        which.add_argument("--refuse", action="store_true", help="Delete nothing of it.")
        decide.add_argument("--by", required=True, metavar="USERNAME", help="Who decides: a person of IT.")
        decide.add_argument("--reason", required=True)
        audit = verbs.add_parser(
            "audit", help="Hold every resource against the policy now. Exits with 3 for open findings."
        )
        audit.add_argument("resources", nargs="*", metavar="NAME_OR_ID", help="Left out: the whole company.")
        audit.add_argument("--json", action="store_true", help="As JSON, for programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what the verb says."""
        if options["verb"] == "plan" and options["from_json"] is not None:
            if options["resources"]:
                raise CommandError("Name resources, or give --from-json; not both.", returncode=2)
            self._judge(options["from_json"])
            return
        from backups.management import policy_verbs

        getattr(policy_verbs, options["verb"])(self, options)

    def _judge(self, file: str) -> None:
        try:
            self.stdout.write(judge_file(file, settings.POLICY_TIME_ZONE))
        except WrongHistory as error:
            raise CommandError(str(error), returncode=2) from None

    def write_json(self, value: Any) -> None:
        """One JSON document on standard output."""
        self.stdout.write(json.dumps(value, indent=2, default=_plain))

    def write_json_list(self, values: Iterable[Any]) -> None:
        """The same, a list written as it is made: it may be of a whole company."""
        before = "["
        for value in values:
            self.stdout.write(before + json.dumps(value, default=_plain), ending="")
            before = ",\n "
        self.stdout.write("]" if before != "[" else "[]")


def _plain(value: date) -> str:
    """A day or a moment (UTC) as the API writes it."""
    return value.isoformat().replace("+00:00", "Z")
