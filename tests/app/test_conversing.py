"""What is said about a request: by whom, to whom, and that it is never changed, lost or half there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from backups.models import Resource
from portal.errors import InvalidInput, NotPermitted, Refused
from portal.models import Membership, User
from portal.roles import Role
from restores.actions.conversing import MOST_AT_ONCE, MOST_ATTACHMENTS, MOST_COMMENTS, Upload, open_attachment, say
from restores.actions.filing import file_request
from restores.actions.sweeping_attachments import sweep_attachments
from restores.attached import path_of, staged
from restores.conversation import conversation_of
from restores.details import Details
from restores.models import Attachment, Comment, Event, RestoreRequest
from tests.app.world import World, filed

SECRET = "The client’s admin clicked on it."
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)


@pytest.fixture
def request_(world: World, resource: Resource) -> RestoreRequest:
    return filed(world, resource.backups.get())


@pytest.fixture
def place(settings: Any, tmp_path: Path) -> Path:
    settings.ATTACHMENTS_DIR = tmp_path / "attachments"
    return tmp_path / "attachments"


def text_file(text: str = "one line\n", name: str = "import.log") -> Upload:
    return Upload(name, BytesIO(text.encode()))


def on_disk(place: Path) -> list[str]:
    return [str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()]


@pytest.fixture(autouse=True)
def nothing_is_left_half_written(transactional_db: None, place: Path) -> Iterator[None]:
    yield
    assert {path for path in on_disk(place) if not path.startswith(".partial/left-")} == {
        key.hex for key in Attachment.objects.values_list("key", flat=True) if path_of(key).exists()
    }


WHO = {
    "owner": (True, False), "colleague": (True, False), "staff": (True, True), "it": (True, True), "manager": (True, True),
    "robot": (True, True), "auditor": (False, False), "administrator": (False, False), "stranger": (False, False),
    "nobody": (False, False),
}  # fmt: skip


@pytest.mark.parametrize("name", WHO)
def test_who_says_what(world: World, request_: RestoreRequest, place: Path, name: str) -> None:
    by = getattr(world, name)
    for internal, allowed in zip((False, True), WHO[name], strict=True):
        for given in ({"text": "Is it urgent?"}, {"files": [text_file()]}):
            if allowed:
                say(by=by, request=request_, internal=internal, **given)
            else:
                with pytest.raises(NotPermitted):
                    say(by=by, request=request_, internal=internal, **given)
    said = sum(WHO[name])
    assert (Comment.objects.count(), Attachment.objects.count(), len(on_disk(place))) == (said, said, said)


READS_INTERNAL = {"staff", "it", "it2", "manager", "auditor", "administrator", "robot"}


@pytest.mark.parametrize(
    "name", ["owner", "colleague", "staff", "it", "manager", "auditor", "administrator", "stranger", "nobody", "robot"]
)
def test_who_reads_what(world: World, request_: RestoreRequest, name: str) -> None:
    say(by=world.owner, request=request_, text="It is urgent.", files=[text_file()])
    say(by=world.it, request=request_, text=SECRET, files=[text_file(name="theirs.log")], internal=True)
    reader = getattr(world, name)
    said = conversation_of(request_, reader)
    sees = [] if name in ("stranger", "nobody") else [False, True] if name in READS_INTERNAL else [False]
    assert [entry.internal for entry in said] == sees
    assert [len(entry.attachments) for entry in said] == [1] * len(sees)


def test_who_is_of_the_company_and_of_the_client_reads_as_the_company(world: World, request_: RestoreRequest) -> None:
    say(by=world.it, request=request_, text=SECRET, internal=True)
    assert conversation_of(request_, world.owner) == []
    Membership.objects.create(user=world.owner, role=Role.STAFF, client=world.elsewhere)
    assert conversation_of(request_, User.objects.get(pk=world.owner.pk)) == [], "staff of another client"
    Membership.objects.create(user=world.owner, role=Role.STAFF, client=world.client)
    assert len(conversation_of(request_, User.objects.get(pk=world.owner.pk))) == 1


@pytest.mark.parametrize("text", ["", " \n ", "\u200b"])
def test_nothing_is_not_said(world: World, request_: RestoreRequest, text: str) -> None:
    with pytest.raises(InvalidInput, match="Write what you want to say") as caught:
        say(by=world.owner, request=request_, text=text)
    assert caught.value.field == "text"
    with pytest.raises(InvalidInput, match="too long: 5,000 characters"):
        say(by=world.owner, request=request_, text="x" * 5001)
    with pytest.raises(IntegrityError), transaction.atomic():
        Comment.objects.create(request=request_, at=timezone.now(), by=world.owner, text="", internal=False)


def test_what_was_said_stays(world: World, request_: RestoreRequest) -> None:
    say(by=world.owner, request=request_, text="As it was said.", files=[text_file()])
    for model in (Comment, Attachment, Event):
        row: Any = model.objects.first()  # type: ignore[attr-defined]
        for change in (
            row.save,
            row.delete,
            model.objects.all().delete,  # type: ignore[attr-defined]
            lambda model=model: model.objects.update(at=timezone.now()),
        ):
            with pytest.raises(TypeError, match="append-only"):
                change()


def test_a_file_comes_back_as_it_was_sent(world: World, request_: RestoreRequest, place: Path) -> None:
    say(by=world.owner, request=request_, files=[Upload("../Screen\u202e.png", BytesIO(PNG))])
    attachment = Attachment.objects.get()
    assert (attachment.name, attachment.content_type, attachment.size) == ("Screen.png", "image/png", len(PNG))
    assert on_disk(place) == [attachment.key.hex]
    with open_attachment(attachment) as file:
        assert file.read() == PNG


def test_a_file_that_is_gone_or_cut_is_told_in_a_sentence(world: World, request_: RestoreRequest) -> None:
    say(by=world.owner, request=request_, files=[text_file()])
    attachment = Attachment.objects.get()
    os.truncate(path_of(attachment.key), 3)
    with pytest.raises(Refused, match="has not the size it had"):
        open_attachment(attachment)
    path_of(attachment.key).unlink()
    with pytest.raises(Refused, match=r"“import\.log” is recorded, but its file is no longer there"):
        open_attachment(attachment)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([text_file(), Upload("shop.exe", BytesIO(b"MZ"))], "cannot be attached"),
        ([text_file(), Upload("shop.png", BytesIO(b"no picture"))], "does not hold"),
        ([text_file("x" * 1001)], "larger than 1.0.kB"),
        ([text_file() for _ in range(MOST_AT_ONCE + 1)], "at most 5 files at once"),
    ],
)
def test_what_may_not_be_attached_leaves_nothing(
    world: World, request_: RestoreRequest, settings: Any, place: Path, files: list[Upload], sentence: str
) -> None:
    settings.ATTACHMENT_BYTES = 1000
    with pytest.raises(InvalidInput, match=sentence):
        say(by=world.owner, request=request_, text="See the files.", files=files)
    assert not Comment.objects.exists()
    assert on_disk(place) == []


def test_a_fault_while_publishing_leaves_nothing(world: World, request_: RestoreRequest, place: Path) -> None:
    class Vanishing(BytesIO):
        """Once read to its end, what was written of it is gone again."""

        def read(self, size: int | None = -1) -> bytes:
            found = super().read(size)
            if not found:
                max((place / ".partial").iterdir(), key=lambda path: path.stat().st_mtime_ns).unlink()
            return found

    with pytest.raises(FileNotFoundError):
        say(by=world.owner, request=request_, text="Two.", files=[text_file(), Upload("b.png", Vanishing(PNG))])
    assert not Comment.objects.exists()
    assert not Attachment.objects.exists()
    assert on_disk(place) == []


def test_a_request_has_room_for_so_many(world: World, request_: RestoreRequest, place: Path) -> None:
    for number in range(MOST_ATTACHMENTS // 2 - 1):
        say(by=world.owner, request=request_, files=[text_file(str(number)), text_file(name="second.log")])
    with pytest.raises(Refused, match="There is room for 2 more"):
        say(by=world.owner, request=request_, text="Three.", files=[text_file() for _ in range(3)])
    assert not Comment.objects.exists()
    assert len(on_disk(place)) == MOST_ATTACHMENTS - 2


def test_a_conversation_has_an_end(world: World, request_: RestoreRequest) -> None:
    facts = {"request": request_, "at": timezone.now(), "by": world.it, "text": "Again.", "internal": True}
    Comment.objects.bulk_create(Comment(**facts) for _ in range(MOST_COMMENTS))
    with pytest.raises(Refused, match="300 comments, which is all it takes"):
        say(by=world.it, request=request_, text="And again.", internal=True)
    say(by=world.owner, request=request_, text="Is anybody there?")


def test_internal_files_take_no_room_from_the_others(world: World, request_: RestoreRequest) -> None:
    for _ in range(MOST_ATTACHMENTS // MOST_AT_ONCE):
        say(by=world.it, request=request_, files=[text_file() for _ in range(MOST_AT_ONCE)], internal=True)
    with pytest.raises(Refused, match="A request has 20 attachments at most. Ask IT"):
        say(by=world.it, request=request_, files=[text_file()], internal=True)
    say(by=world.owner, request=request_, files=[text_file()])


@pytest.mark.parametrize(("days", "status", "fine"), [
    (29, "undone", True), (31, "undone", False), (29, "completed", True), (31, "completed", False), (400, "failed", True),
])  # fmt: skip
def test_nothing_is_attached_long_after_the_end(
    world: World, request_: RestoreRequest, days: int, status: str, fine: bool
) -> None:
    then = timezone.now() - timedelta(days=days)
    RestoreRequest.objects.filter(pk=request_.pk).update(
        status=status, status_changed_at=then, closed_at=then if status == "undone" else None
    )
    request_.refresh_from_db()
    say(by=world.owner, request=request_, text="Thank you.")
    if fine:
        say(by=world.owner, request=request_, files=[text_file()])
    else:
        with pytest.raises(Refused, match="came to its end more than 30 days ago"):
            say(by=world.owner, request=request_, files=[text_file()])


def test_uploads_that_died_are_swept_after_a_day_and_nothing_else_ever(
    world: World, request_: RestoreRequest, place: Path
) -> None:
    say(by=world.owner, request=request_, files=[text_file()])
    kept = Attachment.objects.get().key
    (place / ".partial" / "left-old").write_bytes(b"half of it")
    (place / ".partial" / "left-young").write_bytes(b"half of it")
    unknown = "0" * 32
    (place / unknown).write_bytes(b"whose row is gone")
    long_ago = time.time() - 2 * 86400
    for path in (place / ".partial" / "left-old", place / unknown, path_of(kept)):
        os.utime(path, (long_ago, long_ago))
    for _ in range(2):
        assert [key.hex for key in sweep_attachments(timezone.now())] == [unknown]
    assert set(on_disk(place)) == {".partial/left-young", unknown, kept.hex}
    (place / unknown).unlink()


def test_sweeping_before_anything_was_attached(world: World) -> None:
    assert sweep_attachments(timezone.now()) == []


def test_a_disk_that_takes_nothing_is_told_in_a_sentence(
    world: World, request_: RestoreRequest, place: Path, settings: Any
) -> None:
    settings.ATTACHMENTS_DIR = "/dev/full/attachments"
    with pytest.raises(Refused, match=r"“import\.log” could not be kept: the portal’s disk did not take it"):
        say(by=world.owner, request=request_, text="See the log.", files=[text_file()])
    assert not Comment.objects.exists()
    settings.ATTACHMENTS_DIR = place


def test_a_source_that_breaks_leaves_nothing(place: Path) -> None:
    class Breaking(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("the line is cut")

    with pytest.raises(OSError, match="cut"), staged(Breaking()):
        pass
    assert on_disk(place) == []


class TestDetails:
    """The structured part of the reason."""

    def ask(self, world: World, resource: Resource, **said: str) -> RestoreRequest:
        from backups.drivers.base import Mode
        from restores.charging import Cause

        backup = resource.backups.get()
        return file_request(
            by=world.owner,
            backup=backup,
            mode=Mode.BESIDE,
            reason="Gone.",
            cause=Cause.BAD_DATA,
            details=Details(**said),
        )

    def test_are_kept_and_remembered(self, world: World, resource: Resource) -> None:
        request = self.ask(world, resource, since_when=" Monday ", wanted="The prices", must_not_lose="\u200b")
        assert list(request.details.said()) == [("Since when", "Monday"), ("To be restored", "The prices")]
        first = request.history.earliest()  # type: ignore[attr-defined]
        assert (first.since_when, first.wanted, first.must_not_lose) == ("Monday", "The prices", "")

    @pytest.mark.parametrize(("name", "most"), [("since_when", 500), ("wanted", 5000), ("must_not_lose", 5000)])
    def test_have_a_length(self, world: World, resource: Resource, name: str, most: int) -> None:
        with pytest.raises(InvalidInput, match=f"{most:,} characters at most") as caught:
            self.ask(world, resource, **{name: "x" * (most + 1)})
        assert caught.value.field == name
        assert getattr(self.ask(world, resource, **{name: "x" * most}), name) == "x" * most
