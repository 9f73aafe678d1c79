"""Asking a restored copy whether the application works on it: by SQL, over HTTP, or by a program of IT's."""

from __future__ import annotations

import http.client
import os
import re
import socket
import threading
import time
import urllib.parse
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from backups.drivers.base import Driver, DriverError, Place, StillWorking
from backups.drivers.words import Settings
from backups.models import Resource
from backups.processes import ProcessFailed, minimal_environment, run
from checkups.models import ApplicationCheck, Asking
from checkups.placeholders import why_not_an_address

HOLE = re.compile(r"\{([a-z]+)\}")
FIRST_LINE = 100
QUESTION = 1000
BY = {Asking.SQL: "by SQL", Asking.HTTP: "over HTTP", Asking.COMMAND: "by the program"}


def ask_application(resource: Resource, driver: Driver, values: Settings, place: Place) -> str:
    """What it was asked and what it answered, in sentences: whoever reads the record sees what the proof rests on.

    Raises DriverError when it did not answer, or when there is no check any more.
    """
    check = ApplicationCheck.objects.filter(resource=resource).first()
    if check is None:
        raise DriverError(
            "The application's check was taken away meanwhile. Say again how it is asked, then have it checked again."
        )
    asked = asked_in_words(check)
    try:
        return f"{asked} {_answer(check, driver, values, place)}"
    except StillWorking:
        raise
    except DriverError as error:
        error.sentence = f"{asked} {error.sentence}"
        raise


def asked_in_words(check: ApplicationCheck) -> str:
    """The question, on one line."""
    text = " ".join(check.text.split())
    return f"Asked {BY[Asking(check.way)]} “{text if len(text) <= QUESTION else text[: QUESTION - 1] + '…'}”."


def _answer(check: ApplicationCheck, driver: Driver, values: Settings, place: Place) -> str:
    if check.way == Asking.SQL:
        return driver.ask(values, place, check.text, check.seconds)
    where = driver.reach(values, place)
    if check.way == Asking.COMMAND:
        return _by_program(program_of(check.text), where, check.seconds)
    if refusal := why_not_an_address(check.resource.kind, check.text):
        raise DriverError(refusal)
    return _over_http(filled(check.text, where, quote=True), check.seconds)


def filled(text: str, where: Mapping[str, str], *, quote: bool = False) -> str:
    """The text with ``{database}`` and the like filled in. Raises DriverError naming those there are."""

    def fill(match: re.Match[str]) -> str:
        if match[1] not in where:
            known = ", ".join(f"{{{name}}}" for name in where)
            raise DriverError(f"{{{match[1]}}} means nothing for this kind of resource. There are: {known}.")
        return urllib.parse.quote(where[match[1]], safe="") if quote else where[match[1]]

    return HOLE.sub(fill, text)


def address_of(text: str) -> urllib.parse.SplitResult:
    """The address, parsed. Raises DriverError unless its host is one that checks may be sent to."""
    try:
        address = urllib.parse.urlsplit(text)
        host = f"{address.hostname or ''}:{address.port or (443 if address.scheme == 'https' else 80)}"
    except ValueError:
        raise DriverError("This is not a web address: its host or its port is none.") from None
    if address.scheme not in ("http", "https") or not address.hostname or address.username is not None:
        raise DriverError("A web address begins with http:// or https://, then a host; it holds no name or password.")
    if host not in settings.CHECKUP_HTTP_HOSTS:
        raise DriverError(
            f"Checks may not be sent to {host}. Whoever runs the portal lists it in CHECKUP_HTTP_HOSTS, as host:port."
        )
    return address


def program_of(text: str) -> Path:
    """The program's path. Raises DriverError unless it lies in the directory of such programs and can be run."""
    directory: Path | None = settings.CHECKUP_PROGRAMS_DIR
    if directory is None:
        raise DriverError(
            "No programs can be run: whoever runs the portal names their directory in CHECKUP_PROGRAMS_DIR."
        )
    path = directory / text
    if Path(text).name != text or not path.is_file() or not os.access(path, os.X_OK):
        raise DriverError(f"There is no program “{text}” in the directory of checks that can be run.")
    return path


def _over_http(text: str, seconds: int) -> str:
    """One request, no proxy, no redirect followed: an answer from elsewhere says nothing about the restored copy."""
    address = address_of(text)
    made = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = made(address.hostname or "", address.port, timeout=seconds)
    try:
        status = _status(connection, address, seconds)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DriverError(
            f"The application did not answer at {address.netloc} within {seconds} seconds.", detail=type(error).__name__
        ) from error
    finally:
        connection.close()
    if status != http.client.OK:
        raise DriverError(f"The application answered {status} at {address.netloc}, not 200.")
    return f"The application answered 200 at {address.netloc}{address.path}."


def _status(connection: http.client.HTTPConnection, address: urllib.parse.SplitResult, seconds: int) -> int:
    """Of the answer, of which nothing else is read. One that drips is cut off in time: a timeout holds for each piece alone."""
    until = time.monotonic() + seconds
    connection.connect()
    cut = threading.Timer(max(until - time.monotonic(), 0), _cut_off, [connection.sock])
    cut.start()
    try:
        connection.request("GET", urllib.parse.urlunsplit(("", "", address.path or "/", address.query, "")))
        status = connection.getresponse().status
        if time.monotonic() > until:
            raise TimeoutError  # what was cut off in the middle of its head looks whole
        return status
    finally:
        cut.cancel()
        cut.join()


def _cut_off(sock: socket.socket) -> None:
    with suppress(OSError):  # the other side was quicker
        sock.shutdown(socket.SHUT_RDWR)


def _by_program(path: Path, where: Mapping[str, str], seconds: int) -> str:
    """The program finds in its environment where the copy is, and ends with 0 when all is well."""
    environment = minimal_environment({f"COPY_{name.upper()}": value for name, value in where.items()})
    try:
        done = run([str(path)], env=environment, timeout=seconds)
    except ProcessFailed as error:
        raise DriverError(
            f"The check {path.name} says that the application does not work.", detail=error.detail.replace("\0", "")
        ) from error
    said = done.stdout.replace(b"\0", b"").decode(errors="replace").strip().partition("\n")[0][:FIRST_LINE]
    return f"The check {path.name} ended well" + (f": {said}" if said else ".")
