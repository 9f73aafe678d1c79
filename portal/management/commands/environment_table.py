"""``manage.py environment_table``: the table of environment variables in docs/operating.md."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.environment import environment_table

PAGE = settings.BASE_DIR / "docs" / "operating.md"
TABLE = re.compile(r"^\| variable \|.*\n(?:\|.*\n)+", re.MULTILINE)


class Command(BaseCommand):
    """Write the table into the page, or with ``--check`` say whether it is stale."""

    help = "Write the table of environment variables into docs/operating.md; --check fails when it is stale."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--check``."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        page = PAGE.read_text(encoding="utf-8")
        fresh = TABLE.sub(lambda _: environment_table() + "\n", page)
        if not options["check"]:
            PAGE.write_text(fresh, encoding="utf-8")
        elif fresh != page or not TABLE.search(page):
            raise CommandError("docs/operating.md is stale. Run manage.py environment_table.")
