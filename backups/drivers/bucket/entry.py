"""One object as a backup has it: a line of the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

HEADERS = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "ExpiresString")
"""What an object is served with, by boto3's names."""
CHECKSUMS = ("ChecksumCRC64NVME", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumSHA1", "ChecksumSHA256")
ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Classes of storage that S3 neither reads nor copies from at once."""
ARCHIVED, CUSTOMER_KEY = "archived", "customer key"
"""Why an object is listed and not copied."""


@dataclass(frozen=True)
class Listed:
    """The latest version of an object, as a listing shows it."""

    key: str
    version: str  # "null" where the bucket keeps none
    etag: str
    size: int
    modified: str
    storage: str = "STANDARD"

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Listed:
        """From S3's listing, of versions or not."""
        return cls(
            found["Key"],
            str(found.get("VersionId") or "null"),
            str(found.get("ETag", "")).strip('"'),
            int(found.get("Size") or 0),
            found["LastModified"].isoformat(),
            str(found.get("StorageClass") or "STANDARD"),
        )

    @property
    def stamp(self) -> str:
        """What tells this content with its headers from any other that the key ever had."""
        return self.version if self.version != "null" else f"{self.etag} {self.size} {self.modified}"

    @property
    def named(self) -> dict[str, Any]:
        """For calls about this very version."""
        return {"VersionId": self.version} if self.version != "null" else {}


@dataclass(frozen=True)
class Entry(Listed):
    """With all that a restore has to bring back."""

    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None  # None: not read
    checksum: Mapping[str, str] = field(default_factory=dict)
    kms: str = ""  # the key, where it is encrypted with one of KMS
    redirect: str = ""
    left_out: str = ""

    @property
    def name(self) -> str:
        """What its content is called in vaults: always the same for the same version."""
        return hashlib.sha256(f"{self.key}\0{self.stamp}".encode()).hexdigest()

    def line(self) -> dict[str, Any]:
        """For the manifest; what is empty is left out."""
        return {name: value for name, value in asdict(self).items() if value not in ("", {}, None) or name == "etag"}

    @classmethod
    def of_line(cls, line: Mapping[str, Any]) -> Entry:
        """What :meth:`line` wrote."""
        return cls(**{"size": 0, **line})


def described(listed: Listed, head: Mapping[str, Any], tags: Mapping[str, str] | None) -> Entry:
    """The entry of an object, from the answer to HeadObject."""
    whole = head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    return Entry(
        **asdict(listed),
        headers={name: str(head[name]) for name in HEADERS if head.get(name)},
        metadata=dict(head.get("Metadata") or {}),
        tags=tags,
        checksum={name: head[name] for name in CHECKSUMS if whole and head.get(name)},
        kms=str(head.get("SSEKMSKeyId") or "") if str(head.get("ServerSideEncryption")).startswith("aws:kms") else "",
        redirect=str(head.get("WebsiteRedirectLocation") or ""),
    )
