"""The demo's databases: a shop and a content management system, changed for every simulated day."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

import psycopg

SHOP: LiteralString = """
CREATE TYPE order_state AS ENUM ('new', 'paid', 'sent', 'returned');
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, city text NOT NULL,
    since timestamptz NOT NULL
);
CREATE TABLE products (
    sku text PRIMARY KEY, title text NOT NULL, net numeric(8, 2) NOT NULL CHECK (net > 0),
    gross numeric(8, 2) GENERATED ALWAYS AS (round(net * 1.19, 2)) STORED, stock integer NOT NULL
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers,
    state order_state NOT NULL DEFAULT 'new', placed_at timestamptz NOT NULL
);
CREATE TABLE order_lines (
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, sku text NOT NULL REFERENCES products,
    pieces integer NOT NULL CHECK (pieces > 0), PRIMARY KEY (order_id, sku)
);
CREATE INDEX orders_by_day ON orders (placed_at);
CREATE TABLE vouchers (code text PRIMARY KEY, worth numeric(6, 2) NOT NULL);
CREATE VIEW turnover AS
    SELECT date_trunc('day', placed_at) AS day, sum(pieces * gross) AS gross
    FROM orders JOIN order_lines ON order_id = id JOIN products USING (sku) GROUP BY 1;
INSERT INTO products (sku, title, net, stock)
    SELECT 'N' || 1000 + n, (ARRAY['Tent', 'Stove', 'Boots', 'Rope', 'Lamp'])[1 + n % 5] || ' ' || n, 9 + n * 2.5, 100
    FROM generate_series(1, 40) AS n;
"""

SHOP_DAY: LiteralString = """
INSERT INTO customers (name, city, since)
    SELECT 'Customer ' || (%(day)s * 10 + n), (ARRAY['Kiel', 'Bergen', 'Turku', 'Riga'])[1 + (random() * 3)::int], %(at)s
    FROM generate_series(1, 3 + (random() * 3)::int) AS n;
WITH fresh AS (
    INSERT INTO orders (customer_id, placed_at)
        SELECT (SELECT id FROM customers ORDER BY md5(id::text || n) LIMIT 1), %(at)s - n * interval '17 min'
        FROM generate_series(1, 12 + (random() * 14)::int) AS n
    RETURNING id
)
INSERT INTO order_lines (order_id, sku, pieces)
    SELECT fresh.id, 'N' || 1001 + (fresh.id * 7 + line * 11) %% 40, 1 + line
    FROM fresh, generate_series(0, 1) AS line;
UPDATE orders SET state = 'sent' WHERE state = 'new' AND placed_at < %(at)s - interval '2 days';
UPDATE products SET stock = stock - 1 + (random() * 2)::int;
"""

CMS: LiteralString = """
CREATE SCHEMA content;
CREATE TABLE content.authors (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE content.pages (
    id serial PRIMARY KEY, slug text UNIQUE NOT NULL, title text NOT NULL, body text NOT NULL, edited_at timestamptz NOT NULL,
    author_id integer REFERENCES content.authors, tags text[] NOT NULL DEFAULT '{}', extra jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE content.revisions (page_id integer NOT NULL REFERENCES content.pages, body text NOT NULL, made_at timestamptz NOT NULL);
CREATE TABLE content.pictures (name text PRIMARY KEY, data bytea NOT NULL);
INSERT INTO content.authors (name) VALUES ('M. Horvat'), ('E. Lang'), ('J. Ortiz');
INSERT INTO content.pages (slug, title, body, edited_at, author_id, tags)
    SELECT 'book-' || n, 'Book ' || n, repeat('Once upon a time. ', 20 + n), %(at)s, 1 + n %% 3, ARRAY['novel', 'shelf ' || n %% 4]
    FROM generate_series(1, 60) AS n;
"""

CMS_DAY: LiteralString = """
INSERT INTO content.revisions SELECT id, body, %(at)s FROM content.pages ORDER BY md5(slug || %(day)s) LIMIT 4;
UPDATE content.pages SET body = body || ' Day ' || %(day)s || '.', edited_at = %(at)s, extra = extra || '{"reviewed": true}'
    WHERE id IN (SELECT id FROM content.pages ORDER BY md5(slug || %(day)s) LIMIT 4);
INSERT INTO content.pictures SELECT 'cover-' || %(day)s, decode(string_agg(md5(random()::text), ''), 'hex')
    FROM generate_series(1, 200)
    ON CONFLICT (name) DO UPDATE SET data = excluded.data;
"""

DATABASES: dict[str, tuple[str, LiteralString, LiteralString]] = {
    "shop-db": ("shop", SHOP, SHOP_DAY),
    "cms-db": ("cms", CMS, CMS_DAY),
}


def change_database(name: str, connection: psycopg.Connection, moment: datetime) -> None:
    """Bring the database to ``moment``; a new one gets its tables first."""
    _, schema, day = DATABASES[name]
    values = {"at": moment, "day": moment.toordinal()}
    with connection.transaction(), psycopg.ClientCursor(connection) as cursor:  # several statements at once
        if not cursor.execute("SELECT 1 FROM pg_tables WHERE tablename IN ('orders', 'pages')").fetchone():
            cursor.execute(schema, values if "%(" in schema else None)
        cursor.execute("SELECT setseed(%s)", [(moment.toordinal() % 1000) / 1000])
        cursor.execute(day, values)
