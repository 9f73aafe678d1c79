"""How quick the portal is where there is very much at AWS, beside plain boto3 that lists the same.

Run ``python -m tests.benchmarks.provider --size 2G``: 10,000 snapshots of the portal's in one region, looked through as every
night, and 2,000 machines discovered, of which half are backed up (200 kB of the size make one snapshot, 1 MB one machine). The
AWS is simulated, in a process of its own that lists by pages of a thousand; the portal's rows are on a throwaway PostgreSQL.
Most of the seconds are the simulation's; those in parentheses are the processor's in the process that asks.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from backups.aws.access import Access
from tests.benchmarks.measure import run_program
from tests.benchmarks.portal import portal_on_postgres
from tests.drivers import aws
from tests.drivers.many import counted_calls, forget, in_pages, make_machines

UNITS = {"M": 10**6, "G": 10**9}
BYTES_A_SNAPSHOT, BYTES_A_MACHINE = 200_000, 1_000_000
LISTINGS: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
    "look": (
        (
            "describe_snapshots",
            "Snapshots",
            {"OwnerIds": ["self"], "Filters": [{"Name": "tag-key", "Values": ["haas:copy"]}]},
        ),
    ),
    "discovery": (("describe_volumes", "Volumes", {}), ("describe_instances", "Reservations", {})),
}
WAYS = {
    "look": ("boto3 alone: list the snapshots", "Kept.owned: the driver's listing", "ours: the nightly look"),
    "discovery": ("boto3 alone: list volumes and machines", "Discovery.everything: the driver's", "ours: discovery"),
}


@cache
def plain_ec2() -> Any:
    """boto3's client, made once."""
    return aws.plain_client("ec2")


def boto3_alone(what: str) -> int:
    """List it all, a thousand at a time, and look at nothing."""
    client, listed = plain_ec2(), 0
    for operation, key, arguments in LISTINGS[what]:
        pages = client.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1000}, **arguments)
        listed += sum(len(page[key]) for page in pages)
    return listed


def by_the_driver(what: str) -> int:
    """List it all by the driver, without the portal's rows."""
    from backups.kinds import KINDS

    kept, discovery = KINDS["ec2"].kept, KINDS["ec2"].discovery
    assert kept is not None
    assert discovery is not None
    if what == "look":
        return sum(1 for _ in kept.owned({"account": "hosting"}, aws.HOME))
    return sum(1 for _ in discovery.everything("hosting", aws.HOME))


def ours(what: str) -> int:
    """List it all and hold it against the portal's rows."""
    from backups.actions.discovering import discover_region
    from backups.actions.providerlook import check_provider_region
    from backups.models import AccountRegion, Discovered

    region = AccountRegion.objects.select_related("account").get(name=aws.HOME)
    if what == "look":
        return check_provider_region(region).copies
    discover_region(region.pk)
    return Discovered.objects.count()


def get_in(way: int) -> None:
    """Make the clients, as a worker has done long before."""
    if way == 0:
        plain_ec2()
        return
    from backups.awsaccounts import account_named

    Access(account_named("hosting"), aws.HOME).call("ec2", "describe_availability_zones")


def inside(what: str, way: int, file: Path) -> None:
    """One measurement, in this process; told in the file."""
    import django

    django.setup()
    from django.db import connection

    queries = list[str]()

    def counted(execute: Callable[..., Any], query: str, *arguments: Any) -> Any:
        queries.append(query)
        return execute(query, *arguments)

    with counted_calls() as calls, connection.execute_wrapper(counted):
        get_in(way)
        calls.clear()
        queries.clear()
        begun, begun_here = time.perf_counter(), time.process_time()
        found = (boto3_alone, by_the_driver, ours)[way](what)
        seconds, here = time.perf_counter() - begun, time.process_time() - begun_here
    told = {"found": found, "seconds": seconds, "here": here, "calls": calls.total(), "queries": len(queries)}
    file.write_text(json.dumps(told))


def measured(what: str, objects: int, rounds: int) -> str:
    """A table: of each way the best of its rounds, in turns; ratios are those of the best."""
    best: dict[int, dict[str, float]] = {}
    for turn in range(rounds):
        for way in range(3) if turn % 2 == 0 else reversed(range(3)):
            with tempfile.NamedTemporaryFile("r") as file:
                arguments = ["--inside", what, str(way), file.name]
                peak = run_program([sys.executable, "-m", "tests.benchmarks.provider", *arguments])
                told = {**json.loads(file.read()), "peak": peak}
            if way not in best or told["seconds"] < best[way]["seconds"]:
                best[way] = told
    head = f"{'':44} {'best':>8} {'(here)':>9} {'ratio':>6} {'found':>7} {'calls':>6} {'a thing':>8} {'queries':>8} {'peak MB':>8}"
    lines = [head]
    for way, one in sorted(best.items()):
        lines.append(
            f"{WAYS[what][way]:44} {one['seconds']:7.2f}s ({one['here']:6.2f}s) {best[0]['seconds'] / one['seconds']:6.2f}"
            f" {one['found']:7,.0f} {one['calls']:6.0f} {one['calls'] / objects:8.4f} {one['queries']:8.0f} {one['peak']:8.0f}"
        )
    return "\n".join(lines)


def company(snapshots: int, machines: int, rounds: int) -> None:
    """Both measurements, each over rows of its own."""
    with portal_on_postgres() as server, in_pages():
        import django

        django.setup()
        from tests.app.many import make_copies, make_region, register_machines

        make_region()
        copies = make_copies(snapshots)
        server.execute("VACUUM ANALYZE", "portal")
        print(f"{snapshots:,} snapshots of {len(copies):,} copies, looked through as every night", flush=True)
        print(measured("look", snapshots, rounds), flush=True)
        server.execute("TRUNCATE backups_copy, backups_backup, backups_resource CASCADE", "portal")
        forget()
        register_machines(make_machines(machines)[::2])
        server.execute("VACUUM ANALYZE", "portal")
        print(f"{machines:,} machines with a volume each discovered, half of them backed up", flush=True)
        print(measured("discovery", machines * 2, rounds), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="2G")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--inside", nargs=3, metavar=("WHAT", "WAY", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        what, way, file = options.inside
        inside(what, int(way), Path(file))
        return
    size = int(float(options.size[:-1]) * UNITS[options.size[-1]])
    print(f"Load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    company(max(size // BYTES_A_SNAPSHOT, 20), max(size // BYTES_A_MACHINE, 10), options.rounds)


if __name__ == "__main__":
    main()
