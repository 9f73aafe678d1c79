"""``manage.py demo STEP``: the steps in which the demo is made. Run by ``make demo``, only with DEMO=1."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.supervisor.checks import CannotStart


class Command(BaseCommand):
    """One step of the demo's making."""

    help = "A step of the demo's making. Use 'make demo', which runs all of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which step."""
        parser.add_argument("step", choices=["company", "history", "aws", "story"])

    def handle(self, *args: Any, step: str, **options: Any) -> None:
        """Do it."""
        if not settings.DEMO:
            raise CommandError("This is not the demo. Start that with 'make demo'.")
        from portal.demo.aws import make_account
        from portal.demo.history import make_company, make_history
        from portal.demo.story import tell_story

        try:
            if step == "company":
                make_company()
            elif step == "history":
                make_history()
            elif step == "aws":
                make_account()
            else:
                tell_story()
        except CannotStart as error:
            raise CommandError(str(error)) from None
