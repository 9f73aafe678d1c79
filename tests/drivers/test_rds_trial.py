"""Restored instances that are only tried out: taken off the internet, and built in a region where their original never was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backups.artefacts import StoredArtefact
from backups.drivers.base import DriverError, Mode, NotAsBackedUp
from tests.drivers import aws, rdsbench
from tests.drivers.case import until_done
from tests.drivers.cases.rds import NAME
from tests.drivers.contract.bench import PREFIX, Bench, quiet
from tests.drivers.rdsbench import case_of, noted, refusal

bench = rdsbench.bench
TOKEN = "cu-7-1203-ff9db6"


def test_one_that_was_public_is_taken_off_the_internet_and_not_missed(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    case.rds.modify_db_instance(DBInstanceIdentifier=NAME, PubliclyAccessible=True, ApplyImmediately=True)
    artefact, place = bench.take(), driver.place(settings, TOKEN, Mode.BESIDE)
    bench.restore(place, artefact)
    assert case.the(place.beside)["PubliclyAccessible"]
    assert "off the internet" not in driver.verify(settings, place, artefact, quiet).sentence
    for _ in range(2):
        said = until_done(lambda: driver.neutralise(settings, place))
        assert "The original can be reached from the internet; this one cannot." in said
        assert not case.the(place.beside)["PubliclyAccessible"]
        assert (
            "It was taken off the internet, unlike the original."
            in driver.verify(settings, place, artefact, quiet).sentence
        )
    assert case.the(NAME)["PubliclyAccessible"]
    case.tag(place.beside, "haas:restore", "haas-rr-1-1-abcdef")
    with pytest.raises(DriverError, match="not of this restore"):
        driver.neutralise(settings, place)


def test_one_that_is_not_public_though_the_original_was_differs_unless_the_portal_has_closed_it(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    case.rds.modify_db_instance(DBInstanceIdentifier=NAME, PubliclyAccessible=True, ApplyImmediately=True)
    artefact, place = bench.take(), driver.place(settings, TOKEN, Mode.BESIDE)
    bench.restore(place, artefact)
    case.rds.modify_db_instance(DBInstanceIdentifier=place.beside, PubliclyAccessible=False, ApplyImmediately=True)
    with pytest.raises(NotAsBackedUp) as differs:
        driver.verify(settings, place, artefact, quiet)
    assert "public: False instead of True" in differs.value.detail


def test_where_the_original_never_was_it_is_made_of_what_is_there_and_that_is_said(
    bench: Bench, tmp_path: Path
) -> None:
    public: dict[str, Any] = {"DBInstanceIdentifier": NAME, "PubliclyAccessible": True, "ApplyImmediately": True}
    case_of(bench).rds.modify_db_instance(**public)
    driver, keeper, artefact = bench.case.driver, bench.case.driver.kept, bench.take()
    assert keeper is not None and artefact.kept is not None
    kept = artefact.kept
    away = until_done(lambda: keeper.copy(bench.case.settings, kept, aws.AWAY, "r/copy", quiet))
    copy = StoredArtefact(bench.store, PREFIX, artefact.info, away)
    settings = driver.trial_settings(bench.case.settings, away)
    place = driver.place(settings, TOKEN, Mode.BESIDE)
    sentence = (
        "In eu-west-1 it is tried out as RDS makes it there by itself, without the original's option group, parameter group,"
        " security groups, subnet group."
    )
    assert sentence in driver.preflight(settings, place, Mode.BESIDE, copy, tmp_path)
    with (
        aws.answered("rds", "RestoreDBInstanceFromDBSnapshot", refusal("InvalidSubnet", words="No default subnet.")),
        pytest.raises(
            DriverError, match="in eu-west-1, where it has never been, so .* only known that it is present"
        ) as no,
    ):
        driver.restore(settings, place, copy, tmp_path, quiet)
    assert not no.value.retry
    calls: list[dict[str, object]] = []
    with noted("RestoreDBInstanceFromDBSnapshot", calls):
        until_done(lambda: driver.restore(settings, place, copy, tmp_path, quiet))
    assert not {"DBSubnetGroupName", "VpcSecurityGroupIds", "DBParameterGroupName", "OptionGroupName"} & calls[0].keys()
    assert calls[0]["PubliclyAccessible"] is False
    verified = driver.verify(settings, place, copy, quiet)
    assert sentence in verified.sentence
    assert verified.compared["properties"] < 40
    driver.discard(settings, place, place.beside)
