"""Uploads of large objects into a live bucket: noted, for nobody could tell those of a dead worker from an application's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from backups.aws.access import Access
from backups.drivers.base import DriverError
from backups.drivers.bucket.pace import why
from backups.drivers.bucket.restores import Notes

UPLOADS = "uploads/"


@dataclass(frozen=True)
class Uploads:
    """Those of one exchange."""

    notes: Notes
    bucket: str

    def begun(self, key: str, upload: str) -> None:
        """Note one, before its first piece."""
        self.notes.put(_name(upload), {"key": key, "upload": upload})

    def ended(self, upload: str) -> None:
        """It is completed, or given up."""
        self.notes.drop(_name(upload))

    def give_up(self, access: Access) -> None:
        """Remove the pieces of what others have begun and not ended. Should one of them live on, it cannot complete it."""
        prefix = self.notes.prefix + UPLOADS
        for one in list(self.notes.vault.within(prefix)):
            name = one["Key"].removeprefix(self.notes.prefix)
            if (told := self.notes.get(name)) is None:
                continue
            try:
                access.call(
                    "s3", "abort_multipart_upload", Bucket=self.bucket, Key=told["key"], UploadId=told["upload"]
                )
            except DriverError as error:
                if why(error) not in {"NoSuchUpload", "404"}:
                    raise
            self.notes.drop(name)


def _name(upload: str) -> str:
    return UPLOADS + hashlib.sha256(upload.encode()).hexdigest()[:32]
