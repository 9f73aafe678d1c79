"""A simulated company: real trees, real backups, real regions; and, beside it, what the policy says of them in plain code.

The expectation is worked out here anew, from nothing but what was taken, lost, held and removed; it knows none of the
portal's own rules.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings

from backups.actions.auditing import audit_company
from backups.actions.copying import copy_to_other_region
from backups.actions.holding import place_hold
from backups.actions.pinning import pin, unpin
from backups.actions.registering import register_resource
from backups.actions.removing import bring_back, finish_removal, removal_plan, remove_resource
from backups.actions.repairing import repair
from backups.actions.retaining import apply_run, hand_over_open_runs, plan_retention
from backups.actions.scheduling import schedule_backups
from backups.actions.sweeping import sweep_backups
from backups.actions.taking import perform_backup
from backups.actions.tidying import tidy_regions
from backups.actions.verifying import verify_copy
from backups.kinds import store_of
from backups.models import Backup, Copy, CopyState, Finding, Resource, ResourceState, RetentionRun, RunStatus
from tests import nursery
from tests.app.world import HOME, OTHER, World, make_tree
from tests.faults.death import database_url

LEFT_BEHIND = ("too_many", "too_many_elsewhere", "left_over", "none_elsewhere", "outdated_elsewhere", "stray")


@dataclass
class Expected:
    """What should be stored of one resource. Backups by their uid."""

    taken: dict[str, datetime] = field(default_factory=dict)  # good, and not deleted by the policy before
    held: dict[str, date] = field(default_factory=dict)  # through that day
    pinned: set[str] = field(default_factory=set)
    torn: dict[str, datetime] = field(default_factory=dict)  # damaged, and nothing else is left of them: since when
    removed: datetime | None = None
    production: bool = True

    def settle(self, now: datetime, zone: ZoneInfo) -> tuple[set[str], str | None]:
        """What the home region and the other one hold by now; what is over is forgotten."""
        today = now.astimezone(zone).date()
        kept = {uid for uid, until in self.held.items() if today <= until} | self.pinned
        elsewhere = None
        by_time = sorted(self.taken, key=lambda uid: self.taken[uid])
        if self.removed is None:
            days: dict[date, str] = {}
            months: dict[tuple[int, int], str] = {}
            for uid in by_time:
                day = self.taken[uid].astimezone(zone).date()
                days[day] = uid
                months.setdefault((day.year, day.month), uid)
            kept |= {days[day] for day in sorted(days)[-7:]} | {months[month] for month in sorted(months)[-6:]}
            elsewhere = months[max(months)] if months else None
        elif self.production and by_time and today < six_months_after(self.removed.astimezone(zone).date()):
            kept.add(by_time[-1])
        self.taken = {uid: at for uid, at in self.taken.items() if uid in kept}
        self.torn = {uid: at for uid, at in self.torn.items() if self.removed is None and now - at < timedelta(days=7)}
        return set(self.taken) | set(self.torn), elsewhere


def six_months_after(day: date) -> date:
    month = day.month + 6
    year, month = (day.year + 1, month - 12) if month > 12 else (day.year, month)
    while True:
        try:
            return date(year, month, day.day)
        except ValueError:
            day -= timedelta(days=1)


class Company:
    """So many resources, lived through day by day. ``chance`` decides what happens; the same seed, the same life."""

    def __init__(self, world: World, size: int, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.zone = ZoneInfo(settings.POLICY_TIME_ZONE)
        self.expected: dict[int, Expected] = defaultdict(Expected)
        self.number = 0
        self.crashes = 0
        for _ in range(size):
            self._register()

    def live(self, now: datetime) -> None:
        """One day: work, mishaps, people, and then the policy's own tasks."""
        self._people(now)
        self._back_up(now)
        self._damage(now)
        self._tasks(now)

    def check(self, now: datetime) -> None:
        """The regions hold exactly what the policy says; the audit finds nothing left behind."""
        for resource in Resource.objects.all():
            expected = self.expected[resource.pk]
            home, elsewhere = expected.settle(now, self.zone)
            where = f"{resource.name} on {now:%Y-%m-%d}, {resource.state}"
            self._same(resource, HOME, home, where)
            self._same(resource, OTHER, {elsewhere} if elsewhere else set(), where)
        found = Finding.objects.open().filter(code__in=LEFT_BEHIND)
        assert not found.exists(), [(one.resource, one.sentence) for one in found]

    @staticmethod
    def _same(resource: Resource, region: str, expected: set[str], where: str) -> None:
        found = stored(resource, region)
        wrong = Backup.objects.filter(uid__in=found ^ expected).order_by("taken_at")
        assert found == expected, (
            where,
            region,
            [
                (f"{one.taken_at}", one.status, "over" if str(one.uid) in found else "missing", one.damage)
                for one in wrong
            ],
            [(copy.region, copy.state, copy.damage) for one in wrong for copy in one.copies.all()],
        )

    def _register(self) -> None:
        self.number += 1
        name = f"tree-{self.number}"
        resource = register_resource(
            by=self.world.it, application=self.world.application, name=name, kind="files",
            environment=self.chance.choice(["production", "production", "staging"]), home_region=HOME, other_region=OTHER,
            settings={"path": str(make_tree(name=name))},
        )  # fmt: skip
        self.expected[resource.pk] = Expected(production=resource.is_production)

    def _people(self, now: datetime) -> None:
        today = now.astimezone(self.zone).date()
        for resource in list(Resource.objects.order_by("pk")):
            expected, fate = self.expected[resource.pk], self.chance.random()
            if resource.state != ResourceState.REMOVED:
                if fate < 0.002 and not expected.pinned and not resource.backups.open().exists():
                    self._remove(resource, expected, now)
                    self._register()
                elif fate < 0.006 and expected.taken:
                    uid, until = (
                        self.chance.choice(list(expected.taken)),
                        today + timedelta(days=self.chance.randint(0, 60)),
                    )
                    place_hold(
                        by=self.world.it, backup=Backup.objects.get(uid=uid), until=until, reason="test", now=now
                    )
                    expected.held[uid] = max(until, expected.held.get(uid, until))
                elif fate < 0.010 and expected.taken:
                    uid = self.chance.choice(list(expected.taken))
                    pin(Backup.objects.get(uid=uid), f"RR-{resource.pk}", now=now)
                    expected.pinned.add(uid)
                elif fate < 0.04 and expected.pinned:
                    unpin(f"RR-{resource.pk}")
                    expected.pinned.clear()
            elif fate < 0.004 and resource.backups.good().exists():
                bring_back(by=self.world.it, resource=resource, reason="by mistake", now=now)
                expected.removed = None

    def _remove(self, resource: Resource, expected: Expected, now: datetime) -> None:
        plan = removal_plan(resource, now)
        removed = remove_resource(
            by=self.world.it,
            resource=resource,
            reason="shut down",
            typed_name=resource.name,
            digest=plan.digest,
            now=now,
        )
        moment = now
        while removed.state == ResourceState.REMOVING:  # a final backup that fails is tried again, a few times
            self._perform(resource, moment)
            finish_removal(resource.pk, clock=lambda: moment)  # noqa: B023
            removed.refresh_from_db()
            moment += timedelta(minutes=20)
        expected.removed = now

    def _back_up(self, now: datetime) -> None:
        schedule_backups(now)
        for resource in Resource.objects.filter(backups__in=Backup.objects.open()).order_by("pk"):
            self._perform(resource, now)

    def _perform(self, resource: Resource, now: datetime) -> None:
        """Take what is queued; one in thirty fails, because the tree is away or its region is."""
        tree, fate = Path(resource.settings["path"]), self.chance.random()
        away = tree.rename(f"{tree}-away") if fate < 0.02 else None
        region = Path(settings.STORE_REGIONS[HOME])
        unmounted = region.rename(f"{region}-away") if 0.02 <= fate < 0.03 else None
        for backup in resource.backups.open():
            perform_backup(backup.pk, clock=lambda: now)
        if away is not None:
            away.rename(tree)
        if unmounted is not None:
            unmounted.rename(region)
        for backup in resource.backups.good().filter(taken_at=now):
            self.expected[resource.pk].taken[str(backup.uid)] = now

    def _damage(self, now: datetime) -> None:
        """Now and then bytes rot, and verification finds them."""
        if self.chance.random() > 0.3:
            return
        copies = Copy.objects.present().filter(backup__resource__state=ResourceState.ACTIVE).order_by("pk")
        copy = copies.select_related("backup__resource")[self.chance.randrange(max(1, copies.count()))]
        resource, uid = copy.backup.resource, str(copy.backup.uid)
        expected = self.expected[resource.pk]
        if len(expected.taken) < 3:
            return
        data = Path(settings.STORE_REGIONS[copy.region]) / copy.stored_under / "data.zst"
        data.write_bytes(b"x" + data.read_bytes()[1:])
        elsewhere = copy.backup.copies.present().exclude(pk=copy.pk).exists()
        assert not verify_copy(copy, clock=lambda: now)
        if not elsewhere:
            expected.taken.pop(uid)
            expected.torn[uid] = now
            expected.held.pop(uid, None)
            Backup.objects.get(uid=uid).holds.all().delete()
            expected.pinned.clear()
            unpin(f"RR-{resource.pk}")
        repair(resource.pk, clock=lambda: now)
        copy_to_other_region(resource.pk, clock=lambda: now)  # what repairing hands over
        repair(resource.pk, clock=lambda: now)  # what tidying hands over
        self._perform(resource, now)

    def _tasks(self, now: datetime) -> None:
        """What the beat has done by the end of the day, whatever died on the way."""
        for resource in self._without_current_copy():
            if self.chance.random() < 0.02:
                self._die("copy", resource.pk, now, 12)
            copy_to_other_region(resource.pk, clock=lambda: now + timedelta(minutes=5))
        later = now + timedelta(minutes=10)
        sweep_backups(later, lost_before=later - timedelta(minutes=1))
        plan_retention(now=later)
        for run in RetentionRun.objects.filter(status=RunStatus.APPLYING):
            if self.chance.random() < 0.05:
                self._die("retention", run.pk, later, 60)
            hand_over_open_runs()
            apply_run(run.pk, clock=lambda: later)
        for resource in self._without_current_copy():
            copy_to_other_region(resource.pk, clock=lambda: later)
        tidy_regions(clock=lambda: later)
        audit_company(clock=lambda: now + timedelta(hours=12))

    def _without_current_copy(self) -> Iterable[Resource]:
        """Whoever has no copy, or one that is not this month's first; a superset does no harm."""
        for resource in Resource.objects.backed_up().order_by("pk"):
            expected = Expected(taken=dict(self.expected[resource.pk].taken))
            _, wanted = expected.settle(datetime.max.replace(tzinfo=self.zone), self.zone)
            if stored(resource, OTHER) != {wanted} or Copy.objects.filter(
                backup__resource=resource, region=OTHER, state__in=[CopyState.WRITING, CopyState.DELETING]
            ):
                yield resource

    def _die(self, what: str, pk: int, at: datetime, most: int) -> None:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "STORE_REGIONS": ",".join(f"{name}={path}" for name, path in settings.STORE_REGIONS.items()),
            "RETENTION_LIMIT_PERCENT": "100",
        }
        number = str(self.chance.randint(1, most))
        done = nursery.run("tests.faults.dying", what, str(pk), at.isoformat(), number, environment=environment)
        assert done.returncode in (0, -9), done.stderr.decode()
        self.crashes += done.returncode == -9

    def end(self) -> None:
        """Remove the trees."""
        for resource in Resource.objects.all():
            shutil.rmtree(resource.settings["path"], ignore_errors=True)


def stored(resource: Resource, region: str) -> set[str]:
    """The uids of the backups that the region really holds of the resource, whole or in part."""
    return {one.key.split("/")[1][:36] for one in store_of(region).list(f"{resource.uid}/")}
