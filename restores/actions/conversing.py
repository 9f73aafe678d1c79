"""Saying something about a request: a comment, files, or both. What was said is never changed and never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.errors import InvalidInput, Refused
from portal.models import User
from portal.reasons import visible_text
from portal.words import size_in_words
from restores.actions.telling import tell
from restores.attached import Staged, open_file, published, staged
from restores.filekinds import clean_name, kind_of
from restores.models import Attachment, Comment, RestoreRequest
from restores.models.conversation import COMMENT_MAX, NAME_MAX
from restores.permissions import check_can_attach, check_can_comment, check_can_note_internally

log = structlog.get_logger(__name__)

MOST_ATTACHMENTS = 20  # of a request, and as many internal ones: whether there are any is not told by the limit
MOST_COMMENTS = 300  # likewise: its page and its record can always be made
MOST_AT_ONCE = 5
TEXT_MISSING = "Write what you want to say, or choose a file."
TEXT_TOO_LONG = (
    f"The comment is too long: {COMMENT_MAX:,} characters at most. Say the rest in a second one, or attach a file."
)


@dataclass(frozen=True)
class Upload:
    """A file that somebody sent, with the name they gave it. It can be read again from its start."""

    name: str
    file: BinaryIO


@dataclass(frozen=True)
class _Ready:
    """A file that may be attached, on disk and not published yet."""

    stored: Staged
    name: str
    content_type: str


def say(
    *, by: User, request: RestoreRequest, text: str = "", files: Sequence[Upload] = (), internal: bool = False
) -> None:
    """Append a comment and files to the request's conversation: all of it, or nothing.

    ``internal``: clients never see it. Raises NotPermitted or Refused by the rules, InvalidInput naming ``text`` or ``file``.
    """
    check_can_comment(by, request)
    if internal:
        check_can_note_internally(by, request)
    text = _checked_text(text, needed=not files)
    if len(files) > MOST_AT_ONCE:
        raise InvalidInput(f"Send at most {MOST_AT_ONCE} files at once, and the others after them.", field="file")
    with ExitStack() as staging:
        ready = [_make_ready(staging, one) for one in files]
        with ExitStack() as publishing, transaction.atomic():
            locked = RestoreRequest.objects.select_for_update().get(pk=request.pk)
            now = timezone.now()
            if text:
                _check_not_endless(locked, internal)
                Comment.objects.create(request=locked, at=now, by=by, text=text, internal=internal)
            if ready:
                check_can_attach(by, locked)
                _check_room(locked, len(ready), internal)
            for one in ready:
                Attachment.objects.create(
                    request=locked,
                    at=now,
                    by=by,
                    internal=internal,
                    key=one.stored.key,
                    name=one.name,
                    content_type=one.content_type,
                    size=one.stored.size,
                    checksum=one.stored.checksum,
                )
                publishing.enter_context(published(one.stored.key))
            said = f"{by} wrote a comment" if text else f"{by} attached {'a file' if len(ready) == 1 else 'files'}"
            tell(locked, by=by, now=now, headline="Comment" if text else "Attachment", text=said, internal=internal)


def _checked_text(text: str, *, needed: bool) -> str:
    text = visible_text(text)
    if needed and not text:
        raise InvalidInput(TEXT_MISSING, field="text")
    if len(text) > COMMENT_MAX:
        raise InvalidInput(TEXT_TOO_LONG, field="text")
    return text


def _make_ready(staging: ExitStack, upload: Upload) -> _Ready:
    name = clean_name(upload.name, NAME_MAX)
    kind = kind_of(name, upload.file)
    try:
        stored = staging.enter_context(staged(upload.file))
    except OSError as error:
        log.error("attachment.not_written", error=str(error))
        raise Refused(
            f"“{name}” could not be kept: the portal’s disk did not take it. Tell IT, then try again."
        ) from error
    if stored.size > settings.ATTACHMENT_BYTES:
        most = size_in_words(settings.ATTACHMENT_BYTES)
        raise InvalidInput(f"“{name}” is larger than {most}. Send a part of it, or tell IT where it is.", field="file")
    return _Ready(stored, name, kind.content_type)


def _check_not_endless(request: RestoreRequest, internal: bool) -> None:
    if request.comments.filter(internal=internal).count() >= MOST_COMMENTS:
        raise Refused(
            f"This request has {MOST_COMMENTS} comments, which is all it takes. Talk to each other, and attach what you agree on."
        )


def _check_room(request: RestoreRequest, more: int, internal: bool) -> None:
    present = request.attachments.filter(internal=internal).count()
    if present + more > MOST_ATTACHMENTS:
        left = MOST_ATTACHMENTS - present
        room = f"There is room for {left} more." if left > 0 else "Ask IT where else to put them."
        raise Refused(f"A request has {MOST_ATTACHMENTS} attachments at most. {room}")


def open_attachment(attachment: Attachment) -> BinaryIO:
    """The file's bytes; the caller closes it. Raises :class:`Refused` when they are not there as they were stored."""
    file = open_file(attachment.key)
    if file is None:
        log.error("attachment.missing", attachment=attachment.pk, request=attachment.request_id)
        raise Refused(f"“{attachment.name}” is recorded, but its file is no longer there. Tell IT, or attach it again.")
    if file.seek(0, 2) != attachment.size:
        file.close()
        log.error("attachment.damaged", attachment=attachment.pk, request=attachment.request_id)
        raise Refused(f"“{attachment.name}” is damaged: its file has not the size it had. Tell IT, or attach it again.")
    file.seek(0)
    return file
