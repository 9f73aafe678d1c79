"""What a driver is: the few verbs with which the portal handles one kind of resource.

A driver is one object per kind, without state: everything it needs comes in as arguments, everything it
learned goes out as frozen values. Drivers know nothing of Django, of requests or of policy; they know how to
take a backup, how to build a complete restore *beside* the live thing, how to compare it with the manifest
taken with the backup, and how to exchange the two in one atomic step.

Every verb is safe to call twice with the same arguments: the second call finds the first one's work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple, Protocol

from backups.drivers.provider import Discovery, Kept, KeptAt
from backups.drivers.words import ManifestEntry, Progress, Setting, Settings
from backups.proof import Proof

CHECKUP_NAME = r"cu-?[0-9]+-[0-9]+-[0-9a-f]{6}"
"""What the token of a trial looks like, which a checkup restores beside, compares and removes: ``cu-7-1203-ff9db6``."""

ATTEMPT_NAME = rf"(?:rr-?[0-9]+-[0-9]+-[0-9a-f]{{6}}|{CHECKUP_NAME})"
"""What a token looks like, an attempt's (``rr-1042-1-ff9db6``) or a trial's: names with one are the portal's, which removes
them in time.
"""


class DriverError(Exception):
    """Something went wrong, said in a sentence for people.

    ``sentence`` says what is wrong and what to do, in a client's words. ``detail`` is the technical part for IT,
    already free of secrets. ``retry`` says whether trying the same again makes sense. ``setting`` names the
    setting at fault, when it is one, so that a form can show the sentence beside its field.
    """

    def __init__(self, sentence: str, *, detail: str = "", retry: bool = False, setting: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail
        self.retry = retry
        self.setting = setting


class StillWorking(DriverError):
    """No error: the provider is at it, and nobody sits and waits. Call the same verb with the same arguments again in
    ``again_in`` seconds; it goes on from there. Every verb of a driver with :attr:`Driver.kept` may raise it.

    ``sentence`` says what is waited for. ``bytes_done`` of ``bytes_expected`` where the provider tells.
    """

    def __init__(
        self,
        sentence: str,
        *,
        again_in: float = 15,
        bytes_done: int = 0,
        bytes_expected: int | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(sentence, detail=detail, retry=True)
        self.again_in = again_in
        self.bytes_done = bytes_done
        self.bytes_expected = bytes_expected


class DamagedBackup(DriverError):
    """The stored backup is missing, cut short or altered: its checksum does not hold."""


class NotFound(DriverError):
    """The resource is not where it was, though the place itself answers: its directory, or its server."""


class NotAsBackedUp(DriverError):
    """What was restored differs from the manifest taken with the backup."""


class NotAnswered(DriverError):
    """What was restored does not answer a question as it should: with nothing, with no, with an error, or not in time."""


@dataclass(frozen=True)
class Found:
    """What :meth:`Driver.check` saw: the resource exists and can be read."""

    locator: str  # canonical, the same for the same thing however it was written
    sentence: str  # "PostgreSQL 15.18, database shop, 12 tables, 831 MB"
    size_bytes: int | None = None


@dataclass(frozen=True)
class Taken:
    """What :meth:`Driver.take` did."""

    source_bytes: int  # bytes read from the resource, before compression
    summary: Mapping[str, int]  # what is in it, by noun in the plural: {"files": 1203} or {"tables": 12, "rows": 88123}
    warnings: tuple[str, ...] = ()  # sentences: "3 files changed while they were read: …"
    kept: KeptAt | None = None  # of a driver with Driver.kept: what the provider keeps


class Mode(StrEnum):
    """Where a restore goes."""

    IN_PLACE = "in_place"
    BESIDE = "beside"
    EXPORT = "export"


class Standing(StrEnum):
    """Which of the two things now stands under the live name."""

    ORIGINAL = "original"
    RESTORED = "restored"
    NOTHING = "nothing"  # nothing has the live name, though there was an original: swap_back() brings it back
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """The names a restore uses, fixed and stored before anything is built, so that a crash leaves no unknown scratch.

    ``identity`` is filled by :meth:`Driver.identify` once the restore stands and before the swap: what tells the
    original from the restored thing whatever they are called (inode numbers, database oids), under the keys
    ``original`` (empty when nothing had the live name) and ``restored``. With it :meth:`Driver.standing` can say after
    any crash which one is live.
    """

    live: str
    beside: str
    kept: str
    identity: Mapping[str, str] = field(default_factory=dict)

    @property
    def replaced_nothing(self) -> bool:
        """Whether nothing had the live name when the restore was to take it: then there is nothing to bring back."""
        return bool(self.identity) and not self.identity.get("original")

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON column; :meth:`from_json` reads them back."""
        return {"live": self.live, "beside": self.beside, "kept": self.kept, "identity": dict(self.identity)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Place:
        """The place that :meth:`as_json` wrote."""
        return cls(value["live"], value["beside"], value["kept"], dict(value.get("identity", {})))


@dataclass(frozen=True)
class Verified:
    """A comparison that found no difference: what was compared, and how much of it."""

    sentence: str  # "1,203 files, 1.8 GB: every path, size, mode and SHA-256 as in the manifest"
    compared: Mapping[str, int]
    proof: Proof | None = None  # how far it proves the backup, when not as far as Driver.proves


class Sink(Protocol):
    """Where :meth:`Driver.take` writes. One pass: what is written is compressed, hashed and stored as it flows."""

    @property
    def token(self) -> str:
        """Names this copy of this backup, the same in every try: letters, digits, ``._-/``, 120 at most."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append to the artefact. Raises :class:`DriverError` when the store has no room."""

    def record(self, entry: ManifestEntry) -> None:
        """Append one line to the manifest: what the artefact holds, in an order that verify() can follow."""


class Artefact(Protocol):
    """A stored backup, for reading back."""

    @property
    def source_bytes(self) -> int:
        """Size of the artefact before compression."""

    @property
    def kept(self) -> KeptAt | None:
        """What the provider keeps of this copy; None where all of it is in the store."""

    def open(self) -> BinaryIO:
        """The artefact's bytes as the driver wrote them, decompressed on the way.

        The stored checksum is computed while reading; at the end of the stream, if it does not hold or bytes are
        missing, ``read()`` raises :class:`DamagedBackup` instead of returning the end. Close it when done.
        """

    def manifest(self) -> Iterator[ManifestEntry]:
        """The recorded lines, in order. Raises :class:`DamagedBackup` when the manifest is cut short or altered."""


class Item(NamedTuple):
    """One thing in a backup that can be picked: a file, a directory with everything below it, a table.

    ``names`` lead to it from the top down. Items come in the manifest's order: what holds others before what it holds.
    """

    names: tuple[str, ...]
    kind: str  # a key of Parts.nouns
    holds: bool = False  # others may be below it, and come with it
    size: int = 0
    rows: int | None = None
    modified_ns: int | None = None  # since 1970
    same_as: tuple[str, ...] = ()  # the names of an earlier item, of which it is another name


Part = Sequence[str]
"""What was picked: the keys of items (:mod:`backups.drivers.keys`). What is below a picked item comes with it."""


class Parts(Protocol):
    """Restoring only a part, beside the live thing: what a driver may be able to do. See :attr:`Driver.parts`.

    A part is held to the same proofs as a whole: every stored byte is read and hashed, and all that was picked is
    compared with the manifest; nothing else may stand there. The verbs are those of :class:`Driver`.
    """

    nouns: ClassVar[Mapping[str, tuple[str, str]]]  # of each kind of item, one and many: {"file": ("file", "files")}

    def items(self, artefact: Artefact) -> Iterator[Item]:
        """What the backup holds, from its manifest alone, in constant memory."""

    def preflight(self, settings: Settings, place: Place, artefact: Artefact, part: Part, workdir: Path) -> list[str]:
        """As :meth:`Driver.preflight`, of a restore beside. Raises also for what the backup does not hold."""

    def restore(
        self, settings: Settings, place: Place, artefact: Artefact, part: Part, workdir: Path, progress: Progress
    ) -> list[str]:
        """Build what was picked at ``place.beside``. Sentences about what could not come with it."""

    def verify(self, settings: Settings, place: Place, artefact: Artefact, part: Part, progress: Progress) -> Verified:
        """Compare ``place.beside`` with the manifest's lines of what was picked: all of it, and nothing but it."""


class Driver(Protocol):
    """The verbs. See the module's text for what all of them promise."""

    kind: ClassVar[str]  # "files"
    label: ClassVar[str]  # "Directory tree"
    noun: ClassVar[str]  # what a locator names, in a client's words: "directory"
    settings: ClassVar[tuple[Setting, ...]]
    export_suffix: ClassVar[str]  # of a downloaded artefact: ".tar.zst"
    stops_writers: ClassVar[bool]  # whether stop_writers() can do anything
    exchanged: ClassVar[str]  # how swap() and swap_back() put one in the place of the other, after "The original"
    interrupts: ClassVar[str]  # what applications notice of swap() and of swap_back(), in a sentence for a client
    appears: ClassVar[str]  # what a restore beside makes, in a sentence for a client: "{name}" is the live thing's
    afterwards: ClassVar[str]  # what a client does next with what appeared
    modes: ClassVar[frozenset[Mode]]  # where a backup of this kind can be restored to
    proves: ClassVar[Proof]  # what verify() proves of a backup
    shares_with: ClassVar[frozenset[str]]  # the kinds, itself among them, that may be of the same data: see overlaps()
    answers: ClassVar[bool]  # whether ask() can be asked

    @property
    def parts(self) -> Parts | None:
        """Restoring a part of a backup; None where a backup of this kind is restored whole."""

    @property
    def kept(self) -> Kept | None:
        """What the provider keeps of a backup itself; None where all of it is in the portal's store."""

    @property
    def discovery(self) -> Discovery | None:
        """Finding what there is to be backed up; None where resources are only ever named by people."""

    def check(self, settings: Settings) -> Found:
        """See that the resource exists and can be read whole. Raises :class:`DriverError` naming the setting at fault."""

    def locator(self, settings: Settings) -> str:
        """The canonical locator, without asking the network."""

    def overlaps(self, one: str, other: str) -> bool:
        """Whether two locators of this kind share data (the same, or one inside the other)."""

    def exclusive(self, locator: str) -> str:
        """What only one restore at a time may work on: the locator itself, or that of what it is a part of."""

    def take(self, settings: Settings, sink: Sink, progress: Progress) -> Taken:
        """Write one consistent backup and its manifest into ``sink``, streaming, in constant memory."""

    def place(self, settings: Settings, token: str, mode: Mode) -> Place:
        """The names for a restore. Pure; ``token`` is ``[a-z0-9-]+``, unique per attempt, and appears in the names."""

    def preflight(self, settings: Settings, place: Place, mode: Mode, artefact: Artefact, workdir: Path) -> list[str]:
        """Refuse early, in words, what cannot end well: versions, space (2×), rights, target not what we think it is.

        Returns a sentence per thing that was checked and found right. Leaves everything as it was.
        """

    def restore(self, settings: Settings, place: Place, artefact: Artefact, workdir: Path, progress: Progress) -> None:
        """Build the complete restore at ``place.beside``. A leftover of this same place is discarded first.

        ``workdir`` is an empty private directory that the caller removes.
        """

    def verify(self, settings: Settings, place: Place, artefact: Artefact, progress: Progress) -> Verified:
        """Compare ``place.beside`` with the manifest, all of it. Raises :class:`NotAsBackedUp` naming the differences.

        When it returns, the restored thing is ready to take the live name: what was compared also survives a power
        cut, and whatever else it needs to serve well (a database: statistics) has been done meanwhile.
        """

    def trial_settings(self, settings: Settings, kept: KeptAt | None) -> Settings:
        """With which a copy of the resource is tried out: place(), preflight() and all that follows, for a restore beside.

        The resource's own, or such that it is built in the region where the provider keeps that copy. There is no live thing
        there, so nothing but what is there by another name than the original's is missed.
        """

    def neutralise(self, settings: Settings, place: Place) -> list[str]:
        """Switch off what in ``place.beside`` would act by itself, upon the outside world or upon what is live.

        For a restore that is tried out and never used, after restore() and before verify(), which still finds all as it was
        backed up. A sentence per thing that was switched off, is not there, or that the portal cannot switch off.
        """

    def ask(self, settings: Settings, place: Place, question: str, seconds: float) -> str:
        """Put one SQL query to ``place.beside``, in a transaction that cannot write; says what was answered.

        Raises :class:`NotAnswered` unless, within ``seconds``, the first column of its first row holds something: not NULL,
        false, 0 or nothing. Where :attr:`answers` is False it raises :class:`DriverError`.
        """

    def reach(self, settings: Settings, place: Place) -> Mapping[str, str]:
        """Where ``place.beside`` is found by a program that tries it out: plain words by name, none of them secret."""

    def identify(self, settings: Settings, place: Place) -> Place:
        """The same place with its ``identity`` filled in."""

    def stop_writers(self, settings: Settings, place: Place) -> str:
        """Keep applications off the live thing while it is exchanged; says what was done, or why it cannot be done.

        Undone by resume_writers().
        """

    def swap(self, settings: Settings, place: Place) -> None:
        """In one atomic step put the restored thing under the live name, then the original under ``place.kept``."""

    def swap_back(self, settings: Settings, place: Place) -> None:
        """The reverse: the original under the live name again, the restored thing under ``place.beside``."""

    def standing(self, settings: Settings, place: Place) -> Standing:
        """Which of the two is live now, by ``place.identity``. ORIGINAL when no identity was taken yet."""

    def resume_writers(self, settings: Settings, place: Place) -> None:
        """Let applications at the live thing again, whichever it is."""

    def health(self, settings: Settings, place: Place) -> str:
        """After a swap: the live name answers and is the restored thing. Says what was seen; raises otherwise."""

    def discard(self, settings: Settings, place: Place, name: str) -> None:
        """Remove ``name``, which must be ``place.beside`` or ``place.kept`` and must not be live. Absent is fine."""
