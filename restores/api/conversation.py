"""The conversation about a request over the API."""

from __future__ import annotations

from rest_framework import serializers

from portal.api.inputs import Input
from portal.api.outputs import NameField
from restores.actions.conversing import MOST_ATTACHMENTS, TEXT_TOO_LONG
from restores.filekinds import POSSIBLE
from restores.models import Attachment, Comment
from restores.models.conversation import COMMENT_MAX

INTERNAL_HELP = "True: people of the client never see it. Only people of the company may say so."


class CommentOut(serializers.ModelSerializer[Comment]):
    """What somebody said."""

    by = NameField()

    class Meta:
        model = Comment
        fields = ["at", "by", "internal", "text"]


class AttachmentOut(serializers.ModelSerializer[Attachment]):
    """A file; its bytes are at ``attachments/{id}/`` below the request."""

    by = NameField()
    sha256 = serializers.CharField(source="checksum")

    class Meta:
        model = Attachment
        fields = ["id", "at", "by", "internal", "name", "content_type", "size", "sha256"]


class CommentIn(Input):
    """A comment to append."""

    text = serializers.CharField(
        allow_blank=True,
        default="",
        max_length=COMMENT_MAX,
        help_text="What you want to say.",
        error_messages={"max_length": TEXT_TOO_LONG},
    )
    internal = serializers.BooleanField(default=False, help_text=INTERNAL_HELP)


class AttachmentIn(Input):
    """A file to append."""

    file = serializers.FileField(
        allow_empty_file=True,
        help_text=f"One of: {POSSIBLE}. A request takes {MOST_ATTACHMENTS}.",
        error_messages={"required": "Send the file as the field “file” of multipart/form-data."},
    )
    internal = serializers.BooleanField(default=False, help_text=INTERNAL_HELP)
