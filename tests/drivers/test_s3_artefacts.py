"""Backups in buckets: stored, read, copied to another region by the server or through here, never believed when damaged."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backups.artefacts import ArtefactWriter, StoredArtefact, copy_artefact, delete_artefact, read_index
from backups.drivers.base import DamagedBackup, DriverError, Taken
from backups.stores.base import NotStored, Store
from backups.stores.s3 import S3Store
from backups.stores.s3.copying import PIECE
from tests.drivers import aws
from tests.drivers.buckets import moto_store, on_sending, refusing, swift_store, uploads
from tests.drivers.rooms import prepared
from tests.drivers.swift import SwiftServer

pytestmark = pytest.mark.slow  # a real server of S3's protocol

CONTENT = os.urandom(3 << 20)
ENTRIES = [{"path": f"file {number}"} for number in range(500)]
SWIFT = pytest.param("swift", marks=pytest.mark.xdist_group("swift"))


def quiet(bytes_done: int, bytes_expected: int | None = None) -> None:
    """A progress that nobody looks at."""


@pytest.fixture(autouse=True)
def no_thread_of_ours_is_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("s3-upload")]


@pytest.fixture(params=["aws", SWIFT])
def pair(request: pytest.FixtureRequest) -> tuple[S3Store, S3Store]:
    """Two buckets of one server; on the simulated AWS in two of its regions."""
    if request.param == "aws":
        return moto_store("north"), moto_store("south", aws.AWAY)
    server = request.getfixturevalue("swift")
    return swift_store(server, "north"), swift_store(server, "south")


def make(store: Store, prefix: str = "a/1", content: bytes = CONTENT) -> StoredArtefact:
    with ArtefactWriter(store, prefix, kind="files", header={"resource": 7}) as writer:
        writer.write(content)
        for entry in ENTRIES:
            writer.record(entry)
        return StoredArtefact(store, prefix, writer.finish(Taken(10, {"files": 2}, ())))


def keys(store: Store) -> list[str]:
    return [one.key for one in store.list()]


def read(artefact: StoredArtefact) -> bytes:
    with artefact.open() as file:
        return b"".join(iter(lambda: file.read(100_000), b""))


def replace(store: S3Store, key: str, content: bytes) -> None:
    store.place.call("PutObject", key, Body=content)


def test_what_was_written_comes_back(pair: tuple[S3Store, S3Store]) -> None:
    store, _ = pair
    artefact = make(store)
    assert read(artefact) == CONTENT
    assert list(artefact.manifest()) == ENTRIES
    assert keys(store) == ["a/1/data.zst", "a/1/index.json", "a/1/manifest.jsonl.zst"]
    assert read_index(store, "a/1").info == artefact.info
    artefact.check(quiet)
    delete_artefact(store, "a/1")
    assert keys(store) == []
    with pytest.raises(NotStored):
        read_index(store, "a/1")


def test_leaving_without_finish_removes_all(pair: tuple[S3Store, S3Store]) -> None:
    store, _ = pair
    with pytest.raises(ZeroDivisionError), ArtefactWriter(store, "a", kind="files", header={}) as writer:
        writer.write(os.urandom(40 << 20))
        raise ZeroDivisionError
    assert keys(store) == uploads(store) == []


def test_damage_is_found(pair: tuple[S3Store, S3Store]) -> None:
    store, _ = pair
    artefact = make(store)
    replace(store, "a/1/data.zst", bytes(artefact.info.size))
    with pytest.raises(DamagedBackup, match="SHA-256 differs"):
        artefact.check(quiet)
    store.delete("a/1/data.zst")
    with pytest.raises(DamagedBackup, match="is missing"):
        artefact.check(quiet)


def test_the_server_copies_by_itself_and_the_copy_is_read_back(pair: tuple[S3Store, S3Store]) -> None:
    north, south = pair
    artefact, passed, seen = make(north), [], []
    with (
        on_sending(south, "PutObject", lambda request: passed.append(request.url)),
        on_sending(north, "GetObject", lambda request: seen.append(request.url)),
    ):
        assert copy_artefact(north, "a/1", south, "b/2", artefact.info, quiet)
    assert [url.rpartition("/")[2] for url in passed] == ["index.json"]
    read_here = [url.rpartition("/")[2] for url in seen if north.place.bucket in url]  # they share a client on Swift
    assert set(read_here) == {"index.json"}
    copied = StoredArtefact(south, "b/2", artefact.info)
    assert read(copied) == CONTENT
    assert read_index(south, "b/2").header == {"resource": 7}


def test_what_the_server_refuses_passes_through_here(pair: tuple[S3Store, S3Store]) -> None:
    north, south = pair
    artefact = make(north)
    for status, code in ((403, "AccessDenied"), (501, "NotImplemented")):
        with refusing(south, "CopyObject", status, code) as seen:
            assert not copy_artefact(north, "a/1", south, "b/2", artefact.info, quiet)
        assert len(seen) == 2, code
        StoredArtefact(south, "b/2", artefact.info).check(quiet)


def test_a_server_in_trouble_is_for_another_time(pair: tuple[S3Store, S3Store]) -> None:
    north, south = pair
    artefact = make(north)
    with refusing(south, "CopyObject", 503, "SlowDown"), pytest.raises(DriverError, match="more slowly") as slow:
        copy_artefact(north, "a/1", south, "b/2", artefact.info, quiet)
    assert slow.value.retry
    assert keys(south) == []


@pytest.mark.parametrize("name", ["data.zst", "manifest.jsonl.zst"])
def test_damage_that_the_server_copies_is_the_sources(pair: tuple[S3Store, S3Store], name: str) -> None:
    north, south = pair
    artefact = make(north)
    size = north.stat(f"a/1/{name}")
    assert size is not None
    replace(north, f"a/1/{name}", bytes(size.size))
    with pytest.raises(DamagedBackup, match="in the region north"):
        copy_artefact(north, "a/1", south, "b/2", artefact.info, quiet)
    assert keys(south) == []
    north.delete(f"a/1/{name}")
    with pytest.raises(DamagedBackup, match="is missing"):
        copy_artefact(north, "a/1", south, "b/2", artefact.info, quiet)
    assert keys(south) == []


def test_a_copy_that_the_server_got_wrong_is_not_the_sources_damage(pair: tuple[S3Store, S3Store]) -> None:
    north, south = pair
    artefact = make(north)

    def spoil(request: Any) -> None:
        if request.url.endswith("/data.zst"):
            replace(south, "b/2/data.zst", bytes(artefact.info.size))

    with (
        on_sending(south, "GetObject", spoil),
        pytest.raises(DriverError, match="The region south did not keep b/2/data.zst as it was sent") as wrong,
    ):
        copy_artefact(north, "a/1", south, "b/2", artefact.info, quiet)
    assert wrong.value.retry
    assert not isinstance(wrong.value, DamagedBackup)
    assert keys(south) == []


@pytest.mark.slow
def test_a_large_object_is_copied_in_pieces(pair: tuple[S3Store, S3Store]) -> None:
    north, south = pair
    artefact = make(north, content=os.urandom(PIECE + 1))
    with refusing(south, "CopyObject", 403, "AccessDenied") as asked:
        assert not copy_artefact(north, "a/1", south, "b/2", artefact.info, quiet)
    assert len(asked) == 1, "the manifest; the data went in pieces"
    StoredArtefact(south, "b/2", artefact.info).check(quiet)

    def cancel(bytes_done: int, bytes_expected: int | None = None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_artefact(north, "a/1", south, "c/3", artefact.info, cancel)
    assert uploads(south) == []
    assert [key for key in keys(south) if key.startswith("c/")] == []


@pytest.mark.xdist_group("swift")
def test_from_server_to_server_and_from_a_directory(
    swift: SwiftServer, swift_away: SwiftServer, tmp_path: Path
) -> None:
    directory, home, away = prepared("east", tmp_path), swift_store(swift, "north"), swift_store(swift_away, "south")
    artefact = make(directory)
    assert not copy_artefact(directory, "a/1", home, "b/2", artefact.info, quiet)
    assert not copy_artefact(home, "b/2", away, "c/3", artefact.info, quiet)
    assert not copy_artefact(away, "c/3", directory, "d/4", artefact.info, quiet)
    assert read(StoredArtefact(directory, "d/4", artefact.info)) == CONTENT
