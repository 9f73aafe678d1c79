"""``manage.py checkup verify``: whether signed records still say what was signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from checkups.actions.recording import content_digest, record_of, signatures_of
from checkups.actions.signing import NUMBER
from checkups.management.naming import checkup_named
from checkups.models import Checkup
from checkups.record import canonical, digest_of, read_record
from checkups.verifying import differences
from checkups.workflow import Status


def verify(command: BaseCommand, number: str, file: str) -> None:
    """Compare, and say a line for each. Raises CommandError, exit code 1, when anything differs."""
    if file:
        if not _file_holds(command, number, _read(file)):
            raise CommandError("The file does not verify.")
        return
    signed = [checkup_named(number)] if number else list(Checkup.objects.filter(status=Status.SIGNED.value))
    held = [_rows_hold(command, checkup) for checkup in signed]
    if not held:
        command.stdout.write("No checkup is signed yet.")
    if not all(held):
        raise CommandError(f"{held.count(False)} of {len(held)} records do not verify.")


def _rows_hold(command: BaseCommand, checkup: Checkup) -> bool:
    """The rows against the hash that was stored when the second person signed."""
    _check_is_signed(checkup)
    found = digest_of(record_of(checkup))
    if found == checkup.sha256:
        command.stdout.write(f"{checkup}: the rows say what was signed. SHA-256 {found}")
        return _signatures_hold(command, checkup)
    command.stdout.write(
        f"{checkup}: THE ROWS DO NOT SAY WHAT WAS SIGNED. Their record has the SHA-256 {found}; signed was"
        f" {checkup.sha256}. Somebody changed the database past the portal, or a new version of the portal writes the record"
        " otherwise: compare with the JSON that was kept, by --file."
    )
    return False


def _signatures_hold(command: BaseCommand, checkup: Checkup) -> bool:
    """The content without the signatures against what each of them names."""
    content = content_digest(checkup)
    names = [one.name for one in signatures_of(checkup) if one.sha256 == content]
    if len(names) == NUMBER:
        command.stdout.write(f"{checkup}: {' and '.join(names)} signed its content. SHA-256 {content}")
        return True
    command.stdout.write(f"{checkup}: THE SIGNATURES ARE NOT UNDER THIS CONTENT, which has the SHA-256 {content}.")
    return False


def _file_holds(command: BaseCommand, number: str, kept: dict[str, Any]) -> bool:
    """The file against the stored hash, and against the rows where it is not that record."""
    checkup = checkup_named(number or str(kept["checkup"].get("number", "")))
    _check_is_signed(checkup)
    say = command.stdout.write
    part = kept["checkup"].get("part")
    if part is not None:
        return _part_holds(command, checkup, kept, part)
    found, rows = digest_of([canonical(kept)]), digest_of(record_of(checkup))
    is_record = found == checkup.sha256
    if is_record:
        say(f"{checkup}: the file is the record that was signed. SHA-256 {found}")
    else:
        say(
            f"{checkup}: THE FILE IS NOT THE RECORD THAT WAS SIGNED. It has the SHA-256 {found}; signed was {checkup.sha256}."
        )
    signed = True
    if rows == checkup.sha256:
        say(f"{checkup}: the portal's rows say what was signed.")
        signed = _signatures_hold(command, checkup)
    else:
        say(
            f"{checkup}: THE ROWS DO NOT SAY WHAT WAS SIGNED ({rows})"
            + ("; the file does: keep it." if is_record else ".")
        )
    if found != rows:
        _say_differences(command, kept, checkup)
    return is_record and rows == checkup.sha256 and signed


def _part_holds(command: BaseCommand, checkup: Checkup, kept: dict[str, Any], part: Any) -> bool:
    """A client's part has no hash of its own: it is compared with the same part of the rows, and those with the hash."""
    clients = part.get("clients") if isinstance(part, dict) else None
    names = [str(one) for one in clients] if isinstance(clients, list) else []
    rows_hold = _rows_hold(command, checkup)
    whose = ", ".join(names) or "nobody"
    if digest_of([canonical(kept)]) == digest_of(record_of(checkup, part=Q(client__in=names))):
        command.stdout.write(f"{checkup}: the file is the part of {whose} of that record.")
        return rows_hold
    command.stdout.write(f"{checkup}: THE FILE IS NOT THE PART OF {whose.upper()} of that record.")
    _say_differences(command, kept, checkup, Q(client__in=names))
    return False


def _say_differences(command: BaseCommand, kept: dict[str, Any], checkup: Checkup, part: Q | None = None) -> None:
    for sentence in differences(kept, json.loads("".join(record_of(checkup, part=part)))):
        command.stdout.write(f"  {sentence}")


def _check_is_signed(checkup: Checkup) -> None:
    if checkup.sealed_at is None:
        raise CommandError(f"{checkup} is {checkup.facts.label.lower()}: only a signed record can be verified.")


def _read(file: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = read_record(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=2) from None
    except ValueError as error:
        raise CommandError(f"{file} is no record of a checkup: {error}.", returncode=2) from None
    return found
