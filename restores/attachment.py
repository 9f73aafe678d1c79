"""How an export is handed out, by its page and over the API alike."""

from __future__ import annotations

import base64

from django.http import FileResponse

from restores.actions.downloads import Download


def attachment(export: Download) -> FileResponse:
    """The export as a file, streamed as it is stored. The header Repr-Digest (RFC 9530) carries its SHA-256."""
    answer = FileResponse(
        export.file, as_attachment=True, filename=export.name, content_type="application/octet-stream"
    )
    answer["Content-Length"] = str(export.size)
    answer["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(export.checksum)).decode()}:"
    answer["Cache-Control"] = "private, no-store"
    return answer
