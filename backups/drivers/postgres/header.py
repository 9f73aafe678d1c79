"""The first line of a manifest: the database as a whole, with what pg_dump leaves to whoever creates it."""

from __future__ import annotations

from typing import Any

from backups.drivers.base import Artefact, DamagedBackup
from backups.drivers.postgres import survey
from backups.drivers.postgres.clients import Client
from backups.drivers.postgres.target import Connection
from backups.drivers.words import ManifestEntry

FORMAT = 1

# Columns that came with later versions are asked for by name in a document: absent ones are null.
_DATABASE = """
    SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
           coalesce(whole ->> 'datlocprovider', 'c') AS provider,
           coalesce(whole ->> 'datlocale', whole ->> 'daticulocale') AS locale, whole ->> 'daticurules' AS icu_rules,
           pg_get_userbyid(datdba) AS owner, shobj_description(oid, 'pg_database') AS comment,
           datconnlimit AS connection_limit, spcname AS tablespace,
           (SELECT jsonb_agg(jsonb_build_array(r.rolname, s.setconfig) ORDER BY r.rolname COLLATE "C" NULLS FIRST)
              FROM pg_db_role_setting AS s LEFT JOIN pg_roles AS r ON r.oid = s.setrole
             WHERE s.setdatabase = db.oid) AS settings,
           (SELECT jsonb_agg(jsonb_build_array(g.rolname, a.privilege_type, a.is_grantable)
                             ORDER BY g.rolname COLLATE "C" NULLS FIRST, a.privilege_type)
              FROM aclexplode(db.datacl) AS a LEFT JOIN pg_roles AS g ON g.oid = a.grantee) AS acl
      FROM (SELECT d.*, to_jsonb(d.*) AS whole, t.spcname
              FROM pg_database AS d JOIN pg_tablespace AS t ON t.oid = d.dattablespace) AS db
     WHERE datname = current_database()
"""

# The server's first superuser is not in pg_shdepend; what it owns is looked for.
_ROLES = """
    SELECT DISTINCT r.rolname, s.deptype = 'o'
      FROM pg_shdepend AS s JOIN pg_roles AS r ON r.oid = s.refobjid
     WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype IN ('o', 'a', 'r')
       AND (s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            OR s.classid = 'pg_database'::regclass
               AND s.objid = (SELECT oid FROM pg_database WHERE datname = current_database()))
    UNION
    SELECT rolname, true FROM pg_roles WHERE oid = 10 AND (
           EXISTS (SELECT FROM pg_class WHERE oid >= 16384 AND relowner = 10 AND relpersistence <> 't')
        OR EXISTS (SELECT FROM pg_proc WHERE oid >= 16384 AND proowner = 10)
        OR EXISTS (SELECT FROM pg_type WHERE oid >= 16384 AND typowner = 10)
        OR EXISTS (SELECT FROM pg_namespace WHERE oid >= 16384 AND nspowner = 10)
        OR EXISTS (SELECT FROM pg_largeobject_metadata WHERE lomowner = 10))
"""

_TABLESPACES = """
    SELECT DISTINCT spcname FROM pg_class AS c JOIN pg_tablespace AS t ON t.oid = c.reltablespace
     WHERE spcname <> 'pg_global' ORDER BY spcname
"""


def describe(connection: Connection, client: Client) -> dict[str, Any]:
    """The header of the connection's database, in the connection's snapshot."""
    cursor = connection.execute(_DATABASE.encode())
    names = [column.name for column in cursor.description or ()]
    row = cursor.fetchone()
    assert row is not None
    database = dict(zip(names, row, strict=True))
    roles = survey.rows(connection, _ROLES)
    owners = {name for name, owns in roles if owns} | {database["owner"]}
    named = {name for name, _, *_ in [*(database["settings"] or []), *(database["acl"] or [])] if name}
    size = survey.one(connection, "SELECT pg_database_size(current_database())")
    return {
        "entry": "database",
        "format": FORMAT,
        "server_version": connection.info.parameter_status("server_version"),
        "server_major": connection.info.server_version // 10000,
        "dump_version": client.version,
        "system_identifier": survey.system_identifier(connection),
        **database,
        "owners": sorted(owners),
        "roles": sorted({name for name, _ in roles} | named | owners),
        "tablespaces": [name for (name,) in survey.rows(connection, _TABLESPACES)],
        "extensions": survey.extensions(connection),
        "objects": survey.objects(connection),
        "unvalidated": [text for text in survey.unfinished(connection) if text.startswith("constraint")],
        "size_bytes": rounded(size),
    }


def rounded(size: int) -> int:
    """Up to three binary digits: a size to plan with, the same while only a server's bookkeeping changes."""
    step = 1 << max(size.bit_length() - 3, 0)
    return -(-size // step) * step


def read(artefact: Artefact) -> ManifestEntry:
    """The header of a stored backup. Raises :class:`DamagedBackup`."""
    manifest = artefact.manifest()
    try:
        return checked(next(manifest, {}))
    finally:
        getattr(manifest, "close", lambda: None)()


def checked(entry: ManifestEntry) -> ManifestEntry:
    """The entry, if it is a header that this driver wrote."""
    if entry.get("entry") != "database" or entry.get("format") != FORMAT:
        raise DamagedBackup(
            "The backup's manifest does not begin as the one of a PostgreSQL database. Choose another backup.",
            detail=f"first entry: {dict(entry)!r:.200}",
        )
    return entry
