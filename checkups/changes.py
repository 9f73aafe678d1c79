"""What was changed about how restored copies of a resource are asked, for the changes that its page shows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from backups.models import Resource
from checkups.models import ApplicationCheck, Asking

VERBS = {
    "+": "Check of the application added",
    "~": "Check of the application changed",
    "-": "Check of the application removed",
}


def changes_of_asking(resource: Resource, most: int) -> list[dict[str, Any]]:
    """The newest changes, in the shape of ``backups.views.resource_page.changes_of``."""
    records = list(ApplicationCheck.history.filter(resource=resource).select_related("history_user")[: most + 1])
    return [
        {"record": new, "verb": VERBS[new.history_type], "what": _differences(_values(new), _values(old))}
        for new, old in pairwise([*records, None])
    ][:most]


def _values(record: Any) -> dict[str, str]:
    """What was asked after the change, by what it is called; nothing where it was not asked."""
    if record is None or record.history_type == "-":
        return {}
    return {"how": Asking(record.way).label, "what": record.text, "within": f"{record.seconds} s"}


def _differences(new: dict[str, str], old: dict[str, str]) -> list[dict[str, str | None]]:
    names = list(new or old)
    return [
        {"what": name, "old": old.get(name), "new": new.get(name)} for name in names if old.get(name) != new.get(name)
    ]
