"""The filters of a checkup's list of resources: all in the address, each removable by itself."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import QueryDict

from backups.addressed import AddressFilters
from backups.kinds import KINDS
from backups.models import Environment
from checkups.models import CheckupFinding
from checkups.models.finding import FindingStatus
from portal.choosing import clients_to_choose
from portal.entered import search_words
from portal.paging import Column
from portal.permissions import Person
from portal.roles import Permission

MENDED = "mended"
BY_CLIENT = (Column("client"), Column("name"), Column("pk"))


class CheckupFindingFilters(AddressFilters):
    """What the address asks of the list: result, client, kind, environment, words in names."""

    def __init__(self, user: Person, address: QueryDict) -> None:
        declared = [
            ("state", "Result", [*FindingStatus.choices, (MENDED, "Failed first, passed since")]),
            ("client", "Client", clients_to_choose(user, Permission.VIEW_CHECKUPS, address.get("client", ""))),
            ("kind", "Kind", [(kind, driver.label) for kind, driver in KINDS.items()]),
            ("environment", "Environment", [(str(value), str(label)) for value, label in Environment.choices]),
        ]
        super().__init__(address, declared, ("client",), "client")

    def apply(self, findings: QuerySet[CheckupFinding]) -> QuerySet[CheckupFinding]:
        """The findings that pass all of them."""
        for word in search_words(self.search):
            findings = findings.filter(
                Q(name__icontains=word) | Q(application__icontains=word) | Q(client__icontains=word)
            )
        paths = {"state": "status", "client": "client_ref"}
        for name, value in self.chosen.items():
            if value == MENDED:
                findings = findings.filter(status=FindingStatus.PASSED, failed_at__isnull=False)
            else:
                findings = findings.filter(**{paths.get(name, name): value})
        return findings
