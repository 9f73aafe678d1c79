"""What only machines and volumes have: snapshots that are made once, exchanges that break, and what is refused early."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backups.artefacts import ArtefactWriter, StoredArtefact
from backups.aws import tags
from backups.aws.accounts import AwsRegion
from backups.drivers.base import DriverError, Mode, Standing, StillWorking
from backups.drivers.ec2 import Ec2Driver
from backups.drivers.provider import KeptAt
from tests.drivers import aws
from tests.drivers.aws import answered, before_each_step, refusal
from tests.drivers.case import until_done
from tests.drivers.cases import factories
from tests.drivers.cases.ec2 import Ec2Case
from tests.drivers.child import Job, run
from tests.drivers.contract.bench import Bench, quiet
from tests.drivers.rooms import prepared

pytestmark = pytest.mark.slow  # a simulated AWS in detail; the contract suite asks it every day


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "scratch").mkdir()
    with factories()["ec2"](tmp_path) as case:
        yield Bench(case, prepared("here", tmp_path / "store"), tmp_path / "scratch")


MARKS = {tags.RESTORE, tags.GOES}


def case_of(bench: Bench) -> Ec2Case:
    assert isinstance(bench.case, Ec2Case)
    return bench.case


def snapshots(region: str = aws.HOME) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("ec2", region).describe_snapshots(OwnerIds=["self"])["Snapshots"]
    return found


@pytest.mark.slow
def test_a_take_that_is_killed_anywhere_and_begun_again_makes_each_snapshot_once(bench: Bench) -> None:
    job = Job("take", bench.case.driver, dict(bench.case.settings), bench.store, before_each_step=before_each_step)
    status, step = -9, 0
    while status == -9:
        step += 1
        for one in snapshots():
            case_of(bench).ec2.delete_snapshot(SnapshotId=one["SnapshotId"])
        status = run(replace(job, die_at_step=step))
        artefact = bench.take()
        assert len(snapshots()) == 3
        assert artefact.kept is not None
        assert sorted(artefact.kept.parts) == ["/dev/sda1", "/dev/sdf", "/dev/sdg"]
        devices = {one["SnapshotId"]: one["VolumeId"] for one in snapshots()}
        assert {part: case_of(bench).noted[devices[name]] for part, name in artefact.kept.parts.items()} == {
            part: part for part in artefact.kept.parts
        }
    assert status == 0
    assert step > 4


def test_all_volumes_are_taken_by_one_call(bench: Bench) -> None:
    """So that they are of one moment."""
    called: list[str] = []
    with answered("ec2", "*", lambda request, event_name, **_: called.append(event_name.rpartition(".")[2])):
        bench.take()
    assert [name for name in called if name.startswith("CreateSnapshot")] == ["CreateSnapshots"]


def test_copies_are_made_once_and_encrypted_with_the_key_of_their_region(bench: Bench) -> None:
    kept = bench.take().kept
    assert kept is not None
    key = aws.client("kms", aws.AWAY).create_key()["KeyMetadata"]["KeyId"]
    account = replace(aws.ACCOUNT, regions={**aws.ACCOUNT.regions, aws.AWAY: AwsRegion(aws.AWAY, key)})
    driver = Ec2Driver(aws.KnownAccounts({"hosting": account}))
    for _ in range(2):
        there = until_done(lambda: driver.kept.copy(bench.case.settings, kept, aws.AWAY, "r/b-2", quiet))
    copies = snapshots(aws.AWAY)
    assert {one["SnapshotId"] for one in copies} == set(there.parts.values())
    assert len(copies) == 3
    assert all(one["Encrypted"] and one["KmsKeyId"].endswith(key) for one in copies)
    driver.kept.check(bench.case.settings, there)
    for _ in range(2):
        driver.kept.delete(bench.case.settings, aws.AWAY, "r/b-2", there)
    assert snapshots(aws.AWAY) == []
    assert len(snapshots()) == 3


def test_more_copies_than_aws_makes_at_a_time_wait(bench: Bench) -> None:
    kept = bench.take().kept
    assert kept is not None
    copy = bench.case.driver.kept
    assert copy is not None
    with answered("ec2", "CopySnapshot", refusal("ResourceLimitExceeded", 400)), pytest.raises(StillWorking) as waits:
        copy.copy(bench.case.settings, kept, aws.AWAY, "r/b-3", quiet)
    assert "as many snapshots to eu-west-1 as it does at a time" in waits.value.sentence
    assert waits.value.again_in > 60


@pytest.mark.parametrize(
    ("code", "status", "said", "retry"),
    [
        ("RequestLimitExceeded", 503, "asks the account hosting to call more slowly", True),
        ("UnauthorizedOperation", 403, "does not let the portal call ec2:DescribeInstances", False),
        ("AuthFailure", 401, "does not know the portal's credentials", False),
        ("InternalError", 500, "AWS has trouble in eu-central-1", True),
        ("SnapshotLimitExceeded", 400, "has reached a limit of its own", True),
        ("SomethingNew", 400, "AWS refused what the portal asked for", False),
    ],
)
def test_what_aws_says_in_words(bench: Bench, code: str, status: int, said: str, retry: bool) -> None:
    with answered("ec2", "DescribeInstances", refusal(code, status)), pytest.raises(DriverError) as refused:
        bench.case.driver.check(bench.case.settings)
    assert said in refused.value.sentence
    assert refused.value.retry is retry
    assert code in refused.value.detail


def test_what_passes_is_tried_again_at_once(bench: Bench) -> None:
    with answered("ec2", "DescribeInstances", refusal("RequestLimitExceeded", 503, times=1)):
        assert bench.case.driver.check(bench.case.settings).sentence.startswith("Machine web-1")


@pytest.mark.parametrize("broken", ["StopInstances", "DetachVolume", "AttachVolume"])
def test_an_exchange_that_breaks_can_be_taken_back_and_finished(bench: Bench, broken: str) -> None:
    case, driver, settings = bench.case, bench.case.driver, bench.case.settings
    artefact = bench.take()
    case.mutate()
    place = bench.ready(artefact)
    newer = case.snapshot(place.live)
    passes = 2 if broken != "StopInstances" else 0

    def breaks(request: Any, **more: Any) -> Any:
        nonlocal passes
        passes -= 1
        return None if passes >= 0 else refusal("IncorrectState", 400)(request, **more)

    for way_on in ("swap_back", "swap"):
        with answered("ec2", broken, breaks), pytest.raises(DriverError):
            driver.swap(settings, place)
        standing = driver.standing(settings, place)
        assert standing is (Standing.ORIGINAL if broken == "StopInstances" else Standing.NOTHING)
        until_done(lambda: getattr(driver, way_on)(settings, place))  # noqa: B023
        passes = 2 if broken != "StopInstances" else 0
    until_done(lambda: driver.resume_writers(settings, place))
    assert driver.standing(settings, place) is Standing.RESTORED
    assert case.snapshot(place.kept) == newer
    assert state(bench) == "running"


def state(bench: Bench) -> str:
    found = case_of(bench).ec2.describe_instances(InstanceIds=[case_of(bench).machine])
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


def test_a_machine_that_stood_still_is_not_started(bench: Bench) -> None:
    case_of(bench).ec2.stop_instances(InstanceIds=[case_of(bench).machine])
    driver, settings = bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    driver.stop_writers(settings, place)
    until_done(lambda: driver.swap(settings, place))
    driver.resume_writers(settings, place)
    assert state(bench) == "stopped"


def test_somebody_elses_volume_is_never_taken_off(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    [old] = [one for one in case.of(place.live) if case.device(one) == "/dev/sdf"]
    case.ec2.detach_volume(VolumeId=old["VolumeId"], InstanceId=case.machine)
    strange = case.ec2.create_volume(AvailabilityZone=f"{aws.HOME}a", Size=1)["VolumeId"]
    case.ec2.attach_volume(VolumeId=strange, InstanceId=case.machine, Device="/dev/sdf")
    case.noted[strange] = "/dev/sdf"
    assert driver.standing(settings, place) is Standing.UNKNOWN
    for verb in (driver.swap, driver.swap_back):
        with pytest.raises(DriverError, match=strange):
            verb(settings, place)
    driver.discard(settings, place, place.kept)
    assert {one["VolumeId"] for one in case.of(place.live)} >= {strange}
    case.ec2.describe_volumes(VolumeIds=[old["VolumeId"]])  # still there: it was never ours to remove
    assert state(bench) == "running"


def test_what_an_earlier_restore_kept_goes_after_a_later_one_and_nothing_goes_in_the_middle(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    artefact = bench.take()
    places = []
    for _ in range(2):
        place = bench.ready(artefact)
        until_done(lambda: driver.swap(settings, place))  # noqa: B023
        places.append(place)
    first, second = places
    assert driver.standing(settings, first) is Standing.UNKNOWN
    originals = {one["VolumeId"] for one in case.of(first.kept)}
    assert len(originals) == 3
    [gone] = [one["VolumeId"] for one in case.of(first.live) if case.device(one) == "/dev/sdf"]
    case.ec2.detach_volume(VolumeId=gone, InstanceId=case.machine)
    for place in places:  # as in the middle of an exchange
        for name in (place.beside, place.kept):
            with pytest.raises(DriverError, match="Volumes are missing at the machine"):
                driver.discard(settings, place, name)
    case.ec2.attach_volume(VolumeId=gone, InstanceId=case.machine, Device="/dev/sdf")
    driver.discard(settings, first, first.kept)
    driver.discard(settings, first, first.beside)
    assert not case.of(first.kept)
    assert len(case.of(second.kept)) == 3, "what the later one kept stays"
    assert len(case.of(first.live)) == 3


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"Tags": [{"Key": "aws:autoscaling:groupName", "Value": "web"}]}, "belongs to the Auto Scaling group web"),
        ({"InstanceLifecycle": "spot"}, "is a spot instance"),
        ({"RootDeviceType": "instance-store"}, "is not an EBS volume"),
    ],
)
def test_machines_that_cannot_be_stopped_are_refused_in_place(bench: Bench, made: dict[str, Any], said: str) -> None:
    driver, settings, place = bench.case.driver, bench.case.settings, bench.place()
    artefact = bench.take()

    def altered(parsed: dict[str, Any], **_: Any) -> None:
        for reservation in parsed.get("Reservations", ()):
            for found in reservation["Instances"]:
                found.update(made)

    with answered("ec2", "DescribeInstances", altered, event="after-call"):
        with pytest.raises(DriverError, match=said):
            driver.preflight(settings, place, Mode.IN_PLACE, artefact, bench.workdir())
        assert driver.preflight(settings, place, Mode.BESIDE, artefact, bench.workdir())


def test_a_machine_that_is_terminated_comes_back_beside_alone(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    artefact = bench.take()
    case.ec2.terminate_instances(InstanceIds=[case.machine])
    with pytest.raises(DriverError, match="not there any more, so nothing can be put in its place"):
        driver.preflight(settings, bench.place(), Mode.IN_PLACE, artefact, bench.workdir())
    place = bench.place(Mode.BESIDE)
    driver.preflight(settings, place, Mode.BESIDE, artefact, bench.workdir())
    bench.restore(place, artefact)
    assert driver.verify(settings, place, artefact, quiet).compared == {"volumes": 3, "GiB": 38}


def test_a_copy_elsewhere_is_said_to_be_brought_home_first(bench: Bench) -> None:
    artefact = bench.take()
    artefact.kept = KeptAt(aws.AWAY, {"/dev/sdf": "snap-0123456789abcdef0"})
    with pytest.raises(DriverError, match="The only copy is in eu-west-1"):
        bench.case.driver.preflight(bench.case.settings, bench.place(), Mode.BESIDE, artefact, bench.workdir())


def listed(alter: Any) -> Any:
    """Every answer about snapshots, altered."""
    return answered("ec2", "DescribeSnapshots", lambda parsed, **_: alter(parsed), event="after-call")


def test_a_listing_that_does_not_show_all_snapshots_yet_makes_no_backup(bench: Bench) -> None:
    def one_missing(parsed: dict[str, Any]) -> None:
        del parsed["Snapshots"][2:]

    case = bench.case
    with ArtefactWriter(bench.store, "backup", kind="ec2", header={}) as writer:
        with pytest.raises(StillWorking):
            case.driver.take(case.settings, writer, quiet)
        with listed(one_missing), pytest.raises(StillWorking, match="AWS shows 2 of 3 snapshots"):
            case.driver.take(case.settings, writer, quiet)
        taken = case.driver.take(case.settings, writer, quiet)
    assert taken.summary["volumes"] == 3
    assert len(snapshots()) == 3


def test_snapshots_that_were_made_twice_are_of_no_one_moment(bench: Bench) -> None:
    """The answer to the first call was lost, and what it made was not shown yet."""

    def none_yet(parsed: dict[str, Any]) -> None:
        parsed["Snapshots"].clear()

    case = bench.case
    with ArtefactWriter(bench.store, "backup", kind="ec2", header={}) as writer:
        with pytest.raises(StillWorking):
            case.driver.take(case.settings, writer, quiet)
        with listed(none_yet), pytest.raises(StillWorking):
            case.driver.take(case.settings, writer, quiet)
        assert len(snapshots()) == 6
        with pytest.raises(DriverError, match="more than once, so they are not of one moment") as refused:
            case.driver.take(case.settings, writer, quiet)
    assert refused.value.retry
    assert not isinstance(refused.value, StillWorking)


def test_what_makes_snapshots_is_never_sent_twice(bench: Bench) -> None:
    called: list[str] = []

    def lost(request: Any, event_name: str, **more: Any) -> Any:
        called.append(event_name)
        return refusal("InternalError", 500)(request, **more)

    with answered("ec2", "CreateSnapshots", lost), pytest.raises(StillWorking, match="AWS has trouble"):
        bench.take()
    assert len(called) == 20, "once for each time that the verb was called"


def test_a_machine_that_a_person_has_started_meanwhile_is_started_again(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    case.ec2.create_tags(Resources=[case.machine], Tags=[{"Key": "haas:stopped-for", "Value": "haas-rr-7-1-abcdef"}])
    place = bench.ready(bench.take())
    driver.stop_writers(settings, place)
    until_done(lambda: driver.swap(settings, place))
    until_done(lambda: driver.resume_writers(settings, place))
    assert state(bench) == "running"


def test_a_machine_with_disks_of_its_host_is_not_stopped(bench: Bench) -> None:
    driver, settings, place = bench.case.driver, bench.case.settings, bench.place()
    artefact = bench.take()

    def altered(parsed: dict[str, Any], **_: Any) -> None:
        for one in parsed["InstanceTypes"]:
            one["InstanceStorageSupported"] = True

    with answered("ec2", "DescribeInstanceTypes", altered, event="after-call"):
        with pytest.raises(DriverError, match="has disks of its host, which are empty once it was stopped"):
            driver.preflight(settings, place, Mode.IN_PLACE, artefact, bench.workdir())
        assert driver.preflight(settings, place, Mode.BESIDE, artefact, bench.workdir())


def test_in_the_middle_of_an_exchange_refused_rights_are_waited_for(bench: Bench) -> None:
    """Whoever puts things back must try again: only what is gone is given up."""
    driver, settings = bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    with answered("ec2", "AttachVolume", refusal("UnauthorizedOperation")), pytest.raises(DriverError) as refused:
        driver.swap(settings, place)
    assert refused.value.retry
    with answered("ec2", "DescribeVolumes", refusal("AuthFailure", 401)), pytest.raises(DriverError) as refused:
        driver.swap_back(settings, place)
    assert refused.value.retry
    until_done(lambda: driver.swap_back(settings, place))
    assert driver.standing(settings, place) is Standing.ORIGINAL


def test_a_volume_of_several_machines_is_refused_in_words(bench: Bench) -> None:
    def altered(parsed: dict[str, Any], **_: Any) -> None:
        for one in parsed["Volumes"]:
            one["MultiAttachEnabled"] = one["Size"] == 20

    case = bench.case
    with answered("ec2", "DescribeVolumes", altered, event="after-call"):
        with pytest.raises(DriverError, match="can be attached to several machines at once"):
            case.driver.check(case.settings)
        with pytest.raises(DriverError, match="can be attached to several machines at once"):
            bench.take()
    assert snapshots() == []


def begun(bench: Bench, writer: ArtefactWriter) -> None:
    """The snapshots are made and not complete, and what they are of is noted on them."""
    driver, settings = bench.case.driver, bench.case.settings
    with pytest.raises(StillWorking):
        driver.take(settings, writer, quiet)
    with aws.rows("ec2") as there:
        for one in snapshots():
            there.snapshots[one["SnapshotId"]].status = "pending"
    with pytest.raises(StillWorking, match="AWS makes 3 snapshots"):
        driver.take(settings, writer, quiet)


def test_a_machine_that_is_terminated_while_its_snapshots_complete_has_its_backup(bench: Bench) -> None:
    """They may be the last there is of it."""
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    before = case.snapshot(driver.locator(settings))
    with ArtefactWriter(bench.store, "backup", kind="ec2", header={}) as writer:
        begun(bench, writer)
        case.ec2.terminate_instances(InstanceIds=[case.machine])
        for one in case.ec2.describe_volumes()["Volumes"]:
            case.ec2.delete_volume(VolumeId=one["VolumeId"])
        with aws.rows("ec2") as there:
            for one in snapshots():
                there.snapshots[one["SnapshotId"]].status = "completed"
        taken = driver.take(settings, writer, quiet)
        info = writer.finish(taken)
    assert taken.summary == {"volumes": 3, "GiB": 38}
    assert "The machine was terminated while AWS made the snapshots" in taken.warnings[0]
    artefact = StoredArtefact(bench.store, "backup", info, taken.kept)
    place = bench.place(Mode.BESIDE)
    bench.restore(place, artefact)
    driver.verify(settings, place, artefact, quiet)
    after = case.snapshot(place.beside)
    assert set(after) == set(before)
    assert all(after[device].partition("[")[0] == before[device].partition("[")[0] for device in before), "all but tags"


def test_a_volume_that_aws_took_away_again_is_not_waited_for(bench: Bench) -> None:
    """As where the snapshot's key may not be used. Asked again AWS names the volume that it made the first time."""
    driver, settings, place = bench.case.driver, bench.case.settings, bench.place(Mode.BESIDE)
    artefact = bench.take()

    def long_ago(parsed: dict[str, Any], **_: Any) -> None:
        parsed["CreateTime"] -= timedelta(hours=1)

    made = answered("ec2", "CreateVolume", long_ago, event="after-call")
    with made, pytest.raises(DriverError, match="took it away again") as refused:
        driver.restore(settings, place, artefact, bench.workdir(), quiet)
    assert not refused.value.retry


def test_a_machine_that_does_not_start_is_said_and_the_original_volumes_are_tried(bench: Bench) -> None:
    driver, settings = bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    driver.stop_writers(settings, place)
    until_done(lambda: driver.swap(settings, place))
    fails = True

    def stopped(parsed: dict[str, Any], **_: Any) -> None:
        for one in (one for reservation in parsed["Reservations"] for one in reservation["Instances"]):
            tags = {tag["Key"] for tag in one.get("Tags", ())}
            if fails and "haas:started-with" in tags:
                one["State"]["Name"] = "stopped"
                one["StateReason"] = {"Code": "Client.InternalError", "Message": "Client error on launch"}

    with answered("ec2", "DescribeInstances", stopped, event="after-call"):
        with pytest.raises(StillWorking):
            driver.resume_writers(settings, place)
        with pytest.raises(DriverError, match="stopped again by itself: Client error on launch") as refused:
            driver.resume_writers(settings, place)
        assert not isinstance(refused.value, StillWorking)
        driver.stop_writers(settings, place)
        until_done(lambda: driver.swap_back(settings, place))
        with pytest.raises(StillWorking):
            driver.resume_writers(settings, place)
        fails = False
        until_done(lambda: driver.resume_writers(settings, place))
    assert state(bench) == "running"
    machine = case_of(bench).ec2.describe_instances(InstanceIds=[case_of(bench).machine])["Reservations"][0][
        "Instances"
    ][0]
    assert not [tag for tag in machine["Tags"] if tag["Key"].startswith("haas:")]


def test_what_is_kept_of_a_terminated_machine_goes_when_its_time_is_over(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    until_done(lambda: driver.swap(settings, place))
    assert len(case.of(place.kept)) == 3
    case.ec2.terminate_instances(InstanceIds=[case.machine])
    driver.discard(settings, place, place.kept)
    assert case.of(place.kept) == []


def test_what_is_live_bears_nothing_of_the_restore(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings

    def borne() -> set[str]:
        return {tag["Key"] for one in case.of(place.live) for tag in one.get("Tags", ()) if tag["Key"] in MARKS}

    place = bench.ready(bench.take())
    for verb in (driver.swap, driver.swap_back):
        until_done(lambda verb=verb: verb(settings, place))
        until_done(lambda: driver.resume_writers(settings, place))
        assert borne() == set()


def test_what_is_live_after_an_undo_outlives_its_machine(bench: Bench) -> None:
    """IT replaces the machine within the time that originals are kept: nothing of it is the restore's any more."""
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    until_done(lambda: driver.swap(settings, place))
    until_done(lambda: driver.swap_back(settings, place))
    until_done(lambda: driver.resume_writers(settings, place))
    live = [one["VolumeId"] for one in case.of(place.live)]
    restored = [one["VolumeId"] for one in case.of(place.beside)]
    for volume in live:
        case.ec2.detach_volume(VolumeId=volume, InstanceId=case.machine)
    case.ec2.terminate_instances(InstanceIds=[case.machine])
    for name in (place.kept, place.beside):
        driver.discard(settings, place, name)
    there = {one["VolumeId"] for one in case.ec2.describe_volumes()["Volumes"]}
    assert there >= set(live)
    assert not there & set(restored)


def test_what_is_live_after_a_restore_outlives_its_machine(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    place = bench.ready(bench.take())
    until_done(lambda: driver.swap(settings, place))
    live = [one["VolumeId"] for one in case.of(place.live)]
    for volume in live:
        case.ec2.detach_volume(VolumeId=volume, InstanceId=case.machine)
    case.ec2.terminate_instances(InstanceIds=[case.machine])
    for name in (place.kept, place.beside):
        driver.discard(settings, place, name)
    assert [one["VolumeId"] for one in case.ec2.describe_volumes()["Volumes"] if one["VolumeId"] in live]


def test_a_volume_that_moves_while_its_snapshot_completes_is_described_where_it_was(bench: Bench) -> None:
    case, driver, settings = case_of(bench), bench.case.driver, bench.case.settings
    with ArtefactWriter(bench.store, "backup", kind="ec2", header={}) as writer:
        begun(bench, writer)
        [moved] = [one["VolumeId"] for one in case.of(driver.locator(settings)) if case.device(one) == "/dev/sdf"]
        case.ec2.detach_volume(VolumeId=moved, InstanceId=case.machine)
        case.ec2.attach_volume(VolumeId=moved, InstanceId=case.machine, Device="/dev/sdz")
        with aws.rows("ec2") as there:
            for one in snapshots():
                there.snapshots[one["SnapshotId"]].status = "completed"
        taken = driver.take(settings, writer, quiet)
        info = writer.finish(taken)
    assert not [one for one in taken.warnings if "/dev/sdz" in one]
    artefact = StoredArtefact(bench.store, "backup", info, taken.kept)
    place = bench.place(Mode.BESIDE)
    bench.restore(place, artefact)
    assert driver.verify(settings, place, artefact, quiet).compared == {"volumes": 3, "GiB": 38}


def test_a_snapshot_that_never_shows_is_not_waited_for_for_days(bench: Bench) -> None:
    def one_missing(parsed: dict[str, Any]) -> None:
        del parsed["Snapshots"][2:]
        for one in parsed["Snapshots"]:
            one["StartTime"] -= timedelta(hours=1)

    driver, settings = bench.case.driver, bench.case.settings
    with ArtefactWriter(bench.store, "backup", kind="ec2", header={}) as writer:
        with pytest.raises(StillWorking):
            driver.take(settings, writer, quiet)
        with listed(one_missing), pytest.raises(DriverError, match="AWS has 2 of 3 snapshots") as refused:
            driver.take(settings, writer, quiet)
    assert refused.value.retry
    assert not isinstance(refused.value, StillWorking)
