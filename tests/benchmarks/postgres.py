"""How quick the PostgreSQL driver is, against ``pg_dump -Fd -j2`` and ``pg_restore -j2``, on a realistic database.

Run ``python -m tests.benchmarks.postgres --size 2G``. A throwaway server is started; everything happens in turns.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from backups.artefacts import ArtefactWriter, StoredArtefact, read_index
from backups.drivers.base import Mode
from backups.drivers.postgres import POSTGRES
from backups.drivers.postgres.clients import for_server
from backups.drivers.words import Settings
from backups.stores.directory import DirectoryStore
from tests.benchmarks.measure import Contender, compete, table
from tests.drivers.servers import PASSWORD, SUPERUSER, PostgresServer

UNITS = {"M": 10**6, "G": 10**9}
PREFIX = "bench"
VARIABLE = "RESOURCE_BENCH_PASSWORD"
SERVER_OPTIONS = {"shared_buffers": "512MB", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

# {0} is a thousandth of what a gigabyte of database holds.
CONTENT = """
CREATE TABLE customer AS
    SELECT g AS id, 'Customer ' || md5(g::text) AS name, md5(g::text || 'x') || '@example.org' AS email,
           now() - g * interval '7 minutes' AS since, (g * 7919::bigint) % 50 AS country FROM generate_series(1, 400 * {0}) AS g;
ALTER TABLE customer ADD PRIMARY KEY (id); CREATE UNIQUE INDEX ON customer (email);
CREATE TABLE purchase AS
    SELECT g AS id, 1 + (g * 7919::bigint) % (400 * {0}) AS customer_id, (random() * 1e5)::numeric(12, 2) AS total,
           now() - g * interval '13 seconds' AS made, md5(random()::text) AS ref,
           (ARRAY['new', 'paid', 'sent', 'returned'])[1 + g % 4] AS state FROM generate_series(1, 2500 * {0}) AS g;
ALTER TABLE purchase ADD PRIMARY KEY (id); CREATE INDEX ON purchase (customer_id); CREATE INDEX ON purchase (made);
ALTER TABLE purchase ADD FOREIGN KEY (customer_id) REFERENCES customer;
CREATE TABLE document AS
    SELECT g AS id, jsonb_build_object('title', md5(g::text), 'tags', ARRAY[g % 10, g % 7], 'n', random(),
                                       'more', jsonb_build_object('a', g, 'b', md5((g * 3::bigint)::text))) AS head,
           (SELECT string_agg(md5((g * 40 + n)::text), ' ') FROM generate_series(1, 24) AS n) AS body
      FROM generate_series(1, 240 * {0}) AS g;
ALTER TABLE document ADD PRIMARY KEY (id); CREATE INDEX ON document USING gin (head jsonb_path_ops);
CREATE TABLE reading AS
    SELECT g % 1000 AS sensor, now() - g * interval '1 second' AS at, random() AS value, (random() * 1e6)::int AS raw
      FROM generate_series(1, 2500 * {0}) AS g;
CREATE INDEX ON reading (sensor, at);
CREATE TABLE file AS
    SELECT g AS id, decode((SELECT string_agg(md5(random()::text || n || g), '') FROM generate_series(1, 512) AS n),
                           'hex') AS content FROM generate_series(1, 8 * {0}) AS g;
ALTER TABLE file ADD PRIMARY KEY (id);
"""


def quiet(bytes_done: int, bytes_expected: int | None = None) -> None:
    """Nobody looks at the progress."""


class Bench:
    """The contenders, all on the same database of the same server."""

    def __init__(self, home: Path, host: str, port: int, major: int) -> None:
        self.home = home
        self.settings: Settings = {
            "host": host,
            "port": str(port),
            "dbname": "bench",
            "user": SUPERUSER,
            "password": f"env:{VARIABLE}",
        }
        self.major = major
        self.client = for_server(major)
        self.environment = {
            "PATH": os.environ["PATH"], "PGHOST": host, "PGPORT": str(port), "PGUSER": SUPERUSER,
            "PGPASSWORD": PASSWORD,
        }  # fmt: skip
        self.store = DirectoryStore("bench", home / "store")
        self.store.prepare()
        self.place = POSTGRES.place(self.settings, "bench", Mode.BESIDE)

    def ours(self, verb: str) -> list[str]:
        """The command that runs one of our verbs in a new process, whose peak memory is its own."""
        return [
            sys.executable, "-m", "tests.benchmarks.postgres", "--directory", str(self.home), "--verb", verb,
            "--server", f"{self.settings['host']}:{self.settings['port']}:{self.major}",
        ]  # fmt: skip

    def tool(self, *arguments: str) -> None:
        """Run one of PostgreSQL's programs."""
        subprocess.run(arguments, env=self.environment, check=True)

    def dump(self, name: str, *options: str) -> None:
        shutil.rmtree(self.home / name, ignore_errors=True)
        self.tool(self.client.pg_dump, "-Fd", "-j2", *options, "-f", str(self.home / name), "bench")

    def plain_restore(self) -> None:
        self.tool(self.client.pg_restore, "-j2", "--exit-on-error", "-d", "plain", str(self.home / "plain"))

    def take(self) -> None:
        with ArtefactWriter(self.store, PREFIX, kind=POSTGRES.kind, header={}) as writer:
            writer.finish(POSTGRES.take(self.settings, writer, quiet))

    def artefact(self) -> StoredArtefact:
        return StoredArtefact(self.store, PREFIX, read_index(self.store, PREFIX).info)

    def restore(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.home) as work:
            POSTGRES.restore(self.settings, self.place, self.artefact(), Path(work), quiet)

    def restore_verified(self) -> None:
        self.restore()
        POSTGRES.verify(self.settings, self.place, self.artefact(), quiet)

    def run(self, server: PostgresServer, size: int, rounds: int) -> str:
        """Both competitions, as text."""
        server.create_database("bench")
        server.execute(CONTENT.format(max(size // 10**6, 1)), "bench")
        server.execute("VACUUM (ANALYZE)", "bench")
        with server.connect("bench") as connection:
            row = connection.execute("SELECT pg_database_size('bench')").fetchone()
        assert row is not None

        def checkpoint() -> None:
            server.execute("CHECKPOINT")

        def fresh() -> None:
            server.drop_database("plain")
            server.drop_database(self.place.beside)
            server.create_database("plain")
            checkpoint()

        backups = [
            Contender("pg_dump -Fd -j2 (the reference)", lambda: self.dump("plain"), checkpoint),
            Contender("pg_dump -Fd -j2 -Z1", lambda: self.dump("quick", "-Z1"), checkpoint),
            Contender("ours: hashed, counted, digested, flushed", self.ours("take"), checkpoint),
        ]
        restores = [
            Contender("pg_restore -j2 (the reference)", self.plain_restore, fresh),
            Contender("ours: checked, not verified", self.ours("restore"), fresh),
            Contender("ours: checked, verified, analyzed", self.ours("restore_verified"), fresh),
        ]
        out = compete(backups, rounds)
        back = compete(restores, rounds)
        info = self.artefact().info
        plain = sum(path.stat().st_size for path in (self.home / "plain").iterdir())
        quick = sum(path.stat().st_size for path in (self.home / "quick").iterdir())
        sizes = (
            f"PostgreSQL {self.client.version}, database {row[0] / 1e6:,.0f} MB, as a dump {info.source_bytes / 1e6:,.0f} MB;"
            f" stored: ours {info.size / 1e6:,.0f} MB, pg_dump {plain / 1e6:,.0f} MB, with -Z1 {quick / 1e6:,.0f} MB"
        )
        tables = [
            table("Backup", out, row[0], backups[0].name),
            table("Restore", back, row[0], restores[0].name),
        ]
        peaks = ", ".join(
            f"{path.stem} {int(path.read_text()) / 1024:.0f} MB" for path in sorted(self.home.glob("*.children"))
        )
        return "\n\n".join([sizes, *tables, f"Largest of PostgreSQL's programs that ours ran: {peaks}"])


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="2G", help="of the database, about: 500M, 2G")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to work; default: a temporary directory")
    parser.add_argument("--server", help=argparse.SUPPRESS)
    parser.add_argument("--verb", choices=["take", "restore", "restore_verified"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ[VARIABLE] = PASSWORD
    if given.verb:
        host, port, major = given.server.split(":")
        getattr(Bench(given.directory, host, int(port), int(major)), given.verb)()
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        (given.directory / f"{given.verb}.children").write_text(str(children))
        return
    size = int(float(given.size[:-1]) * UNITS[given.size[-1].upper()])
    with (
        tempfile.TemporaryDirectory(dir=given.directory, prefix="portal-bench-") as home,
        PostgresServer(options=SERVER_OPTIONS) as server,
    ):
        print(Bench(Path(home), server.host, server.port, server.major).run(server, size, given.rounds))


if __name__ == "__main__":
    main()
