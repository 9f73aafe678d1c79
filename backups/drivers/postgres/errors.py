"""What PostgreSQL and its tools say, turned into sentences that name the setting at fault.

A failed connection has no error code in libpq, only text, so it is told by its words. Servers that speak another
language than English get the general sentence; the server's own words are always in ``detail``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from backups.drivers.base import DriverError, NotFound
from backups.processes import ProcessFailed


@dataclass(frozen=True)
class _Case:
    words: re.Pattern[str]
    sentence: str
    setting: str = ""
    retry: bool = False
    gone: bool = False


def _case(words: str, sentence: str, setting: str = "", *, retry: bool = False, gone: bool = False) -> _Case:
    return _Case(re.compile(words, re.IGNORECASE), sentence, setting, retry, gone)


# The first that matches counts.
_CONNECTING: tuple[_Case, ...] = (
    _case(
        r"temporary failure in name resolution",
        "The name {host} cannot be looked up at the moment. Try again; if it stays so, check the host and the network.",
        "host",
        retry=True,
    ),
    _case(
        r"could not translate host name|name or service not known|nodename nor servname",
        "There is no host called {host}. Check the host.",
        "host",
    ),
    _case(
        r"no password supplied",
        "The database server asks for a password and none is set. Enter where the password of {user} is kept.",
        "password",
    ),
    _case(
        r"(password|peer|ident|md5|scram|ldap|gssapi|certificate|pam|radius) authentication failed",
        "The database server does not accept the password of the role {user}. Check the role and its password.",
        "password",
    ),
    _case(
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "The database server does not let {user} connect to {dbname} from here. Allow it in pg_hba.conf.",
        "user",
    ),
    _case(r"role \".*\" does not exist", "There is no role called {user} on the server. Check the role.", "user"),
    _case(
        r"role \".*\" is not permitted to log in", "The role {user} is not allowed to log in. Grant it LOGIN.", "user"
    ),
    _case(
        r"just been dropped or renamed|not currently accepting connections",
        "The database {dbname} is being exchanged or is closed for connections. Try again when that is over.",
        "dbname",
        retry=True,
    ),
    _case(
        r"database \".*\" does not exist",
        "There is no database called {dbname}. Check the database.",
        "dbname",
        gone=True,
    ),
    _case(
        r"permission denied for database",
        "The role {user} may not connect to {dbname}. Grant it CONNECT on that database.",
        "user",
    ),
    _case(
        r"too many clients|remaining connection slots|too many connections",
        "The database server has no free connection at the moment. Try again later.",
        retry=True,
    ),
    _case(
        r"the database system is|recovery is in progress",
        "The database server is starting, stopping or recovering. Try again in a few minutes.",
        retry=True,
    ),
    _case(
        r"certificate verify failed|root certificate file .* does not exist|does not match host name",
        "The certificate of {host} cannot be verified. Check the encryption, or install the right root certificate.",
        "sslmode",
    ),
    _case(
        r"does not support SSL|SSL is not enabled|SSL was required",
        "The database server does not offer the encryption that is asked for. Check the encryption.",
        "sslmode",
    ),
    _case(
        r"connection refused|is the server running",
        "Nothing answers at {host}, port {port}. Check that the database server runs, the host and the port.",
        "port",
        retry=True,
    ),
    _case(
        r"timeout expired|timed out|no route to host|network is unreachable",
        "{host}, port {port}, does not answer. Check the host, the port and the network in between.",
        "host",
        retry=True,
    ),
)

_GONE = "Something was removed from {dbname} while it was being read. Try again."

# During work, by SQLSTATE; a class of two letters counts when the code itself is not listed.
_WORKING = {
    "42501": _case("", "The role {user} lacks a right that this needs. Grant it, then try again.", "user"),
    "55P03": _case("", "Other work in {dbname} holds a lock for too long. Try again when it is over.", retry=True),
    "55006": _case("", "The database {dbname} is in use by others who cannot be sent away.", retry=True),
    "42P01": _case("", _GONE, retry=True),
    "53100": _case("", "The disk of the database server is full. Make room there, then try again."),
    "53200": _case("", "The database server is out of memory, or max_locks_per_transaction is too small for {dbname}."),
    "53300": _case("", "The database server has no free connection at the moment. Try again later.", retry=True),
    "57014": _case("", "The work in {dbname} was cancelled.", retry=True),
    "40": _case("", "Other work in {dbname} got in the way. Try again.", retry=True),
    "57": _case("", "The database server stopped or ended the connection. Try again when it runs.", retry=True),
    "58": _case("", "The database server cannot read or write its own files. Look at the server's log."),
    "XX": _case("", "The data of {dbname} is damaged, or the server is at fault. Look at the server's log."),
}

_LOST = _case(
    r"connection .*(closed|lost|reset|broken)|server closed|terminating connection|could not receive data|"
    r"could not send data|the connection is lost|no connection to the server|broken pipe|"
    r"crash of another server process",
    "The connection to the database server broke. Try again when the server runs.",
    retry=True,
)
_TOOLS: tuple[_Case, ...] = (
    _case(r"no space left on device", "The disk is full. Make room, then try again."),
    _case(
        r"could not read from input file|unexpected end of file|did not find magic string|found unexpected (block|section)",
        "The stored dump ends too early, or is no dump at all: it was taken so. Take a fresh backup.",
    ),
    _case(r"canceling statement due to lock timeout", _WORKING["55P03"].sentence, retry=True),
    _case(r"relation \".*\" does not exist|cache lookup failed|could not open relation with OID", _GONE, retry=True),
    _case(
        r"would be affected by row-level security",
        "Row-level security hides rows from the role {user}. Grant it BYPASSRLS.",
        "user",
    ),
    _case(
        r"permission denied|must be (owner of|superuser|able to SET ROLE|member of role)",
        _WORKING["42501"].sentence,
        "user",
    ),
    _case(
        r"role \".*\" does not exist",
        "A role that the backup refers to is missing on the server. Create it, then try again.",
    ),
    _case(
        r"extension \".*\" is not available|could not open extension control file",
        "An extension that the backup needs is not installed on the server. Install it, then try again.",
    ),
)


def driver_error(error: psycopg.Error | ProcessFailed, about: Mapping[str, str]) -> DriverError:
    """The sentence for an error of PostgreSQL or of one of its tools; ``about`` is :meth:`Target.describe`."""
    if isinstance(error, ProcessFailed):
        text = error.detail
        fallback = DriverError(error.sentence, detail=text)
        connecting = "connection to server" in text
        order = (*_CONNECTING, _LOST, *_TOOLS) if connecting else (*_TOOLS, _LOST, *_CONNECTING)
    else:
        text = str(error).strip()
        if error.sqlstate and not text.startswith("connection "):
            code = error.sqlstate
            known = _WORKING.get(code) or _WORKING.get(code[:2])
            if known:
                return _said(known, text, about)
            return DriverError(f"The database server refused: {text.splitlines()[0]}.", detail=f"{code}: {text}")
        fallback = DriverError(
            f"Connecting to {about['dbname']} at {about['host']} failed."
            " Check the host, the port, the database, the role and its password.",
            detail=text,
            retry=True,
        )
        order = (*_CONNECTING, _LOST) if "connection failed" in text else (_LOST, *_CONNECTING)
    for case in order:
        if case.words.search(text):
            return _said(case, text, about)
    return fallback


def _said(case: _Case, text: str, about: Mapping[str, str]) -> DriverError:
    setting = case.setting
    if setting == "dbname" and about["maintenance"]:
        setting = "maintenance_db"
    made = NotFound if case.gone and not about["maintenance"] else DriverError
    return made(case.sentence.format_map(about), detail=text, retry=case.retry, setting=setting)


@contextmanager
def translated(about: Mapping[str, str]) -> Iterator[None]:
    """Turn PostgreSQL's and its tools' errors into :class:`DriverError`; others pass."""
    try:
        yield
    except (psycopg.Error, ProcessFailed) as error:
        raise driver_error(error, about) from None
