"""The names and the index of a stored backup; what they mean is said in :mod:`backups.artefacts`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from backups.drivers.base import DamagedBackup, DriverError
from backups.drivers.provider import KeptAt
from backups.stores.base import Store, StoreError

FORMAT = 1
DATA, MANIFEST, INDEX = "data.zst", "manifest.jsonl.zst", "index.json"
CHUNK = 1 << 19
DEPTH = 12  # chunks queued between two threads: 6 MiB
LARGEST_INDEX = 1 << 20
to_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class StoredArtefactInfo:
    """What the stored objects must be: sizes in bytes, checksums as SHA-256 in hexadecimal digits."""

    size: int
    checksum: str
    manifest_size: int
    manifest_checksum: str
    source_bytes: int  # what the driver wrote, before compression
    entries: int

    def as_json(self) -> dict[str, Any]:
        """Plain values; :meth:`from_json` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> StoredArtefactInfo:
        """The info that :meth:`as_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        numbers = {name: int(value[name]) for name in ("size", "manifest_size", "source_bytes", "entries")}
        return cls(checksum=str(value["checksum"]), manifest_checksum=str(value["manifest_checksum"]), **numbers)


@dataclass(frozen=True)
class Index:
    """The content of ``index.json``. ``header`` is whatever the caller of the writer wanted to be known without a database."""

    kind: str
    header: Mapping[str, Any]
    info: StoredArtefactInfo
    summary: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    kept: KeptAt | None = None  # what the provider keeps of this copy of the backup


@contextmanager
def said() -> Iterator[None]:
    """Have the store's errors reach a driver's caller as the driver's."""
    try:
        yield
    except StoreError as error:
        raise DriverError(error.sentence, detail=error.detail, retry=error.retry) from error


def index_key(prefix: str) -> str:
    """The key of the object whose presence makes a backup under the prefix."""
    return f"{prefix}/{INDEX}"


def write_index(store: Store, prefix: str, index: Index) -> None:
    """Publish the index: from now on there is a backup under the prefix."""
    value = {"format": FORMAT, **asdict(index)}
    with said(), store.writer(index_key(prefix)) as writer:
        writer.write(json.dumps(value, indent=1).encode("ascii") + b"\n")
        writer.commit()


def read_index(store: Store, prefix: str) -> Index:
    """What stands under the prefix. Raises NotStored when no complete backup does, DamagedBackup when it is unreadable."""
    key = index_key(prefix)
    with store.open(key) as file:
        content = b"".join(iter(lambda: file.read(CHUNK), b"")) if _modest(store, key) else b""
    try:
        value = json.loads(content)
        if value["format"] > FORMAT:
            raise DriverError(f"The backup {prefix} was written by a newer portal. Use that one to read it.")
        return Index(
            str(value["kind"]),
            dict(value["header"]),
            StoredArtefactInfo.from_json(value["info"]),
            dict(value["summary"]),
            tuple(value["warnings"]),
            KeptAt.from_json(value.get("kept") or {}),
        )
    except (ValueError, KeyError, TypeError) as error:
        sentence = (
            f"The stored backup is damaged: what its index should be in the region {store.region} is not an index."
        )
        raise DamagedBackup(f"{sentence} Restore another backup.", detail=f"{key}: {error}") from error


def delete_artefact(store: Store, prefix: str) -> None:
    """Remove the backup, its index first, so that a half-deleted one is never a backup. Absent is fine."""
    with said():
        for name in (INDEX, DATA, MANIFEST):
            store.delete(f"{prefix}/{name}")


def _modest(store: Store, key: str) -> bool:
    found = store.stat(key)
    return found is not None and found.size <= LARGEST_INDEX
