"""``manage.py try_channels``: whether the company's channels take a message."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.channels import NotPosted, channel_names, post


class Command(BaseCommand):
    """Post a message to each and say who took it. By number: their addresses hold secrets."""

    help = "Post a message to each address of IT_CHANNELS, and say which of them took it."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it."""
        names = channel_names()
        if not names:
            raise CommandError("There are no channels. Set IT_CHANNELS to addresses of Apprise, separated by spaces.")
        refused = [number for number, name in enumerate(names, 1) if not self._taken(number, name)]
        if refused:
            raise CommandError("Look at these addresses in IT_CHANNELS, and whether this machine reaches them.")

    def _taken(self, number: int, name: str) -> bool:
        try:
            post(name, "HaaS backups", f"This channel works: what waits for IT is said here. {settings.PORTAL_URL}/")
        except NotPosted:
            self.stdout.write(f"{number}: did not take the message")
            return False
        self.stdout.write(f"{number}: took the message")
        return True
