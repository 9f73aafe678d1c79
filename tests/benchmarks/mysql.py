"""``python -m tests.benchmarks.mysql``: our backup and restore of a MariaDB database beside plain mariadb-dump and zstd.

The plain ones hash, count and compare nothing. Real servers flush what they commit; so does this one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from backups.artefacts import ArtefactWriter, StoredArtefact, read_index
from backups.drivers.base import Mode
from backups.drivers.mysql import MYSQL
from backups.drivers.words import Settings
from backups.stores.directory import DirectoryStore
from tests.benchmarks.measure import Contender, compete, table
from tests.drivers.mariadb import PASSWORD, SUPERUSER, MariaDBServer

UNITS = {"M": 10**6, "G": 10**9}
PREFIX = "bench"
VARIABLE = "RESOURCE_BENCH_PASSWORD"
SERVER_OPTIONS = {
    "innodb-buffer-pool-size": "512M",
    "innodb-flush-log-at-trx-commit": "1",
    "innodb-log-file-size": "512M",
}

# {0} is a thousandth of what a gigabyte of database holds.
CONTENT = """
CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(80), email VARCHAR(80), since DATETIME, country INT, UNIQUE (email));
INSERT INTO customer SELECT seq, concat('Customer ', md5(seq)), concat(md5(concat(seq, 'x')), '@example.org'),
       '2026-11-01' - INTERVAL seq MINUTE, (seq * 7919) % 50 FROM seq_1_to_{customers};
CREATE TABLE purchase (id INT PRIMARY KEY, customer_id INT, total DECIMAL(12, 2), made DATETIME, ref CHAR(32), state VARCHAR(10),
       KEY (customer_id), KEY (made), FOREIGN KEY (customer_id) REFERENCES customer (id));
INSERT INTO purchase SELECT seq, 1 + (seq * 7919) % {customers}, rand(1) * 1e5, '2026-11-01' - INTERVAL seq * 13 SECOND, md5(seq),
       elt(1 + seq % 4, 'new', 'paid', 'sent', 'returned') FROM seq_1_to_{purchases};
CREATE TABLE document (id INT PRIMARY KEY, head JSON, body TEXT);
INSERT INTO document SELECT seq, json_object('title', md5(seq), 'n', seq, 'more', json_object('a', seq)),
       concat(md5(seq), repeat(concat(md5(seq * 3), ' ', md5(seq * 5), ' '), 12)) FROM seq_1_to_{documents};
CREATE TABLE file (id INT PRIMARY KEY, content MEDIUMBLOB);
INSERT INTO file SELECT seq, random_bytes(16384) FROM seq_1_to_{files};
"""


def quiet(bytes_done: int, bytes_expected: int | None = None) -> None:
    """Nobody looks at the progress."""


class Bench:
    """The contenders, all on the same database of the same server."""

    def __init__(self, home: Path, socket: str, port: int) -> None:
        self.home = home
        self.socket, self.port = socket, port
        self.settings: Settings = {
            "host": socket, "port": str(port), "dbname": "bench", "user": SUPERUSER, "password": f"env:{VARIABLE}",
        }  # fmt: skip
        self.options = home / "options"
        quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        self.options.write_text(f'[client]\nsocket={socket}\nuser={SUPERUSER}\npassword="{quoted}"\n')
        self.options.chmod(0o600)
        self.store = DirectoryStore("bench", home / "store")
        self.store.prepare()
        self.place = MYSQL.place(self.settings, "bench", Mode.BESIDE)

    def ours(self, verb: str) -> list[str]:
        """The command that runs one of our verbs in a new process, whose peak memory is its own."""
        return [
            sys.executable, "-m", "tests.benchmarks.mysql", "--directory", str(self.home), "--verb", verb,
            "--server", f"{self.socket}:{self.port}",
        ]  # fmt: skip

    def plain(self, command: str) -> None:
        """A pipe of the tools themselves."""
        subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True)

    def plain_dump(self) -> None:
        self.plain(
            f"mariadb-dump --defaults-file={self.options} --single-transaction --routines --events --order-by-primary bench"
            f" | zstd -q -3 -T2 -f -o {self.home}/plain.zst && sync {self.home}/plain.zst"
        )

    def plain_restore(self) -> None:
        self.plain(f"zstd -dc {self.home}/plain.zst | mariadb --defaults-file={self.options} plain")

    def take(self) -> None:
        with ArtefactWriter(self.store, PREFIX, kind=MYSQL.kind, header={}) as writer:
            writer.finish(MYSQL.take(self.settings, writer, quiet))

    def artefact(self) -> StoredArtefact:
        return StoredArtefact(self.store, PREFIX, read_index(self.store, PREFIX).info)

    def restore(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.home) as work:
            MYSQL.restore(self.settings, self.place, self.artefact(), Path(work), quiet)

    def restore_verified(self) -> None:
        self.restore()
        MYSQL.verify(self.settings, self.place, self.artefact(), quiet)

    def run(self, server: MariaDBServer, size: int, rounds: int) -> str:
        """Both competitions, as text."""
        part = max(size // 10**6, 1)
        server.create_database("bench")
        numbers = {"customers": 600 * part, "purchases": 3600 * part, "documents": 260 * part, "files": 10 * part}
        server.execute(CONTENT.format(**numbers), "bench")

        def fresh() -> None:
            server.drop_database("plain")
            server.drop_database(self.place.beside)
            server.create_database("plain")

        backups = [
            Contender("mariadb-dump | zstd -3 (the reference)", self.plain_dump),
            Contender("ours: hashed, counted, digested, flushed", self.ours("take")),
        ]
        restores = [
            Contender("zstd -d | mariadb (the reference)", self.plain_restore, fresh),
            Contender("ours: digested on the way", self.ours("restore"), fresh),
            Contender("ours: verified, analyzed", self.ours("restore_verified"), fresh),
        ]
        out = compete(backups, rounds)
        back = compete(restores, rounds)
        info = self.artefact().info
        stored = (
            f"stored: ours {info.size / 1e6:,.0f} MB, plain {(self.home / 'plain.zst').stat().st_size / 1e6:,.0f} MB"
        )
        return "\n\n".join(
            [
                f"Dump of {info.source_bytes / 1e6:,.0f} MB; {stored}",
                table("Backup", out, info.source_bytes, backups[0].name),
                table("Restore", back, info.source_bytes, restores[0].name),
            ]
        )


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1G", help="of the dump, about: 500M, 2G")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to work; default: a temporary directory")
    parser.add_argument("--server", help=argparse.SUPPRESS)
    parser.add_argument("--verb", choices=["take", "restore", "restore_verified"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ[VARIABLE] = PASSWORD
    if given.verb:
        socket, _, port = given.server.rpartition(":")
        getattr(Bench(given.directory, socket, int(port)), given.verb)()
        return
    size = int(float(given.size[:-1]) * UNITS[given.size[-1].upper()])
    with (
        tempfile.TemporaryDirectory(dir=given.directory, prefix="portal-bench-") as home,
        MariaDBServer(SERVER_OPTIONS, on_disk=True) as server,
    ):
        print(Bench(Path(home), server.socket, server.port).run(server, size, given.rounds))


if __name__ == "__main__":
    main()
