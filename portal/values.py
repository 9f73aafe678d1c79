"""How the value of an environment variable is read: each raises ValueError with what is wrong, after the name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from moneyed import CurrencyDoesNotExist, get_currency

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def as_text(value: str) -> str:
    """It as it is."""
    return value


def as_flag(value: str) -> bool:
    """1, true, yes, on; or 0, false, no, off, nothing."""
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("is neither 1 nor 0")


def number(value: str) -> int:
    """Its digits as a number, 0 when it is none."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def as_whole(value: str) -> int:
    """A whole number of 1 or more."""
    if not number(value):
        raise ValueError("is not a whole number of 1 or more")
    return number(value)


def as_percent(value: str) -> int:
    """A whole number from 1 to 100."""
    if not 0 < number(value) <= 100:
        raise ValueError("is not a number from 1 to 100")
    return number(value)


def as_hour(value: str) -> int:
    """An hour of the day, from 0 to 23."""
    if value not in {str(hour) for hour in range(24)}:
        raise ValueError("is not an hour from 0 to 23")
    return int(value)


def as_window_of_day(value: str) -> tuple[time, timedelta]:
    """When it begins, and how long it is."""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", value)
    if found is None:
        raise ValueError("is not of the form 01:00-05:00")
    start = timedelta(hours=int(found[1]), minutes=int(found[2]))
    end = timedelta(hours=int(found[3]), minutes=int(found[4])) if found[3] else timedelta(days=1)
    if start == end:
        raise ValueError("is empty: it ends when it begins. 00:00-24:00 is the whole day")
    length = end - start if end > start else end - start + timedelta(days=1)
    return time(int(found[1]), int(found[2])), length


def as_port(value: str) -> int:
    """A port of TCP."""
    if not 0 < number(value) < 65536:
        raise ValueError("is not a number from 1 to 65535")
    return number(value)


def as_level(value: str) -> str:
    """A level of the log, in capitals."""
    if value.upper() not in LOG_LEVELS:
        raise ValueError(f"is none of {', '.join(LOG_LEVELS)}")
    return value.upper()


def as_url(value: str, schemes: tuple[str, ...]) -> SplitResult:
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


def as_database(value: str) -> str:
    """The URL of a database."""
    parts = as_url(value, ("postgres", "postgresql", "sqlite"))
    if not parts.path.strip("/"):
        raise ValueError("names no database: that is the part after the last slash")
    return value


def as_broker(value: str) -> str:
    """The URL of a broker."""
    parts = as_url(value, ("redis", "rediss", "filesystem", "memory"))  # memory: what is handed over is not kept
    if parts.scheme.startswith("redis") and not parts.hostname:
        raise ValueError("names no host")
    return value


def as_mail(value: str) -> str:
    """The URL of a mail server, or nothing."""
    if value:
        parts = as_url(value, ("smtp",))
        if not parts.hostname:
            raise ValueError("names no host")
        if parts.query not in ("", "tls=0", "tls=1"):
            raise ValueError("has something else than tls=1 after its question mark")
    return value


def as_webhook_secret(value: str) -> str:
    """A secret of 24 characters at least, or nothing."""
    if value and len(value) < 24:
        raise ValueError("is shorter than 24 characters")
    return value


def as_channels(value: str) -> tuple[str, ...]:
    """Apprise's addresses, by their form: whether they work is tried by ``manage.py try_channels``.

    What is wrong is said without repeating any of them: there are secrets inside.
    """
    addresses = tuple(value.split())
    for position, address in enumerate(addresses, 1):
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://.", address):
            raise ValueError(f"has an address, number {position}, that is none of Apprise's, such as slack://…")
    return addresses


def as_tools(value: str) -> str:
    """A directory with PostgreSQL's tools, or nothing."""
    missing = [name for name in ("pg_dump", "pg_restore") if value and not (Path(value) / name).is_file()]
    if missing:
        raise ValueError(f"is no directory with {' and '.join(missing)} in it")
    return value


def as_mysql_tools(value: str) -> str:
    """A directory with MariaDB's or MySQL's tools, or nothing."""
    pairs = (("mariadb-dump", "mariadb"), ("mysqldump", "mysql"))
    if value and not any(all((Path(value) / name).is_file() for name in pair) for pair in pairs):
        raise ValueError("is no directory with mariadb-dump and mariadb, or mysqldump and mysql, in it")
    return value


def as_file(value: str) -> str:
    """A file that exists, or nothing."""
    if value and not Path(value).is_file():
        raise ValueError("is no file")
    return value


def as_words(value: str) -> tuple[str, ...]:
    """Words between commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def as_settings_of_kinds(value: str) -> Mapping[str, Mapping[str, str]]:
    """``kind.setting=value`` words between blanks: the settings by name, by kind of resource."""
    found: dict[str, dict[str, str]] = {}
    for position, word in enumerate(value.split(), 1):
        named = re.fullmatch(r"([a-z0-9]+)\.([a-z_]+)=(.+)", word)
        if named is None:
            raise ValueError(f"has a word, number {position}, that is not like postgres.host=scratch.example.com")
        kind, name, given = named.groups()
        if name in found.setdefault(kind, {}):
            raise ValueError(f"has {kind}.{name} twice")
        found[kind][name] = given
    return found


def as_path(value: str) -> Path:
    """An absolute path, without symbolic links."""
    return Path(value).expanduser().resolve()


def as_directory(value: str) -> Path | None:
    """A directory that exists, or nothing."""
    if not value:
        return None
    if not Path(value).is_dir():
        raise ValueError("is no directory")
    return as_path(value)


def as_hosts(value: str) -> tuple[str, ...]:
    """Hosts with their ports, between commas: ``app.internal:8080``."""
    hosts = as_words(value.lower())
    if wrong := [host for host in hosts if not re.fullmatch(r"[a-z0-9.\-]+:[0-9]{1,5}", host)]:
        raise ValueError(f"names {wrong[0]!r}, which is not host:port")
    return hosts


def as_paths(value: str) -> tuple[Path, ...]:
    """Absolute paths between colons."""
    return tuple(as_path(part) for part in value.split(":") if part)


def as_currency(value: str) -> str:
    """A currency of hundredths, by its code."""
    try:
        smallest = get_currency(value).sub_unit
    except CurrencyDoesNotExist as error:
        raise ValueError("is not a currency such as EUR") from error
    if smallest > 100:
        raise ValueError("is a currency of thousandths; amounts are kept in hundredths")
    return value


def as_zone(value: str) -> str:
    """The name of a time zone."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("is not a time zone such as Europe/Berlin") from error
    return value
