"""The workflow's table as a page with a diagram. Pure."""

from __future__ import annotations

from restores.audience import Audience, told
from restores.incident_workflow import INCIDENT_STATUSES, INCIDENT_TABLE
from restores.workflow import STATUSES, TABLE


def workflow_page() -> str:
    """docs/workflow.md: for requests and for incidents a Mermaid state diagram and a table of statuses."""
    lines = [
        "# The workflow of a restore request",
        "",
        "Made by `manage.py workflow_diagram` from `restores/workflow.py`.",
        "",
    ]
    lines += ["```mermaid", "stateDiagram-v2"]
    for (source, move), step in TABLE.items():
        lines.append(f"    {source or '[*]'} --> {step.to}: {move}")
    lines += [f"    {status} --> [*]" for status, facts in STATUSES.items() if facts.final]
    lines += ["```", "", "| status | whose turn | what happens next |", "| --- | --- | --- |"]
    lines += [f"| {facts.label} | {facts.turn} | {facts.next} |" for facts in STATUSES.values()]
    lines += [
        "",
        "| from | move | to | a reason is required | who is told, but for whoever did it |",
        "| --- | --- | --- | --- | --- |",
    ]
    for (source, move), step in TABLE.items():
        surely = told(source, move)
        who = ", ".join(one for one in Audience if one in surely)
        who += "; where live data changed also " + Audience.OWNERS if surely != told(source, move, changed=True) else ""
        lines.append(f"| {source or '–'} | {move} | {step.to} | {'yes' if step.needs_reason else 'no'} | {who} |")
    return "\n".join([*lines, "", *_incidents()]) + "\n"


def _incidents() -> list[str]:
    lines = ["# The workflow of an incident", "", "Of `restores/incident_workflow.py`.", ""]
    lines += ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {source or '[*]'} --> {step.to}: {move}" for (source, move), step in INCIDENT_TABLE.items()]
    lines += [f"    {status} --> [*]" for status, facts in INCIDENT_STATUSES.items() if facts.final]
    lines += ["```", "", "| status | whose turn | what happens next |", "| --- | --- | --- |"]
    return lines + [f"| {facts.label} | {facts.turn} | {facts.next} |" for facts in INCIDENT_STATUSES.values()]
