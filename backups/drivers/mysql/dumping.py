"""Running the dump of a database's rows through their reader: while a backup is taken, and again to verify a restore."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from backups.drivers.base import DriverError
from backups.drivers.mysql.clients import Client
from backups.drivers.mysql.rows import STATEMENT, Rows, Unexpected
from backups.drivers.mysql.survey import MARK, Table
from backups.drivers.mysql.target import Target
from backups.processes import Streaming

CHUNK = 1 << 20
LARGEST_PACKET = 1 << 30


def dump_rows(
    target: Target,
    client: Client,
    name: str,
    tables: Sequence[Table],
    leave_out: Sequence[str],
    rows: Rows,
    advance: Callable[[int], None],
) -> None:
    """All rows of these tables into ``rows``, in one consistent snapshot; ``leave_out`` is what else has a table's name.

    Raises :class:`DriverError` when the dump is not whole, in words or in tables.
    """
    done = 0
    with (
        known(),
        target.options_file() as options,
        Streaming(
            _arguments(target, client, name, tables, leave_out, options),
            mode="read",
            redact=[target.password()],
            pass_fds=[options],
        ) as dump,
    ):
        while chunk := dump.read(CHUNK):
            rows.feed(chunk)
            done += len(chunk)
            advance(done)
        rows.finish()
    if not rows.completed:
        raise DriverError(
            f"{client.title} ended before its dump was complete. Try again.",
            detail="the last line is missing",
            retry=True,
        )
    expected = [table.name for table in tables if table.holds_rows]
    if missing := sorted(set(expected) ^ rows.tables.keys()):
        raise DriverError(
            f"Tables of {name} were added or removed while they were read. Try again.",
            detail=f"on one side only: {', '.join(missing)}",
            retry=True,
        )


def _arguments(
    target: Target, client: Client, name: str, tables: Sequence[Table], leave_out: Sequence[str], options: int
) -> list[str]:
    elsewhere = [table.name for table in tables if not table.holds_rows]
    history = client.dumps_history and any(table.versioned for table in tables)
    # In binary, no value is converted: what goes out is what lies there, whatever character set it is in.
    return [
        client.dump, f"--defaults-file=/dev/fd/{options}", *target.encryption_arguments(client.mariadb),
        "--single-transaction", "--quick", "--no-create-info", "--no-create-db", "--skip-triggers", "--complete-insert",
        "--extended-insert", "--skip-add-locks", "--disable-keys", "--order-by-primary", "--tz-utc", "--skip-dump-date",
        "--default-character-set=binary", "--skip-hex-blob", f"--net-buffer-length={STATEMENT}",
        f"--max-allowed-packet={LARGEST_PACKET}",
        *(["--dump-history"] if history else []),
        *([] if client.mariadb else ["--set-gtid-purged=OFF", "--column-statistics=0", "--no-tablespaces"]),
        *(f"--ignore-table={name}.{one}" for one in [MARK, *leave_out, *elsewhere]),
        "--", name,
    ]  # fmt: skip


@contextmanager
def known() -> Iterator[None]:
    """What the reader does not know ends the work in a sentence."""
    try:
        yield
    except Unexpected as unexpected:
        raise DriverError(
            "The dump has a form that the portal does not know, so it cannot be counted and is not relied on. Report"
            " this with the detail below.",
            detail=str(unexpected),
        ) from None
