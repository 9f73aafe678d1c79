"""Taking in what discovery found: whose it is, and what for, is read from its tags."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from backups.actions.registering import register_resource
from backups.kinds import REGIONS
from backups.models import Discovered, Resource
from backups.permissions import check_can_register
from backups.unprotected import APPLICATION, CLIENT, environment_of, name_for, tagged
from portal.errors import Refused
from portal.models import Application, User


@dataclass(frozen=True)
class Proposal:
    """What it would be registered as. ``missing`` says what a person has to see to first; empty: one click is enough."""

    name: str
    application: Application | None
    environment: str
    other_region: str
    missing: str


def proposals_for(rows: Sequence[Discovered]) -> dict[int, Proposal]:
    """By the rows' ids; two queries for all of them."""
    names = {tagged(row.tags, APPLICATION) for row in rows}
    known = {
        (application.client.name.casefold(), application.name.casefold()): application
        for application in Application.objects.filter(name__in=names).select_related("client")
    }
    regions: dict[int, list[str]] = {}
    for row in rows:
        account = row.region.account
        regions.setdefault(account.pk, [region.name for region in account.regions.all()])
    standing = Resource.objects.standing().filter(
        application__in=known.values(), name__in={name_for(row.name) for row in rows}
    )
    taken = set(standing.values_list("application", "name"))
    return {row.pk: _proposal(row, known, regions[row.region.account_id], taken) for row in rows}


def _proposal(
    row: Discovered,
    known: dict[tuple[str, str], Application],
    regions: Sequence[str],
    taken: Collection[tuple[int, str]],
) -> Proposal:
    client, application = tagged(row.tags, CLIENT), tagged(row.tags, APPLICATION)
    found = known.get((client.casefold(), application.casefold()))
    environment, home = environment_of(row.tags), row.region.name
    others = [region for region in REGIONS if region in regions and region != home]
    name = name_for(row.name)
    return Proposal(
        name,
        found,
        environment,
        others[0] if others else "",
        row.why_not or _missing(client, application, found, environment, home, others) or _unnamed(name, found, taken),
    )


def _missing(
    client: str, application: str, found: Application | None, environment: str, home: str, others: Sequence[str]
) -> str:
    """The first thing that stands in the way, in a sentence."""
    if home not in REGIONS:
        return f"The portal has no region {home}. IT adds one of that name to STORE_REGIONS."
    if not others:
        return "Its account has no second region that the portal has, too, for the copy elsewhere (B3)."
    if not client or not application:
        return "Its tags do not say whose it is: give it a tag client and a tag application."
    if found is None:
        return f"The portal knows no application “{application}” of a client “{client}”, which its tags name."
    if not environment:
        return "Its tags do not say what it is for: give it a tag environment (production, staging or development)."
    return ""


def _unnamed(name: str, application: Application | None, taken: Collection[tuple[int, str]]) -> str:
    """Why it cannot be called there what it is called at the provider."""
    if not name:
        return "It has no name that could be its name here. Choose one."
    if application is not None and (application.pk, name) in taken:
        return f"{application} has a resource named {name} already. Choose another name."
    return ""


def take_in(*, by: User, found: Discovered) -> Resource:
    """Register it as its tags say. Raises NotPermitted, Refused where that is not enough, InvalidInput."""
    check_can_register(by, None)
    proposal = proposals_for([found])[found.pk]
    if proposal.missing or proposal.application is None:
        raise Refused(proposal.missing)
    return register_resource(
        by=by,
        application=proposal.application,
        name=proposal.name,
        kind=found.kind,
        environment=proposal.environment,
        home_region=found.region.name,
        other_region=proposal.other_region,
        settings=found.settings,
        reason="taken in from what discovery found",
    )
