"""Picking a part of a backup: its tree is walked and searched, and what is picked stays in the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backups.actions.browsing import Listing, look_into
from backups.actions.contents import BeingListed, parts_of
from backups.contents import Entry, crumbs
from backups.drivers.keys import above_of, without_doubles
from backups.models import Backup
from backups.permissions import check_can_browse
from portal.errors import InvalidInput, PortalError
from portal.words import counted, exact_time, size_in_words
from restores.details import DETAIL_LABELS
from restores.part import MOST_PICKED
from restores.permissions import check_can_file
from restores.views.ask_context import answers_of, asked_backup, asked_part, asked_resource, measured_part
from restores.views.asking import show_ask
from restores.views.fetching import person
from restores.wording import picked_words

CARRIED = ("resource", "backup", "mode", "cause", "reason", "went_wrong", *DETAIL_LABELS, "accepts")
"""Answers of the page that asks, kept while a part is picked."""

ICONS = {
    "directory": "folder",
    "symlink": "link",
    "hardlink": "link",
    "table": "table-2",
    "partitioned table": "table-2",
}


@dataclass(frozen=True)
class Row:
    """One line of the listing. ``comes_with`` is the picked directory above it, when one is."""

    entry: Entry
    icon: str
    kind: str
    facts: list[str]
    checked: bool
    comes_with: str


@require_http_methods(["GET", "POST"])
def request_new_part(http: HttpRequest) -> HttpResponse:
    """The picker. It only shows: nothing is filed before the page that asks is sent."""
    user, backup = person(http), asked_backup(http)
    resource = asked_resource(http, backup)
    if resource is not None:
        check_can_file(user, resource)
    if resource is None or backup is None:
        return show_ask(http, resource, "Pick the moment to go back to first, then what you need of it.")
    check_can_browse(user, backup)
    parts = parts_of(resource)
    part = without_doubles(asked_part(http))
    context: dict[str, Any] = {
        "resource": resource,
        "backup": backup,
        "carried": [(name, answers_of(http).get(name, "")) for name in CARRIED],
        "most": MOST_PICKED,
        **_picked(backup, part),
        **_listed(http, backup, part, parts.nouns),
    }
    return render(http, "restores/_part.html" if http.htmx else "restores/part.html", context)  # type: ignore[attr-defined]


def _picked(backup: Backup, part: list[str]) -> dict[str, Any]:
    """What is picked so far, in words, or why it cannot be."""
    picked, refused = measured_part(backup, part)
    return {"part": part, "picked": picked_words(backup.resource, picked), "part_refused": refused}


def _listed(http: HttpRequest, backup: Backup, part: list[str], nouns: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """What is shown of the tree; where the place asked for is not in the backup, its top."""
    answers = answers_of(http)
    moved = "go" in answers
    under = answers.get("go" if moved else "under", "")
    search = "" if moved else answers.get("q", "")
    try:
        listing = look_into(by=person(http), backup=backup, under=under, search=search, after=answers.get("next", ""))
    except BeingListed as error:
        return {"being_listed": error.sentence}
    except InvalidInput as error:
        listing = look_into(by=person(http), backup=backup)
        return {**_rows(listing, part, nouns), "lost": error.sentence}
    except PortalError as error:
        return {"unreadable": error.sentence}
    return {**_rows(listing, part, nouns), "search": search}


def _rows(listing: Listing, part: list[str], nouns: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    kept, now = set(part), timezone.now()
    shown = {entry.key for entry in listing.entries}
    rows = [
        Row(
            entry=entry,
            icon=ICONS.get(entry.kind, "file"),
            kind=nouns[entry.kind][0],
            facts=_facts(entry, now),
            checked=entry.key in kept,
            comes_with=next((above for above in above_of(entry.key) if above in kept), ""),
        )
        for entry in listing.entries
    ]
    return {
        "listing": listing,
        "rows": rows,
        "crumbs": crumbs(listing.under),
        "elsewhere": [key for key in part if key not in shown],
    }


def _facts(entry: Entry, now: datetime) -> list[str]:
    """What tells it from others: rows, how much is inside, size, when it was last changed."""
    facts = [] if entry.rows is None else [counted(entry.rows, "row")]
    if entry.holds:
        facts.append(f"{entry.below:,} inside")
    facts.append(size_in_words(entry.size))
    return facts if entry.modified_at is None else [*facts, exact_time(entry.modified_at, now)]
