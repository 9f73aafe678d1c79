"""The index of what is in a backup, against a plain list of the same entries."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.contents import Contents, NotInBackup, build, crumbs, opened
from backups.drivers.base import Item
from backups.drivers.keys import key_of, without_doubles

NAMES = st.sampled_from(["a", "b", "B", "a b", "new\nline", "100%", "under_score", "\udcff", "é", "back\\slash"])
Tree = dict[str, "Tree | int | None"]
"""By name a directory, a file of that size, or (None) another name of the first file before it."""

TREES: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(NAMES, st.integers(0, 9) | st.none(), max_size=4),
    lambda inner: st.dictionaries(NAMES, st.integers(0, 9) | st.none() | inner, max_size=4),
    max_leaves=25,
)


def listed(tree: Tree) -> list[Item]:
    """As a manifest has it."""
    found: list[Item] = []

    def walk(names: tuple[str, ...], inside: Tree) -> None:
        for name in sorted(inside):
            what, path = inside[name], (*names, name)
            first = next((item for item in found if item.kind == "file"), None)
            if isinstance(what, dict):
                found.append(Item(path, "directory", holds=True))
                walk(path, what)
            elif what is None and first is not None:
                found.append(Item(path, "hardlink", same_as=first.names))
            else:
                found.append(Item(path, "file", size=what or 0))

    walk((), tree)
    return found


@contextmanager
def index_of(items: list[Item]) -> Iterator[Contents]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "with ? and % and #", "index.sqlite3")
        build(path, items)
        with opened(path) as found:
            assert found is not None
            yield found


def below(items: list[Item], under: tuple[str, ...]) -> list[Item]:
    return [item for item in items if item.names[: len(under)] == under and item.names != under]


@given(TREES, st.data())
def test_pages_show_everything_once_in_order(tree: Tree, data: st.DataObject) -> None:
    items = listed(tree)
    under: tuple[str, ...] = data.draw(st.sampled_from([(), *(item.names for item in items if item.holds)]))
    words = data.draw(st.sampled_from([[], ["a"], ["b"], ["%"], ["_"], ["a", "b"]]))
    if words:
        wanted = [
            item for item in below(items, under) if all(word in key_of(item.names[-1:]).lower() for word in words)
        ]
    else:
        wanted = [item for item in below(items, under) if len(item.names) == len(under) + 1]
        wanted.sort(key=lambda item: key_of(item.names[-1:]))
    with index_of(items) as contents:
        shown, after = [], ""
        while page := contents.page(key_of(under), words, after, 2):
            shown += page
            after = page[-1].key
    assert [entry.key for entry in shown] == [key_of(item.names) for item in wanted]
    sizes = {item.names: item.size for item in items}
    for entry, item in zip(shown, wanted, strict=True):
        inside = below(items, item.names)
        assert entry.below == len(inside)
        assert entry.size == (sum(one.size for one in inside) if item.holds else sizes[item.same_as or item.names])


@given(TREES, st.data())
def test_a_part_is_measured_as_counting_it_would(tree: Tree, data: st.DataObject) -> None:
    items = listed(tree)
    if not items:
        return
    part = data.draw(st.lists(st.sampled_from(items), min_size=1, max_size=5))
    chosen = {item.names for one in part for item in [one, *below(items, one.names)]}
    contents_once = {item.same_as or item.names for item in items if item.names in chosen and not item.holds}
    size = sum(item.size for item in items if item.names in contents_once)
    with index_of(items) as contents:
        measured = contents.measure(key_of(item.names) for item in part)
    assert (measured.entries, measured.size) == (len(chosen), size)
    assert sum(measured.picked.values()) == len(without_doubles(key_of(item.names) for item in part))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with index_of([Item(("a",), "file")]) as contents:
        for key in ("b", "a/b", "/", "a/"):
            with pytest.raises(NotInBackup):
                contents.number(key)
        with pytest.raises(NotInBackup):
            contents.measure([""])


@pytest.mark.parametrize("content", [None, b"", b"no index", b"SQLite format 3\0 and nonsense"])
def test_what_is_no_index_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "index.sqlite3"
    if content is not None:
        path.write_bytes(content)
    with opened(path) as found:
        assert found is None
    build(path, [Item(("a",), "file")])
    with opened(path) as found:
        assert found is not None


def test_an_index_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Item]:
        yield Item(("a",), "file")
        raise sqlite3.OperationalError("disk full")

    with pytest.raises(sqlite3.OperationalError):
        build(tmp_path / "here" / "index.sqlite3", broken())
    assert list((tmp_path / "here").iterdir()) == []


def test_the_way_down_is_named() -> None:
    assert crumbs("") == []
    assert crumbs("a/b c/d") == [("a", "a"), ("a/b c", "b c"), ("a/b c/d", "d")]
