"""The conversation about a request, as one reader sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from portal.models import User
from restores.models import Attachment, Comment, RestoreRequest


@dataclass
class Entry:
    """What one person said at one moment: a comment, files, or both."""

    at: datetime
    by: User
    internal: bool
    text: str = ""
    attachments: list[Attachment] = field(default_factory=list)


def conversation_of(request: RestoreRequest, reader: User) -> list[Entry]:
    """What the reader may see of it, the oldest first."""
    comments = request.comments.visible_to(reader).select_related("by")
    attachments = request.attachments.visible_to(reader).select_related("by")
    return _entries(comments, attachments)


def _entries(comments: Iterable[Comment], attachments: Iterable[Attachment]) -> list[Entry]:
    found: dict[tuple[datetime, int, bool], Entry] = {}
    said: list[Entry] = []
    for comment in comments:
        entry = Entry(comment.at, comment.by, comment.internal, comment.text)
        found[comment.at, comment.by_id, comment.internal] = entry
        said.append(entry)
    for one in attachments:
        key = (one.at, one.by_id, one.internal)
        if key not in found:
            found[key] = Entry(one.at, one.by, one.internal)
            said.append(found[key])
        found[key].attachments.append(one)
    return sorted(said, key=lambda entry: entry.at)
