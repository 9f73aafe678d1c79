"""What the workers are killed over: a directory tree, databases, a machine; seen without the portal's own code."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pymysql

from backups.drivers.words import Settings
from tests.app.world import fill_tree, fingerprint, make_tree, remove_tree
from tests.drivers import aws
from tests.drivers.cases.ec2 import build
from tests.drivers.databases import Database
from tests.drivers.mariadb import PASSWORD, SUPERUSER, MariaDBServer, quoted

CONTENT = """
    CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ref text NOT NULL);
    INSERT INTO orders (ref) SELECT md5(g::text) FROM generate_series(1, 2000) AS g;
    CREATE TABLE notes (text text);
"""


MARIADB_CONTENT = """
    CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, ref TEXT NOT NULL);
    INSERT INTO orders (ref) SELECT md5(seq) FROM seq_1_to_2000;
    CREATE TABLE notes (text TEXT);
    CREATE TRIGGER noted AFTER DELETE ON orders FOR EACH ROW INSERT INTO notes VALUES (concat('gone ', OLD.id));
    CREATE VIEW latest AS SELECT max(id) AS id FROM orders;
"""


class Subject(Protocol):
    """A live thing of one kind, in a place where nothing else has its name."""

    kind: str
    part: tuple[str, ...]
    """The keys of some of what is in it."""

    @property
    def settings(self) -> Settings:
        """As a resource of this kind has them."""

    def look(self) -> str | None:
        """A digest of all that is in the live thing; None while it lets nobody in."""

    def items(self, beside: str = "") -> dict[str, str]:
        """A digest of each thing in it that a part is made of, by key; of what stands in a place ``beside``, if given."""

    def change(self, word: str) -> None:
        """Another day's content."""

    def names(self) -> list[str]:
        """Everything there whose name has to do with it; alone it is one."""

    def remove(self) -> None:
        """It, and whatever a test left beside it."""


class Tree:
    """A directory."""

    kind = "files"
    part: tuple[str, ...] = ("sub",)

    def __init__(self) -> None:
        self.path: Path = make_tree()
        self.settings: Settings = {"path": str(self.path)}

    def look(self) -> str | None:
        return fingerprint(self.path)

    def items(self, beside: str = "") -> dict[str, str]:
        return {path.name: self._digest(path) for path in Path(beside or self.path).iterdir()}

    @staticmethod
    def _digest(path: Path) -> str:
        if path.is_dir() and not path.is_symlink():
            return fingerprint(path)
        held = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        return f"{path.lstat().st_mode:o} {hashlib.sha256(held).hexdigest()}"

    def change(self, word: str) -> None:
        fill_tree(self.path, word)

    def names(self) -> list[str]:
        return [path.name for path in self.path.parent.glob(f"*{self.path.name}*")]

    def remove(self) -> None:
        for leftover in self.path.parent.glob(f"*{self.path.name}*"):
            remove_tree(leftover)


class LiveDatabase:
    """A PostgreSQL database on a throwaway server."""

    kind = "postgres"
    part = ("public.orders",)

    def __init__(self, database: Database) -> None:
        self._database = database
        self.settings: Settings = database.settings
        database.execute(CONTENT)

    def look(self) -> str | None:
        try:
            rows = [self._database.rows(f"SELECT * FROM {name} ORDER BY 1") for name in ("orders", "notes")]
        except psycopg.OperationalError as error:
            if "not currently accepting connections" in str(error):
                return None
            raise
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def items(self, beside: str = "") -> dict[str, str]:
        tables = self._database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", beside)
        rows = {name: self._database.rows(f"SELECT * FROM {name} ORDER BY 1", beside) for (name,) in tables}
        return {f"public.{name}": hashlib.sha256(repr(found).encode()).hexdigest() for name, found in rows.items()}

    def change(self, word: str) -> None:
        self.execute(f"INSERT INTO notes VALUES ('{word}'); DELETE FROM orders WHERE id % 7 = 0")

    def execute(self, statements: str) -> None:
        """As the application, or whoever administers it."""
        self._database.execute(statements)

    def names(self) -> list[str]:
        return [name for name in self._database.server.databases() if self._database.name in name]

    def remove(self) -> None:
        """The database's own fixture removes everything."""


class LiveMariaDB:
    """A MariaDB database on a server of the test's process."""

    kind = "mysql"
    part: tuple[str, ...] = ("orders",)
    variable = "TEST_MARIADB_PASSWORD"

    def __init__(self, server: MariaDBServer, name: str) -> None:
        self._server, self._name = server, name
        os.environ[self.variable] = PASSWORD
        self.settings: Settings = {
            "host": server.host, "port": str(server.port), "dbname": name, "user": SUPERUSER,
            "password": f"env:{self.variable}",
        }  # fmt: skip
        server.create_database(name)
        server.execute(MARIADB_CONTENT, name)

    def look(self) -> str | None:
        """None while what acts on the tables is taken off."""
        try:
            rows = [
                self._server.rows(f"SELECT * FROM {name} ORDER BY 1", self._name)
                for name in ("orders", "notes", "latest")
            ]
        except pymysql.ProgrammingError:  # a table or the view is not there just now
            return None
        acting = self._server.rows(f"SHOW TRIGGERS FROM {quoted(self._name)}")
        return hashlib.sha256(repr(rows).encode()).hexdigest() if acting else None

    def items(self, beside: str = "") -> dict[str, str]:
        name = beside or self._name
        tables = self._server.rows(f"SHOW FULL TABLES FROM {quoted(name)} WHERE Table_type = 'BASE TABLE'")
        rows = {table: self._server.rows(f"SELECT * FROM {quoted(table)} ORDER BY 1", name) for table, _ in tables}
        return {
            table: hashlib.sha256(repr(found).encode()).hexdigest()
            for table, found in rows.items()
            if not table.startswith("_haas")  # the restore's own mark
        }

    def change(self, word: str) -> None:
        statements = f"INSERT INTO notes VALUES ('{word}'); DELETE FROM orders WHERE id % 7 = 0"
        self._server.execute(statements, self._name)

    def names(self) -> list[str]:
        return [name for name in self._server.databases() if self._name in name]

    def remove(self) -> None:
        for name in self.names():
            self._server.drop_database(name)


class LiveMachine:
    """A machine in the simulated AWS, which lives in the test's process and not in the workers'.

    A tag of the volumes stands for what is in them.
    """

    kind = "ec2"
    part: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.ec2 = aws.client("ec2")
        self.id = build(self.ec2)
        self.settings: Settings = {"account": "hosting", "region": aws.HOME, "machine": self.id}
        self.change("first")

    def _volumes(self, *wanted: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ec2.describe_volumes(Filters=list(wanted))["Volumes"]
        return found

    def attached(self) -> dict[str, str]:
        """The ids of its volumes, by device."""
        found = self._volumes({"Name": "attachment.instance-id", "Values": [self.id]})
        return {one["Attachments"][0]["Device"]: one["VolumeId"] for one in found}

    def state(self) -> str:
        """Whether it runs, in EC2's word."""
        [found] = self.ec2.describe_instances(InstanceIds=[self.id])["Reservations"][0]["Instances"]
        return str(found["State"]["Name"])

    def look(self) -> str | None:
        """None while it stands still, or a volume is off."""
        items = self.items()
        return repr(sorted(items.items())) if self.state() == "running" and len(items) == 3 else None

    def items(self, beside: str = "") -> dict[str, str]:
        place = {"Name": "tag:haas:restore", "Values": [beside]}
        live = {"Name": "attachment.instance-id", "Values": [self.id]}
        found = {}
        for one in self._volumes(place if beside else live):
            tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
            device = tags["haas:part"] if beside else one["Attachments"][0]["Device"]
            found[device] = f"{tags['content']} {one['Size']} {one['VolumeType']}"
        return found

    def change(self, word: str) -> None:
        self.ec2.create_tags(Resources=sorted(self.attached().values()), Tags=[{"Key": "content", "Value": word}])

    def names(self) -> list[str]:
        loose = [one for one in self._volumes() if not one["Attachments"]]
        tags = [{tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in loose]
        return [self.id, *sorted({one.get("haas:restore", "nobody's") for one in tags})]

    def snapshots(self, region: str = aws.HOME) -> set[str]:
        """The ids of all snapshots there."""
        found = aws.client("ec2", region).describe_snapshots(OwnerIds=["self"])["Snapshots"]
        return {one["SnapshotId"] for one in found}

    def remove(self) -> None:
        """The account's own fixture removes everything."""


def new_name() -> str:
    """For a database that no other test of this server has."""
    return f"shop_{uuid.uuid4().hex[:8]}"
