"""One thread beside the caller's, with a bounded queue between: to use a second core in constant memory.

Reading, hashing, compressing and writing let go of Python's lock, so two threads are two cores. Neither class can
block for ever: whichever side fails, the other keeps taking from the queue, or learns of it at its next call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Queue
from typing import Generic, TypeVar

T = TypeVar("T")


class Behind(Generic[T]):
    """Hands items to ``consume``, which runs in the side thread, in order.

    An error of ``consume`` is raised by the next :meth:`put` or by :meth:`finish`; what was put after it is dropped.
    End with :meth:`finish` or :meth:`abandon`.
    """

    def __init__(self, consume: Callable[[T], None], depth: int) -> None:
        self._consume = consume
        self._queue: Queue[T | None] = Queue(depth)
        self._error: BaseException | None = None
        self._dropping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if not self._dropping:
                try:
                    self._consume(item)
                except BaseException as error:
                    self._error = error
                    self._dropping = True

    def put(self, item: T) -> None:
        """Queue an item; waits while the queue is full."""
        if self._error is not None:
            raise self._error
        self._queue.put(item)

    def finish(self) -> None:
        """Wait until everything is consumed; raises what ``consume`` raised."""
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        """End without consuming what is still queued. Fine after :meth:`finish`."""
        self._dropping = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()


class Ahead(Generic[T]):
    """Iterates over ``items`` in the side thread, up to ``depth`` items ahead of the caller. Close it when done."""

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = items
        self._queue: Queue[T | None] = Queue(depth)
        self._error: BaseException | None = None
        self._stopped = False
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for item in self._items:
                if self._stopped:
                    break
                self._queue.put(item)
        except BaseException as error:
            self._error = error
        finally:
            self._queue.put(None)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if not self._over:
            item = self._queue.get()
            if item is not None:
                return item
            self._over = True
        if self._error is not None:
            raise self._error
        raise StopIteration

    def close(self) -> None:
        """Stop the side thread and wait for it."""
        self._stopped = True
        while not self._over:
            self._over = self._queue.get() is None
        self._thread.join()
