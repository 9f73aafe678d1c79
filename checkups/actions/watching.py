"""Whether signed records still say what was signed. The database refuses changes; whoever takes its triggers away is found out."""

from __future__ import annotations

from datetime import datetime

from backups.actions.companyfindings import note_finding, settle_finding
from backups.findings import Code
from backups.models import Finding
from checkups.actions.recording import content_digest, record_of, signatures_of
from checkups.actions.signing import NUMBER
from checkups.models import Checkup
from checkups.record import digest_of
from checkups.workflow import Status

ADVICE = (
    "Compare with the JSON that was kept: manage.py checkup verify, with --file. See who can write to the database."
)


def stands(checkup: Checkup) -> bool:
    """Whether the rows of a signed checkup say what both people signed, and their record hashes to what was kept."""
    if digest_of(record_of(checkup)) != checkup.sha256:
        return False
    content = content_digest(checkup)
    return sum(one.sha256 == content for one in signatures_of(checkup)) == NUMBER


def watch_records(now: datetime) -> list[str]:
    """Read every signed record anew; those that do not stand are findings. Their numbers."""
    changed = []
    for checkup in Checkup.objects.filter(status=Status.SIGNED.value).order_by("pk"):
        if stands(checkup):
            settle_finding(Code.CHECKUP_RECORD, checkup.number, now)
            continue
        changed.append(checkup.number)
        sentence = f"The portal's rows of {checkup.number} do not say any more what was signed."
        note_finding(Code.CHECKUP_RECORD, checkup.number, sentence, ADVICE, now)
    return changed


def is_known_changed(checkup: Checkup) -> bool:
    """Whether that was found of the checkup, and holds still."""
    found = Finding.objects.open().filter(resource__isnull=True, code=Code.CHECKUP_RECORD, subject=checkup.number)
    return checkup.sealed_at is not None and found.exists()
