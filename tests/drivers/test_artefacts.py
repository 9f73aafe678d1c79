"""Stored backups: written, read, checked, copied, deleted; and never believed when torn."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backups.artefacts import (
    ArtefactWriter,
    StoredArtefact,
    StoredArtefactInfo,
    copy_artefact,
    delete_artefact,
    read_index,
)
from backups.drivers.base import DamagedBackup, DriverError, Taken
from backups.sidethread import Ahead, Behind
from backups.stores.base import NotStored, ObjectWriter, StoreFull
from backups.stores.directory import DirectoryStore
from tests.drivers.rooms import prepared

TAKEN = Taken(10, {"files": 2}, ("One file changed.",))
CONTENT = b"".join(hashlib.sha256(b"%d" % number).digest() * 3 for number in range(30_000))
ENTRIES = [{"path": f"file {number}", "odd": "\udcff\n"} for number in range(3_000)]


def quiet(bytes_done: int, bytes_expected: int | None = None) -> None:
    """A progress that nobody looks at."""


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """However a test ends, its side threads have ended."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return prepared("north", tmp_path / "north")


@pytest.fixture
def other(tmp_path: Path) -> DirectoryStore:
    return prepared("south", tmp_path / "south")


def make(store: DirectoryStore, prefix: str = "a/1", content: bytes = CONTENT) -> StoredArtefact:
    with ArtefactWriter(store, prefix, kind="files", header={"resource": 7}) as writer:
        writer.write(content)
        for entry in ENTRIES:
            writer.record(entry)
        return StoredArtefact(store, prefix, writer.finish(TAKEN))


def keys(store: DirectoryStore) -> list[str]:
    return [one.key for one in store.list()]


def read(artefact: StoredArtefact, size: int = 100_000) -> bytes:
    with artefact.open() as file:
        return b"".join(iter(lambda: file.read(size), b""))


def test_what_was_written_comes_back(store: DirectoryStore) -> None:
    artefact = make(store)
    assert read(artefact) == CONTENT
    assert list(artefact.manifest()) == ENTRIES
    assert artefact.source_bytes == len(CONTENT)
    assert keys(store) == ["a/1/data.zst", "a/1/index.json", "a/1/manifest.jsonl.zst"]
    assert StoredArtefactInfo.from_json(json.loads(json.dumps(artefact.info.as_json()))) == artefact.info
    seen: list[int] = []
    artefact.check(lambda done, expected=None: seen.append(done))
    assert seen[-1] == artefact.info.size + artefact.info.manifest_size


@pytest.mark.parametrize("content", [b"", b"x", b"x" * (1 << 19), os.urandom((1 << 20) + 1), bytes(40 << 20)])
def test_every_size_comes_back(store: DirectoryStore, content: bytes) -> None:
    artefact = make(store, content=content)
    assert read(artefact, 1 << 19) == content


def test_buffers_may_be_reused_after_writing(store: DirectoryStore) -> None:
    buffer = bytearray(700_000)
    with ArtefactWriter(store, "a", kind="files", header={}) as writer:
        for number in range(20):
            buffer[:] = bytes([number]) * len(buffer)
            writer.write(memoryview(buffer))
            writer.write(buffer)
        artefact = StoredArtefact(store, "a", writer.finish(TAKEN))
    assert read(artefact) == b"".join(bytes([number]) * (2 * len(buffer)) for number in range(20))


def test_the_index_says_all_without_a_database(store: DirectoryStore) -> None:
    artefact = make(store)
    index = read_index(store, "a/1")
    assert (index.kind, index.header, index.info) == ("files", {"resource": 7}, artefact.info)
    assert (index.summary, index.warnings) == (TAKEN.summary, TAKEN.warnings)


def test_plain_tools_can_read_and_check_it(store: DirectoryStore) -> None:
    artefact = make(store)
    path = store.root / "a" / "1" / "data.zst"
    assert subprocess.run(["zstd", "-dc", path], capture_output=True).stdout == CONTENT
    assert hashlib.sha256(path.read_bytes()).hexdigest() == artefact.info.checksum


def test_leaving_without_finish_removes_all(store: DirectoryStore) -> None:
    with ArtefactWriter(store, "a", kind="files", header={}) as writer:
        writer.write(CONTENT)
    with pytest.raises(ZeroDivisionError), ArtefactWriter(store, "a", kind="files", header={}) as writer:
        writer.write(CONTENT * 20)
        raise ZeroDivisionError
    assert keys(store) == []
    assert os.listdir(store.root / ".partial") == []


def test_a_backup_is_replaced_whole(store: DirectoryStore) -> None:
    make(store)
    assert read(make(store, content=b"newer")) == b"newer"


class FailingWriter:
    """A store's writer that fails once it has taken so many bytes, or at its end."""

    def __init__(self, writer: ObjectWriter, room: int) -> None:
        self.writer = writer
        self.room = room

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise StoreFull("The region north has no room left. Free some.", retry=True)
        return self.writer.write(data)

    def commit(self) -> int:
        if self.room == 0:
            raise StoreFull("The region north has no room left. Free some.", retry=True)
        return self.writer.commit()


class FailingStore(DirectoryStore):
    """Fails for the objects of one name, after ``room`` bytes."""

    failing: str
    room: int

    @contextmanager
    def writer(self, key: str) -> Iterator[ObjectWriter]:  # type: ignore[override]
        with super().writer(key) as writer:
            yield FailingWriter(writer, self.room) if key.endswith(self.failing) else writer


@pytest.mark.parametrize("name", ["data.zst", "manifest.jsonl.zst", "index.json"])
@pytest.mark.parametrize("room", [0, 100])
def test_a_full_store_is_told_and_never_waits_for_ever(tmp_path: Path, name: str, room: int) -> None:
    store = FailingStore("north", tmp_path / "north")
    store.prepare()
    store.failing, store.room = name, room
    with (
        pytest.raises(DriverError, match="no room left") as full,
        ArtefactWriter(store, "a", kind="files", header={}) as writer,
    ):
        for _ in range(60):
            writer.write(os.urandom(1 << 20))
            writer.record({"path": os.urandom(1000).hex()})
        writer.finish(TAKEN)
    assert full.value.retry
    assert keys(store) == []


def test_closing_early_stops_the_side_thread(store: DirectoryStore) -> None:
    artefact = make(store, content=os.urandom(20 << 20))
    with artefact.open() as file:
        file.read(10)
    next(iter(artefact.manifest()))


def harm(store: DirectoryStore, name: str, content: bytes) -> None:
    (store.root / "a" / "1" / name).write_bytes(content)


def test_a_consistent_forgery_is_noticed(store: DirectoryStore, other: DirectoryStore) -> None:
    """Another backup's objects under this one's name are sound in themselves, and still not what was stored."""
    artefact = make(store)
    make(other, content=CONTENT[:-1])
    harm(store, "data.zst", (other.root / "a" / "1" / "data.zst").read_bytes())
    with pytest.raises(DamagedBackup):
        read(artefact)
    with pytest.raises(DamagedBackup):
        artefact.check(quiet)


def test_a_bomb_is_stopped_early(store: DirectoryStore) -> None:
    artefact = make(store, content=bytes(64 << 20))
    small = StoredArtefact(store, "a/1", replace(artefact.info, source_bytes=1 << 20))
    with pytest.raises(DamagedBackup, match="another size"), small.open() as file:
        for _ in range(4):
            file.read(1 << 19)


def test_a_manifest_with_another_count_is_damaged(store: DirectoryStore) -> None:
    artefact = make(store)
    with pytest.raises(DamagedBackup):
        list(StoredArtefact(store, "a/1", replace(artefact.info, entries=1)).manifest())


def test_stored_bytes_are_checked_while_downloaded(store: DirectoryStore) -> None:
    artefact = make(store)
    path = store.root / "a" / "1" / "data.zst"
    good = path.read_bytes()
    with artefact.open_stored() as file:
        assert b"".join(iter(lambda: file.read(1000), b"")) == good
    harm(store, "data.zst", good[:-1] + b"?")
    with pytest.raises(DamagedBackup) as damaged, artefact.open_stored() as file:
        while file.read(1000):
            pass
    assert damaged.value.sentence == (
        "The stored backup is damaged: its data in the region north is not what was stored: its SHA-256 differs."
        " Restore another backup."
    )
    assert damaged.value.detail == "a/1/data.zst"  # a name for IT, not for a client


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[]", b'{"format": 1, "kind": "files"}'])
def test_an_index_that_is_none_is_damage(store: DirectoryStore, content: bytes) -> None:
    make(store)
    harm(store, "index.json", content)
    with pytest.raises(DamagedBackup, match="not an index"):
        read_index(store, "a/1")


def test_an_index_of_a_later_portal_is_not_guessed_at(store: DirectoryStore) -> None:
    make(store)
    value = json.loads((store.root / "a" / "1" / "index.json").read_text())
    harm(store, "index.json", json.dumps({**value, "format": 2}).encode())
    with pytest.raises(DriverError, match="newer portal"):
        read_index(store, "a/1")


def test_a_copy_is_a_backup_of_its_own(store: DirectoryStore, other: DirectoryStore) -> None:
    artefact = make(store)
    for _ in range(2):
        copy_artefact(store, "a/1", other, "b/2", artefact.info, quiet)
    delete_artefact(store, "a/1")
    copied = StoredArtefact(other, "b/2", artefact.info)
    copied.check(quiet)
    assert read(copied) == CONTENT
    assert read_index(other, "b/2").header == {"resource": 7}
    assert keys(store) == []


@pytest.mark.parametrize("name", ["data.zst", "manifest.jsonl.zst", "index.json"])
def test_damage_is_not_copied(store: DirectoryStore, other: DirectoryStore, name: str) -> None:
    artefact = make(store)
    for content in ((store.root / "a" / "1" / name).read_bytes()[:-2], None):
        harm(store, name, content) if content is not None else store.delete(f"a/1/{name}")
        with pytest.raises(DamagedBackup):
            copy_artefact(store, "a/1", other, "b/2", artefact.info, quiet)
        assert keys(other) == []


def test_a_cancelled_copy_leaves_nothing(store: DirectoryStore, other: DirectoryStore) -> None:
    artefact = make(store)

    def cancel(bytes_done: int, bytes_expected: int | None = None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_artefact(store, "a/1", other, "b/2", artefact.info, cancel)
    assert keys(other) == []


def test_deleting_begins_with_the_index(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    make(store)
    deleted: list[str] = []
    real = store.delete

    def noted(key: str) -> None:
        deleted.append(key)
        real(key)

    monkeypatch.setattr(store, "delete", noted)
    for _ in range(2):
        delete_artefact(store, "a/1")
    assert deleted[0] == "a/1/index.json"
    assert keys(store) == []
    with pytest.raises(NotStored):
        read_index(store, "a/1")


# The thread beside


def test_behind_keeps_the_order_and_surfaces_the_error() -> None:
    seen: list[int] = []
    behind = Behind(seen.append, 2)
    for number in range(100):
        behind.put(number)
    behind.finish()
    assert seen == list(range(100))

    def fail(item: int) -> None:
        raise ValueError(item)

    failing = Behind(fail, 2)
    with pytest.raises(ValueError, match="0"):
        for number in range(100):
            failing.put(number)
    failing.abandon()


def test_ahead_keeps_the_order_and_surfaces_the_error() -> None:
    def numbers() -> Iterator[int]:
        yield from range(10)
        raise ValueError("after ten")

    ahead = Ahead(numbers(), 2)
    seen = []
    with pytest.raises(ValueError, match="after ten"):
        for number in ahead:
            seen.append(number)  # noqa: PERF402 - the error comes in the middle
    assert seen == list(range(10))
    ahead.close()
    endless = Ahead(iter(int, 1), 2)
    assert next(endless) == 0
    endless.close()
