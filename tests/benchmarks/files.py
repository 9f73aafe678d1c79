"""How quick the files driver is, against plain ``tar | zstd`` and restic, on a realistic tree.

Run ``python -m tests.benchmarks.files --size 2G``. Everything happens in one temporary directory, in turns.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from backups.artefacts import ArtefactWriter, StoredArtefact, read_index
from backups.drivers.base import Mode
from backups.drivers.files import FilesDriver
from backups.stores.directory import DirectoryStore
from tests.benchmarks.measure import Contender, compete, table

UNITS = {"K": 10**3, "M": 10**6, "G": 10**9}
PREFIX = "bench"


def quiet(bytes_done: int, bytes_expected: int | None = None) -> None:
    """Nobody looks at the progress."""


def build(root: Path, total: int, seed: int = 7) -> tuple[int, int]:
    """A tree of ``total`` bytes that compresses about 2 to 2.5 times: files and bytes made."""
    random = Random(seed)
    words = [random.randbytes(random.randint(2, 7)).hex()[: random.randint(3, 11)].encode() for _ in range(4000)]
    # More text than zstd looks back over, so that a large file is not the same page again and again.
    pages = [b" ".join(random.choices(words, k=30_000)) for _ in range(48)]
    made = files = 0
    while made < total:
        directory = root / f"d{files // 3000:03}" / f"s{files // 60 % 50:02}"
        directory.mkdir(parents=True, exist_ok=True)
        draw = random.random()
        size = random.randint(4_000, 200_000) if draw < 0.997 else random.randint(5_000_000, 60_000_000)
        kind = random.random()
        with (directory / f"file-{files:06}.dat").open("wb") as file:
            if kind < 0.66:  # text: lines of words
                while size > 0:
                    start = random.randrange(50_000)
                    written = file.write(random.choice(pages)[start : start + size])
                    size -= written
                    made += written
            elif kind < 0.90:  # photographs, archives: nothing to gain
                made += file.write(random.randbytes(size))
            else:  # tables of numbers
                row = b"".join(random.randrange(10**6).to_bytes(8, "little") for _ in range(4000))
                made += file.write((row * (size // len(row) + 1))[:size])
        files += 1
    return files, sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


class Bench:
    """The contenders, all on the same tree and below the same directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.source = home / "roots" / "tree"
        self.driver = FilesDriver((home / "roots",))
        self.settings = {"path": str(self.source)}
        self.store = DirectoryStore("bench", home / "store")
        self.store.prepare()
        self.place = self.driver.place(self.settings, "bench", Mode.BESIDE)
        self.plain = home / "plain.tar.zst"
        self.repository = home / "restic"
        self.target = home / "target"

    def ours(self, verb: str) -> list[str]:
        """The command that runs one of our verbs in a new process, whose peak memory is its own."""
        return [sys.executable, "-m", "tests.benchmarks.files", "--directory", str(self.home), "--verb", verb]

    def shell(self, command: str) -> None:
        """Run a pipeline, failing when any part of it fails."""
        done = subprocess.run(["bash", "-c", "set -o pipefail; " + command], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def tar_zstd(self, threads: int) -> None:
        self.shell(f"tar -C {self.source} -cf - . | zstd -q -f -T{threads} -o {self.plain} && sync -d {self.plain}")

    def tar_zstd_back(self) -> None:
        self.shell(f"zstd -dc {self.plain} | tar -C {self.target} -xf -")

    def tar_zstd_back_flushed(self) -> None:
        self.shell(f"zstd -dc {self.plain} | tar -C {self.target} -xf - && sync -f {self.target}")

    def restic(self, command: str) -> None:
        self.shell(f"RESTIC_PASSWORD=benchmark restic --no-cache -q -r {self.repository} {command}")

    def fresh_repository(self) -> None:
        shutil.rmtree(self.repository, ignore_errors=True)
        self.restic("init --repository-version 2")

    def fresh_target(self) -> None:
        shutil.rmtree(self.target, ignore_errors=True)
        self.driver.discard(self.settings, self.place, self.place.beside)
        self.target.mkdir()

    def take(self) -> None:
        with ArtefactWriter(self.store, PREFIX, kind=self.driver.kind, header={}) as writer:
            writer.finish(self.driver.take(self.settings, writer, quiet))

    def artefact(self) -> StoredArtefact:
        return StoredArtefact(self.store, PREFIX, read_index(self.store, PREFIX).info)

    def restore(self) -> None:
        self.driver.restore(self.settings, self.place, self.artefact(), self.home, quiet)

    def verify(self) -> None:
        self.driver.verify(self.settings, self.place, self.artefact(), quiet)

    def restore_verified(self) -> None:
        self.restore()
        self.verify()

    def run(self, size: int, rounds: int) -> str:
        """Both competitions, as text."""
        files, total = build(self.source, size)
        backups = [
            Contender("tar | zstd -T1 (the reference)", lambda: self.tar_zstd(1)),
            Contender("tar | zstd -T0", lambda: self.tar_zstd(0)),
            Contender("ours: hashed, manifest, flushed", self.ours("take")),
        ]
        restores = [
            Contender("zstd -dc | tar -x (the reference)", self.tar_zstd_back, self.fresh_target),
            Contender("zstd -dc | tar -x, flushed", self.tar_zstd_back_flushed, self.fresh_target),
            Contender("ours: checked, not verified", self.ours("restore"), self.fresh_target),
            Contender("ours: checked, verified, flushed", self.ours("restore_verified"), self.fresh_target),
        ]
        if shutil.which("restic"):
            back = f"restore latest --target {self.target}"
            backups.append(Contender("restic", lambda: self.restic(f"backup {self.source}"), self.fresh_repository))
            restores.append(Contender("restic", lambda: self.restic(back), self.fresh_target))
        out = compete(backups, rounds)
        self.take()
        back_again = compete(restores, rounds)
        stored = self.artefact().info.size
        ratios = (
            f"{files:,} files, {total / 1e6:,.0f} MB; stored: ours {total / stored:.2f}:1,"
            f" zstd {total / self.plain.stat().st_size:.2f}:1"
        )
        return "\n\n".join(
            [
                ratios,
                table("Backup", out, total, backups[0].name),
                table("Restore", back_again, total, restores[0].name),
            ]
        )


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="2G", help="of the tree: 500M, 2G")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to work; default: a temporary directory")
    parser.add_argument("--verb", choices=["take", "restore", "verify", "restore_verified"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.verb:
        getattr(Bench(given.directory), given.verb)()
        return
    size = int(float(given.size[:-1]) * UNITS[given.size[-1].upper()])
    with tempfile.TemporaryDirectory(dir=given.directory, prefix="portal-bench-") as home:
        print(Bench(Path(home)).run(size, given.rounds))
    if os.geteuid() != 0:
        print("Not run as root: owners were not restored by either side.", file=sys.stderr)


if __name__ == "__main__":
    main()
