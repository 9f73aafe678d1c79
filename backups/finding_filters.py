"""The filters of the list of findings: all in the address, each removable by itself."""

from __future__ import annotations

from django.db.models import Q
from django.http import QueryDict

from backups.addressed import AddressFilters
from backups.findings import Code, Rule
from backups.models import Finding
from backups.models.finding import FindingQuerySet
from portal.choosing import clients_to_choose
from portal.entered import search_words
from portal.paging import Column
from portal.permissions import Person
from portal.roles import Permission

OLDEST, NEWEST = "since", "-since"


class FindingFilters(AddressFilters):
    """What the address asks of the list of findings: rule, what is wrong, client, words in names, order by age."""

    def __init__(self, user: Person, address: QueryDict) -> None:
        clients = clients_to_choose(user, Permission.VIEW_COMPLIANCE, address.get("client", ""))
        declared = [
            ("rule", "Rule", [(rule.value, f"{rule.value}: {rule.label}") for rule in Rule]),
            ("code", "What is wrong", [(code.value, code.label) for code in Code]),
            ("client", "Client", clients),
        ]
        super().__init__(address, declared, (OLDEST,), OLDEST)

    def apply(self, findings: FindingQuerySet) -> FindingQuerySet:
        """The findings that pass all of them. The search looks at names as that of the resources does, and at regions."""
        for word in search_words(self.search):
            findings = findings.filter(
                Q(resource__name__icontains=word)
                | Q(resource__application__name__icontains=word)
                | Q(resource__application__client__name__icontains=word)
                | Q(subject__icontains=word)
            )
        paths = {"client": "resource__application__client"}
        return findings.filter(**{paths.get(name, name): value for name, value in self.chosen.items()})

    def order(self) -> list[Column]:
        """By age: what has been so for the longest first, or last."""
        descending = self.sort == NEWEST
        return [Column("since", descending), Column("id", descending)]

    @property
    def turned(self) -> str:
        """The address with the other order."""
        rest = self.address_without("sort")
        return f"{rest}{'' if rest == '?' else '&'}sort={OLDEST if self.sort == NEWEST else NEWEST}"


def open_findings(user: Person) -> FindingQuerySet:
    """The open findings that the person may see, with what a row needs."""
    return Finding.objects.visible_to(user).open().select_related("resource__application__client")
