"""Going through tables on connections of their own, beside the caller's work: counting them, analyzing them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from backups.drivers.postgres import survey
from backups.drivers.postgres.survey import Count, Table
from backups.drivers.postgres.target import Connection


class _EachTable(ABC):
    """Goes through tables in one thread per connection, the largest first. Leaving the block cancels what still runs.

    ``connect`` opens a connection, which is closed in the end.
    """

    def __init__(self, connect: Callable[[], Connection], connections: int, tables: Sequence[Table]) -> None:
        self._connect = connect
        self._number = connections
        self._stack = ExitStack()
        self._left: SimpleQueue[Table] = SimpleQueue()
        for table in sorted(tables, key=lambda table: -table.size):
            self._left.put(table)
        self._error: BaseException | None = None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.bytes_done = 0

    @abstractmethod
    def _look_at(self, connection: Connection, table: Table) -> None:
        """What is done with each table; called in the connection's thread."""

    def _run(self, connection: Connection) -> None:
        try:
            while self._error is None:
                table = self._left.get_nowait()
                self._look_at(connection, table)
                with self._lock:
                    self.bytes_done += table.size
        except Empty:
            pass
        except BaseException as error:
            with self._lock:
                self._error = self._error or error

    def wait(self, seconds: float) -> bool:
        """Wait up to so long; whether all is done. Raises what went wrong in a thread."""
        for thread in self._threads:
            thread.join(seconds / len(self._threads))
        self.check()
        return not any(thread.is_alive() for thread in self._threads)

    def check(self) -> None:
        """Raise what went wrong so far."""
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.push(self._stack)
            for _ in range(self._number):
                connection = self._connect()
                self._stack.callback(connection.close)
                thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
                thread.start()
                self._threads.append(thread)
                self._stack.callback(self._end, connection, thread)
            undo.pop_all()
        return self

    def _end(self, connection: Connection, thread: threading.Thread) -> None:
        if thread.is_alive():
            self._error = self._error or InterruptedError("this was given up")
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=5)
        thread.join()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class Counting(_EachTable):
    """Counts and digests each table's rows."""

    def __init__(self, connect: Callable[[], Connection], connections: int, tables: Sequence[Table]) -> None:
        super().__init__(connect, connections, tables)
        self.counts: dict[str, Count] = {}

    def _look_at(self, connection: Connection, table: Table) -> None:
        self.counts[table.title] = survey.count(connection, table)


class Analyzing(_EachTable):
    """Gathers statistics for the planner, which a dump does not hold: without them the application would crawl at first."""

    def _look_at(self, connection: Connection, table: Table) -> None:
        # What is locked is just being analyzed by autovacuum; waiting for it would end that, after a second.
        name = sql.Identifier(table.schema, table.name)
        connection.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(name))
