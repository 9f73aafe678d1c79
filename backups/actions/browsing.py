"""A look into a backup, page by page: for its page and the API alike."""

from __future__ import annotations

from dataclasses import dataclass

from backups.actions.contents import contents_of
from backups.contents import Entry, NotInBackup
from backups.models import Backup
from backups.permissions import check_can_browse
from portal.entered import search_words
from portal.errors import InvalidInput
from portal.permissions import Person

SHOWN = 100


@dataclass(frozen=True)
class Listing:
    """What is right below ``under``, or with ``words`` everything below it whose name has them; ``after`` leads on."""

    under: str
    words: list[str]
    entries: list[Entry]
    after: str


def look_into(*, by: Person, backup: Backup, under: str = "", search: str = "", after: str = "") -> Listing:
    """The next ``SHOWN`` entries, from the one on that follows the entry ``after``; ``under`` and ``after`` are keys.

    Raises NotPermitted or Refused by the rule or while the list is being made, InvalidInput naming ``under`` or ``after``.
    """
    check_can_browse(by, backup)
    words = search_words(search)
    with contents_of(backup) as contents:
        for name, key in (("under", under), ("after", after)):
            try:
                contents.number(key)
            except NotInBackup as error:
                raise InvalidInput(f"{key} is not in this backup. Begin at its top.", field=name) from error
        found = contents.page(under, words, after, SHOWN + 1)
    shown = found[:SHOWN]
    return Listing(under, words, shown, shown[-1].key if len(found) > SHOWN else "")
