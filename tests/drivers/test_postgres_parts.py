"""Restoring some tables of a real database beside it: these, with what they need, and nothing more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backups.artefacts import StoredArtefact
from backups.drivers.base import DamagedBackup, DriverError, Mode, NotAsBackedUp, Place
from backups.drivers.keys import key_of
from backups.drivers.postgres import POSTGRES, restore
from backups.drivers.postgres.archive import TocEntry
from backups.drivers.postgres.selection import select
from tests.drivers.databases import Database, quiet
from tests.drivers.servers import Binaries, PostgresServer, installations

SHOP = r"""
CREATE EXTENSION IF NOT EXISTS plpgsql;
CREATE SCHEMA stock;
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN cents AS int CHECK (VALUE >= 0);
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL);
INSERT INTO customers (name) SELECT 'customer ' || g FROM generate_series(1, 300) AS g;
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES customers, total cents, colour colour,
    CHECK (shout('x') = 'X'));
CREATE INDEX by_total ON orders (total);
INSERT INTO orders (customer, total, colour) SELECT 1 + g % 300, g, 'red' FROM generate_series(1, 1000) AS g;
CREATE TABLE lines (order_id bigint REFERENCES orders, text text);
INSERT INTO lines SELECT 1 + g % 1000, 'line ' || g FROM generate_series(1, 2000) AS g;
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touched();
CREATE FUNCTION cheapest() RETURNS SETOF orders LANGUAGE sql AS 'SELECT * FROM orders';
CREATE VIEW cheap AS SELECT * FROM orders WHERE total < 10;
CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM orders;
COMMENT ON TABLE lines IS 'What was ordered';
CREATE SEQUENCE numbers START 500;
CREATE TABLE tickets (number bigint DEFAULT nextval('numbers'));
INSERT INTO tickets SELECT FROM generate_series(1, 7);
CREATE TABLE stock."Ünï ""q"". /table" ("a b" text);
INSERT INTO stock."Ünï ""q"". /table" VALUES ('x'), (NULL);
CREATE TABLE measures (day date, value real, PRIMARY KEY (day)) PARTITION BY RANGE (day);
CREATE TABLE measures_2025 PARTITION OF measures FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measures_other PARTITION OF measures DEFAULT;
INSERT INTO measures SELECT date '2025-12-01' + g, g FROM generate_series(1, 60) AS g;
CREATE TABLE parent (x int); INSERT INTO parent VALUES (1);
CREATE TABLE child (y int) INHERITS (parent); INSERT INTO child VALUES (2, 3);
CREATE TABLE nothing ();
SELECT lo_from_bytea(4711, '\x0001');
"""
TABLES = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('public', 'stock') ORDER BY 1"
ODD = 'stock."Ünï ""q"". /table"'


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute(SHOP)
    return database


class Restored:
    """A part, restored and verified, to be looked at."""

    def __init__(self, database: Database, artefact: StoredArtefact, *titles: str) -> None:
        self.database, self.artefact, self.part = database, artefact, [key_of([title]) for title in titles]
        self.place: Place = database.place(Mode.BESIDE)
        parts, settings = POSTGRES.parts, database.settings
        assert parts is not None
        self.seen = parts.preflight(settings, self.place, artefact, self.part, database.workdir())
        self.said = parts.restore(settings, self.place, artefact, self.part, database.workdir(), quiet)
        self.verified = self.verify()

    def verify(self) -> Any:
        assert POSTGRES.parts is not None
        return POSTGRES.parts.verify(self.database.settings, self.place, self.artefact, self.part, quiet)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.database.rows(query, self.place.beside)

    def one(self, query: str) -> Any:
        return self.rows(query)[0][0]


def test_a_table_comes_with_its_rows_indexes_and_what_it_needs(shop: Database) -> None:
    live = shop.rows("SELECT * FROM orders ORDER BY id")
    artefact = shop.take()
    shop.execute("DELETE FROM orders WHERE id > 500 AND NOT EXISTS (SELECT FROM lines WHERE order_id = orders.id)")
    back = Restored(shop, artefact, "public.orders")
    assert back.rows("SELECT * FROM orders ORDER BY id") == live
    assert back.rows(TABLES) == [("public.orders",)]
    assert {name for (name,) in back.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'orders'")} == {
        "orders_pkey", "by_total",
    }  # fmt: skip
    assert back.rows("SELECT conname FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype = 'c'")
    assert back.one("SELECT count(*) FROM pg_trigger WHERE tgname = 'touch'") == 1
    assert back.one("SELECT nextval(pg_get_serial_sequence('orders', 'id'))") == 1001  # no number is given twice
    assert back.said == [
        "Left out, because it needs something that was not picked: the foreign key orders orders_customer_fkey."
    ]
    assert back.said[0] in back.seen
    assert back.verified.compared["rows"] == 1000
    assert back.verified.compared["tables"] == 1


def test_foreign_keys_among_picked_tables_are_kept(shop: Database) -> None:
    back = Restored(shop, shop.take(), "public.orders", "public.lines", "public.customers")
    assert back.said == []
    keys = back.rows("SELECT conrelid::regclass::text, convalidated FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
    assert keys == [("lines", True), ("orders", True)]
    assert back.one("SELECT obj_description('lines'::regclass)") == "What was ordered"
    assert back.one("SELECT last_value FROM customers_id_seq") == 300


def test_odd_names_are_picked_as_they_are_listed(shop: Database) -> None:
    artefact = shop.take()
    assert POSTGRES.parts is not None
    listed = {item.names[0]: item for item in POSTGRES.parts.items(artefact)}
    assert listed[ODD].rows == 2
    assert "public.sums" not in listed
    back = Restored(shop, artefact, ODD)
    assert back.rows(f"SELECT * FROM {ODD} ORDER BY 1") == [("x",), (None,)]


def test_a_partitioned_table_comes_with_its_partitions_and_a_partition_without_the_others(shop: Database) -> None:
    artefact = shop.take()
    back = Restored(shop, artefact, "public.measures")
    assert back.one("SELECT count(*) FROM measures") == 60
    assert back.one("SELECT count(*) FROM measures_2025") == 30
    assert back.said == []
    alone = Restored(shop, artefact, "public.measures_2025")
    assert alone.rows(TABLES) == [("public.measures",), ("public.measures_2025",)]
    assert alone.one("SELECT count(*) FROM measures") == 30
    assert alone.said == ["Only the definition came along, because what was picked is made with it: public.measures."]


def test_what_a_table_is_made_with_comes_empty_and_is_told(shop: Database) -> None:
    back = Restored(shop, shop.take(), "public.child")
    assert back.rows("SELECT * FROM ONLY parent") == []
    assert back.rows("SELECT * FROM child") == [(2, 3)]
    assert back.said == ["Only the definition came along, because what was picked is made with it: public.parent."]
    shop.execute("INSERT INTO parent VALUES (9)", back.place.beside)
    with pytest.raises(NotAsBackedUp, match=r"public\.parent has 1 row, 0 in the backup"):
        back.verify()


def test_a_sequence_that_a_default_uses_stands_where_it_stood(shop: Database) -> None:
    back = Restored(shop, shop.take(), "public.tickets", "public.nothing")
    assert back.one("SELECT nextval('numbers')") == 507


@pytest.mark.parametrize("binaries", installations()[1:], ids=lambda binaries: str(binaries.major))
def test_other_versions_write_the_same_into_their_dumps(binaries: Binaries, tmp_path: Path) -> None:
    with PostgresServer(binaries) as server, Database(server, tmp_path) as shop:
        shop.execute(SHOP)
        back = Restored(shop, shop.take(), "public.orders", "public.measures", "public.tickets", ODD)
        assert back.said == [
            "Left out, because it needs something that was not picked: the foreign key orders orders_customer_fkey."
        ]
        assert back.verified.compared["rows"] == 1000 + 60 + 7 + 2
        assert back.one("SELECT nextval('numbers')") == 507


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("DELETE FROM orders WHERE id = 7", "table public.orders has 999 rows, 1,000 in the backup"),
        ("UPDATE orders SET total = 1 WHERE id = 7", "but other values"),
        ("CREATE TABLE other ()", "table public.other is not in the backup"),
        ("SELECT nextval('orders_id_seq')", "sequence public.orders_id_seq stands at 1001"),
        ("DROP TABLE orders CASCADE", "table public.orders is missing"),
    ],
)
def test_a_part_that_differs_is_named(shop: Database, harm: str, named: str) -> None:
    back = Restored(shop, shop.take(), "public.orders")
    shop.execute(harm, back.place.beside)
    with pytest.raises(NotAsBackedUp) as differs:
        back.verify()
    assert named in differs.value.detail


@pytest.mark.parametrize(
    "part", [["public.missing"], ["public.sums"], ["public.cheap"], [], ["public.orders", "x"], ["\\"]]
)
def test_what_is_no_table_of_the_backup_is_refused(shop: Database, part: list[str]) -> None:
    artefact, before = shop.take(), shop.server.databases()
    assert POSTGRES.parts is not None
    with pytest.raises(DriverError) as refused:
        POSTGRES.parts.preflight(shop.settings, shop.place(Mode.BESIDE), artefact, part, shop.workdir())
    assert refused.value.sentence.endswith(".")
    assert shop.server.databases() == before


def test_without_room_to_unpack_it_is_streamed(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "unpacks", lambda *_: False)
    back = Restored(shop, shop.take(), "public.lines", "public.orders")
    assert back.one("SELECT count(*) FROM lines") == 2000


def test_damage_of_what_was_not_picked_is_noticed_too(shop: Database) -> None:
    artefact = shop.take()
    path = Path(shop.scratch, "store", artefact.prefix, "data.zst")
    good = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(good[:-3] + bytes([good[-3] ^ 1]) + good[-2:])
    place, before = shop.place(Mode.BESIDE), shop.server.databases()
    assert POSTGRES.parts is not None
    with pytest.raises(DamagedBackup):
        POSTGRES.parts.restore(shop.settings, place, artefact, ["public.orders"], shop.workdir(), quiet)
    assert shop.server.databases() == before


def test_a_function_whose_result_is_a_table_stays_away_with_it() -> None:
    """It could not be made; what does not need it is not held up."""

    def entry(number: int, what: str, name: str, *needs: int) -> TocEntry:
        return TocEntry(number, False, what.encode(), name.encode(), b"public", needs, 0)

    contents = [
        entry(1, "TABLE", "a"),
        entry(2, "TABLE", "b"),
        entry(3, "FUNCTION", "rows of b", 2),
        entry(4, "FUNCTION", "free"),
        entry(5, "TABLE DATA", "a", 1),
        entry(6, "TABLE DATA", "b", 2),
        entry(7, "ACL", "FUNCTION rows of b", 3),
        entry(8, "TRIGGER", "a calls", 1, 3),
        entry(9, "BLOB", "4711"),
        entry(10, "COMMENT", "LARGE OBJECT 4711", 9),
    ]
    chosen = select(contents, {(b"public", b"a")})
    assert chosen.ids == (1, 4, 5)
    assert chosen.left_out == (("the trigger", b"a calls"),)
