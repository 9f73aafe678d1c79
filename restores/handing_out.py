"""How bytes are handed out, by pages and over the API alike: as a file to be saved, whatever it holds."""

from __future__ import annotations

import base64
from typing import BinaryIO

from django.http import FileResponse


def handed_out(file: BinaryIO, *, name: str, size: int, checksum: str) -> FileResponse:
    """The file, streamed as it is stored and closed at the end.

    ``checksum`` is its SHA-256, hexadecimal; the header Repr-Digest (RFC 9530) carries it.
    """
    answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/octet-stream")
    answer["Content-Length"] = str(size)
    answer["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(checksum)).decode()}:"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
