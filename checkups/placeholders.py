"""What may stand in the text of an application's check, by kind: the names that a driver's ``reach`` fills in. Pure."""

from __future__ import annotations

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


def placeholders_of(kind: str) -> list[tuple[str, str]]:
    """("{database}", what it stands for), for that kind of resource."""
    return [(f"{{{name}}}", words) for name, words in PLACEHOLDERS.get(kind, {}).items()]
