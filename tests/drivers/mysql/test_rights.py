"""The user of docs/operating.md can do everything; whoever may less is told which right is missing, and nothing is short."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backups.artefacts import ArtefactWriter, StoredArtefact
from backups.drivers.base import DriverError, Mode, NotFound, Place, Standing
from backups.drivers.mysql import MYSQL, rights, survey, target
from backups.drivers.words import Settings
from tests.drivers.contract.bench import quiet
from tests.drivers.mariadb import PASSWORD
from tests.drivers.mysql.conftest import Shop

pytestmark = pytest.mark.slow  # a role for each of many rights

PAGE = Path(__file__).parents[3] / "docs/operating.md"
SIMPLE = "a simple password"


def documented(name: str) -> list[str]:
    """The statements of the page, for a database of another name."""
    block = re.search(r"```sql\n(CREATE USER.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    escaped = name.replace("_", r"\_")
    text = block[1].replace("`shop", f"`{escaped}").replace("'a long password'", f"'{SIMPLE}'")
    return [one.strip() for one in text.split(";") if one.strip()]


@pytest.fixture
def portal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of the user that the page makes, until the test ends."""
    for statement in documented(shop.name):
        shop.execute(statement)
    monkeypatch.setenv("RESOURCE_PORTAL_USER", SIMPLE)
    yield {**shop.case.settings, "user": "portal", "password": "env:RESOURCE_PORTAL_USER"}
    shop.execute("DROP USER portal@'%'")


def take(shop: Shop, settings: Settings) -> StoredArtefact:
    with ArtefactWriter(shop.store, "by-user", kind=MYSQL.kind, header={}) as writer:
        return StoredArtefact(shop.store, "by-user", writer.finish(MYSQL.take(settings, writer, quiet)))


def test_the_documented_user_takes_restores_swaps_and_undoes(shop: Shop, portal: Settings) -> None:
    assert MYSQL.check(portal).sentence
    before = shop.case.snapshot(shop.name)
    artefact = take(shop, portal)
    shop.case.mutate()
    newer = shop.case.snapshot(shop.name)
    place = MYSQL.place(portal, "t-1", Mode.IN_PLACE)
    said = MYSQL.preflight(portal, place, Mode.IN_PLACE, artefact, shop.workdir())
    assert "Views, routines, triggers and events will act in whose name they did." in said
    MYSQL.restore(portal, place, artefact, shop.workdir(), quiet)
    MYSQL.verify(portal, place, artefact, quiet)
    place = MYSQL.identify(portal, place)
    MYSQL.swap(portal, place)
    assert MYSQL.health(portal, place)
    assert shop.case.snapshot(shop.name) == before
    assert shop.case.snapshot(place.kept) == newer
    MYSQL.swap_back(portal, place)
    assert MYSQL.standing(portal, place) is Standing.ORIGINAL
    assert shop.case.snapshot(shop.name) == newer
    MYSQL.discard(portal, place, place.beside)
    assert not shop.case.exists(place.beside)


@pytest.mark.parametrize(
    ("right", "words"),
    [
        ("SELECT", "lacks SELECT"),
        ("SHOW VIEW", "lacks SHOW VIEW"),
        ("TRIGGER", "lacks TRIGGER"),
        ("EVENT", "lacks EVENT"),
        ("LOCK TABLES", "lacks LOCK TABLES"),
    ],
)
def test_a_backup_without_a_right_is_refused_by_name(shop: Shop, portal: Settings, right: str, words: str) -> None:
    shop.execute(f"REVOKE {right} ON `{shop.name}`.* FROM portal@'%'")
    for verb in (lambda: MYSQL.check(portal), lambda: take(shop, portal)):
        with pytest.raises(DriverError, match=words) as refused:
            verb()
        assert refused.value.setting == "user"
        assert not isinstance(refused.value, NotFound)
    assert shop.objects() == []


def test_routines_that_cannot_be_read_are_not_left_out(shop: Shop, portal: Settings) -> None:
    shop.execute("REVOKE SELECT ON mysql.proc FROM portal@'%'")
    for verb in (lambda: MYSQL.check(portal), lambda: take(shop, portal)):
        with pytest.raises(DriverError, match="function twice.*not what it does"):
            verb()


def test_a_restore_without_a_right_is_refused_with_the_statement_that_gives_it(shop: Shop, portal: Settings) -> None:
    artefact = take(shop, portal)
    pattern = f"{shop.name}\\_restore\\_%"
    shop.execute(f"REVOKE CREATE, ALTER ROUTINE ON `{pattern}`.* FROM portal@'%'")
    place = MYSQL.place(portal, "t-2", Mode.IN_PLACE)
    with pytest.raises(DriverError) as refused:
        MYSQL.preflight(portal, place, Mode.IN_PLACE, artefact, shop.workdir())
    statement = f"GRANT CREATE, ALTER ROUTINE ON `{pattern}`.* TO portal"
    assert statement in refused.value.sentence
    shop.execute(f"{statement}@'%'")
    assert MYSQL.preflight(portal, place, Mode.IN_PLACE, artefact, shop.workdir())


def test_without_set_user_a_restore_works_beside_and_says_in_whose_name(shop: Shop, portal: Settings) -> None:
    artefact = take(shop, portal)
    shop.execute("REVOKE SET USER ON *.* FROM portal@'%'")
    with pytest.raises(DriverError, match="SET USER"):
        MYSQL.preflight(portal, MYSQL.place(portal, "t", Mode.IN_PLACE), Mode.IN_PLACE, artefact, shop.workdir())
    place = MYSQL.place(portal, "t-3", Mode.BESIDE)
    said = MYSQL.preflight(portal, place, Mode.BESIDE, artefact, shop.workdir())
    assert any("they will act in the name of portal" in sentence for sentence in said)
    MYSQL.restore(portal, place, artefact, shop.workdir(), quiet)
    assert MYSQL.verify(portal, place, artefact, quiet).sentence
    query = f"SELECT DISTINCT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '{place.beside}'"
    assert shop.case.server.rows(query) == [("portal@%",)]


def test_definers_that_are_gone_are_named(shop: Shop) -> None:
    shop.execute("CREATE USER gone@'%'; CREATE DEFINER = gone@'%' PROCEDURE of_gone() SELECT 1; DROP USER gone@'%'")
    artefact = shop.take()
    place = shop.place()
    said = MYSQL.preflight(shop.case.settings, place, Mode.IN_PLACE, artefact, shop.workdir())
    assert any("no account gone@%" in sentence for sentence in said)
    assert MYSQL.health(shop.case.settings, _swapped(shop, artefact))


def _swapped(shop: Shop, artefact: StoredArtefact) -> Place:
    place = shop.ready(artefact)
    MYSQL.swap(shop.case.settings, place)
    return place


def test_the_password_shows_nowhere(shop: Shop) -> None:
    """Of a running dump: neither in its arguments, nor in its environment; and it works with an awkward one."""
    assert any(sign in PASSWORD for sign in '"\\#')
    shop.case.grow(4)
    seen: list[str] = []

    def look(bytes_done: int, bytes_expected: int | None = None) -> None:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (process / "cmdline").read_bytes()
                if b"defaults-file=/dev/fd/" in arguments:
                    seen.append((arguments + (process / "environ").read_bytes()).decode("utf-8", "replace"))
            except OSError:
                continue

    with ArtefactWriter(shop.store, "looked", kind=MYSQL.kind, header={}) as writer:
        writer.finish(MYSQL.take(shop.case.settings, writer, look))
    assert seen
    assert not any("S3cret" in text for text in seen)


ADDED = (
    "CREATE TRIGGER audited BEFORE UPDATE ON orders FOR EACH ROW SET NEW.ref = upper(NEW.ref);"
    "CREATE EVENT busy ON SCHEDULE EVERY 1 DAY DO DELETE FROM audit"
)


@pytest.fixture
def confined(shop: Shop, portal: Settings) -> Settings:
    """The page's user without SET USER, of a database in which nothing acts in another's name."""
    shop.case.lose()
    shop.case.server.create_database(shop.name)
    shop.execute("CREATE TABLE orders (id INT PRIMARY KEY, ref VARCHAR(20)); INSERT INTO orders VALUES (1, 'old');"
                 "CREATE TABLE audit (what INT); REVOKE SET USER ON *.* FROM portal@'%'")  # fmt: skip
    return portal


def ready(shop: Shop, settings: Settings, artefact: StoredArtefact) -> Place:
    place = MYSQL.place(settings, "t-9", Mode.IN_PLACE)
    MYSQL.restore(settings, place, artefact, shop.workdir(), quiet)
    MYSQL.verify(settings, place, artefact, quiet)
    return MYSQL.identify(settings, place)


def test_what_somebody_else_added_since_the_backup_is_not_lost_by_a_swap(shop: Shop, confined: Settings) -> None:
    """The user could take it off, but not make it again: so it is not taken off."""
    artefact = take(shop, confined)
    place = ready(shop, confined, artefact)
    shop.execute(ADDED)
    newer = shop.case.snapshot(shop.name)
    for verb in (
        lambda: MYSQL.preflight(
            confined, MYSQL.place(confined, "t-8", Mode.IN_PLACE), Mode.IN_PLACE, artefact, shop.workdir()
        ),
        lambda: MYSQL.swap(confined, place),
    ):
        with pytest.raises(DriverError, match=r"trigger audited, event busy.*root@.*SET USER") as refused:
            verb()
        assert refused.value.setting == "user"
        assert MYSQL.standing(confined, place) is Standing.ORIGINAL
        assert shop.case.snapshot(shop.name) == newer
    shop.execute("GRANT SET USER ON *.* TO portal@'%'")
    MYSQL.swap(confined, place)
    MYSQL.swap_back(confined, place)
    assert shop.case.snapshot(shop.name) == newer


def test_what_somebody_else_added_to_the_restored_one_is_not_lost_by_an_undo(shop: Shop, confined: Settings) -> None:
    place = ready(shop, confined, take(shop, confined))
    MYSQL.swap(confined, place)
    shop.execute(ADDED)
    newer = shop.case.snapshot(shop.name)
    with pytest.raises(DriverError, match=r"trigger audited, event busy"):
        MYSQL.swap_back(confined, place)
    assert MYSQL.standing(confined, place) is Standing.RESTORED
    assert shop.case.snapshot(shop.name) == newer


def test_a_trigger_that_the_binary_log_would_forbid_to_make_again_is_not_taken_off(
    shop: Shop, confined: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server that asks for trust; it is asked the same question as by a real one with a binary log."""
    artefact = take(shop, confined)
    place = ready(shop, confined, artefact)
    shop.execute("CREATE DEFINER = portal@'%' TRIGGER audited BEFORE UPDATE ON orders FOR EACH ROW SET NEW.ref = 'x'")
    asked = survey.one
    monkeypatch.setattr(rights, "one", lambda of, query, *more: 1 if "@@log_bin" in query else asked(of, query, *more))
    with pytest.raises(DriverError, match="log_bin_trust_function_creators"):
        MYSQL.swap(confined, place)
    other = MYSQL.place(confined, "t-8", Mode.IN_PLACE)
    with pytest.raises(DriverError, match="log_bin_trust_function_creators"):
        MYSQL.preflight(confined, other, Mode.IN_PLACE, artefact, shop.workdir())
    assert shop.case.server.rows("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_NAME = 'audited'")


def test_what_could_not_be_put_back_is_said(shop: Shop, confined: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right that goes between the first look and the exchange: what is missing is named, and comes back with it."""
    place = ready(shop, confined, take(shop, confined))
    shop.execute(ADDED)
    newer = shop.case.snapshot(shop.name)
    monkeypatch.setattr(rights, "may_define", lambda *_: True)
    monkeypatch.setitem(target._SESSION, "lock_wait_timeout", "1")
    with closing(shop.case.server.connect(database=shop.name)) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT count(*) FROM audit")
        with pytest.raises(
            DriverError, match=r"could not be taken back or finished: .* lacks a right .* still lacks event busy"
        ) as half:
            MYSQL.swap(confined, place)
        cursor.execute("COMMIT")
    assert half.value.setting == "user"
    assert not half.value.retry
    assert "1205" in half.value.detail
    assert "1227" in half.value.detail
    shop.execute("GRANT SET USER ON *.* TO portal@'%'")
    assert MYSQL.standing(confined, place) is Standing.ORIGINAL
    assert shop.case.snapshot(shop.name) == newer
