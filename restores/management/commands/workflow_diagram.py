"""``manage.py workflow_diagram``: docs/workflow.md, made from the workflow's table."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from restores.diagram import workflow_page

PAGE = settings.BASE_DIR / "docs" / "workflow.md"


class Command(BaseCommand):
    """Write the page, or with ``--check`` say whether it is stale."""

    help = "Write docs/workflow.md from the workflow's table; --check fails when it is stale."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--check``."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        if not options["check"]:
            PAGE.write_text(workflow_page(), encoding="utf-8")
        elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != workflow_page():
            raise CommandError("docs/workflow.md is stale. Run manage.py workflow_diagram.")
