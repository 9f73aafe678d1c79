"""Handing out a finished export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from django.utils import timezone

from backups.actions.damage import note_damaged_copy
from backups.artefacts import StoredArtefact, StoredArtefactInfo
from backups.drivers.base import DamagedBackup, DriverError
from backups.kinds import driver_of, store_of
from backups.models import Copy
from portal.errors import Refused
from portal.models import User
from restores.actions.moves import note
from restores.models import RestoreRequest
from restores.permissions import check_can_download
from restores.unpacking import export_name


@dataclass(frozen=True)
class Download:
    """An open export: the caller closes ``file``. ``checksum`` is the SHA-256 of its bytes, hexadecimal."""

    file: BinaryIO
    name: str
    size: int
    checksum: str


def open_export(*, by: User, request: RestoreRequest) -> Download:
    """Open the export for the person who asked for it; that it was fetched goes on the timeline."""
    check_can_download(by, request)
    backup, resource = request.backup, request.resource
    copies = list(Copy.objects.present().filter(backup=backup))
    copies.sort(key=lambda copy: copy.region != resource.home_region)
    if not copies:
        raise Refused("No copy of this backup is left. Ask IT.")
    info = StoredArtefactInfo.from_json(backup.artefact)
    try:
        file = StoredArtefact(store_of(copies[0].region), copies[0].stored_under, info).open_stored()
    except DamagedBackup as error:
        note_damaged_copy(copies[0], error.sentence, timezone.now())
        raise Refused("The stored backup was found damaged just now. Ask for another one, or ask IT.") from error
    except DriverError as error:
        raise Refused("The stored backup cannot be read at the moment. Try again later, or ask IT.") from error
    note(request, by=by, now=timezone.now(), text=f"{by} downloaded the export")
    name = export_name(resource.name, backup.taken_at, driver_of(resource.kind).export_suffix)
    return Download(file, name, info.size, info.checksum)
