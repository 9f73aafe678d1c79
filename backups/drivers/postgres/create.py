"""Making the database a restore goes into, and giving it what pg_dump leaves out: rights, settings, comment.

While it is filled it is marked by a comment and not open to the public; its name, with the attempt's token in it, is
known to nobody either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from psycopg import sql

from backups.drivers.postgres import survey
from backups.drivers.postgres.target import Connection
from backups.drivers.words import ManifestEntry

MARK = "HaaS backup portal: a restore is being built here"

# Parameters whose value is a list of names: quoted whole, the list would become one name.
_LISTS = {
    "search_path", "temp_tablespaces", "session_preload_libraries", "shared_preload_libraries",
    "local_preload_libraries", "unix_socket_directories",
}  # fmt: skip
# Naming even the usual tablespace asks for a right to it that a plain owner with CREATEDB does not have.
_OTHER_TABLESPACE = """
    SELECT true FROM pg_tablespace AS t, pg_database AS d
    WHERE t.spcname = %s AND d.datname = 'template0' AND t.oid <> d.dattablespace
"""
_PROVIDERS = {"c": sql.SQL("libc"), "i": sql.SQL("icu"), "b": sql.SQL("builtin")}
_LIST_ITEM = re.compile(r'"((?:[^"]|"")*)"|([^",\s][^,]*)')


def create(connection: Connection, name: str, header: ManifestEntry, keep_owner: bool) -> None:
    """An empty database with the encoding, locale and, if wanted, owner of the one that was backed up."""
    parts = [
        sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(
            sql.Identifier(name), header["encoding"], header["collate"], header["ctype"]
        )
    ]
    provider, locale = header["provider"], header["locale"]
    if connection.info.server_version >= 150000:
        parts.append(sql.SQL("LOCALE_PROVIDER {}").format(_PROVIDERS[provider]))
        if provider != "c":
            parts.append(sql.SQL("ICU_LOCALE {}" if provider == "i" else "BUILTIN_LOCALE {}").format(locale))
        if header["icu_rules"]:
            parts.append(sql.SQL("ICU_RULES {}").format(header["icu_rules"]))
    if keep_owner:
        parts.append(sql.SQL("OWNER {}").format(sql.Identifier(header["owner"])))
    if survey.one(connection, _OTHER_TABLESPACE, [header["tablespace"]]):
        parts.append(sql.SQL("TABLESPACE {}").format(sql.Identifier(header["tablespace"])))
    connection.execute(sql.SQL(" ").join(parts))
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), MARK))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def finish(connection: Connection, name: str, header: ManifestEntry, keep_owner: bool) -> None:
    """Give it settings, rights and comment of the original.

    One transaction, committed synchronously: with it, all that was restored in asynchronous ones is on disk too.
    """
    with connection.transaction():
        connection.execute("SET LOCAL synchronous_commit = on")
        for statement in _finishing(sql.Identifier(name), header, keep_owner):
            connection.execute(statement)


def _finishing(database: sql.Identifier, header: ManifestEntry, keep_owner: bool) -> Iterator[sql.Composed]:
    yield sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(database, header["connection_limit"])
    for role, settings in header["settings"] or ():
        if role is None or keep_owner:
            whom = sql.SQL("DATABASE {}").format(database)
            if role is not None:
                whom = sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), database)
            for setting in settings:
                key, _, value = setting.partition("=")
                yield sql.SQL("ALTER {} SET {} = {}").format(whom, _parameter(key), _value(key, value))
    if header["acl"] is None or not keep_owner:
        yield sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO PUBLIC").format(database)
    else:
        yield sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(database, sql.Identifier(header["owner"]))
        for grantee, privilege, grantable in header["acl"]:
            yield sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
                sql.SQL(privilege),
                database,
                sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee),
                sql.SQL(" WITH GRANT OPTION" if grantable else ""),
            )
    yield sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, header["comment"])


def _parameter(name: str) -> sql.Composable:
    """``work_mem`` or ``app.tenant``."""
    return sql.SQL(".").join(sql.Identifier(part) for part in name.split("."))


def _value(name: str, value: str) -> sql.Composable:
    if name.lower() not in _LISTS:
        return sql.Literal(value)
    items = [quoted.replace('""', '"') or plain.strip() for quoted, plain in _LIST_ITEM.findall(value)]
    return sql.SQL(", ").join(sql.Literal(item) for item in items) if items else sql.Literal("")
