"""``manage.py prepare_regions``: make the configured regions ready for use."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backups.actions.regions import prepare_regions, region_warnings
from backups.kinds import REGIONS
from backups.stores.base import StoreError


class Command(BaseCommand):
    """Marks each region's place; see :func:`prepare_regions`."""

    help = "Make the regions of STORE_REGIONS ready for use. Run it after 'migrate', with their disks mounted."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare them all, or say which cannot be used."""
        try:
            prepare_regions()
            warnings = region_warnings()
        except StoreError as error:
            raise CommandError(error.sentence) from error
        for sentence in warnings:
            self.stderr.write(self.style.WARNING(sentence))
        if options["verbosity"]:
            self.stdout.write(f"Ready: {', '.join(REGIONS)}.")
