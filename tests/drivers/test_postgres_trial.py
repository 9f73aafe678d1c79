"""Backups of databases that act by themselves: restored, tried out and removed, and the outside world hears nothing."""

from __future__ import annotations

import pytest

from backups.drivers.base import DriverError, Mode
from backups.drivers.postgres import POSTGRES
from tests.drivers.databases import Database, quiet

TOKEN = "cu-7-1203-ff9db6"
SUBSCRIBED = """
CREATE TABLE orders (id int);
INSERT INTO orders VALUES (1);
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$not here$$; END';
CREATE SUBSCRIPTION "shop orders" CONNECTION 'host=127.0.0.1 port=1 dbname=nowhere' PUBLICATION orders
    WITH (connect = false, slot_name = 'shop');
CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('DROP SUBSCRIPTION') EXECUTE FUNCTION refuse();
"""


def test_a_restored_database_with_a_subscription_is_restored_again_and_removed(database: Database) -> None:
    database.execute(SUBSCRIBED)
    artefact = database.take()
    place = POSTGRES.place(database.settings, TOKEN, Mode.BESIDE)
    of_it = f"SELECT count(*) FROM pg_subscription JOIN pg_database AS d ON d.oid = subdbid WHERE datname = '{place.beside}'"
    for _ in range(2):
        POSTGRES.restore(database.settings, place, artefact, database.workdir(), quiet)
        assert database.rows(of_it) == [(1,)]
    said = POSTGRES.neutralise(database.settings, place)
    assert "It takes nothing from elsewhere: 1 subscription removed, shop orders; the slots stay." in said
    assert database.rows(of_it) == [(0,)]
    POSTGRES.verify(database.settings, place, artefact, quiet)
    POSTGRES.restore(database.settings, place, artefact, database.workdir(), quiet)
    POSTGRES.discard(database.settings, place, place.beside)
    assert place.beside not in database.server.databases()
    assert database.rows("SELECT subslotname FROM pg_subscription") == [("shop",)]
    database.execute('DROP EVENT TRIGGER refuse; ALTER SUBSCRIPTION "shop orders" SET (slot_name = NONE)')
    database.execute('DROP SUBSCRIPTION "shop orders"')


def test_only_its_owner_and_the_portal_get_into_what_is_tried_out(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)")
    owner, portal, other = database.role("owner"), database.role("portal", "CREATEDB"), database.role("other")
    database.execute(
        "ALTER DATABASE shop OWNER TO owner; GRANT owner TO portal; GRANT CONNECT ON DATABASE shop TO other"
    )
    database.execute("ALTER TABLE orders OWNER TO owner; GRANT pg_signal_backend TO portal")
    artefact = database.take(portal)
    place = POSTGRES.place(portal, TOKEN, Mode.BESIDE)
    POSTGRES.restore(portal, place, artefact, database.workdir(), quiet)
    there = {**other, "dbname": place.beside}
    with pytest.raises(DriverError, match="cannot read"):
        POSTGRES.check({**there, "dbname": "shop"})
    for _ in range(2):
        assert "Only owner, who owns it," in POSTGRES.neutralise(portal, place)[0]
    with pytest.raises(DriverError, match="may not connect"):
        POSTGRES.ask(other, place, "SELECT 1", 5)
    assert POSTGRES.ask(portal, place, "SELECT count(*) FROM public.orders", 5).endswith("“1”.")
    assert POSTGRES.ask(owner, place, "SELECT count(*) FROM orders", 5).endswith("“1”.")
    POSTGRES.verify(portal, place, artefact, quiet)
    POSTGRES.discard(portal, place, place.beside)


def test_the_portal_gets_in_where_only_everybody_could_and_event_triggers_are_off(database: Database) -> None:
    database.execute("CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE $$no$$; END'")
    database.execute("CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()")
    portal = database.role("portal", "CREATEDB SUPERUSER")
    artefact = database.take(portal)
    place = POSTGRES.place(portal, TOKEN, Mode.BESIDE)
    POSTGRES.restore(portal, place, artefact, database.workdir(), quiet)
    assert "Event triggers are off: refuse." in POSTGRES.neutralise(portal, place)
    database.execute("ALTER ROLE portal NOSUPERUSER")
    assert POSTGRES.ask(portal, place, "SELECT 1", 5)


def test_an_applications_own_table_of_jobs_is_its_data(database: Database) -> None:
    database.execute("CREATE SCHEMA cron; CREATE TABLE cron.job (active bool); INSERT INTO cron.job VALUES (true)")
    artefact = database.take()
    place = POSTGRES.place(database.settings, TOKEN, Mode.BESIDE)
    POSTGRES.restore(database.settings, place, artefact, database.workdir(), quiet)
    POSTGRES.neutralise(database.settings, place)
    POSTGRES.verify(database.settings, place, artefact, quiet)
    assert POSTGRES.ask(database.settings, place, "SELECT active FROM cron.job", 5).endswith("“True”.")


def test_a_checkup_does_not_hold_up_a_restore(database: Database) -> None:
    database.execute("CREATE TABLE orders (id int)")
    artefact = database.take()
    place = POSTGRES.place(database.settings, TOKEN, Mode.BESIDE)
    database.server.create_database(place.beside)
    mark = "HaaS backup portal: a restore is being built here"
    database.execute(f"COMMENT ON DATABASE \"{place.beside}\" IS '{mark}'")
    assert "Nobody else restores this database." in database.preflight(artefact)
