"""Trying out an account: whether the portal gets in, sees what is there, and which permission is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.parsers import ResponseParserError

from backups.aws.access import Access
from backups.aws.accounts import AwsAccount
from backups.aws.answers import NOT_ANSWERED
from backups.aws.policy import Statement, resources_of, statements_for
from backups.drivers.base import DriverError
from backups.drivers.bucket.pace import UNKNOWN_CALL, why
from backups.drivers.bucket.vaults import check_fit


@dataclass(frozen=True)
class Seen:
    """One thing that was tried. ``well`` is None where it could not be told."""

    sentence: str
    well: bool | None = True


def check_account(account: AwsAccount, portals: Collection[str]) -> Iterator[Seen]:
    """Try everything that can be tried without changing anything, region by region; then what the role may do.

    ``portals`` are the regions that the portal has of its own.
    """
    if not account.regions:
        yield Seen(f"The account {account.name} has no region yet, so nothing in it can be backed up.", well=False)
        return
    if len(account.regions) == 1:
        yield Seen(
            f"The account {account.name} has no region but {min(account.regions)}, so there is nowhere for copies to go."
            f" “manage.py aws_account region {account.name} …” adds one.",
            well=False,
        )
    inside = None
    for region in sorted(account.regions):
        if region not in portals:
            yield Seen(
                f"{region}: the portal has no region of that name, so nothing there can be backed up or copied to it. Add it to"
                " STORE_REGIONS.",
                well=False,
            )
        here = Access(account, region, hasty=True)
        try:
            here.call("sts", "get_caller_identity")
        except DriverError as error:
            yield Seen(f"{region}: {error.sentence}", well=False)
            continue
        inside = inside or here
        yield from _look(here)
        yield from _look_at_vault(here)
    if inside is not None:
        yield from _simulated(inside)


LOOKS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    ("machines", "ec2", "describe_instances", "Reservations", {"MaxResults": 5}),
    ("volumes", "ec2", "describe_volumes", "Volumes", {"MaxResults": 5}),
    ("snapshots", "ec2", "describe_snapshots", "Snapshots", {"MaxResults": 5, "OwnerIds": ["self"]}),
    ("database instances", "rds", "describe_db_instances", "DBInstances", {"MaxRecords": 20}),
    ("database snapshots", "rds", "describe_db_snapshots", "DBSnapshots", {"MaxRecords": 20, "SnapshotType": "manual"}),
)


def _look(here: Access) -> Iterator[Seen]:
    silent: set[str] = set()
    for what, service, operation, key, arguments in LOOKS:
        if service in silent:
            continue  # it was waited for once
        try:
            found = here.call(service, operation, **arguments)
        except DriverError as error:
            if isinstance(error.__cause__, NOT_ANSWERED):
                silent.add(service)
            yield Seen(f"{here.region}: {what} cannot be listed. {error.sentence}", well=False)
        else:
            yield Seen(f"{here.region}: {what} can be listed" + ("." if found.get(key) else "; there are none."))


def _look_at_vault(here: Access) -> Iterator[Seen]:
    try:
        if here.account.regions[here.region].vault:
            yield Seen(check_fit(here))
        here.call("s3", "list_buckets", MaxBuckets=1, BucketRegion=here.region)
    except DriverError as error:
        yield Seen(f"{here.region}: {error.sentence}", well=False)
    else:
        yield Seen(f"{here.region}: buckets can be listed.")


def _simulated(here: Access) -> Iterator[Seen]:
    """IAM's own answer to what the role may do. It leaves out what an organisation forbids its accounts."""
    if not here.account.role:
        yield Seen("What the keys may do beyond looking was not tried: IAM tells it of roles.", well=None)
        return
    for statement in statements_for(here.account):
        try:
            missing = _missing(here, statement)
        except DriverError as error:
            reason = "This AWS has no iam:SimulatePrincipalPolicy." if _is_unknown(error) else error.sentence
            yield Seen(f"What the role may do beyond looking could not be told. {reason}", well=None)
            return
        yield (
            Seen(
                f"Missing in the role's policy: {', '.join(missing)} (“{statement.name}” of manage.py aws_policy).",
                well=False,
            )
            if missing
            else Seen(f"The role may do what is needed to “{statement.name}”.")
        )


def _is_unknown(error: DriverError) -> bool:
    """Whether the call is not known where it was made: an AWS that is none says so in many ways, a page of HTML among them."""
    return isinstance(error.__cause__, ResponseParserError) or why(error) in UNKNOWN_CALL | {"InvalidAction", "404"}


def _missing(here: Access, statement: Statement) -> list[str]:
    where = resources_of(statement.resource, here.account)
    narrowed: dict[str, Any] = {"ResourceArns": where} if isinstance(where, list) else {}
    answer = here.call(
        "iam",
        "simulate_principal_policy",
        PolicySourceArn=here.account.role,
        ActionNames=list(statement.actions),
        **narrowed,
        ContextEntries=list(_context(statement)),
    )
    return [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]


def _context(statement: Statement) -> Iterator[dict[str, Any]]:
    """The situation in which the portal does it: the conditions of its own policy hold."""
    for operator, keys in statement.condition.items():
        for key, values in keys.items():
            if operator == "Null":
                values = "any"
            first = values if isinstance(values, str) else values[0]
            kind = "stringList" if operator.startswith("ForAllValues") else "string"
            yield {
                "ContextKeyName": key,
                "ContextKeyValues": [first.replace("*", "eu-central-1")],
                "ContextKeyType": kind,
            }
