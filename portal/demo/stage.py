"""Putting the demo on: its database server, its past (once), the portal itself, and what to tell the visitor."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from portal.demo import aws
from portal.demo.cast import CAST
from portal.demo.company import demo_home
from portal.demo.ground import is_complete, mark_complete
from portal.demo.postgres import Server
from portal.demo.story import proofs
from portal.supervisor.checks import CannotStart
from portal.supervisor.children import Program
from portal.supervisor.programs import portal_programs
from portal.supervisor.static import collect_static
from portal.supervisor.supervisor import Supervisor

Tell = Callable[[str], None]


def run_demo(supervisor: Supervisor, port: int, tell: Tell) -> None:
    """Everything, until somebody stops it."""
    began = time.monotonic()
    first = not is_complete(settings.DATA_DIR)
    _start_database_server(supervisor, tell, first)
    if aws.is_wanted():
        supervisor.start([aws.program()])
        if not supervisor.watch(30, until=aws.answers):
            raise CannotStart(f"The simulated AWS does not answer. See {settings.DATA_DIR / 'logs' / 'aws.log'}")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("prepare_regions", verbosity=0)
    if first:
        _make_past(supervisor, tell)
    collect_static()
    connection.close()
    supervisor.start(portal_programs(port, settings.DATA_DIR))
    supervisor.wait_ready(port)
    if first:
        tell("The cast asks for restores, IT approves them, the workers do them …")
        supervisor.run_all([demo_step("story")], "Restoring something for real")
        mark_complete(settings.DATA_DIR)
    tell("Really restored, and proven to be what was backed up:")
    for proof in proofs():
        tell(f"  {proof}")
    connection.close()
    _greet(port, time.monotonic() - began, tell)
    supervisor.watch()


def demo_step(*arguments: str) -> Program:
    """One step of the making, in a process of its own. What it hands to workers is not kept: it does it itself."""
    broker = {} if arguments[0] == "story" else {"BROKER_URL": "memory://"}
    argv = (sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", *arguments)
    return Program("-".join(("demo", *arguments)), argv, broker)


def _start_database_server(supervisor: Supervisor, tell: Tell, first: bool) -> None:
    server = Server(demo_home())
    if first:
        tell("Making the demo, once: two companies with a month of real backups. This takes about a minute.")
    server.prepare()
    supervisor.start([server.program()])
    if not supervisor.watch(30, until=server.answers):
        raise CannotStart(f"The demo's PostgreSQL does not answer. See {settings.DATA_DIR / 'logs' / 'postgres.log'}")


def _make_past(supervisor: Supervisor, tell: Tell) -> None:
    tell("Clients, people, directories and databases …")
    supervisor.run_all([demo_step("company")], "Making the demo's company")
    tell("Changing the data night by night and backing it up …")
    supervisor.run_all([demo_step("history")], "Making the demo's backups")
    if aws.is_wanted():
        tell("Machines in a simulated AWS account, and snapshots of one of them …")
        supervisor.run_all([demo_step("aws")], "Making the demo's AWS account")


def _greet(port: int, seconds: float, tell: Tell) -> None:
    address = f"http://127.0.0.1:{port}"
    tell(f"\nStarted in {seconds:.0f} s. Sign in as any of these (the sign-in page lists them, too):\n")
    width = max(len(person.label) for person in CAST)
    for person in CAST:
        tell(f"  {person.label:{width}}  {person.username:6} {person.password:20} {person.name}")
    more = f"  {address}/resources/unprotected/  as ivo: machines of the simulated AWS account that nobody backs up\n"
    more = more if aws.is_wanted() else ""
    over = "'make demo-aws' starts over, each time" if aws.is_wanted() else "'make demo-reset' starts over"
    tell(
        f"""
Where to click:
  {address}/requests/   as nora: what was asked for and restored; as ivo or tara: approve the open one
  {address}/resources/  as anybody: every resource with its backups; as nora: ask for one back
  {address}/checkups/   as ivo or ada: every backup proven by restoring it, signed by two; set the next date
  {address}/charges/    as amir: a restore to charge or waive
{more}  {address}/api/docs/   the API
Commands: DATA_DIR={settings.DATA_DIR} {Path(sys.executable)} -m portal.demo manage resource --help
Data and logs are below {settings.DATA_DIR}; {over}. Ctrl-C stops everything.
Portal ready at {address}"""
    )
