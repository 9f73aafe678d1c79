"""What may stand in the text of an application's check, by kind: the names that a driver's ``reach`` fills in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from backups.drivers.questions import names_database

_SERVER = {
    "database": "the name of the restored database",
    "host": "its server",
    "port": "the server’s port",
    "user": "the name under which the portal signs in; its password is not given",
}
_VOLUMES = {
    "volumes": "the ids of the restored volumes, by comma",
    "region": "their region",
    "zone": "their availability zone",
}
PLACEHOLDERS: dict[str, dict[str, str]] = {
    "postgres": _SERVER,
    "mysql": _SERVER,
    "files": {"path": "the restored directory"},
    "rds": {"instance": "the name of the restored instance", "region": "its region", **_SERVER},
    "s3": {"bucket": "the restored bucket", "region": "its region"},
    "ec2": _VOLUMES,
    "ebs": _VOLUMES,
}


NAMES_THE_COPY = {
    "postgres": ("database",),
    "mysql": ("database",),
    "files": ("path",),
    "rds": ("instance", "host"),  # its database has the same name as the live one
    "s3": ("bucket",),
    "ec2": ("volumes",),
    "ebs": ("volumes",),
}
"""Those of them that tell the restored copy from the live thing."""

_TAKES = re.compile(r"\b(from|table)\s*[\w\"`(]", re.IGNORECASE)
_HOLE = re.compile(r"\{([^{}]*)\}")


def placeholders_of(kind: str) -> list[tuple[str, str]]:
    """("{database}", what it stands for), for that kind of resource."""
    return [(f"{{{name}}}", words) for name, words in PLACEHOLDERS.get(kind, {}).items()]


def why_not_an_address(kind: str, text: str) -> str:
    """Why that web address asks no restored copy of a resource of the kind; empty when it does.

    One that does not name the copy is answered by the live application, which proves nothing. What stands behind # is not
    sent to anybody.
    """
    known = PLACEHOLDERS.get(kind, {})
    for name in _HOLE.findall(text):
        if name not in known:
            return f"{{{name}}} means nothing for this kind of resource. There are: {_listed(known)}."
    asked = urlsplit(text)
    wanted = NAMES_THE_COPY.get(kind, ())
    if not set(wanted) & set(_HOLE.findall(f"{asked.path}?{asked.query}")):
        words = " or ".join(f"{{{name}}}" for name in wanted)
        return (
            f"The address has to name the restored copy by {words}, in its path or its query: without that the live"
            " application answers."
        )
    return ""


def why_not_a_query(kind: str, live: str, text: str) -> str:
    """Why that SQL query asks no restored copy of the database ``live``; empty when it does.

    One that takes nothing from any table is answered by an empty copy as well. A server of MariaDB answers a query that
    names another of its databases from that one, the live one too.
    """
    if not _TAKES.search(text):
        return "The query takes nothing from the copy, so any would answer it. Have it read FROM a table of the application."
    if kind == "mysql" and live and names_database(live, text):
        return f"The query names the database {live}, so the live one would answer. Leave its name out: the copy is meant then."
    return ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
