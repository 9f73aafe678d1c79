"""Comparing what was restored with the manifest: every object, in all that was recorded of it, and nothing beside them."""

from __future__ import annotations

from functools import partial
from itertools import islice

from backups.drivers.base import Artefact, NotAsBackedUp, Place, StillWorking, Verified
from backups.drivers.bucket.entry import Entry, Listed, described
from backups.drivers.bucket.listing import joined
from backups.drivers.bucket.pace import AGAIN_IN
from backups.drivers.bucket.restore import artefact_size, entries, storage_of, there
from backups.drivers.bucket.restores import Notes
from backups.drivers.bucket.target import Target
from backups.drivers.bucket.vault import BATCH
from backups.drivers.counting import counted, megabytes
from backups.drivers.words import Progress

VERIFIED = "verified"
SHOWN = 50


def verify(target: Target, place: Place, artefact: Artefact, progress: Progress) -> Verified:
    """Two calls for each object, one where there are no tags; a call of this goes on where the one before stopped."""
    turn = target.pace.turn()
    notes = Notes.of(target, place.beside)
    noted = notes.get(VERIFIED) or {"after": "", "objects": 0, "bytes": 0, "by_size": 0}
    after = noted["after"]
    wanted = (entry for entry in entries(artefact) if entry.key > after and not entry.left_out)
    pairs = joined(wanted, there(target.access, place.beside, after))
    while batch := list(islice(pairs, BATCH)):
        differences = [
            *(f"{entry.key}: missing" for entry, found in batch if entry is not None and found is None),
            *(f"{found.key}: not in the backup" for entry, found in batch if found is not None and entry is None),
        ]
        both = [(entry, found) for entry, found in batch if entry is not None and found is not None]
        seen = target.pace.each([partial(_compared, target, place.beside, entry, found) for entry, found in both])
        differences += [text for texts, _ in seen for text in texts]
        if differences:
            notes.drop(VERIFIED)
            raise NotAsBackedUp(
                f"What was restored differs from the backup in {counted(len(differences), 'place')} at least. Nothing live"
                " was touched.",
                detail="\n".join(differences[:SHOWN]),
            )
        noted = {
            "after": both[-1][0].key,
            "objects": noted["objects"] + len(both),
            "bytes": noted["bytes"] + sum(entry.size for entry, _ in both),
            "by_size": noted["by_size"] + sum(not matched for _, matched in seen),
        }
        progress(noted["bytes"], artefact_size(artefact))
        if turn.over:
            notes.put(VERIFIED, noted)
            sentence = f"{counted(noted['objects'], 'object')} compared, {megabytes(noted['bytes'])}."
            raise StillWorking(sentence, again_in=AGAIN_IN, bytes_done=noted["bytes"])
    notes.drop(VERIFIED)
    tags = ", metadata and tags" if target.tagged else " and metadata; its tags are not backed up"
    by_size = (
        f" Of {counted(noted['by_size'], 'object')} S3 has no digest that could be compared, so of their content only the"
        " length was."
        if noted["by_size"]
        else " And the digest that S3 has of each."
    )
    return Verified(
        f"{counted(noted['objects'], 'object')}, {megabytes(noted['bytes'])}: every key, size, class of storage, header{tags}."
        f"{by_size}",
        {"objects": noted["objects"]},
    )


def _compared(target: Target, bucket: str, entry: Entry, found: Listed) -> tuple[list[str], bool]:
    """The differences, and whether the content was compared by a digest."""
    access = target.access
    head = access.call("s3", "head_object", Bucket=bucket, Key=entry.key, ChecksumMode="ENABLED")
    tags = None
    if entry.tags is not None:
        answer = access.call("s3", "get_object_tagging", Bucket=bucket, Key=entry.key)
        tags = {one["Key"]: one["Value"] for one in answer["TagSet"]}
    now = described(found, head, tags)
    told = {
        "size": (entry.size, now.size),
        "class of storage": (storage_of(entry), now.storage),
        "headers": (dict(entry.headers), dict(now.headers)),
        "metadata": (dict(entry.metadata), dict(now.metadata)),
        "tags": (entry.tags, now.tags),
        "redirect": (entry.redirect, now.redirect),
    }
    differences = [f"{entry.key}: {what} {is_} instead of {was}" for what, (was, is_) in told.items() if was != is_]
    digests = {name: (value, now.checksum[name]) for name, value in entry.checksum.items() if name in now.checksum}
    if is_digest(entry) and is_digest(now):
        digests["ETag"] = (entry.etag, now.etag)
    if any(was != is_ for was, is_ in digests.values()):
        differences.append(f"{entry.key}: another content")
    return differences, bool(digests)


def is_digest(entry: Entry) -> bool:
    """Whether the ETag is the content's MD5: not of what was uploaded in parts, nor of what a key of KMS encrypts."""
    return len(entry.etag) == 32 and not entry.kms
