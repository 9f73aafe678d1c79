"""What a store promises, tried on a real directory, on buckets of the simulated AWS, and on a real Swift."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from backups.stores.base import NotStored, NotThere, Store, StoredObject, StoreError, StoreFull
from backups.stores.directory import PARTIAL, DirectoryStore
from backups.stores.keys import MARK
from tests.drivers.buckets import moto_store, swift_store, uploads
from tests.drivers.rooms import prepared, small_directory


@pytest.fixture(params=["directory", "aws", pytest.param("swift", marks=pytest.mark.xdist_group("swift"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "aws":
        return moto_store()
    if request.param == "swift":
        return swift_store(request.getfixturevalue("swift"))
    return prepared("north", tmp_path / "region")


@pytest.fixture
def directory(tmp_path: Path) -> DirectoryStore:
    return prepared("north", tmp_path / "region")


def put(store: Store, key: str, content: bytes = b"content") -> None:
    with store.writer(key) as writer:
        writer.write(content)
        writer.commit()


def read(store: Store, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


def leftovers(store: Store) -> list[str]:
    return os.listdir(store.root / PARTIAL) if isinstance(store, DirectoryStore) else uploads(store)


def test_what_was_written_is_read_back(store: Store) -> None:
    with store.writer("a/b.zst") as writer:
        assert writer.write(b"one ") == 4
        writer.write(bytearray(b"two "))
        writer.write(memoryview(b"three"))
        assert writer.commit() == 13
    assert read(store, "a/b.zst") == b"one two three"
    assert store.stat("a/b.zst") == StoredObject("a/b.zst", 13)
    assert leftovers(store) == []


def test_nothing_is_visible_before_commit_and_nothing_left_without(store: Store) -> None:
    with store.writer("a/b") as writer:
        writer.write(b"content")
        assert store.stat("a/b") is None
        assert list(store.list()) == []
    with pytest.raises(ZeroDivisionError), store.writer("a/b") as writer:
        writer.write(b"content")
        raise ZeroDivisionError
    assert list(store.list()) == []
    assert leftovers(store) == []


def test_an_object_is_replaced_whole(store: Store) -> None:
    put(store, "key", b"old")
    with store.writer("key") as writer:
        writer.write(b"newer")
        assert read(store, "key") == b"old"
        writer.commit()
    assert read(store, "key") == b"newer"


def test_what_is_absent_is_absent(store: Store) -> None:
    with pytest.raises(NotStored, match="north"):
        store.open("a/b")
    assert store.stat("a/b") is None
    store.delete("a/b")
    assert list(store.list("a")) == []
    put(store, "a")
    assert store.stat("a/b") is None
    store.delete("a/b")


WRONG_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "a/../b",
    "a/..",
    ".partial/x",
    "a/.b",
    "a//b",
    "a/",
    "a b",
    "ü",
    "a\n",
    "a\0b",
    "x" * 256,
    "a\\b",
]


def test_a_key_that_could_lead_elsewhere_is_refused(store: Store) -> None:
    for key in WRONG_KEYS:
        with pytest.raises(StoreError, match="is not a key"), store.writer(key):
            pass
        for verb in (store.open, store.stat, store.delete):
            with pytest.raises(StoreError, match="is not a key"):
                verb(key)


def test_what_a_file_system_keeps_for_itself_is_not_looked_into(
    directory: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(directory, "a/b")
    (directory.root / "lost+found").mkdir()
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "lost+found":  # as to anybody but root
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert [found.key for found in directory.list()] == ["a/b"]


def test_the_list_is_in_key_order_and_by_prefix(store: Store) -> None:
    keys = ["a", "b-c", "b.c", "b/c", "b/c-d/e", "b/c.d", "b0", "c/d/e/f", "B"]
    for key in keys:
        put(store, key)
    assert [one.key for one in store.list()] == sorted(keys)
    for prefix in ("b", "b/", "b/c", "b/c-", "c/d/e", "x", "b/c-d/e"):
        assert [one.key for one in store.list(prefix)] == sorted(key for key in keys if key.startswith(prefix))


def test_deleting_leaves_no_empty_directories(directory: DirectoryStore) -> None:
    put(directory, "a/b/c")
    put(directory, "a/d")
    directory.delete("a/b/c")
    assert sorted(os.listdir(directory.root / "a")) == ["d"]
    directory.delete("a/d")
    assert not (directory.root / "a").exists()
    assert directory.root.exists()


def test_writing_beside_deleting_never_fails(store: Store) -> None:
    put(store, "a/b/start")
    over = threading.Event()

    def churn() -> None:
        while not over.is_set():
            put(store, "a/b/other")
            store.delete("a/b/other")

    thread = threading.Thread(target=churn)
    store.delete("a/b/start")
    thread.start()
    try:
        for _ in range(50 if isinstance(store, DirectoryStore) else 5):
            put(store, "a/b/mine")
            store.delete("a/b/mine")
    finally:
        over.set()
        thread.join()


def test_everything_is_private(directory: DirectoryStore) -> None:
    put(directory, "a/b")
    for path in (directory.root, directory.root / "a", directory.root / PARTIAL):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory.root / "a" / "b").stat().st_mode) == 0o600


def test_no_room_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with small_directory(tmp_path / "small", megabytes=1) as root:
        store = prepared("north", root)
        with pytest.raises(StoreFull, match="north has no room left") as full, store.writer("key") as writer:
            writer.write(bytes(3 << 20))
        assert full.value.retry
        assert leftovers(store) == []
        assert list(store.list()) == []
        put(store, "key", bytes(1000))


def test_free_room_is_known_even_before_the_first_object(directory: DirectoryStore) -> None:
    assert (directory.free_bytes() or 0) > 0
    put(directory, "key")
    assert (directory.free_bytes() or 0) > 0


def test_a_root_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = DirectoryStore("north", tmp_path / "file")
    with pytest.raises(NotThere, match="is not at"), store.writer("key"):
        pass
    with pytest.raises(StoreError, match="See that") as failed:
        store.prepare()
    assert failed.value.sentence.endswith(".")


def test_sweep_removes_only_what_is_old_enough(directory: DirectoryStore) -> None:
    assert directory.sweep(0, now=0) == 0
    put(directory, "key")
    for name, touched in (("dead", 1_000), ("alive", 5_000)):
        (directory.root / PARTIAL / name).touch()
        os.utime(directory.root / PARTIAL / name, (touched, touched))
    assert directory.sweep(3_600, now=5_000) == 1
    assert leftovers(directory) == ["alive"]
    assert read(directory, "key") == b"content"


def test_a_region_that_is_not_there_holds_nothing_and_takes_nothing(tmp_path: Path, directory: DirectoryStore) -> None:
    put(directory, "a/b")
    directory.root.rename(tmp_path / "unmounted")
    directory.root.mkdir()
    for attempt in (
        lambda: put(directory, "a/c"),
        lambda: read(directory, "a/b"),
        lambda: directory.stat("a/b"),
        lambda: list(directory.list()),
        lambda: directory.delete("a/b"),
        lambda: directory.prepare(expecting="a/b"),
    ):
        with pytest.raises(NotThere, match="not mounted"):
            attempt()
    assert os.listdir(directory.root) == [], "nothing is written beneath the mount point"
    directory.root.rmdir()
    (tmp_path / "unmounted").rename(directory.root)
    assert read(directory, "a/b") == b"content"


def test_a_region_in_anothers_place_is_refused(directory: DirectoryStore) -> None:
    with pytest.raises(StoreError, match="holds the region north, not south"):
        put(DirectoryStore("south", directory.root), "a/b")


def test_a_region_of_before_is_prepared_when_it_holds_what_it_should(directory: DirectoryStore) -> None:
    put(directory, "a/b")
    (directory.root / MARK).unlink()
    directory.prepare(expecting="a/b")
    assert read(directory, "a/b") == b"content"
