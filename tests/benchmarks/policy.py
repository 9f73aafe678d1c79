"""How quick the policy is: the rule alone beside ``grandfatherson``; audit, planning and pages over a whole company.

Run ``python -m tests.benchmarks.policy --size 2G``: a company of 100,000 resources with 1.4 million copies (20 kB of the
size make one resource), on a throwaway PostgreSQL. Of one in a hundred the last night failed. Each measurement is a
process of its own, whose memory is known; the seconds in parentheses are the processor's in that process.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.benchmarks.measure import run_program
from tests.benchmarks.portal import portal_on_postgres

UNITS = {"M": 10**6, "G": 10**9}
BYTES_A_RESOURCE = 20_000

COMPANY = """
INSERT INTO portal_client (id, name, created_at) SELECT g, 'Client ' || g, now() FROM generate_series(1, {n} / 100 + 1) g;
INSERT INTO portal_application (id, client_id, name, created_at)
    SELECT g, 1 + g / 10, 'Application ' || g, now() FROM generate_series(1, {n} / 10 + 1) g;
INSERT INTO backups_resource (id, uid, name, application_id, kind, environment, home_region, other_region, settings, locator,
        state, created_at, last_good_at, next_backup_at)
    SELECT g, gen_random_uuid(), 'resource-' || g, 1 + g / 10, 'files', 'production', 'eu-central-1', 'eu-west-1', '{{}}',
           '/srv/nowhere/' || g, 'active', now() - interval '200 days', date_trunc('hour', now()) - interval '2 hours',
           now() + interval '1 day'
      FROM generate_series(1, {n}) g;
INSERT INTO backups_backup (uid, resource_id, status, origin, reason, queued_at, resend_at, taken_at, started_at, finished_at,
        bytes_done, error, error_detail, source_bytes, stored_bytes, checksum, artefact, summary, warnings, damage)
    SELECT gen_random_uuid(), r.id, 'finished', 'scheduled', '', t.at, t.at, t.at, t.at, t.at + interval '4 minutes',
           1000000, '', '', 1000000, 400000, repeat('ab', 32), '{{}}', '{{}}', '[]', ''
      FROM backups_resource r
     CROSS JOIN (
        SELECT date_trunc('hour', now()) - interval '2 hours' - d * interval '1 day' AS at FROM generate_series(0, 6) d
        UNION SELECT date_trunc('month', now()) - m * interval '1 month' FROM generate_series(0, 5) m) t
     WHERE r.id % 100 <> 0 OR t.at < now() - interval '1 day'
     ORDER BY r.id, t.at;
INSERT INTO backups_copy (backup_id, region, state, stored_bytes, proof, created_at, checksum_at, bytes_done)
    SELECT id, 'eu-central-1', 'present', 400000, 2, finished_at, now(), 0 FROM backups_backup ORDER BY id;
INSERT INTO backups_copy (backup_id, region, state, stored_bytes, proof, created_at, checksum_at, bytes_done)
    SELECT id, 'eu-west-1', 'present', 400000, 2, finished_at, now(), 0 FROM backups_backup
     WHERE taken_at = date_trunc('month', now()) ORDER BY id;
"""


def rule(size: int) -> tuple[float, float]:
    """Microseconds a backup: ours with all reasons, and grandfatherson's bare choice; the best of turns side by side.

    Both are given the same moments, oldest first, in UTC. Like those that come from a database they are new each time:
    grandfatherson hashes each, and a moment remembers its hash. Neither pays for the collector's looking at the input.
    """
    from grandfatherson import to_keep

    from backups.retention import Entry, plan

    now, zone = datetime(2026, 11, 23, 4, tzinfo=UTC), ZoneInfo("UTC")
    step = timedelta(days=1) if size <= 1000 else timedelta(hours=1)

    def moments() -> list[datetime]:
        return [now - step * back for back in range(size, 0, -1)]

    def entries() -> list[Entry[int]]:
        return [Entry(number, moment, True) for number, moment in enumerate(moments())]

    def timed(act: Callable[[Any], object], made: Callable[[], object]) -> float:
        histories = [made() for _ in range(max(1, 40_000 // size))]
        gc.collect()
        gc.freeze()
        begun = time.process_time()
        for history in histories:
            act(history)
        seconds = time.process_time() - begun
        gc.unfreeze()
        return seconds / len(histories) / size * 1e6

    turns = [
        (
            timed(lambda history: plan(history, now=now, zone=zone, production=True), entries),
            timed(lambda history: to_keep(history, days=7, months=6, now=now), moments),
        )
        for _ in range(7)
    ]
    return min(ours for ours, _ in turns), min(theirs for _, theirs in turns)


def inside(what: str) -> None:
    """One measurement, in a process that has the portal's settings."""
    import django

    django.setup()
    begun, begun_here = time.perf_counter(), time.process_time()
    if what == "audit":
        from backups.actions.auditing import audit_company

        made = audit_company()
        told = f"{made.resources:,} resources, {made.copies:,} copies, {made.open:,} findings"
    elif what == "plan":
        from django.utils import timezone

        from backups.actions.retaining import planned_deletions

        told = f"{sum(1 for _ in planned_deletions(timezone.now())):,} to delete"
    else:
        told = pages()
    seconds, here = time.perf_counter() - begun, time.process_time() - begun_here
    print(f"{what:8} {seconds:8.1f} s ({here:.1f} s)   {told}", flush=True)


def pages() -> str:
    """The 95th percentile of the server's time for pages of the whole company, as IT sees them."""
    from django.test import Client
    from django.urls import reverse

    from portal.models import Membership, User
    from portal.roles import Role

    user = User.objects.create_user("bench", "bench@example.com")
    Membership.objects.create(user=user, role=Role.IT)
    browser = Client()
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    told = []
    for name in ("resources", "compliance", "retention"):
        seconds = []
        for _ in range(42):
            begun = time.perf_counter()
            assert browser.get(reverse(name)).status_code == 200
            seconds.append(time.perf_counter() - begun)
        told.append(f"{name} p95 {statistics.quantiles(seconds[2:], n=20)[-1] * 1000:.0f} ms")
    return ", ".join(told)


def company(resources: int) -> None:
    """Audit, plan and pages over so many resources."""
    with portal_on_postgres(pages=True) as server:
        server.execute(COMPANY.format(n=resources), "portal")
        server.execute("VACUUM ANALYZE", "portal")
        for what in ("audit", "plan", "pages"):
            peak = run_program([sys.executable, "-m", "tests.benchmarks.policy", "--inside", what])
            print(f"{'':8} {peak:8.0f} MB at most", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="2G")
    parser.add_argument("--rounds", default="3", help="not used: what is measured here does not wait for a disk")
    parser.add_argument("--inside", help="one measurement, in this process")
    options = parser.parse_args()
    if options.inside:
        inside(options.inside)
        return
    print(f"Load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    print("The rule alone, µs a backup", flush=True)
    for size in (13, 100, 1000, 100_000):
        ours, theirs = rule(size)
        print(
            f"  history of {size:7,}: ours {ours:5.2f}, grandfatherson {theirs:5.2f}, ratio {theirs / ours:4.2f}",
            flush=True,
        )
    resources = max(int(float(options.size[:-1]) * UNITS[options.size[-1]] / BYTES_A_RESOURCE), 100)
    print(f"A company of {resources:,} resources on PostgreSQL", flush=True)
    company(resources)


if __name__ == "__main__":
    main()
