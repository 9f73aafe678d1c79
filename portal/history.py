"""History: every change of what people change, with who and why, on pages and in workers alike.

``acting(by, reason)`` says who acts; every row saved inside carries both. The web's middleware opens one per
request; actions open their own with the reason; a worker's task opens one for the person on whose word it works.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from simple_history.models import HistoricalRecords

_acting: ContextVar[tuple[Any, str]] = ContextVar("acting", default=(None, ""))


@contextmanager
def acting(by: Any, reason: str = "") -> Iterator[None]:
    """Rows saved inside are recorded as changed by ``by`` (a user, or None for the portal itself) for ``reason``."""
    token = _acting.set((by, reason))
    try:
        yield
    finally:
        _acting.reset(token)


class History(HistoricalRecords):  # type: ignore[misc]  # the library has no types
    """simple-history's records, with user and reason from :func:`acting`."""

    def get_history_user(self, instance: Any) -> Any:
        """Who acts now."""
        user = _acting.get()[0]
        return user if user is not None and user.is_authenticated else None

    def get_change_reason_for_object(self, instance: Any, history_type: str, using: str) -> str | None:
        """Why."""
        given: str | None = super().get_change_reason_for_object(instance, history_type, using)
        return given or _acting.get()[1] or None
