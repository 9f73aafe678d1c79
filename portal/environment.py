"""Every environment variable that the portal reads, in one table: name, default, meaning, how it is read.

The table in docs/operating.md is generated from it. Values are checked at start; a wrong one ends the start with a
sentence that names the variable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.store_regions import as_regions
from portal.values import (
    as_broker,
    as_channels,
    as_currency,
    as_database,
    as_directory,
    as_file,
    as_flag,
    as_hosts,
    as_hour,
    as_level,
    as_mail,
    as_mysql_tools,
    as_path,
    as_paths,
    as_percent,
    as_port,
    as_settings_of_kinds,
    as_text,
    as_tools,
    as_webhook_secret,
    as_whole,
    as_window_of_day,
    as_words,
    as_zone,
)


class WrongEnvironment(Exception):
    """A variable's value cannot be used; the text says which and why."""


def _prefixes(value: str) -> tuple[str, ...]:
    prefixes = as_words(value)
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
    read: Callable[[str], Any] = as_text
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
        as_path,
    ),
    Variable(
        "SECRET_KEY",
        "",
        "Signs sessions and links. Required, except in the demo, which makes one of its own.",
        secret=True,
    ),
    Variable("PORT", "8000", "Where `manage.py run` answers, on 127.0.0.1.", as_port),
    Variable("DEMO", "0", "1 shows the demo's cast on the sign-in page. Never set it where real data is.", as_flag),
    Variable("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", "Host names under which the portal answers.", as_words),
    Variable("CSRF_TRUSTED_ORIGINS", "", "Origins (https://portal.example.com) behind a proxy.", as_words),
    Variable("HTTPS", "0", "1 when people reach the portal by https: secure cookies, HSTS.", as_flag),
    Variable("BEHIND_PROXY", "0", "1 trusts X-Forwarded-Proto and X-Forwarded-For of the proxy in front.", as_flag),
    Variable(
        "DATABASE_URL",
        "sqlite:///{DATA_DIR}/portal.sqlite3",
        "The portal's own database (sqlite or postgres).",
        as_database,
        secret=True,
    ),
    Variable(
        "BROKER_URL",
        "filesystem://",
        "Celery's broker: redis://host:6379/0, or files below DATA_DIR.",
        as_broker,
        secret=True,
    ),
    Variable("POLICY_TIME_ZONE", "UTC", "The company's time zone: which day and month a backup belongs to.", as_zone),
    Variable(
        "STORE_REGIONS",
        "eu-central-1={DATA_DIR}/regions/eu-central-1,eu-west-1={DATA_DIR}/regions/eu-west-1",
        "Regions of the portal's own store, two at least: name=directory, or"
        " name=s3://bucket/prefix?region=eu-central-1, with &endpoint=https://… for a server other than AWS.",
        as_regions,
    ),
    Variable(
        "FILES_ROOTS", "", "Directories, separated by ':', below which directory trees may be resources.", as_paths
    ),
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
        as_path,
    ),
    Variable(
        "BACKUP_WINDOW",
        "01:00-05:00",
        "When daily backups are begun, on the clock of POLICY_TIME_ZONE; they are spread over it.",
        as_window_of_day,
    ),
    Variable(
        "RETENTION_LIMIT_PERCENT", "20", "A retention run that would delete more of all copies stops.", as_percent
    ),
    Variable("VERIFY_MB_PER_SECOND", "50", "How fast stored copies are read to verify them, at most.", as_whole),
    Variable("STALLED_SECONDS", "7200", "A backup that gets no further for so long is stopped.", as_whole),
    Variable(
        "NIGHTLY_HOUR", "6", "From this hour of POLICY_TIME_ZONE on the night's audit and checks are done.", as_hour
    ),
    Variable("DIGEST_HOUR", "8", "From this hour of POLICY_TIME_ZONE on digests of the day are sent.", as_hour),
    Variable("PORTAL_URL", "http://localhost:{PORT}", "Where people reach the portal: for links in mail."),
    Variable("SCRATCH_DIR", "{DATA_DIR}/scratch", "Room for restores in progress.", as_path),
    Variable("PG_BIN", "", "Directory of pg_dump and pg_restore, when they are not where they usually are.", as_tools),
    Variable(
        "MYSQL_BIN",
        "",
        "Directory of mariadb-dump and mariadb (or mysqldump and mysql), when they are not on PATH.",
        as_mysql_tools,
    ),
    Variable(
        "MYSQL_SSL_CA",
        "",
        "File with the root certificates of MariaDB and MySQL servers, when they are not the machine's.",
        as_file,
    ),
    Variable("CHECKUP_AT_ONCE", "2", "How many backups a checkup tries at once.", as_whole),
    Variable(
        "CHECKUP_SCRATCH_GB",
        "200",
        "How much all that is restored into scratch at one time may take, in GB; what is larger is tried alone.",
        as_whole,
    ),
    Variable(
        "CHECKUP_PROVIDER_GB",
        "1000",
        "How large a backup may be, in GB, that a checkup restores at AWS, where that costs money.",
        as_whole,
    ),
    Variable(
        "CHECKUP_SERVERS",
        "",
        "Where checkups restore to instead of beside the live thing: kind.setting=value, separated by blanks.",
        as_settings_of_kinds,
    ),
    Variable(
        "CHECKUP_HTTP_HOSTS",
        "",
        "Where checks of applications may be sent over HTTP: host:port, separated by commas.",
        as_hosts,
    ),
    Variable(
        "CHECKUP_PROGRAMS_DIR",
        "",
        "Directory of the programs that check applications on restored copies.",
        as_directory,
    ),
    Variable("KEEP_ORIGINAL_DAYS", "7", "How long a replaced original is kept for Undo.", as_whole),
    Variable("BESIDE_DAYS", "14", "How long what was restored beside the live one stays there.", as_whole),
    Variable("KEEP_LONGEST_DAYS", "90", "How long IT can have any of the three be kept, from today.", as_whole),
    Variable("EXPORT_DAYS", "7", "How long an export can be downloaded.", as_whole),
    Variable("REQUEST_DAYS", "14", "A request that nobody approves or rejects for so long expires.", as_whole),
    Variable(
        "CONSENT_DAYS", "7", "An estimate that nobody accepts for so long expires, and its request too.", as_whole
    ),
    Variable("ATTACHMENT_MB", "10", "How large a file attached to a request may be, in MB.", as_whole),
    Variable("DEFAULT_CURRENCY", "EUR", "Currency of clients with whom no other is agreed.", as_currency),
    Variable(
        "RESEND_AFTER_SECONDS",
        "30",
        "Work that was handed over and not started by then is handed over again.",
        as_whole,
    ),
    Variable(
        "HEARTBEAT_LOST_SECONDS", "60", "Work whose heartbeat stopped for so long is marked as interrupted.", as_whole
    ),
    Variable("SWEEP_SECONDS", "15", "How often lost and interrupted work is looked for.", as_whole),
    Variable(
        "EMAIL_URL",
        "",
        "smtp://user:password@host:587/?tls=1; without it mail is written below DATA_DIR/mail.",
        as_mail,
        secret=True,
    ),
    Variable("EMAIL_FROM", "backups@localhost", "Sender of the portal's mail."),
    Variable(
        "ZABBIX_WEBHOOK_SECRET",
        "",
        "What Zabbix proves itself with when it proposes incidents, 24 characters at least; without it nothing is accepted.",
        as_webhook_secret,
        secret=True,
    ),
    Variable(
        "IT_CHANNELS",
        "",
        "Apprise addresses, separated by spaces, of chats and the like where IT reads what waits for it.",
        as_channels,
        secret=True,
    ),
    Variable("LOG_LEVEL", "INFO", "How much is logged: DEBUG, INFO, WARNING or ERROR.", as_level),
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
    own |= {name: as_path(environ[name]) for one in VARIABLES for name in one.names[1:] if environ.get(name)}
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
