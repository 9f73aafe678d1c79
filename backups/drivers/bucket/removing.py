"""Removing a backup from a vault: its list, then whatever no other list of the resource names, in all versions.

What is removed is found by looking at all that lies there, so what a killed backup has copied goes as well. While another
list is being made nothing is removed: it may count on anything. See :func:`backups.drivers.bucket.lists.begin`.
"""

from __future__ import annotations

from collections.abc import Iterator

from backups.aws.access import Access
from backups.drivers.base import DriverError, StillWorking
from backups.drivers.bucket.copying import give_up_uploads
from backups.drivers.bucket.lists import DEAD, Marks
from backups.drivers.bucket.pace import AGAIN_IN, Pace, Turn
from backups.drivers.bucket.shelf import Shelf
from backups.drivers.bucket.vault import BEGUN, DELETING, DONE, ROOT, Vault, unquoted
from backups.drivers.bucket.vaults import vault_in
from backups.drivers.counting import counted


def holding(access: Access, token: str) -> Iterator[Vault]:
    """The vault, once for each resource that has a list of that token in it: for who knows the token alone."""
    vault = vault_in(access, "")
    found = {
        one["Key"].split("/")[2]
        for one in vault.within(f"{ROOT}/marks/")
        if unquoted(one["Key"].split("/")[3]) == token
    }
    for of in sorted(found):
        yield vault_in(access, of)


def delete(vault: Vault, token: str, pace: Pace) -> None:
    """Remove the list and what it alone names; absent is fine. Raises while another list is being made."""
    if not vault.marks().get(token):
        return
    vault.put(vault.mark(token, DELETING), b"")
    marks = vault.marks()
    _wait_for_others(vault, token, marks)
    for what in (vault.mark(token, BEGUN), vault.mark(token, DONE), vault.parts(token)):
        vault.forget(what)
    with Shelf() as named:
        for other, kinds in marks.items():
            if DONE in kinds and DELETING not in kinds:
                _note(vault, other, named)
        _sweep(vault, token, named, pace.turn())
    give_up_uploads(vault.access, vault.bucket, vault.objects)
    vault.forget(vault.mark(token, DELETING))


def _wait_for_others(vault: Vault, token: str, marks: Marks) -> None:
    now = marks[token][DELETING]
    for other, kinds in marks.items():
        if other == token or DONE in kinds or BEGUN not in kinds or DELETING in kinds:
            continue
        if now - kinds[BEGUN] < DEAD:
            if BEGUN in marks[token]:  # it goes first, so nothing was removed yet
                vault.forget(vault.mark(token, DELETING))
            raise DriverError(
                "A backup of the same bucket is being made, and may count on what would go. The portal removes it later.",
                detail=other,
                retry=True,
            )
        vault.forget(vault.mark(other, BEGUN))


def _note(vault: Vault, token: str, named: Shelf) -> None:
    """What a list names. One that cannot be read might name anything: then nothing goes."""
    told = vault.done(token)
    if told is None:
        raise DriverError("Another backup was removed meanwhile. The portal looks again.", detail=token, retry=True)
    for part in vault.whole(token, told["parts"]):
        named.add((line.entry.name, 0, "") for line in part.lines if not line.entry.left_out)


def _sweep(vault: Vault, token: str, named: Shelf, turn: Turn) -> None:
    removed = 0

    def goes(key: str) -> bool:
        return named.get(key.rpartition("/")[2]) is None

    for count in vault.remove(vault.objects, goes):
        removed += count
        if DELETING not in vault.marks().get(token, {}):
            raise DriverError("Somebody else has taken this removal over. The portal looks again.", retry=True)
        if count and turn.over:
            raise StillWorking(f"{counted(removed, 'object')} of an older backup are removed.", again_in=AGAIN_IN)
