"""The embedded broker: kombu's ``filesystem`` transport, made whole.

kombu's own lets a worker see a message, or the table of queues, while it is half written: the worker then ends, with
everything it was doing. Here both appear under their names in one step, and a file that is no message all the same
(a disk that was full) is put aside instead of ending the worker. The sweepers send again what was lost.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

log = structlog.get_logger(__name__)


class Channel(filesystem.Channel):
    """The parts of kombu's channel that touch files, each in one step."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # kombu has two names
        """Publish a message. By name those without a priority come first, then by it, and the oldest first."""
        priority = payload.get("properties", {}).get("priority") or 0  # 0 is the highest, as on Redis
        rank = f"p{priority}-" if priority else ""
        name = f"{rank}{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        _publish(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Take the first message by priority and age. Whoever renames it has it."""
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".taken-{name}"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:  # another worker was first
                continue
            try:
                message = loads(taken.read_text())
            except ValueError:
                log.warning("queue.unreadable_message", file=str(taken))
                continue
            taken.unlink(missing_ok=True)
            return message
        raise Empty

    def get_table(self, exchange: str) -> list[Any]:
        """The bindings of an exchange; none when it is new."""
        try:
            rows = loads(self._exchange_file(exchange).read_text())
        except (FileNotFoundError, ValueError):
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Add a binding, one process at a time."""
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with _locked(Path(self.control_folder) / ".lock"):
            table = self.get_table(exchange)
            if binding not in table:
                _publish(self._exchange_file(exchange), dumps([binding, *table]))


class Transport(filesystem.Transport):
    """kombu's transport with our channel."""

    Channel = Channel


def _publish(path: Path, text: str) -> None:
    """Write the file under a hidden name, then give it its own."""
    hidden = path.with_name(f".new-{uuid.uuid4()}")
    try:
        hidden.write_text(text)
        hidden.rename(path)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
