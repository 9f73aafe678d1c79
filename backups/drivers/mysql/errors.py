"""What the server, PyMySQL and the tools say, turned into sentences that name the setting at fault.

The server numbers its errors; tools write the same numbers into their last words (``ERROR 1045 (28000)``), so one table
serves both. The original words are always in ``detail``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pymysql

from backups.drivers.base import DriverError, NotFound
from backups.processes import ProcessFailed


@dataclass(frozen=True)
class _Case:
    sentence: str
    setting: str = ""
    retry: bool = False
    gone: bool = False


_RIGHT = _Case("The user {user} lacks a right that this needs. Grant it, then try again.", "user")
_LOST = _Case("The connection to the database server broke. Try again when the server runs.", retry=True)
_LOCKED = _Case("Other work in {dbname} holds a lock for too long. Try again when it is over.", retry=True)
_CHANGED = _Case("Tables of {dbname} were changed while they were read. Try again.", retry=True)
_FULL = _Case("The disk of the database server is full. Make room there, then try again.")
_PACKET = _Case(
    "A row is larger than the database server accepts in one piece. Raise max_allowed_packet on the server, then try"
    " again."
)
_UNREACHABLE = _Case(
    "{host}, port {port}, does not answer. Check the host, the port and the network in between.", "host", retry=True
)
_ENCRYPTION = _Case(
    "The database server does not offer the encryption that is asked for. Check the encryption.", "sslmode"
)
_CERTIFICATE = _Case(
    "The certificate of {host} cannot be verified. Check the encryption, or install the right root certificate.",
    "sslmode",
)

_BY_CODE: Mapping[int, _Case] = {
    1045: _Case(
        "The database server does not accept {user} with this password from here. Check the user and its password.",
        "password",
    ),
    1698: _Case(
        "The database server lets {user} in by other means than a password. Give the user a password of its own.", "user"
    ),
    1130: _Case("The database server lets nobody connect from here. Allow the user {user} from this host.", "user"),
    1049: _Case("There is no database called {dbname}. Check the database.", "dbname", gone=True),
    1044: _Case("The user {user} may not use the database {dbname}. Grant it the rights it needs.", "user"),
    1142: _RIGHT, 1143: _RIGHT, 1227: _RIGHT, 1370: _RIGHT, 1410: _RIGHT, 1290: _Case(
        "The database server is set to take no changes (read-only, or started with an option that forbids this)."
    ),
    1836: _Case("The database server is read-only at the moment. Restore into one that takes changes."),
    1419: _Case(
        "The server writes a binary log and lets only trusted users make functions and triggers. Set"
        " log_bin_trust_function_creators = ON on the server, or grant {user} SUPER.",
        "user",
    ),
    1040: _Case("The database server has no free connection at the moment. Try again later.", retry=True),
    1203: _Case("The user {user} has no free connection at the moment. Try again later.", retry=True),
    1226: _Case("The user {user} has used up what the server allows it. Try again later.", "user", retry=True),
    1205: _LOCKED, 3572: _LOCKED,
    1213: _Case("Other work in {dbname} got in the way. Try again.", retry=True),
    1412: _CHANGED, 1146: _CHANGED, 1051: _CHANGED,
    1021: _FULL, 28: _FULL, 1114: _FULL, 3: _FULL,
    1153: _PACKET, 2020: _PACKET,
    1034: _Case("The data of {dbname} is damaged: a table needs repair. Look at the server's log."),
    1194: _Case("The data of {dbname} is damaged: a table needs repair. Look at the server's log."),
    1969: _Case("The work in {dbname} took longer than the server allows (max_statement_time).", retry=True),
    3024: _Case("The work in {dbname} took longer than the server allows (max_execution_time).", retry=True),
    1317: _Case("The work in {dbname} was cancelled.", retry=True),
    1053: _LOST, 1927: _LOST, 2013: _LOST, 2006: _LOST, 2055: _LOST, 1158: _LOST, 1159: _LOST, 1160: _LOST, 1161: _LOST,
    2002: _Case(
        "Nothing answers at {host}, port {port}. Check that the database server runs, the host and the port.",
        "port",
        retry=True,
    ),
    2005: _Case("There is no host called {host}. Check the host.", "host"),
    2026: _ENCRYPTION,
}  # fmt: skip

# Of a connection that never was, PyMySQL says always 2003, and the reason in words.
_CONNECTING = (
    (
        re.compile(r"temporary failure in name resolution", re.IGNORECASE),
        _Case(
            "The name {host} cannot be looked up at the moment. Try again; if it stays so, check the host and the network.",
            "host",
            retry=True,
        ),
    ),
    (re.compile(r"name or service not known|getaddrinfo|nodename nor servname|unknown .*host", re.IGNORECASE), _BY_CODE[2005]),
    (re.compile(r"certificate", re.IGNORECASE), _CERTIFICATE),
    (re.compile(r"\bSSL|TLS", re.IGNORECASE), _ENCRYPTION),
    (re.compile(r"refused|no such file|\(111|\(2 ", re.IGNORECASE), _BY_CODE[2002]),
    (re.compile(r"timed out|no route|unreachable|\(110|\(113", re.IGNORECASE), _UNREACHABLE),
)  # fmt: skip
# The number stands after the word "error", with or without a colon, or in brackets at the end of a line.
_TOLD = re.compile(r"(?:ERROR|error:?|Error)[ :]+(\d{1,5})\b|\((\d{4})\)\s*$", re.MULTILINE)
_NO_SPACE = re.compile(r"no space left on device|errno: 28\b|disk (is )?full", re.IGNORECASE)


def driver_error(error: pymysql.MySQLError | ProcessFailed, about: Mapping[str, str]) -> DriverError:
    """The sentence for an error of the server or of one of its tools; ``about`` is :meth:`Target.describe`."""
    if isinstance(error, ProcessFailed):
        text = error.detail
        told = _TOLD.search(text)
        code = int(told[1] or told[2]) if told else 0
        fallback = DriverError(error.sentence, detail=text)
    else:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        text = str(error.args[1]) if len(error.args) > 1 else str(error)
        first = (text.strip().splitlines() or ["no reason given"])[0].rstrip(".")
        fallback = DriverError(f"The database server refused: {first}.", detail=f"{code}: {text}")
    if _NO_SPACE.search(text):
        return _said(_FULL, code, text, about)
    if code in (0, 2002, 2003, 2005, 2013, 2026):
        for words, case in _CONNECTING:
            if words.search(text):
                return _said(case, code, text, about)
    case_ = _BY_CODE.get(code)
    return _said(case_, code, text, about) if case_ else fallback


def _said(case: _Case, code: int, text: str, about: Mapping[str, str]) -> DriverError:
    made = NotFound if case.gone and about["live"] else DriverError
    return made(case.sentence.format_map(about), detail=f"{code}: {text}", retry=case.retry, setting=case.setting)


@contextmanager
def translated(about: Mapping[str, str]) -> Iterator[None]:
    """Turn the server's and the tools' errors into :class:`DriverError`; others pass."""
    try:
        yield
    except (pymysql.MySQLError, ProcessFailed) as error:
        raise driver_error(error, about) from None
