"""Which entries of a dump make a part: some tables, and what they cannot do without. Pure.

pg_dump writes down what each entry depends on, so nothing is guessed:

- the *picked* tables, with their rows; of a partitioned table its partitions too;
- relations that these need to be made (the table that a partition or a child is of, a sequence) come as
  *structure*, without rows;
- everything else (types, functions, indexes, constraints, triggers, rights, comments) comes if all that it depends on
  does, and what stands for itself (schemas, extensions) always. A foreign key to a table that was not picked does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from backups.drivers.postgres.archive import TocEntry

Name = tuple[bytes, bytes]
"""Schema and name."""

TABLE, ATTACH, DATA, SEQUENCE, FOREIGN_KEY = b"TABLE", b"TABLE ATTACH", b"TABLE DATA", b"SEQUENCE", b"FK CONSTRAINT"
_RELATIONS = {TABLE, SEQUENCE, b"VIEW", b"MATERIALIZED VIEW", b"FOREIGN TABLE"}
_OF_A_TABLE = {b"DEFAULT", b"CONSTRAINT", b"CHECK CONSTRAINT", b"INDEX"}  # without these it is not that table
_WORDS = {
    FOREIGN_KEY: "the foreign key", b"TRIGGER": "the trigger", b"RULE": "the rule", b"POLICY": "the policy",
}  # fmt: skip
# Of the database as a whole, or reaching out of it.
_NEVER = {
    b"BLOB", b"BLOBS", b"BLOB METADATA", b"DATABASE", b"DATABASE PROPERTIES", b"EVENT TRIGGER", b"MATERIALIZED VIEW DATA",
    b"PUBLICATION", b"PUBLICATION TABLE", b"PUBLICATION TABLES IN SCHEMA", b"SUBSCRIPTION", b"SUBSCRIPTION TABLE",
}  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """What of a dump is restored. ``left_out``: (what it is, the name) of what belongs to a picked table and stays away."""

    ids: tuple[int, ...]  # of the entries, in the dump's order
    tables: frozenset[Name]
    structure: frozenset[Name]
    sequences: frozenset[Name]
    left_out: tuple[tuple[str, bytes], ...]


def select(entries: Iterable[TocEntry], names: Collection[Name]) -> Selection:
    """The selection for these tables. Raises KeyError with a name that is not in the dump."""
    return _Selecting(list(entries)).select(names)


class _Selecting:
    def __init__(self, entries: list[TocEntry]) -> None:
        self._entries = entries
        self._by_id = {entry.dump_id: entry for entry in entries}
        self._tables = {(entry.namespace, entry.tag): entry.dump_id for entry in entries if entry.description == TABLE}
        self._picked: set[int] = set()
        self._relations: set[int] = set()
        self._known: dict[int, bool] = {}

    def select(self, names: Collection[Name]) -> Selection:
        self._picked = self._with_partitions({self._tables[name] for name in names})
        self._relations = self._picked | self._needed()
        self._relations |= {
            entry.dump_id for entry in self._entries
            if entry.description == SEQUENCE and not self._picked.isdisjoint(entry.dependencies)
        }  # fmt: skip
        chosen = [entry for entry in self._entries if self._comes(entry.dump_id)]
        tables = self._names(self._picked)
        return Selection(
            ids=tuple(entry.dump_id for entry in chosen),
            tables=tables,
            structure=frozenset(
                _name(entry) for entry in chosen if entry.description in _RELATIONS - {SEQUENCE}
            ) - tables,
            sequences=frozenset(_name(entry) for entry in chosen if entry.description == SEQUENCE),
            left_out=tuple(self._left_out()),
        )  # fmt: skip

    def _names(self, ids: Iterable[int]) -> frozenset[Name]:
        return frozenset(_name(self._by_id[dump_id]) for dump_id in ids)

    def _attaching(self) -> Iterator[TocEntry]:
        """Entries that make a table a partition: named as it is, and depending on both."""
        return (entry for entry in self._entries if entry.description == ATTACH)

    def _with_partitions(self, ids: set[int]) -> set[int]:
        children: dict[int, list[int]] = {}
        for entry in self._attaching():
            child = self._tables.get(_name(entry))
            for parent in entry.dependencies:
                if child is not None and parent != child:
                    children.setdefault(parent, []).append(child)
        return self._closed(ids, children)

    def _needed(self) -> set[int]:
        """Relations without which the picked tables could not be made."""
        begin = set(self._picked)
        begin.update(
            entry.dump_id for entry in self._entries
            if entry.description in _OF_A_TABLE and self._owner(entry) is not None
        )  # fmt: skip
        found = self._closed(begin, {entry.dump_id: entry.dependencies for entry in self._entries})
        return {dump_id for dump_id in found if self._is_relation(dump_id)}

    def _is_relation(self, dump_id: int) -> bool:
        entry = self._by_id.get(dump_id)
        return entry is not None and entry.description in _RELATIONS

    @staticmethod
    def _closed(begin: Iterable[int], onward: Mapping[int, Iterable[int]]) -> set[int]:
        found: set[int] = set()
        left = list(begin)
        while left:
            one = left.pop()
            if one not in found:
                found.add(one)
                left.extend(onward.get(one, ()))
        return found

    def _owner(self, entry: TocEntry) -> TocEntry | None:
        """The picked table that the entry is a part of, if it is: one that it depends on, in the same schema."""
        for dump_id in entry.dependencies:
            table = self._by_id.get(dump_id)
            if table is None or dump_id not in self._picked or table.namespace != entry.namespace:
                continue
            if entry.description == b"INDEX" or entry.tag.startswith(table.tag + b" "):
                return table
        return None

    def _comes(self, dump_id: int) -> bool:
        known = self._known.get(dump_id)
        if known is None:
            self._known[dump_id] = True  # should two depend on each other
            known = self._known[dump_id] = self._decide(dump_id)
        return known

    def _decide(self, dump_id: int) -> bool:
        entry = self._by_id.get(dump_id)
        if entry is None:  # not in the dump: part of an extension, or of PostgreSQL itself
            return True
        if entry.description in _NEVER:
            return False
        if entry.description in _RELATIONS:
            return dump_id in self._relations
        if entry.description == DATA:
            return not self._picked.isdisjoint(entry.dependencies)
        return all(map(self._comes, entry.dependencies))

    def _left_out(self) -> Iterator[tuple[str, bytes]]:
        for entry in self._entries:
            words = _WORDS.get(entry.description)
            if words and not self._comes(entry.dump_id) and self._owner(entry) is not None:
                yield words, entry.tag


def _name(entry: TocEntry) -> Name:
    return entry.namespace, entry.tag
