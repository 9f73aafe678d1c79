"""``manage.py run``: the whole portal on this machine, until Ctrl-C."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.supervisor.checks import CannotStart, check_data_dir, check_port, lock_data_dir
from portal.supervisor.probe import allowed_name
from portal.supervisor.programs import portal_programs
from portal.supervisor.static import collect_static
from portal.supervisor.supervisor import Stopped, Supervisor


class Command(BaseCommand):
    """Web, workers and beat under one supervisor."""

    help = "Run the whole portal on this machine: web, workers and beat, on 127.0.0.1:PORT, until Ctrl-C."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--port`` and ``--demo``."""
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000", help="PORT, or 8000")
        parser.add_argument(
            "--demo", action="store_true", help="fill an empty DATA_DIR with the demo's company (DEMO=1)"
        )

    def handle(self, *args: Any, port: str, demo: bool, **options: Any) -> None:
        """Check, prepare, start, watch."""
        if demo and not settings.DEMO:
            raise CommandError("This is not the demo's environment. Start the demo with 'make demo'.")
        try:
            check_data_dir(settings.DATA_DIR)
            number = check_port(port)
            lock = lock_data_dir(settings.DATA_DIR)
        except CannotStart as error:
            raise CommandError(str(error)) from None
        os.environ["DATA_DIR"] = str(settings.DATA_DIR)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")]))
        host = allowed_name(settings.ALLOWED_HOSTS)
        try:
            with Supervisor(settings.DATA_DIR / "logs", lock, self._tell, host) as supervisor:
                if demo:
                    from portal.demo.stage import run_demo

                    run_demo(supervisor, number, self._tell)
                else:
                    call_command("migrate", interactive=False, verbosity=0)
                    call_command("prepare_regions", verbosity=0)
                    collect_static()
                    self._run(supervisor, number)
        except Stopped:
            self._tell("Stopped.")
        except CannotStart as error:
            raise CommandError(str(error)) from None
        finally:
            os.close(lock)

    def _run(self, supervisor: Supervisor, port: int) -> None:
        supervisor.start(portal_programs(port, settings.DATA_DIR))
        supervisor.wait_ready(port)
        self._tell(f"Logs are below {settings.DATA_DIR / 'logs'}. Ctrl-C stops everything.")
        self._tell(f"Portal ready at http://127.0.0.1:{port}")
        supervisor.watch()

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
