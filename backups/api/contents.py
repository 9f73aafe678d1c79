"""What is inside a backup, over the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from backups.actions.browsing import Listing
from backups.contents import Entry
from portal.api.inputs import Input


class Look(Input):
    """Where to look."""

    under = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="Key of a directory; else the top.",
    )
    search = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        help_text="Words of a name; then everything below is looked through.",
    )
    after = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="The answer's ``after``: the next ones.",
    )


class EntryOut(serializers.Serializer[Entry]):
    """One thing in a backup."""

    key = serializers.CharField(help_text="Names it in a request's part.")
    name = serializers.CharField()
    kind = serializers.CharField(help_text="Such as file, directory or table.")
    holds = serializers.BooleanField(help_text="Whether it can be looked into; what is below it comes with it.")
    size = serializers.IntegerField(help_text="Bytes; of a directory of all that is below it.")
    below = serializers.IntegerField(help_text="How many entries are below it.")
    rows = serializers.IntegerField(allow_null=True, help_text="Of a table.")
    modified_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was last changed before the backup, if that is known."
    )


class ListingOut(serializers.Serializer[Any]):
    """Some of what is inside."""

    under = serializers.CharField()
    results = EntryOut(many=True)
    after = serializers.CharField(allow_null=True, help_text="Send it as ``after`` for what follows; null at the end.")


def listing_out(listing: Listing) -> Any:
    """As the API says it."""
    return ListingOut({"under": listing.under, "results": listing.entries, "after": listing.after or None}).data
