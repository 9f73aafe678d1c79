"""Writing one object to S3 as it comes: in parts, a few on their way at once, in memory that does not grow with it."""

from __future__ import annotations

import secrets
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from backups.aws.answers import code_of
from backups.stores.base import StoreError
from backups.stores.s3.errors import NO_OBJECT
from backups.stores.s3.place import PART, THREADS, Place

CHECKSUM = "CRC32"
"""Made here, held by S3 against each part as it arrives, and again against the list of them at the end."""
PARTS_OF_ONE_SIZE = 1000
WRITTEN_BY = "writer"


def part_size(number: int) -> int:
    """How large part ``number``, from 1 on, is. S3 takes 10,000: they grow, so that an object may have 1.7 TiB."""
    return PART * (1 + (number - 1) // PARTS_OF_ONE_SIZE)


class Multipart:
    """An upload in parts, each sent by one of a few threads; invisible until :meth:`complete`."""

    def __init__(self, place: Place, key: str, token: str) -> None:
        self._place = place
        self._key = key
        self._token = token
        answer = place.call("CreateMultipartUpload", key, ChecksumAlgorithm=CHECKSUM, Metadata={WRITTEN_BY: token})
        self._id = str(answer["UploadId"])
        self._threads = ThreadPoolExecutor(THREADS, "s3-upload")
        self._under_way: set[Future[None]] = set()
        self._parts: dict[int, dict[str, Any]] = {}
        self.next = 1

    def add(self, at_once: int, operation: str, **arguments: Any) -> None:
        """Send the next part when fewer than ``at_once`` are on their way. Raises what any before it failed with."""
        self._settle(at_once)
        self._under_way.add(self._threads.submit(self._send, self.next, operation, arguments))
        self.next += 1

    def _send(self, number: int, operation: str, arguments: dict[str, Any]) -> None:
        answer = self._place.call(operation, self._key, UploadId=self._id, PartNumber=number, **arguments)
        answer = answer.get("CopyPartResult", answer)
        checksum = f"Checksum{CHECKSUM}"
        self._parts[number] = {"PartNumber": number, "ETag": answer["ETag"]} | (
            {checksum: answer[checksum]} if checksum in answer else {}
        )

    def _settle(self, fewer_than: int) -> None:
        while len(self._under_way) >= fewer_than:
            done, self._under_way = wait(self._under_way, return_when=FIRST_COMPLETED)
            for one in done:
                one.result()

    def complete(self) -> None:
        """Publish the object."""
        self._settle(1)
        parts = [self._parts[number] for number in sorted(self._parts)]
        try:
            self._place.call("CompleteMultipartUpload", self._key, UploadId=self._id, MultipartUpload={"Parts": parts})
        except StoreError as error:
            # The answer to a first try may have been lost on its way: then the upload is no more, and the object there.
            if code_of(error.__cause__) != "NoSuchUpload" or head_of(self._place, self._key, self._token) is None:
                raise
        self._id = ""
        self._threads.shutdown()

    def close(self) -> None:
        """Take back what was not completed. What cannot be reached now is for the sweep."""
        if self._id:
            self._threads.shutdown(cancel_futures=True)  # no part may arrive after the upload was given up
            with suppress(StoreError):
                self._place.call("AbortMultipartUpload", self._key, UploadId=self._id)
            self._id = ""


def head_of(place: Place, key: str, token: str) -> dict[str, Any] | None:
    """The object under the key if the writer of that token put it there; another's, or none, is None."""
    try:
        head = place.call("HeadObject", key)
    except StoreError as error:
        if code_of(error.__cause__) in NO_OBJECT:
            return None
        raise
    return head if head.get("Metadata", {}).get(WRITTEN_BY) == token else None


class S3Writer:
    """Writes one object; see :class:`~backups.stores.base.ObjectWriter`. Up to one part goes in a single request."""

    def __init__(self, place: Place, key: str) -> None:
        self._place = place
        self._key = key
        self._token = secrets.token_hex(16)
        self._part = bytearray()
        self._size = 0
        self._multipart: Multipart | None = None

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append all of ``data``; its length in bytes. Waits while as many parts are on their way as may be."""
        done = 0
        with memoryview(data).cast("B") as view:
            while done < len(view):
                room = self._room()
                self._part += view[done : done + room]
                done += min(room, len(view) - done)
        self._size += done
        return done

    def _room(self) -> int:
        size = part_size(self._multipart.next if self._multipart else 1)
        if len(self._part) < size:
            return size - len(self._part)
        self._send()
        return self._room()

    def _send(self) -> None:
        if self._multipart is None:
            self._multipart = Multipart(self._place, self._key, self._token)
        part, self._part = self._part, bytearray()
        at_once = max(1, THREADS * PART // max(PART, len(part)))  # larger parts, fewer at once: the same memory
        self._multipart.add(at_once, "UploadPart", Body=part, ChecksumAlgorithm=CHECKSUM)

    def commit(self) -> int:
        """Publish under the key; the size in bytes, which S3 has confirmed."""
        if self._multipart is None:
            self._place.call(
                "PutObject", self._key, Body=self._part, ChecksumAlgorithm=CHECKSUM, Metadata={WRITTEN_BY: self._token}
            )
        else:
            if self._part:
                self._send()
            self._multipart.complete()
        self._part = bytearray()
        check_size(self._place, self._key, self._token, self._size)
        return self._size

    def close(self) -> None:
        """Remove what was not committed."""
        self._part = bytearray()
        if self._multipart is not None:
            self._multipart.close()


def check_size(place: Place, key: str, token: str, size: int) -> None:
    """Raise :class:`StoreError` when what the token's writer published is not there, or has another size."""
    try:
        head = place.call("HeadObject", key)
    except StoreError as error:
        if code_of(error.__cause__) not in NO_OBJECT:
            raise
        sentence = f"The region {place.region} said that it kept {key}, and does not have it. Try again."
        raise StoreError(sentence, detail=error.detail, retry=True) from error
    writer = head.get("Metadata", {}).get(
        WRITTEN_BY, token
    )  # a server may keep no such names: then it is taken for ours
    if writer != token or head["ContentLength"] == size:  # somebody else has replaced it since
        return
    version = {"VersionId": head["VersionId"]} if head.get("VersionId") else {}
    place.call("DeleteObject", key, **version)
    raise StoreError(
        f"The region {place.region} kept {head['ContentLength']:,} of {size:,} bytes of {key}. Try again.", retry=True
    )
