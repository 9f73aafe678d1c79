"""The demo's past: every night the data has changed, and a real backup of it is taken with the night's date.

Everything is done by the same actions as always, the policy's own work included; only their clocks are set back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta

from django.utils import timezone

from backups.actions.auditing import audit_company
from backups.actions.copying import copy_to_other_region
from backups.actions.presence import check_presence
from backups.actions.removing import removal_plan, remove_resource
from backups.actions.retaining import apply_run, plan_retention
from backups.actions.taking import perform_backup, queue_backup
from backups.actions.verifying import verify_due
from backups.models import Backup, BackupOrigin, BackupStatus, Resource, ResourceState, RetentionRun, RunStatus
from portal.demo.calendar import backup_moments
from portal.demo.checkups import CHECKED_NIGHTS_AGO, check_all, plan_next
from portal.demo.company import (
    REMOVED,
    REMOVED_NIGHTS_AGO,
    RESOURCES,
    Planned,
    demo_home,
    make_people,
    person,
    register_all,
    tree_of,
)
from portal.demo.databases import DATABASES, change_database
from portal.demo.postgres import Server
from portal.demo.trees import change_tree
from portal.words import company_zone

FAILS = ("wiki-pages", 4)  # this many nights ago its directory was missing for an hour
AUDITED = 21  # nights: all that an audit of the first of them looks back on was nightly


def make_company() -> None:
    """People, data and resources, as they were on the first day."""
    server = Server(demo_home())
    server.create_databases([database for database, _, _ in DATABASES.values()])
    make_people()
    for planned in RESOURCES:
        _change(planned, server, _moments(planned)[0])
    for name, resource in register_all(server).items():
        planned = next(one for one in RESOURCES if one.name == name)
        first = _moments(planned)[0]
        Resource.objects.filter(pk=resource.pk).update(created_at=first)
        resource.history.update(history_date=first)
        Backup.objects.filter(resource=resource).update(queued_at=first)


def make_history() -> None:
    """Night by night: every resource is changed and backed up, then the policy's own work is done."""
    server = Server(demo_home())
    nights = sorted({moment.date() for planned in RESOURCES for moment in _moments(planned)})
    for night in nights:
        nights_ago = len(nights) - 1 - nights.index(night)
        for planned in RESOURCES:
            for moment in (moment for moment in _moments(planned) if moment.date() == night):
                _back_up(planned, server, moment, nights_ago)
        _work_of_the_night(datetime.combine(night, time(6, 10), company_zone()), nights_ago)
    plan_next()
    for planned in RESOURCES:
        _change(planned, server, timezone.now())  # and work went on since


def _back_up(planned: Planned, server: Server, moment: datetime, nights_ago: int) -> None:
    resource = Resource.objects.filter(name=planned.name).exclude(state=ResourceState.REMOVED).first()
    if resource is None:
        return
    if moment != _moments(planned)[0]:
        _change(planned, server, moment)
    with _mishap(planned, nights_ago):
        perform_backup(_queued(resource, moment).pk, clock=lambda: moment)
    copy_to_other_region(resource.pk, clock=lambda: moment + timedelta(minutes=4))


def _work_of_the_night(moment: datetime, nights_ago: int) -> None:
    """What the schedule has done every night: retention, verification, and the audit of the company."""
    if moment > timezone.now():
        return
    if nights_ago == REMOVED_NIGHTS_AGO:
        _remove(Resource.objects.get(name=REMOVED), moment)
    run = plan_retention(now=moment)
    if run is not None:
        apply_run(run.pk, clock=lambda: moment)
    verify_due(clock=lambda: moment)
    if nights_ago == CHECKED_NIGHTS_AGO:
        check_all(moment)
    if nights_ago <= AUDITED:
        check_presence(clock=lambda: moment)
        audit_company(clock=lambda: moment)


def _remove(resource: Resource, moment: datetime) -> None:
    """One resource was shut down; its latest daily backup is kept for six months (B4)."""
    remove_resource(
        by=person("ivo"),
        resource=resource,
        reason="The press archive moved to the new website; Milan Horvat confirmed that it can be shut down.",
        typed_name=resource.name,
        digest=removal_plan(resource, moment).digest,
        now=moment,
    )
    resource.history.filter(history_type="~").update(history_date=moment)
    for run in RetentionRun.objects.filter(resource=resource, status=RunStatus.APPLYING):
        apply_run(run.pk, clock=lambda: moment)


def _queued(resource: Resource, moment: datetime) -> Backup:
    """The night's backup; the very first was queued when the resource was registered."""
    first = resource.backups.filter(status=BackupStatus.QUEUED).first()
    return first or queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None, now=moment)


def _moments(planned: Planned) -> list[datetime]:
    return backup_moments(timezone.now(), company_zone(), minute=5 + 7 * RESOURCES.index(planned))


def _change(planned: Planned, server: Server, moment: datetime) -> None:
    if planned.kind == "files":
        change_tree(planned.name, tree_of(planned.name), moment)
        return
    with server.connect(DATABASES[planned.name][0]) as connection:
        connection.execute("SET ROLE portal")
        change_database(planned.name, connection, moment)


@contextmanager
def _mishap(planned: Planned, nights_ago: int) -> Iterator[None]:
    """One night something is really wrong, so that the history shows what that looks like."""
    if (planned.name, nights_ago) != FAILS:
        yield
        return
    tree = tree_of(planned.name)
    away = tree.rename(tree.with_name(f"{tree.name}.moved-by-mistake"))
    try:
        yield
    finally:
        away.rename(tree)
