"""The record of an incident as a document: what happened, what came back, when, and who decided."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from portal.models import User
from portal.paper import BAD, INK, SMALL, SOFT, Paper
from portal.words import company_zone, exact_time
from restores.incident_board import (
    Row,
    events_told,
    figures_of,
    hazard_told,
    items_seen,
    regions_read,
    rows_of,
    sentence_of_incident,
)
from restores.models import Incident

MOST = 300  # resources in the document


def incident_pdf(user: User, incident: Incident, now: datetime) -> bytes:
    """The document, as seen by this person at this moment."""
    title = f"Incident {incident.number}"
    paper = Paper(title, f"HaaS backups · as of {exact_time(now)}", now.astimezone(company_zone()))
    paper.say(title, size=20, style="B")
    paper.ln(1)
    paper.say(
        f"{incident.facts.label}, as of {exact_time(now)}. Drawn up for {user}. Times are those of {settings.POLICY_TIME_ZONE}.",
        colour=SOFT,
    )
    paper.ln(3)
    paper.say(hazard_told(user, incident))
    paper.ln(2)
    figures = figures_of(user, incident)
    paper.say(sentence_of_incident(figures, incident, now), style="B", colour=BAD if figures.failed else INK)
    paper.say(f"{regions_read(incident)} Every restore of an incident is free of charge (R1).", size=SMALL, colour=SOFT)
    _people(paper, incident)
    items = items_seen(user, incident).order_by("position", "pk")
    _resources(paper, rows_of(user, incident, items[:MOST], now), now)
    if figures.total > MOST:
        paper.say(
            f"These are the first {MOST} of {figures.total:,}; the CSV of the times has all.", size=SMALL, colour=SOFT
        )
    paper.heading("What happened")
    paper.rows(
        ("When", "What", "Why"),
        (22, 40, 40),
        [(exact_time(event.at, now), event.text, event.reason) for event in events_told(user, incident)],
    )
    return bytes(paper.output())


def _people(paper: Paper, incident: Incident) -> None:
    paper.heading("Who decided")
    rows = [
        ("Declared", str(incident.declared_by or "Zabbix"), exact_time(incident.declared_at)),
        (
            "Confirmed",
            str(incident.confirmed_by or "–"),
            exact_time(incident.confirmed_at) if incident.confirmed_at else "–",
        ),
        ("Closed", str(incident.closed_by or "–"), exact_time(incident.closed_at) if incident.closed_at else "–"),
    ]
    paper.rows(("What", "By", "When"), (20, 40, 40), rows)
    if incident.confirmed_digest:
        paper.say(f"SHA-256 of the list that was confirmed: {incident.confirmed_digest}", size=SMALL, colour=SOFT)


def _resources(paper: Paper, rows: list[Row], now: datetime) -> None:
    paper.heading("What was affected")
    paper.rows(
        ("Resource", "Back to", "Lost", "Result", "After", "Proof, or why not"),
        (26, 22, 13, 16, 13, 40),
        [
            (
                f"{row.item.resource.name}, {row.item.resource.client}",
                exact_time(row.item.backup.taken_at, now) if row.item.backup and row.item.backup.taken_at else "–",
                row.loss_words,
                row.label,
                row.recovered_words or "–",
                f"{row.attempt.proof} {row.since}".strip() if row.attempt and row.recovered_at else row.why or "–",
            )
            for row in rows
        ],
    )
