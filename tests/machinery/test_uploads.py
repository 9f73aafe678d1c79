"""What people send goes to disk, and no more of it than was allowed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory

from portal.uploads import FORM_BYTES, READ_AWAY, Bounded, TooLarge


@pytest.fixture
def room(tmp_path: Path, settings: Any) -> Path:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    return tmp_path


def sent(**fields: Any) -> HttpRequest:
    return RequestFactory().post("/", fields)


def file(name: str, size: int) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"x" * size)


def bounded(request: HttpRequest) -> Bounded:
    request.upload_handlers = [Bounded(request, most_each=100_000, most_files=3)]
    return request.upload_handlers[0]  # type: ignore[return-value]  # just set


def test_even_a_small_file_goes_to_disk(room: Path) -> None:
    request = sent(file=file("small.txt", 5))
    bounded(request)
    (written,) = room.iterdir() if request.FILES else ()
    assert written.read_bytes() == b"xxxxx"
    request.close()
    assert not list(room.iterdir())


def test_a_file_that_is_too_large_is_left_out_and_the_rest_is_read(room: Path) -> None:
    files = [file("a.txt", 10), file("large.txt", 100_001), file("b.txt", 100_000)]
    request = sent(before="said", file=files, zafter="said too")
    handler = bounded(request)
    assert [one.name for one in request.FILES.getlist("file")] == ["a.txt", "b.txt"]
    assert request.POST.dict() == {"before": "said", "zafter": "said too"}
    assert handler.left_out == ["large.txt"]
    assert len(list(room.iterdir())) == 2
    with pytest.raises(TooLarge, match=r"“large\.txt” is larger than 100.kB"):
        handler.check_all_taken()
    request.close()
    assert not list(room.iterdir())


@pytest.mark.parametrize("last", ["large.txt", "small.txt"])
def test_nothing_is_left_when_the_line_is_cut(room: Path, last: str) -> None:
    request = sent(file=[file("a.txt", 10), file(last, 100_001 if last == "large.txt" else 99_999)])
    whole = request.body
    cut = RequestFactory().generic("POST", "/", whole[:-5000], content_type=request.headers["Content-Type"])
    bounded(cut)
    assert [one.name for one in cut.FILES.getlist("file")] in ([], ["a.txt"])
    cut.close()
    assert not list(room.iterdir())


def test_a_request_that_says_it_brings_too_much_is_not_kept_and_not_read_for_ever(room: Path) -> None:
    class Endless(BytesIO):
        """As long as anybody reads."""

        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            self.taken += size or 0
            return b"x" * (size or 0)

    request, stream = HttpRequest(), Endless()
    handler = bounded(request)
    with pytest.raises(TooLarge, match="That is more than 1.3.MB at once. Send fewer or smaller files."):
        handler.handle_raw_input(stream, {}, 10**12, b"")
    assert READ_AWAY <= stream.taken <= READ_AWAY + handler.chunk_size
    assert not list(room.iterdir())
    handler.handle_raw_input(stream, {}, 3 * 100_000 + FORM_BYTES, b"")
