"""Rows that are written once: what was said and what happened is never changed and never deleted."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

Row = TypeVar("Row", bound=models.Model)


class AppendedQuerySet(models.QuerySet[Row]):
    """Reads and appends; changing and deleting many at once is refused as it is for one."""

    def update(self, **values: Any) -> NoReturn:
        """Never."""
        raise _append_only(self.model)

    def delete(self) -> NoReturn:
        """Never."""
        raise _append_only(self.model)


class Appended(models.Model):
    """A row that is saved once. A second save, or deleting it, is a programming error."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Append."""
        if not self._state.adding:
            raise _append_only(type(self))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise _append_only(type(self))


def _append_only(model: type[models.Model]) -> TypeError:
    return TypeError(f"{model.__name__} rows are append-only: never changed, never deleted.")
