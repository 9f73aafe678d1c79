"""Exchanging database instances: two renamings that may take long or break, what is protected, and what is never removed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from backups.drivers.base import DriverError, NotFound, Place, Standing, StillWorking
from tests.drivers import aws
from tests.drivers.aws import answered
from tests.drivers.case import until_done
from tests.drivers.cases.rds import NAME
from tests.drivers.contract.bench import Bench
from tests.drivers.rdsbench import altered, bench, case_of, noted, put, refusal

pytestmark = pytest.mark.slow  # a simulated AWS in detail

__all__ = ["bench"]


def exchanged(bench: Bench) -> Place:
    """After a restore in place."""
    place = bench.ready(bench.take())
    until_done(lambda: bench.case.driver.swap(bench.case.settings, place))
    return place


def test_ids_tell_which_is_which_whatever_they_are_called(bench: Bench) -> None:
    case = case_of(bench)
    original = case.the(NAME)["DbiResourceId"]
    place = exchanged(bench)
    assert place.identity == {"original": original, "restored": case.the(NAME)["DbiResourceId"]}
    assert case.the(place.kept)["DbiResourceId"] == original
    case.lose()
    case.rds.modify_db_instance(DBInstanceIdentifier=place.kept, NewDBInstanceIdentifier=NAME, ApplyImmediately=True)
    assert case.driver.standing(case.settings, place) is Standing.ORIGINAL


@pytest.mark.parametrize("protected", [True, False])
def test_the_kept_original_is_protected_and_the_live_one_as_the_original_was(bench: Bench, protected: bool) -> None:
    case = case_of(bench)
    case.rds.modify_db_instance(DBInstanceIdentifier=NAME, DeletionProtection=protected, ApplyImmediately=True)
    place = exchanged(bench)
    kept, live = case.the(place.kept), case.the(NAME)
    assert (kept["DeletionProtection"], live["DeletionProtection"]) == (True, protected)
    assert case.tags(place.kept)["haas:restore"] == place.kept
    assert not [key for key in case.tags(NAME) if key.startswith("haas:")], "what is live is not marked as removable"
    until_done(lambda: case.driver.swap_back(case.settings, place))
    assert case.the(NAME)["DeletionProtection"] is protected
    assert case.the(place.beside)["DeletionProtection"] is True
    assert case.tags(place.beside)["haas:restore"] == place.beside
    assert not [key for key in case.tags(NAME) if key.startswith("haas:")]
    case.driver.discard(case.settings, place, place.beside)
    assert case.names() == {NAME}


def test_where_nothing_had_the_name_the_backup_says_whether_it_is_protected(bench: Bench) -> None:
    case, artefact = case_of(bench), bench.take()
    case.lose()
    place = bench.ready(artefact)
    case.rds.modify_db_instance(DBInstanceIdentifier=place.beside, DeletionProtection=False, ApplyImmediately=True)
    until_done(lambda: case.driver.swap(case.settings, place))
    assert case.the(NAME)["DeletionProtection"] is True


@pytest.mark.parametrize("way_on", ["swap", "swap_back"])
def test_an_exchange_that_breaks_between_the_renamings_has_both_ways(bench: Bench, way_on: str) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    artefact = bench.take()
    case.mutate()
    newer = case.snapshot(NAME)
    place = bench.ready(artefact)
    with (
        answered("rds", "ModifyDBInstance", refusal("InvalidDBInstanceState", passes=1)),
        pytest.raises(DriverError) as broken,
    ):
        driver.swap(settings, place)
    assert broken.value.retry
    assert not case.exists(NAME)
    assert driver.standing(settings, place) is Standing.NOTHING
    for name in (place.kept, place.beside):
        with pytest.raises(DriverError, match="No instance is called shop-db now, so none was removed. IT has to look"):
            driver.discard(settings, place, name)
    with pytest.raises(NotFound):
        driver.check(settings)
    until_done(lambda: getattr(driver, way_on)(settings, place))
    assert case.snapshot(place.kept if way_on == "swap" else NAME) == newer
    assert driver.standing(settings, place) is (Standing.RESTORED if way_on == "swap" else Standing.ORIGINAL)


def test_refused_rights_in_the_middle_are_waited_for(bench: Bench) -> None:
    driver, settings = bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    for operation in ("ModifyDBInstance", "AddTagsToResource", "DescribeDBInstances"):
        with answered("rds", operation, refusal("AccessDenied", 403)), pytest.raises(DriverError) as refused:
            driver.swap(settings, place)
        assert refused.value.retry
    assert driver.standing(settings, place) is Standing.ORIGINAL
    until_done(lambda: driver.swap(settings, place))


def test_an_instance_that_is_being_renamed_counts_as_what_it_becomes(bench: Bench) -> None:
    """RDS takes minutes; moto none. So the call is answered here, and what RDS tells meanwhile is put into its answers."""
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    sent: list[str] = []

    def accepted(request: Any, **_: Any) -> AWSResponse:
        sent.append(str(request.body))
        body = (
            '<ModifyDBInstanceResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><ModifyDBInstanceResult>'
            f"<DBInstance><DBInstanceIdentifier>{NAME}</DBInstanceIdentifier></DBInstance></ModifyDBInstanceResult>"
            "</ModifyDBInstanceResponse>"
        )
        return AWSResponse(request.url, 200, {}, aws.body_of(body))

    def renaming(parsed: dict[str, Any]) -> None:
        for one in parsed.get("DBInstances", ()):
            if sent and one["DbiResourceId"] == place.identity["original"]:
                one["DBInstanceStatus"] = "renaming"
                one["PendingModifiedValues"] = {"DBInstanceIdentifier": place.kept}

    with answered("rds", "ModifyDBInstance", accepted), altered("DescribeDBInstances", renaming):
        for _ in range(3):
            with pytest.raises(StillWorking, match=f"RDS renames shop-db to {place.kept}"):
                driver.swap(settings, place)
            assert driver.standing(settings, place) is Standing.NOTHING, "it is on its way out"
        assert len(sent) == 1
        with pytest.raises(StillWorking):
            driver.swap_back(settings, place)
    assert len(sent) == 1
    assert f"NewDBInstanceIdentifier={place.kept}" in sent[0] and "ApplyImmediately=true" in sent[0]
    assert "DeletionProtection=true" in sent[0]
    until_done(lambda: driver.swap(settings, place))
    put("databases", status="rebooting")
    with pytest.raises(StillWorking, match="gives the instance .* the name shop-db"):
        driver.swap(settings, place)
    with pytest.raises(StillWorking, match="is rebooting"):
        driver.health(settings, place)
    assert driver.standing(settings, place) is Standing.RESTORED
    assert case.names() == {NAME, place.kept}


def test_the_live_one_keeps_its_name_while_the_restored_one_is_not_ready(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    with aws.rows("rds") as backend:
        backend.databases[place.beside].status = "backing-up"
    with pytest.raises(StillWorking, match="is backing-up. It can be renamed after that"):
        driver.swap(settings, place)
    assert case.names() == {NAME, place.beside}
    assert not [key for key in case.tags(NAME) if key.startswith("haas:")]


def test_somebody_elses_instance_under_the_name_is_never_touched(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = exchanged(bench)
    case.rds.modify_db_instance(DBInstanceIdentifier=NAME, NewDBInstanceIdentifier="moved", ApplyImmediately=True)
    case.rds.create_db_instance(DBInstanceIdentifier="stranger", DBInstanceClass="db.t3.micro", Engine="mysql")
    case.rds.modify_db_instance(DBInstanceIdentifier="stranger", NewDBInstanceIdentifier=NAME, ApplyImmediately=True)
    assert driver.standing(settings, place) is Standing.UNKNOWN
    for verb in (driver.swap, driver.swap_back):
        with pytest.raises(DriverError, match="Another instance is called shop-db now") as refused:
            verb(settings, place)
        assert not refused.value.retry
    with pytest.raises(DriverError, match="is not what was restored"):
        driver.health(settings, place)
    assert case.names() == {NAME, "moved", place.kept}


def test_what_is_to_be_live_and_is_gone_is_given_up_and_nothing_touched(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    driver.discard(settings, place, place.beside)
    with pytest.raises(
        DriverError, match="does not show the instance that is to be .* so nothing was touched"
    ) as refused:
        driver.swap(settings, place)
    assert not refused.value.retry
    assert case.names() == {NAME}


def test_what_an_earlier_restore_kept_goes_after_a_later_one(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    artefact, places = bench.take(), []
    for _ in range(2):
        places.append(bench.ready(artefact))
        until_done(lambda: driver.swap(settings, places[-1]))
    first, second = places
    assert driver.standing(settings, first) is Standing.UNKNOWN
    driver.discard(settings, first, first.kept)
    driver.discard(settings, first, first.beside)
    assert case.names() == {NAME, second.kept}
    assert driver.standing(settings, second) is Standing.RESTORED


def test_only_what_bears_this_restores_tag_and_id_is_removed(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = exchanged(bench)
    asked: list[dict[str, Any]] = []
    with pytest.raises(DriverError, match="is not a name of this restore"):
        driver.discard(settings, place, NAME)
    other = Place(place.live, place.beside, place.kept, {**place.identity, "original": "db-OTHER"})
    with pytest.raises(DriverError, match="is not the one of this restore"):
        driver.discard(settings, other, place.kept)
    arn = case.the(place.kept)["DBInstanceArn"]
    case.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["haas:restore"])
    with pytest.raises(DriverError, match="is not of this restore"):
        driver.discard(settings, place, place.kept)
    case.tag(place.kept, "haas:restore", place.kept)
    with noted("DeleteDBInstance", asked):
        for _ in range(2):
            driver.discard(settings, place, place.kept)
    assert asked == [{"DBInstanceIdentifier": place.kept, "SkipFinalSnapshot": True, "DeleteAutomatedBackups": True}]
    assert case.names() == {NAME}


def test_an_original_with_replicas_is_not_removed_from_under_them(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    case.rds.create_db_instance_read_replica(DBInstanceIdentifier="shop-replica", SourceDBInstanceIdentifier=NAME)
    with aws.rows("rds") as backend:  # moto gives a replica its source's id
        backend.databases["shop-replica"].dbi_resource_id = "db-REPLICA"
    until_done(lambda: driver.swap(settings, place))
    with pytest.raises(DriverError, match=r"has read replicas \(shop-replica\)") as refused:
        driver.discard(settings, place, place.kept)
    assert refused.value.retry
    assert case.exists(place.kept)


def test_writers_are_not_said_to_be_kept_off(bench: Bench) -> None:
    place = bench.ready(bench.take())
    assert not bench.case.driver.stops_writers
    assert "cannot keep applications off" in bench.case.driver.stop_writers(bench.case.settings, place)
