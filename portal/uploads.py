"""Taking files from people: straight to disk, and never more than was allowed, whatever is sent."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest

from portal.errors import PortalError
from portal.words import size_in_words

READ_AWAY = 100_000_000
"""Bytes of an upload that is too large which are still read, so that its sender hears why; then the line is cut."""
FORM_BYTES = 1_000_000
"""Room for the fields beside the files."""


class TooLarge(PortalError):
    """More was sent than the portal takes."""

    status = 413


class Bounded(TemporaryFileUploadHandler):
    """Writes each uploaded file to a temporary one on disk. Install it before anything of the request is read.

    A file beyond ``most_each`` bytes is left out and named in :attr:`left_out`, as soon as it gets there; a request of
    more than ``most_files`` such files raises :class:`TooLarge` before its first byte is kept.
    """

    def __init__(self, request: HttpRequest, *, most_each: int, most_files: int) -> None:
        super().__init__(request)
        self.most_each = most_each
        self.most_together = most_each * most_files + FORM_BYTES
        self.left_out: list[str] = []

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803  # Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        """Refuse by what the request says of itself."""
        if content_length <= self.most_together:
            return
        left = READ_AWAY
        while left > 0 and (chunk := input_data.read(self.chunk_size)):
            left -= len(chunk)
        raise TooLarge(f"That is more than {size_in_words(self.most_together)} at once. Send fewer or smaller files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Write it, unless the file has become too large."""
        if start + len(raw_data) > self.most_each:
            self.left_out.append(self.file_name or "")
            raise SkipFile
        return super().receive_data_chunk(raw_data, start)

    def check_all_taken(self) -> None:
        """Raise :class:`TooLarge` when a file was left out. Ask once the request has been read."""
        if self.left_out:
            raise TooLarge(
                f"“{self.left_out[0]}” is larger than {size_in_words(self.most_each)}. Nothing was kept of it."
            )
