"""The tags by which the portal knows again what it has made, and what its IAM policy lets it remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COPY = "haas:copy"
"""On what is kept of a backup: the token of the copy that it belongs to."""

OF = "haas:of"
"""On a snapshot: how many were made of the machine in the same moment, so that none is overlooked."""

PART = "haas:part"
"""On the same: of what it is, the key under which drivers.base.KeptAt names it."""

FACTS = "haas:facts"
"""On the same: what its volume was like, so that the snapshot is of use though machine and volume are gone since."""

RESTORE = "haas:restore"
"""On what belongs to a restore: its name for it, in drivers.base.Place. What bears it may be removed."""

STOPPED = "haas:stopped-for"
"""On a machine that the portal has stopped: the restore that starts it again."""

STARTED = "haas:started-with"
"""On the same: which volumes it had, by the restore's name for them, when the portal last tried to start it."""

GOES = "haas:goes-with-machine"
"""On a volume that is exchanged: whether it goes when its machine is terminated. EC2 forgets that as it is taken off."""

PROTECTED = "haas:protected"
"""On a database instance of a restore: whether it is protected from deletion while it is live."""

FITTED = "haas:fitted"
"""On the same: how far it was given what RDS does not bring back from a snapshot."""

CLOSED = "haas:closed"
"""On the same: that it is not to be reached from the internet, unlike the original, because it is only tried out."""

OURS = "haas:"
"""What all tags of the portal begin with."""


def read(found: Mapping[str, Any], key: str = "Tags") -> dict[str, str]:
    """The tags of something as AWS describes it."""
    return {tag["Key"]: tag["Value"] for tag in found.get(key) or ()}


def written(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As AWS wants them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def specification(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """For EC2's calls that make something of that kind."""
    return [{"ResourceType": kind, "Tags": written(tags)}]


def own(tags: Mapping[str, str]) -> dict[str, str]:
    """What people have set: without the portal's and AWS's own, which nobody may set."""
    return {key: value for key, value in tags.items() if not key.startswith((OURS, "aws:"))}


def bearing(tag: str, value: str) -> list[dict[str, Any]]:
    """The filter for what bears that tag with that value."""
    return [{"Name": f"tag:{tag}", "Values": [value]}]


def filters(**names: Sequence[str]) -> list[dict[str, Any]]:
    """EC2's filters, with dashes for underscores."""
    return [{"Name": name.replace("_", "-"), "Values": list(values)} for name, values in names.items()]
