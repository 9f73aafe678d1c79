"""A region that is a directory on this machine, or on a network file system mounted here.

An object is written under ``.partial/``, flushed to disk, and renamed to its place: under its key there is the
whole object or none, whatever dies when. What a dead writer leaves under ``.partial/`` is removed by ``sweep()``.

The file ``.region`` holds the region's name. Where it is missing a disk is not mounted: then nothing is written beneath
the mount point, and no object that is not found is taken for lost.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from backups.stores.base import NotStored, NotThere, StoredObject, StoreError, StoreFull
from backups.stores.keys import KEY, MARK, checked

PARTIAL = ".partial"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EINTR, errno.EAGAIN, errno.EMFILE, errno.ENFILE})
WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class DirectoryWriter:
    """Writes one object; see :class:`~backups.stores.base.ObjectWriter`."""

    def __init__(self, store: DirectoryStore, key: str) -> None:
        self._store = store
        self._key = key
        self._target = store.path(key)
        self._size = 0
        self._committed = False
        self._path = store.root / PARTIAL / secrets.token_hex(16)
        store.check_there()
        with store.translated(f"write {key}"):
            store.make_directory(self._path.parent)
            self._fd = os.open(self._path, WRITE, 0o600)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append all of ``data``; its length in bytes."""
        with self._store.translated(f"write {self._key}"), memoryview(data).cast("B") as view:
            done = 0
            while done < len(view):
                done += os.write(self._fd, view[done:])
        self._size += done
        return done

    def commit(self) -> int:
        """Flush to disk and publish under the key; the size in bytes."""
        with self._store.translated(f"write {self._key}"):
            os.fsync(self._fd)
            size = os.fstat(self._fd).st_size
            if size != self._size:
                raise OSError(errno.EIO, f"{size} of {self._size} bytes arrived")
            self._publish()
            self._store.flush_directory(self._target.parent)
        return size

    def _publish(self) -> None:
        while True:
            try:
                self._store.make_directory(self._target.parent)
                os.rename(self._path, self._target)
            except FileNotFoundError:
                # A delete() beside us took the directory, which it found empty. Unless it is our file that is gone.
                os.stat(self._path)
                continue
            self._committed = True
            return

    def close(self) -> None:
        """Remove what was not committed."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if not self._committed:
            with suppress(FileNotFoundError):
                os.unlink(self._path)


class DirectoryStore:
    """The region ``region``, kept under the directory ``root``; see :class:`~backups.stores.base.Store`."""

    def __init__(self, region: str, root: Path) -> None:
        self.region = region
        self.root = root

    def path(self, key: str) -> Path:
        """Where the object of that key stands, or would stand."""
        return self.root / checked(key)

    def prepare(self, expecting: str = "") -> None:
        """Write the mark; see :meth:`~backups.stores.base.Store.prepare`."""
        with suppress(NotThere):
            self.check_there()
            return
        if expecting and not self.path(expecting).exists():
            raise self._not_there()
        with self.translated("be prepared"):
            self.make_directory(self.root / PARTIAL)
            new = self.root / PARTIAL / secrets.token_hex(16)
            with new.open("x", encoding="utf-8") as file:
                file.write(f"{self.region}\n")
                file.flush()
                os.fsync(file.fileno())
            new.rename(self.root / MARK)
            self.flush_directory(self.root)

    def check_there(self) -> None:
        """Raise :class:`NotThere` unless the directory is marked as this region's."""
        with self.translated("read its mark"):
            try:
                said = (self.root / MARK).read_text(encoding="utf-8").strip()
            except (FileNotFoundError, NotADirectoryError):
                raise self._not_there() from None
        if said != self.region:
            raise StoreError(
                f"{self.root} holds the region {said}, not {self.region}. Correct STORE_REGIONS, or the mounts."
            )

    def _not_there(self) -> NotThere:
        return NotThere(
            f"The region {self.region} is not at {self.root}: its disk is not mounted there, or it was never prepared."
            " Mount it; a new region is prepared by “manage.py prepare_regions”.",
            retry=True,
        )

    @contextmanager
    def writer(self, key: str) -> Iterator[DirectoryWriter]:
        """A writer; leaving the context without commit() removes every trace."""
        writer = DirectoryWriter(self, key)
        try:
            yield writer
        finally:
            writer.close()

    def open(self, key: str) -> BinaryIO:
        """The object's bytes."""
        path = self.path(key)
        with self.translated(f"read {key}"):
            try:
                return path.open("rb", buffering=0)  # FileIO reads and closes alike
            except FileNotFoundError:
                self.check_there()
                raise NotStored(f"There is no object {key} in the region {self.region}.") from None

    def stat(self, key: str) -> StoredObject | None:
        """The object's size, or None."""
        path = self.path(key)
        with self.translated(f"read {key}"):
            try:
                return StoredObject(key, path.stat().st_size)
            except (FileNotFoundError, NotADirectoryError):
                self.check_there()
                return None

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """All objects whose key starts with the prefix, in key order; one directory at a time is in memory."""
        self.check_there()
        return self._walk(self.root, "", prefix)

    def _walk(self, directory: Path, before: str, prefix: str) -> Iterator[StoredObject]:
        with self.translated(f"list {before or 'its objects'}"):
            try:
                with os.scandir(directory) as found:
                    # A directory sorts as its keys do: "a/b" comes after "a-b" and before "a0".
                    entries = sorted((entry.name + "/" if entry.is_dir() else entry.name, entry) for entry in found)
            except (FileNotFoundError, NotADirectoryError):
                return
        for name, entry in entries:
            key = before + name
            if not KEY.fullmatch(entry.name) or not (key.startswith(prefix) or prefix.startswith(key)):
                continue  # no part of any key: a file system's own "lost+found" may not even be looked into
            if name.endswith("/"):
                yield from self._walk(directory / entry.name, key, prefix)
            elif key.startswith(prefix):
                with suppress(FileNotFoundError):  # deleted since it was listed
                    yield StoredObject(key, entry.stat().st_size)

    def delete(self, key: str) -> None:
        """Remove the object, and the directories that this leaves empty; absent is fine."""
        path = self.path(key)
        self.check_there()
        with self.translated(f"delete {key}"):
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(path)
                self.flush_directory(path.parent)
            parent = path.parent
            while parent != self.root:
                try:
                    os.rmdir(parent)
                except OSError:  # not empty, or gone already
                    break
                parent = parent.parent

    def free_bytes(self) -> int | None:
        """Room left for this process's user; None while the directory cannot be asked."""
        try:
            return shutil.disk_usage(self.root if self.root.exists() else self.root.parent).free
        except OSError:
            return None

    def sweep(self, older_than_seconds: float, now: float) -> int:
        """Remove partial objects not written to for so long; how many.

        A writer that lives touches its file with every write, so choose a time that no pause of a source outlasts.
        """
        removed = 0
        with self.translated("sweep leftovers"):
            try:
                found = list(os.scandir(self.root / PARTIAL))
            except FileNotFoundError:
                return 0
            for entry in found:
                with suppress(FileNotFoundError):
                    if now - entry.stat(follow_symlinks=False).st_mtime >= older_than_seconds:
                        os.unlink(entry.path)
                        removed += 1
        return removed

    def warnings(self) -> tuple[str, ...]:
        """None: what a directory should be, it was made by us."""
        return ()

    def make_directory(self, path: Path) -> None:
        """Make ``path`` (the root or below it) and its parents, private and on disk; present is fine."""
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for one in reversed(missing):
            with suppress(FileExistsError):
                os.mkdir(one, 0o700)
            self.flush_directory(one.parent)

    def flush_directory(self, path: Path) -> None:
        """Have the names in a directory survive a power cut."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:  # a parent of the root that we may pass but not read
            return
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Turn the system's errors into sentences that name the region; ``what`` completes "could not …"."""
        try:
            yield
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StoreFull(
                    f"The region {self.region} has no room left. Free space in {self.root}, or give it a larger disk.",
                    detail=str(error),
                    retry=True,
                ) from error
            reason = (error.strerror or str(error)).lower()
            raise StoreError(
                f"The region {self.region} could not {what}: {reason}. See that {self.root} is mounted, sound, and"
                " writable for the portal's user.",
                detail=str(error),
                retry=error.errno in PASSING,
            ) from error
