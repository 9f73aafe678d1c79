"""Progress of long work, written into its row: bytes for the page, a heartbeat for the sweeper."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any

import structlog
from django.db import DatabaseError, close_old_connections, connection
from django.db.models import QuerySet

from backups.processes import stoppable

log = structlog.get_logger(__name__)

INTERVAL = 1.0  # seconds between two writes


class WorkTakenAway(Exception):
    """The row says that this work was given up meanwhile (its heartbeat was late): stop."""


class StopAsked(Exception):
    """Somebody wants this work to stop."""


class RowProgress:
    """A :class:`backups.drivers.words.Progress` that writes ``bytes_done``, ``bytes_expected`` and ``heartbeat_at``.

    ``rows`` selects exactly the one running row. A thread of its own beats, so that a driver's long silent step (a
    table lock, an fsync) does not look like a death; a killed process stops beating at once. Once the row no longer
    runs, the next call raises :class:`WorkTakenAway`, and ``on_taken_away`` is called from the beating thread: the work
    may hang where it never calls. With ``note_progress`` the row's ``progress_at`` says when it last got further. Once
    ``stop_asked`` says so, asked at every beat, the next call raises :class:`StopAsked`, and programs that run inside
    :meth:`stoppable` are ended.
    """

    def __init__(
        self,
        rows: QuerySet[Any],
        clock: Callable[[], datetime],
        *,
        note_progress: bool = False,
        on_taken_away: Callable[[], None] = lambda: None,
        stop_asked: Callable[[], bool] = lambda: False,
    ) -> None:
        self._rows = rows
        self._note_progress = note_progress
        self._on_taken_away = on_taken_away
        self._noted: int | None = None
        self._clock = clock
        self._stop = threading.Event()
        self._taken_away = False
        self._is_stop_asked = stop_asked
        self._stop_asked = False
        self._end_programs: Callable[[], None] | None = None
        self._done: int = 0
        self._expected: int | None = None
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __call__(self, bytes_done: int, bytes_expected: int | None = None) -> None:
        """Note how far it is."""
        if self._taken_away:
            raise WorkTakenAway("This work was given up meanwhile.")
        if self._stop_asked:
            raise StopAsked("This work is to stop.")
        self._done, self._expected = bytes_done, bytes_expected

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Around work that may be broken off anywhere: programs that it starts are ended once a stop is asked for."""
        with stoppable() as stop:
            self._end_programs = stop
            try:
                yield
            finally:
                self._end_programs = None

    def begin_anew(self) -> None:
        """Another step: its bytes count from nothing, and what is written says so at once."""
        self(0)
        self._write()

    def __enter__(self) -> RowProgress:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._stop.wait(INTERVAL):
                self._write()
                if self._taken_away:
                    self._on_taken_away()
                    return
                self._look_for_a_stop()
        finally:
            connection.close()  # this thread's own

    def _look_for_a_stop(self) -> None:
        try:
            self._stop_asked = self._stop_asked or self._is_stop_asked()
        except DatabaseError as error:  # the next beat asks again
            log.warning("progress.not_asked", error=type(error).__name__)
        if self._stop_asked and (end := self._end_programs) is not None:
            end()

    def _write(self) -> None:
        try:
            close_old_connections()
            done, now = self._done, self._clock()
            further = {"progress_at": now} if self._note_progress and done != self._noted else {}
            changed = self._rows.update(bytes_done=done, bytes_expected=self._expected, heartbeat_at=now, **further)
            self._noted, self._taken_away = done, not changed
        except DatabaseError as error:  # the work goes on; the next beat tries again
            log.warning("progress.not_written", error=type(error).__name__)
