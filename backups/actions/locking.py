"""The one order in which rows are locked: the resource, then its backups, then anything else.

Whoever decides about a resource's copies, or records that one is damaged, holds the resource's lock while doing so: two
who decide at once then agree about what is left.
"""

from __future__ import annotations

from backups.models import Resource


def locked_resource(pk: int) -> Resource:
    """The resource, locked until the transaction ends. Rows that merely refer to it can still be written."""
    return Resource.objects.select_for_update(no_key=True, of=("self",)).select_related("application").get(pk=pk)
