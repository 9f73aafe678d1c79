"""The state of the company as a document for an auditor: rules with figures, 90 days, open findings, evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from backups.compliance import (
    Evidence,
    Share,
    audited_days,
    evidence,
    shares_now,
    stopped_run,
    verification_ages,
)
from backups.finding_filters import open_findings
from backups.findings import Rule
from backups.models import Discovered, Finding
from backups.trend import DAYS, Trend, trend_of
from portal.days import day_in_words
from portal.models import User
from portal.paper import ACCENT, BAD, LINE, SMALL, SOFT, Paper
from portal.words import company_zone, counted, exact_time

MOST = 300  # findings in the document; the CSV has all

WORDS = {
    Rule.B1: "Every hosted resource has a good backup. No exception.",
    Rule.B2: "Backups are taken daily for the past seven days and kept monthly for the last six months; nothing beyond.",
    Rule.B3: "The latest monthly backup is also kept in another region, in exactly one copy.",
    Rule.B4: "The latest daily backup of a production resource is kept for six months after its removal; all else is deleted.",
    Rule.B5: "Twice a year, on two company dates, all backups are checked by restoring them; two people sign what was found.",
}
CHART_HEIGHT = 24.0


def compliance_pdf(user: User, now: datetime) -> bytes:
    """The document, as seen by this person at this moment."""
    today = now.astimezone(company_zone()).date()
    moment = exact_time(now)
    paper = Paper("Compliance with the backup policy", f"HaaS backups · as of {moment}", now.astimezone(company_zone()))
    paper.say("Compliance with the backup policy", size=20, style="B")
    paper.ln(1)
    paper.say(
        f"As of {moment}. Drawn up for {user} from the portal's own records. Days, months and times are those of"
        f" {settings.POLICY_TIME_ZONE}.",
        colour=SOFT,
    )
    shares, audited = shares_now(now), audited_days(today)
    proof, found = evidence(), open_findings(user)
    number = found.count()
    _summary(paper, shares, proof, number)
    _rules(paper, shares, Discovered.objects.visible_to(user).count())
    paper.heading(f"The last {DAYS} days")
    paper.say(
        "The share of resources that held each rule at the last audit of each day. Grey: no audit on that day.",
        colour=SOFT,
    )
    for share in (share for share in shares if not share.rule.company_wide):
        _chart(paper, share.rule, trend_of(share.rule.value, audited, today))
    _findings(paper, list(found.order_by("since", "pk")[:MOST]), number)
    _evidence(paper, proof, now)
    return bytes(paper.output())


def _summary(paper: Paper, shares: list[Share], proof: Evidence, number: int) -> None:
    paper.ln(3)
    if proof.last is None:
        paper.say("No audit of the whole company was done yet: the figures are those of single resources.", style="B")
    elif number:
        paper.say(
            f"{counted(number, 'finding')} {'is' if number == 1 else 'are'} open.", size=12, style="B", colour=BAD
        )
    else:
        paper.say("No finding is open: the policy holds for every resource.", size=12, style="B")
    stopped = stopped_run()
    if stopped is not None:
        paper.say(
            f"Retention was stopped on {exact_time(stopped.planned_at)}: it would have deleted"
            f" {stopped.to_delete:,} of {stopped.copies_before:,} copies, and waits for a decision.",
            colour=BAD,
        )


def _rules(paper: Paper, shares: list[Share], unprotected: int) -> None:
    paper.heading("The rules now")
    paper.rows(
        ("Rule", "What it says", "Share", "Resources", "Findings"),
        (7, 57, 11, 17, 10),
        [
            (
                share.rule.value,
                WORDS[share.rule],
                share.words,
                _counts(share),
                f"{share.findings:,}",
            )
            for share in shares
        ],
    )
    paper.say(
        "B1 to B3 are counted over all resources that are not removed, B4 over the removed ones of which something is, or"
        " should be, kept. Each as it was found the last time the resource was looked at. B5 is about the company: it holds"
        " as long as no finding about its dates, its checkups and their tasks is open.",
        size=SMALL,
        colour=SOFT,
    )
    if unprotected:
        them = "it" if unprotected == 1 else "them"
        paper.say(
            f"{counted(unprotected, 'thing')} at AWS {'is' if unprotected == 1 else 'are'} not counted in B1: nobody has"
            f" registered {them}.",
            colour=BAD,
        )


def _counts(share: Share) -> str:
    if share.rule.company_wide:
        return "the company"
    return f"{share.holding:,} of {share.applies:,}" if share.applies else "applies to none"


def _chart(paper: Paper, rule: Rule, trend: Trend) -> None:
    """The same chart as on the page, in ink."""
    if paper.will_page_break(CHART_HEIGHT + 16):
        paper.add_page()
    paper.ln(3)
    paper.say(f"{rule.value}  {rule.label}", style="B")
    left, top = paper.l_margin, paper.get_y() + 1
    across, down = paper.epw / trend.width, CHART_HEIGHT / trend.height

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * across, top + y * down

    with paper.local_context():  # the next table is not filled in these colours
        _draw(paper, trend, at)
    paper.pen(SMALL - 1, colour=SOFT)
    for words, x, y in (
        ("100 %", trend.right + 4, trend.top),
        (trend.lowest, trend.right + 4, trend.base),
        (trend.first_day, trend.left, trend.base + 13),
        (trend.last_day, trend.right - 42, trend.base + 13),
    ):
        paper.set_xy(*at(x, y))
        paper.cell(0, 0, words)
    paper.set_xy(left, top + CHART_HEIGHT + 1)
    paper.say(trend.description, size=SMALL, colour=SOFT)


def _draw(paper: Paper, trend: Trend, at: Callable[[float, float], tuple[float, float]]) -> None:
    """Bands, axes and lines; ``at`` places the chart's units on the paper."""
    paper.set_fill_color(*LINE)
    for band in trend.bands:
        (x, y), (end, foot) = at(band.x, trend.top), at(band.x + band.width, trend.base)
        paper.rect(x, y, end - x, foot - y, style="F")
    paper.set_draw_color(*LINE)
    paper.set_line_width(0.2)
    for height in (trend.top, trend.base):
        paper.line(*at(trend.left, height), *at(trend.right, height))
    paper.set_draw_color(*ACCENT)
    paper.set_fill_color(*ACCENT)
    paper.set_line_width(0.45)
    for run in trend.runs:
        points = [at(dot.x, dot.y) for dot in run]
        if len(points) > 1:
            paper.polyline(points)
        else:
            paper.circle(*points[0], 0.6, style="F")


def _findings(paper: Paper, found: list[Finding], number: int) -> None:
    paper.heading("Open findings")
    if not found:
        paper.say("None is open.")
        return
    if number > len(found):
        paper.say(
            f"The oldest {len(found)} of {number:,}. The CSV of the compliance page has all of them.", colour=SOFT
        )
    paper.rows(
        ("Rule", "Resource, client", "What", "What to do", "Since"),
        (6, 21, 30, 28, 17),
        [
            (
                one.rule,
                f"{one.resource.name}, {one.resource.client.name}" if one.resource else one.subject,
                f"{one.get_code_display()}. {one.sentence}",
                one.advice,
                exact_time(one.since),
            )
            for one in found
        ],
    )


def _evidence(paper: Paper, proof: Evidence, now: datetime) -> None:
    paper.heading("Evidence")
    paper.say("Audits of the whole company, the latest first", style="B")
    if proof.audits:
        paper.rows(
            ("Day", "Finished", "Resources", "Copies", "Opened", "Closed", "Open then"),
            (16, 22, 12, 12, 10, 10, 12),
            [
                (
                    day_in_words(one.day), exact_time(one.finished_at), f"{one.resources:,}", f"{one.copies:,}",
                    f"{one.opened:,}", f"{one.closed:,}", f"{one.open:,}",
                )
                for one in proof.audits
            ],
        )  # fmt: skip
    else:
        paper.say("None was done yet.", colour=SOFT)
    paper.ln(3)
    paper.say("Looks at everything that a region holds, the latest first", style="B")
    if proof.checks:
        paper.rows(
            ("Region", "Finished", "Copies in full size", "Missing", "Unknown objects"),
            (20, 26, 20, 12, 18),
            [
                (one.region, exact_time(one.finished_at), f"{one.copies:,}", f"{one.missing:,}", f"{one.strays:,}")
                for one in proof.checks
            ],
        )
    else:
        paper.say("None was done yet.", colour=SOFT)
    paper.ln(3)
    paper.say("When each good copy was last verified, byte by byte", style="B")
    paper.rows(
        ("Last verified", "Copies"), (60, 20), [(words, f"{count:,}") for words, count in verification_ages(now)]
    )
