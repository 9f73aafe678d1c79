"""What a store is: one region of the portal's own storage, holding objects under keys.

A key is ``/``-separated, each part ``[A-Za-z0-9._-]+``, no part starting with a dot. Objects are written whole or
not at all, and never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable


class StoreError(Exception):
    """The store could not do it; ``str()`` is a sentence for people. ``retry``: whether trying again makes sense."""

    def __init__(self, sentence: str, *, detail: str = "", retry: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail
        self.retry = retry


class StoreFull(StoreError):
    """No room left in the region."""


class NotStored(StoreError):
    """There is no object under that key, and the region is there: its disk is mounted."""


class NotThere(StoreError):
    """The region itself is not where it is configured: its disk is not mounted, or it was never prepared.

    Nothing is known then about the objects it holds. Every verb may raise it.
    """


@dataclass(frozen=True)
class StoredObject:
    """One object as the store lists it."""

    key: str
    size: int


class ObjectWriter(Protocol):
    """Writes one object. Nothing is visible under the key before :meth:`commit`."""

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append. Raises :class:`StoreFull` when there is no room."""

    def commit(self) -> int:
        """Flush to disk and publish under the key; the size in bytes."""


class Store(Protocol):
    """The verbs of a region."""

    region: str

    def prepare(self, expecting: str = "") -> None:
        """Mark the place as this region's; one that is marked stays as it is. Without the mark no verb does anything.

        ``expecting`` is a key that must be there already, when the region is not a new one. Raises :class:`NotThere`
        when it is not, :class:`StoreError` when the place is another region's.
        """

    def writer(self, key: str) -> AbstractContextManager[ObjectWriter]:
        """A writer; leaving the context without commit() removes every trace. An existing key is replaced whole."""

    def open(self, key: str) -> BinaryIO:
        """The object's bytes. Raises :class:`NotStored`."""

    def stat(self, key: str) -> StoredObject | None:
        """The object's size, or None."""

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """All objects whose key starts with the prefix, in key order."""

    def delete(self, key: str) -> None:
        """Remove the object; absent is fine."""

    def free_bytes(self) -> int | None:
        """Room left, or None when there is no knowing."""

    def sweep(self, older_than_seconds: float, now: float) -> int:
        """Remove leftovers of writers that died longer ago than that (POSIX timestamps); how many."""

    def warnings(self) -> tuple[str, ...]:
        """A sentence for each setting of the place that is not as it should be for backups."""


@runtime_checkable
class CopiesFrom(Protocol):
    """What a store has whose server can copy from some other stores, without the bytes passing through the portal."""

    def copy_from(self, source: Store, source_key: str, key: str, going_on: Callable[[], None]) -> int | None:
        """Copy the object here, and give its size; None when this cannot be done, with nothing left behind.

        What the source holds is taken as it is: whoever needs to know reads the copy. ``going_on`` is called now and then;
        what it raises ends the copying.
        """
