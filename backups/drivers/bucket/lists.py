"""Making a list in a vault beside others who make or remove theirs: what a list counts on is there when it is done."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from backups.drivers.base import DriverError, StillWorking
from backups.drivers.bucket.shelf import Shelf
from backups.drivers.bucket.vault import BEGUN, DELETING, DONE, Line, Vault

Marks = dict[str, dict[str, datetime]]
"""Of every list of a resource its marks, and when each was written."""
DEAD = timedelta(hours=6)
"""A mark that was not written anew for so long is of somebody who is gone. Its writer notices, should it live."""


def begin(vault: Vault, token: str, locator: str) -> Marks:
    """Say that a list is being made, then see that nobody removes what it will count on. The marks of all lists.

    Who removes writes a mark first too, and looks for ours then: so at least one of the two sees the other. Who has not done
    anything yet takes its mark back and waits, so that they do not wait for each other.
    """
    vault.put(vault.mark(token, BEGUN), json.dumps({"locator": locator}).encode())
    marks = vault.marks()
    now = marks[token][BEGUN]
    for other, kinds in marks.items():
        if DELETING not in kinds or other == token:
            continue
        if now - kinds[DELETING] < DEAD:
            if not vault.part_numbers(token):
                vault.forget(vault.mark(token, BEGUN))
            raise StillWorking("An older backup is being removed from the vault; this one waits.", again_in=30)
        vault.forget(vault.mark(other, DELETING))
    return marks


def newest(marks: Marks) -> str:
    """The list that was done last; empty for none."""
    whole = [(kinds[DONE], token) for token, kinds in marks.items() if DONE in kinds and DELETING not in kinds]
    return max(whole)[1] if whole else ""


def check_counted_on(line: Line, shelf: Shelf) -> None:
    """The content that a list names is in the vault, of that size. Raises :class:`DriverError` worth trying again."""
    there = shelf.get(line.entry.name)
    if there is None or there[0] != line.entry.size:
        raise DriverError(
            "What this backup counts on was removed from the vault meanwhile, so it is no backup. Try again.",
            detail=f"{line.key}: {there or 'absent'}",
            retry=True,
        )


def finish(vault: Vault, token: str, digests: list[str], objects: int, size: int) -> None:
    """The list counts from now on. Raises when somebody has taken its mark away, and may have removed what it names."""
    if BEGUN not in vault.marks().get(token, {}):
        raise DriverError("This backup was taken for dead, and what it had copied may be gone. Try again.", retry=True)
    told = {"parts": digests, "objects": objects, "bytes": size}
    vault.put_once(vault.mark(token, DONE), json.dumps(told).encode())
