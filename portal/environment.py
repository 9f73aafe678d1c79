"""Every environment variable that the portal reads, in one table: name, default, meaning, how it is read.

The table in docs/operating.md is generated from it. Values are checked at start; a wrong one ends the start with a
sentence that names the variable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from moneyed import CurrencyDoesNotExist, get_currency

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class WrongEnvironment(Exception):
    """A variable's value cannot be used; the text says which and why."""


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("is neither 1 nor 0")


def _number(value: str) -> int:
    """Its digits as a number, 0 when it is none."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _whole(value: str) -> int:
    if not _number(value):
        raise ValueError("is not a whole number of 1 or more")
    return _number(value)


def _percent(value: str) -> int:
    if not 0 < _number(value) <= 100:
        raise ValueError("is not a number from 1 to 100")
    return _number(value)


def _hour(value: str) -> int:
    if value not in {str(hour) for hour in range(24)}:
        raise ValueError("is not an hour from 0 to 23")
    return int(value)


def _window(value: str) -> tuple[time, timedelta]:
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", value)
    if found is None:
        raise ValueError("is not of the form 01:00-05:00")
    start = timedelta(hours=int(found[1]), minutes=int(found[2]))
    end = timedelta(hours=int(found[3]), minutes=int(found[4])) if found[3] else timedelta(days=1)
    if start == end:
        raise ValueError("is empty: it ends when it begins. 00:00-24:00 is the whole day")
    length = end - start if end > start else end - start + timedelta(days=1)
    return time(int(found[1]), int(found[2])), length


def _port(value: str) -> int:
    if not 0 < _number(value) < 65536:
        raise ValueError("is not a number from 1 to 65535")
    return _number(value)


def _level(value: str) -> str:
    if value.upper() not in LOG_LEVELS:
        raise ValueError(f"is none of {', '.join(LOG_LEVELS)}")
    return value.upper()


def _url(value: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of the URL. What is wrong is said without repeating any of it: there may be a password inside."""
    expected = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(value)
        _ = parts.port, parts.hostname  # read from the text only now
    except ValueError:
        raise ValueError("is not a URL: its host or port cannot be read") from None
    if parts.scheme not in schemes or "://" not in value:
        raise ValueError(f"does not begin with {expected}")
    return parts


def _database(value: str) -> str:
    parts = _url(value, ("postgres", "postgresql", "sqlite"))
    if not parts.path.strip("/"):
        raise ValueError("names no database: that is the part after the last slash")
    return value


def _broker(value: str) -> str:
    parts = _url(value, ("redis", "rediss", "filesystem", "memory"))  # memory: what is handed over is not kept
    if parts.scheme.startswith("redis") and not parts.hostname:
        raise ValueError("names no host")
    return value


def _mail(value: str) -> str:
    if value:
        parts = _url(value, ("smtp",))
        if not parts.hostname:
            raise ValueError("names no host")
        if parts.query not in ("", "tls=0", "tls=1"):
            raise ValueError("has something else than tls=1 after its question mark")
    return value


def _webhook_secret(value: str) -> str:
    if value and len(value) < 24:
        raise ValueError("is shorter than 24 characters")
    return value


def _channels(value: str) -> tuple[str, ...]:
    """Apprise's addresses, by their form: whether they work is tried by ``manage.py try_channels``.

    What is wrong is said without repeating any of them: there are secrets inside.
    """
    addresses = tuple(value.split())
    for position, address in enumerate(addresses, 1):
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://.", address):
            raise ValueError(f"has an address, number {position}, that is none of Apprise's, such as slack://…")
    return addresses


def _tools(value: str) -> str:
    missing = [name for name in ("pg_dump", "pg_restore") if value and not (Path(value) / name).is_file()]
    if missing:
        raise ValueError(f"is no directory with {' and '.join(missing)} in it")
    return value


def _mysql_tools(value: str) -> str:
    pairs = (("mariadb-dump", "mariadb"), ("mysqldump", "mysql"))
    if value and not any(all((Path(value) / name).is_file() for name in pair) for pair in pairs):
        raise ValueError("is no directory with mariadb-dump and mariadb, or mysqldump and mysql, in it")
    return value


def _file(value: str) -> str:
    if value and not Path(value).is_file():
        raise ValueError("is no file")
    return value


def _words(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _path(value: str) -> Path:
    return Path(value).expanduser().resolve()


def _paths(value: str) -> tuple[Path, ...]:
    return tuple(_path(part) for part in value.split(":") if part)


def _currency(value: str) -> str:
    try:
        smallest = get_currency(value).sub_unit
    except CurrencyDoesNotExist as error:
        raise ValueError("is not a currency such as EUR") from error
    if smallest > 100:
        raise ValueError("is a currency of thousandths; amounts are kept in hundredths")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("is not a time zone such as Europe/Berlin") from error
    return value


def _regions(value: str) -> dict[str, str]:
    regions: dict[str, str] = {}
    for part in _words(value):
        name, equals, place = part.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not place:
            raise ValueError("is not of the form name=/directory,name=s3://bucket/prefix?region=eu-central-1")
        if name in regions:
            raise ValueError(f"names the region {name} twice")
        regions[name] = _bucket(name, place) if place.startswith("s3:") else str(_path(place))
    if len(regions) < 2 or len(set(regions.values())) < len(regions):
        raise ValueError("must name two different regions at least: backups are copied to another region (B3)")
    _check_apart(regions)
    return regions


def _bucket(name: str, place: str) -> str:
    """The place in S3 in one form, so that the same one written twice is noticed. Secrets are never part of it."""
    parts = _url(place, ("s3",))
    if parts.username or parts.password:
        raise ValueError(f"has credentials in the region {name}: they belong into a role or AWS_ACCESS_KEY_ID")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
        raise ValueError(f"names no bucket in the region {name}: s3://bucket/prefix?region=eu-central-1")
    prefix = parts.path.strip("/")
    if prefix and not re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", prefix):
        raise ValueError(f"has a prefix in the region {name} of more than letters, digits and ._- between slashes")
    given = parse_qsl(parts.query, keep_blank_values=True)
    query = dict(given)
    if parts.fragment or len(query) < len(given) or not {"region"} <= set(query) <= {"region", "endpoint"}:
        raise ValueError(f"needs region=… after the question mark of the region {name}, and may have &endpoint=…")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", query["region"]):
        raise ValueError(f"has a region of S3 in the region {name} that is none, such as eu-central-1")
    if "endpoint" in query:
        endpoint = _url(query["endpoint"], ("https", "http"))
        if not endpoint.hostname or endpoint.username or endpoint.path.strip("/") or endpoint.query:
            raise ValueError(f"has an endpoint in the region {name} that is not like https://s3.example.com:9000")
        query["endpoint"] = f"{endpoint.scheme}://{endpoint.netloc}"
    return f"s3://{parts.netloc}/{prefix}?{urlencode(sorted(query.items(), reverse=True))}"


def _check_apart(regions: Mapping[str, str]) -> None:
    """One bucket may hold several regions, but none within another: its objects would be taken for strays."""
    places = {}
    for name, place in regions.items():
        if place.startswith("s3:"):
            parts = urlsplit(place)
            endpoint = dict(parse_qsl(parts.query)).get("endpoint", "")
            places[name] = f"{endpoint} {parts.netloc}{parts.path.rstrip('/')}/"
    for (one, outer), (other, inner) in permutations(places.items(), 2):
        if inner.startswith(outer):
            raise ValueError(f"has the region {other} within the region {one}: give each a prefix of its own")


def _prefixes(value: str) -> tuple[str, ...]:
    prefixes = _words(value)
    for prefix in prefixes:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", prefix):
            raise ValueError("is not the beginning of names such as RESOURCE_")
        for name in (name for variable in VARIABLES for name in variable.names):
            if name.startswith(prefix):
                raise ValueError(f"would let resources read the portal's own {name}")
        if "AWS_SECRET_ACCESS_KEY".startswith(prefix) or prefix.startswith("AWS_"):
            raise ValueError("would let resources read the portal's own keys of AWS")
    return prefixes


@dataclass(frozen=True)
class Variable:
    """One environment variable. A default may use ``{DATA_DIR}``."""

    name: str
    default: str
    meaning: str
    read: Callable[[str], Any] = _text
    secret: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names under which it may be given: a secret one also as NAME_FILE."""
        return (self.name, f"{self.name}_FILE") if self.secret else (self.name,)


VARIABLES = (
    Variable(
        "DATA_DIR",
        ".data",
        "Where the embedded database, broker, regions and scratch live, and always the attachments.",
        _path,
    ),
    Variable(
        "SECRET_KEY",
        "",
        "Signs sessions and links. Required, except in the demo, which makes one of its own.",
        secret=True,
    ),
    Variable("PORT", "8000", "Where `manage.py run` answers, on 127.0.0.1.", _port),
    Variable("DEMO", "0", "1 shows the demo's cast on the sign-in page. Never set it where real data is.", _flag),
    Variable("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "Host names under which the portal answers.", _words),
    Variable("CSRF_TRUSTED_ORIGINS", "", "Origins (https://portal.example.com) behind a proxy.", _words),
    Variable("HTTPS", "0", "1 when people reach the portal by https: secure cookies, HSTS.", _flag),
    Variable("BEHIND_PROXY", "0", "1 trusts X-Forwarded-Proto and X-Forwarded-For of the proxy in front.", _flag),
    Variable(
        "DATABASE_URL",
        "sqlite:///{DATA_DIR}/portal.sqlite3",
        "The portal's own database (sqlite or postgres).",
        _database,
        secret=True,
    ),
    Variable(
        "BROKER_URL",
        "filesystem://",
        "Celery's broker: redis://host:6379/0, or files below DATA_DIR.",
        _broker,
        secret=True,
    ),
    Variable("POLICY_TIME_ZONE", "UTC", "The company's time zone: which day and month a backup belongs to.", _zone),
    Variable(
        "STORE_REGIONS",
        "eu-central-1={DATA_DIR}/regions/eu-central-1,eu-west-1={DATA_DIR}/regions/eu-west-1",
        "Regions of the portal's own store, two at least: name=directory, or"
        " name=s3://bucket/prefix?region=eu-central-1, with &endpoint=https://… for a server other than AWS.",
        _regions,
    ),
    Variable("FILES_ROOTS", "", "Directories, separated by ':', below which directory trees may be resources.", _paths),
    Variable(
        "SECRETS_ENV_PREFIX",
        "RESOURCE_",
        "How the names of variables begin that a resource's secret may be read from; several are separated by commas.",
        _prefixes,
    ),
    Variable(
        "SECRETS_DIR",
        "/run/secrets/resources",
        "Directory below which files may be read as a resource's secret; nothing of the portal's own may lie there.",
        _path,
    ),
    Variable(
        "BACKUP_WINDOW",
        "01:00-05:00",
        "When daily backups are begun, on the clock of POLICY_TIME_ZONE; they are spread over it.",
        _window,
    ),
    Variable("RETENTION_LIMIT_PERCENT", "20", "A retention run that would delete more of all copies stops.", _percent),
    Variable("VERIFY_MB_PER_SECOND", "50", "How fast stored copies are read to verify them, at most.", _whole),
    Variable("STALLED_SECONDS", "7200", "A backup that gets no further for so long is stopped.", _whole),
    Variable(
        "NIGHTLY_HOUR", "6", "From this hour of POLICY_TIME_ZONE on the night's audit and checks are done.", _hour
    ),
    Variable("DIGEST_HOUR", "8", "From this hour of POLICY_TIME_ZONE on digests of the day are sent.", _hour),
    Variable("PORTAL_URL", "http://localhost:{PORT}", "Where people reach the portal: for links in mail."),
    Variable("SCRATCH_DIR", "{DATA_DIR}/scratch", "Room for restores in progress.", _path),
    Variable("PG_BIN", "", "Directory of pg_dump and pg_restore, when they are not where they usually are.", _tools),
    Variable(
        "MYSQL_BIN",
        "",
        "Directory of mariadb-dump and mariadb (or mysqldump and mysql), when they are not on PATH.",
        _mysql_tools,
    ),
    Variable(
        "MYSQL_SSL_CA",
        "",
        "File with the root certificates of MariaDB and MySQL servers, when they are not the machine's.",
        _file,
    ),
    Variable("KEEP_ORIGINAL_DAYS", "7", "How long a replaced original is kept for Undo.", _whole),
    Variable("BESIDE_DAYS", "14", "How long what was restored beside the live one stays there.", _whole),
    Variable("KEEP_LONGEST_DAYS", "90", "How long IT can have any of the three be kept, from today.", _whole),
    Variable("EXPORT_DAYS", "7", "How long an export can be downloaded.", _whole),
    Variable("REQUEST_DAYS", "14", "A request that nobody approves or rejects for so long expires.", _whole),
    Variable("CONSENT_DAYS", "7", "An estimate that nobody accepts for so long expires, and its request too.", _whole),
    Variable("ATTACHMENT_MB", "10", "How large a file attached to a request may be, in MB.", _whole),
    Variable("DEFAULT_CURRENCY", "EUR", "Currency of clients with whom no other is agreed.", _currency),
    Variable(
        "RESEND_AFTER_SECONDS", "30", "Work that was handed over and not started by then is handed over again.", _whole
    ),
    Variable(
        "HEARTBEAT_LOST_SECONDS", "60", "Work whose heartbeat stopped for so long is marked as interrupted.", _whole
    ),
    Variable("SWEEP_SECONDS", "15", "How often lost and interrupted work is looked for.", _whole),
    Variable(
        "EMAIL_URL",
        "",
        "smtp://user:password@host:587/?tls=1; without it mail is written below DATA_DIR/mail.",
        _mail,
        secret=True,
    ),
    Variable("EMAIL_FROM", "backups@localhost", "Sender of the portal's mail."),
    Variable(
        "ZABBIX_WEBHOOK_SECRET",
        "",
        "What Zabbix proves itself with when it proposes incidents, 24 characters at least; without it nothing is accepted.",
        _webhook_secret,
        secret=True,
    ),
    Variable(
        "IT_CHANNELS",
        "",
        "Apprise addresses, separated by spaces, of chats and the like where IT reads what waits for it.",
        _channels,
        secret=True,
    ),
    Variable("LOG_LEVEL", "INFO", "How much is logged: DEBUG, INFO, WARNING or ERROR.", _level),
)


def without_portal(environ: Mapping[str, str], *, keep: Collection[str] = ()) -> dict[str, str]:
    """The environment without what may have been set in it for another portal, in whichever form."""
    forgotten = {name for variable in VARIABLES for name in variable.names} - set(keep)
    return {name: value for name, value in environ.items() if name not in forgotten}


def read_environment(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All variables by name, read and checked. Raises :class:`WrongEnvironment`."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        raw = _given(variable, environ) or _default(variable, values)
        try:
            values[variable.name] = variable.read(raw)
        except ValueError as error:
            shown = "its value" if variable.secret else repr(re.sub(r"://[^/@,\s]*@", "://…@", raw))
            raise WrongEnvironment(f"{variable.name}: {shown} {error}. {variable.meaning}") from error
    _check_secrets_dir(values, environ)
    return values


def _default(variable: Variable, values: Mapping[str, Any]) -> str:
    """A default may use what stands above it in the table."""
    return re.sub(r"\{([A-Z_]+)\}", lambda match: str(values.get(match[1], "")), variable.default)


def _check_secrets_dir(values: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Who registers a resource may have anything below SECRETS_DIR sent to a host of their choice."""
    own = {"DATA_DIR": values["DATA_DIR"]}
    own |= {name: _path(environ[name]) for one in VARIABLES for name in one.names[1:] if environ.get(name)}
    for name, path in own.items():
        if path == values["SECRETS_DIR"] or values["SECRETS_DIR"] in path.parents:
            raise WrongEnvironment(
                f"SECRETS_DIR: {name} lies below {values['SECRETS_DIR']}, where resources' secrets are read from."
                " Set SECRETS_DIR to a directory with nothing but those."
            )


def _given(variable: Variable, environ: Mapping[str, str]) -> str:
    """The value; a secret one may stand in a file that NAME_FILE names (as container platforms hand out secrets)."""
    path = environ.get(f"{variable.name}_FILE", "") if variable.secret else ""
    if not path or environ.get(variable.name):
        return environ.get(variable.name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongEnvironment(f"{variable.name}_FILE: {path} cannot be read ({type(error).__name__}).") from error


def environment_table() -> str:
    """All variables as a Markdown table."""
    names = {v.name: f"`{v.name}`, or `{v.name}_FILE`" if v.secret else f"`{v.name}`" for v in VARIABLES}
    rows = [f"| {names[v.name]} | {f'`{v.default}`' if v.default else ''} | {v.meaning} |" for v in VARIABLES]
    return "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *rows])
