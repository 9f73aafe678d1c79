"""The demo's past: every night the data has changed, and a real backup of it is taken with the night's date.

The backups are taken by the same action as always; only its clock is set back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from backups.actions.copying import copy_to_other_region
from backups.actions.taking import perform_backup, queue_backup
from backups.models import Backup, BackupOrigin, BackupStatus, Resource
from portal.demo.calendar import backup_moments
from portal.demo.company import RESOURCES, Planned, demo_home, make_people, register_all, tree_of
from portal.demo.databases import DATABASES, change_database
from portal.demo.postgres import Server
from portal.demo.trees import change_tree

FAILS = ("wiki-pages", 9)  # this many nights ago its directory was missing for an hour


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


def make_history(kinds: Iterable[str]) -> None:
    """The nights of all resources of those kinds, night by night."""
    server = Server(demo_home())
    for planned in RESOURCES:
        if planned.kind in kinds:
            _make_nights(planned, server)


def _make_nights(planned: Planned, server: Server) -> None:
    resource = Resource.objects.get(name=planned.name)
    moments = _moments(planned)
    for nights_ago, moment in zip(range(len(moments) - 1, -1, -1), moments, strict=True):
        if moment != moments[0]:
            _change(planned, server, moment)
        with _mishap(planned, nights_ago):
            backup = _queued(resource, moment)
            perform_backup(backup.pk, clock=lambda moment=moment: moment)  # type: ignore[misc]
        copied = moment + timedelta(minutes=4)
        copy_to_other_region(resource.pk, clock=lambda copied=copied: copied)  # type: ignore[misc]
    _change(planned, server, timezone.now())  # and work went on since


def _queued(resource: Resource, moment: datetime) -> Backup:
    """The night's backup; the very first was queued when the resource was registered."""
    first = resource.backups.filter(status=BackupStatus.QUEUED).first()
    return first or queue_backup(resource, origin=BackupOrigin.SCHEDULED, by=None, now=moment)


def _moments(planned: Planned) -> list[datetime]:
    zone = ZoneInfo(settings.POLICY_TIME_ZONE)
    return backup_moments(timezone.now(), zone, minute=5 + 7 * RESOURCES.index(planned))


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
