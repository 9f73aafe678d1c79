"""Reading very many moments from the database quickly.

Where a whole company is read, turning the text of each timestamp into a datetime takes most of the time. PostgreSQL
hands them over as whole microseconds instead, which is five times as quick.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db.models import Field, Func


class Instant(Func):
    """A moment as the database hands it over most cheaply; :func:`read_instant` reads it."""

    template = "%(expressions)s"
    output_field: Any = Field()  # of no kind, so that nothing is converted on the way

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Microseconds since 1970."""
        template = "(extract(epoch from %(expressions)s) * 1000000)::bigint"
        return self.as_sql(compiler, connection, template=template, **context)


def read_instant(value: int | datetime) -> datetime:
    """The moment, aware and in UTC."""
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1_000_000, UTC)
    return value.replace(tzinfo=UTC)  # SQLite's own, which are in UTC and say no zone
