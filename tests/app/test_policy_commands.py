"""The commands of the policy: what IT does from a shell, and what scripts read."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.serializers import DateTimeField

from backups.actions.copying import copy_to_other_region
from backups.actions.repairing import repair
from backups.actions.retaining import plan_retention
from backups.actions.verifying import verify_copy
from backups.management.commands import verify
from backups.models import Backup, Copy, Finding, Resource, RetentionRun
from portal.days import short_day
from portal.words import company_zone
from tests.app.world import HOME, World, backup_now, days_ago, stored_prefixes
from tests.factories import make_removed


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue().strip()


def judge(history: object, tmp_path: Path) -> dict[str, Any]:
    """By the file, as a script does."""
    file = tmp_path / "history.json"
    file.write_text(history if isinstance(history, str) else json.dumps(history))
    answer: dict[str, Any] = json.loads(run("policy", "plan", "--from-json", str(file)))
    return answer


@pytest.fixture
def old(resource: Resource) -> list[Backup]:
    """Twelve nights, the oldest first."""
    Backup.objects.update(taken_at=days_ago(12))
    made = [resource.backups.get(), *(backup_now(resource, at=days_ago(back)) for back in range(11, 0, -1))]
    copy_to_other_region(resource.pk)
    return made


NOW = "2026-11-23T04:00:00Z"


def night(back: int, **others: Any) -> dict[str, Any]:
    at = datetime(2026, 11, 23, 3, 12, tzinfo=UTC) - timedelta(days=back)
    return {"id": f"n{back}", "taken_at": at.isoformat().replace("+00:00", "Z"), "good": True} | others


def test_a_history_from_a_file_in_its_order(tmp_path: Path) -> None:
    backups = [night(9), night(0), night(1, good=False), night(40, held_until="2026-12-01"), night(8, pinned=True)]
    answer = judge({"now": NOW, "time_zone": "UTC", "backups": backups}, tmp_path)
    assert [one["id"] for one in answer["backups"]] == ["n9", "n0", "n1", "n40", "n8"]
    by_id = {one["id"]: one for one in answer["backups"]}
    assert by_id["n0"] == {"id": "n0", "keep": True, "reasons": ["daily of 23 Nov, 1 of 7"], "until": "2026-11-30"}
    assert by_id["n1"] == {
        "id": "n1", "keep": False, "reasons": ["failed or damaged: it fills no slot"], "until": None
    }  # fmt: skip
    assert by_id["n9"]["reasons"] == ["daily of 14 Nov, 3 of 7", "monthly of Nov"]
    assert by_id["n40"]["reasons"][-1] == "held until 1 Dec"
    assert by_id["n8"]["until"] is None
    assert by_id["n8"]["reasons"][-1] == "pinned by a request"
    assert answer["other_region"] == "n9"


def test_a_removed_resource_from_a_file(tmp_path: Path) -> None:
    history = {"now": NOW, "time_zone": "UTC", "removed_at": "2026-11-20T12:00:00Z", "backups": [night(3), night(4)]}
    answer = judge({**history, "production": True}, tmp_path)
    assert [(one["keep"], one["until"]) for one in answer["backups"]] == [(True, "2027-05-20"), (False, None)]
    assert answer["other_region"] is None
    answer = judge({**history, "production": False}, tmp_path)
    assert not any(one["keep"] for one in answer["backups"])


def test_the_companys_day_decides(tmp_path: Path) -> None:
    late = [night(0, taken_at="2026-11-22T23:30:00Z"), night(1, taken_at="2026-11-22T12:00:00Z")]
    both = judge({"now": NOW, "time_zone": "Europe/Berlin", "backups": late}, tmp_path)
    assert [one["reasons"][0] for one in both["backups"]] == ["daily of 23 Nov, 1 of 7", "daily of 22 Nov, 2 of 7"]


WRONG = {
    "not json": "This is not JSON",
    "[]": "The whole must be an object",
    '{"now": 5, "backups": []}': "“now” is no moment such as",
    '{"now": 0, "backups": []}': "“now” is no moment such as",
    '{"now": "", "backups": []}': "“now” is no moment such as",
    '{"now": "2026-11-23T04:00:00", "backups": []}': "“now” says no zone",
    '{"backups": {}}': "“backups” must be a list",
    '{"backups": [], "daily": 7}': "There is no “daily” in the history",
    '{"backups": [], "time_zone": "Mars/Olympus"}': "There is no time zone",
    '{"backups": [], "time_zone": "../../etc/passwd"}': "There is no time zone",
    '{"backups": [], "time_zone": 7}': "There is no time zone",
    '{"backups": [], "production": "yes"}': "“production” must be true or false",
    '{"backups": [7]}': "Backup 1 must be an object",
    '{"backups": [{"id": "a", "good": true}]}': "Backup 1 has no “taken_at”",
    '{"backups": [{"id": "a", "taken_at": "soon", "good": true}]}': "“taken_at” of backup 1 is no moment",
    '{"backups": [{"id": "a", "taken_at": "2026-11-23T04:00:00", "good": true}]}': "“taken_at” of backup 1 says no zone",
    '{"backups": [{"id": "a", "taken_at": "0001-01-01T00:00:00Z", "good": true}]}': "is out of reach",
    '{"backups": [{"id": "a", "taken_at": "2026-11-23T04:00:00Z", "good": 1}]}': "“good” of backup 1 must be true or false",
    '{"backups": [{"id": "a", "taken_at": "2026-11-23T04:00:00Z", "good": true, "pins": 1}]}': "There is no “pins” in backup 1",
    '{"backups": [{"id": "a", "taken_at": "2026-11-23T04:00:00Z", "good": true, "held_until": "2026-13-01"}]}': "is no day",
    '{"backups": [{"id": "a", "taken_at": "2026-11-23T04:00:00Z", "good": true, "held_until": true}]}': "is no moment",
    '{"backups": [{"id": 1.5, "taken_at": "2026-11-23T04:00:00Z", "good": true}]}': "ids of backups must all be",
    '{"backups": [{"id": "a", "taken_at": "2026-11-23T04:00:00Z", "good": true},'
    ' {"id": 1, "taken_at": "2026-11-23T04:00:00Z", "good": true}]}': "ids of backups must all be",
    '{"backups": [{"id": "a", "taken_at": "2026-11-23T04:00:00Z", "good": true},'
    ' {"id": "a", "taken_at": "2026-11-23T04:00:00Z", "good": true}]}': 'Two backups have the id "a"',
    "[" * 100_000: "This is not JSON",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:40])
def test_what_is_no_history_is_refused_in_words(text: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError) as refused:
        judge(text, tmp_path)
    assert WRONG[text] in str(refused.value)
    assert refused.value.returncode == 2


def test_an_empty_history_and_a_missing_file(tmp_path: Path) -> None:
    assert judge({"backups": []}, tmp_path) == {"backups": [], "other_region": None}
    with pytest.raises(CommandError, match="nowhere.json cannot be read: no such file"):
        run("policy", "plan", "--from-json", "nowhere.json")


def test_judging_a_file_needs_no_portal(tmp_path: Path) -> None:
    """No settings, no database; the answer and the refusal are the command's."""
    history = json.dumps({"now": NOW, "backups": [night(0)]})

    def call(*words: str, given: str = history) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", "policy", "plan", *words]
        return subprocess.run(
            command, input=given, env={"PATH": "/usr/bin:/bin"}, cwd=settings.BASE_DIR, capture_output=True, text=True
        )

    (tmp_path / "history.json").write_text(history)
    for words in (
        ["--from-json", "-"],
        ["--json", "--from-json", "-"],
        [f"--from-json={tmp_path}/history.json", "--json"],
    ):
        assert json.loads(call(*words).stdout)["other_region"] == "n0"
    bad = call("--from-json", "-", given="{}")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "“backups” must be a list" in bad.stderr


@pytest.mark.parametrize(
    ("words", "nights", "read"),
    [
        ("policy plan --from-json", 5000, 20),
        ("policy plan --from-json", 1, 0),
        ("policy plan --json --from-json", 5000, 0),
    ],
)
def test_who_has_read_enough_ends_a_command_quietly(tmp_path: Path, words: str, nights: int, read: int) -> None:
    """As for any program whose pipe is closed: no traceback, and the exit status of that signal in a shell."""
    backups = [night(back % 300, id=f"n{back}") for back in range(nights)]
    (tmp_path / "history.json").write_text(json.dumps({"now": NOW, "backups": backups}))
    command = subprocess.Popen(
        [sys.executable, "manage.py", *words.split(), f"{tmp_path}/history.json"],
        cwd=settings.BASE_DIR,
        env={"PATH": "/usr/bin:/bin"},  # buffered, as on anybody's machine
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None
    command.stdout.read(read)
    command.stdout.close()
    assert command.stderr is not None
    with command.stderr as complaints:
        said = complaints.read()
    assert (command.wait(), said) == (128 + signal.SIGPIPE, b"")


def test_a_file_is_judged_alone() -> None:
    with pytest.raises(CommandError, match="not both") as refused:
        run("policy", "plan", "shop-db", "--from-json", "-")
    assert refused.value.returncode == 2


def test_the_plan_of_what_is_stored(resource: Resource, old: list[Backup]) -> None:
    shown = run("policy", "plan", resource.name)
    assert shown.splitlines()[0] == f"{resource.name} ({resource.pk})"
    assert shown.count("DELETE") == shown.count("its day and its month have passed")
    (told,) = json.loads(run("policy", "plan", "--json"))
    assert [one["id"] for one in told["backups"]] == [backup.pk for backup in old]
    assert told["backups"][-1]["reasons"] == [next(r for r in told["backups"][-1]["reasons"] if "1 of 7" in r)]
    assert told["other_region"] in [backup.pk for backup in old]


def test_the_plan_shows_what_is_kept_of_the_removed(world: World, resource: Resource, old: list[Backup]) -> None:
    Resource.objects.update(
        environment="production", state="removed", removed_at=timezone.now(), removal_asked_at=timezone.now(),
        removed_by=world.it, removal_reason="The shop was closed.",
    )  # fmt: skip
    (told,) = json.loads(run("policy", "plan", "--json"))
    assert [one["id"] for one in told["backups"] if one["keep"]] == [old[-1].pk]
    Backup.objects.update(deleted_at=timezone.now())
    assert json.loads(run("policy", "plan", "--json")) == []


def test_of_a_removed_one_a_command_says_when_and_what_can_be_done(
    world: World, resource: Resource, settings: Any
) -> None:
    settings.PORTAL_URL = "https://portal.example"
    Resource.objects.update(
        name="shop-db", environment="production", state="removed", removed_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
        removal_asked_at=timezone.now(), removed_by=world.it, removal_reason="The shop was closed.",
        kept_until=date(2031, 5, 20),
    )  # fmt: skip
    page = f"https://portal.example/resources/{resource.pk}/"
    for words in ("shop-db", str(resource.pk)):
        with pytest.raises(CommandError) as refused:
            run("backup", words, "--by", "it", "--reason", "Before the release.")
        said = str(refused.value)
        assert said.startswith("shop-db was removed on 20 Nov"), said
        assert said.endswith(
            f" by it: The shop was closed. Kept until 20 May 2031. IT can bring it back on its page: {page}"
        )
        assert refused.value.returncode == 1
    Backup.objects.update(deleted_at=timezone.now())
    Copy.objects.update(state="deleted", deleted_at=timezone.now())
    Resource.objects.update(last_good_at=None)
    with pytest.raises(CommandError, match=r"Nothing of it is kept\. It cannot be brought back; register it as a new"):
        run("backup", "shop-db", "--by", "it", "--reason", "Before the release.")
    with pytest.raises(CommandError, match="There is no resource “shop-dc”"):
        run("backup", "shop-dc", "--by", "it", "--reason", "Before the release.")


def test_of_several_removed_the_last_is_told_and_one_that_stands_is_meant(world: World, resource: Resource) -> None:
    for days in (9, 2, 5):
        make_removed(resource.application, "shop-db", by=world.it, at=days_ago(days))
    day = days_ago(2).astimezone(company_zone()).date()
    with pytest.raises(CommandError, match=f"was removed on {short_day(day)}"):
        run("backup", "shop-db", "--by", "it", "--reason", "Before the release.")
    Resource.objects.filter(pk=resource.pk).update(name="shop-db")
    assert "of shop-db: queued" in run("backup", "shop-db", "--by", "it", "--reason", "Before the release.")


def test_applying_carries_on_with_a_run_that_was_begun(resource: Resource, old: list[Backup], settings: Any) -> None:
    settings.RETENTION_LIMIT_PERCENT = 100
    begun = plan_retention(now=timezone.now())
    assert begun is not None
    assert run("policy", "apply") == f"Run {begun.pk}: {begun.to_delete} copies deleted."


def test_a_dry_run_shows_exactly_what_applying_deletes(resource: Resource, old: list[Backup], settings: Any) -> None:
    settings.RETENTION_LIMIT_PERCENT = 100
    before = stored_prefixes(resource)
    shown = json.loads(run("policy", "apply", "--dry-run", "--json"))
    assert "would be deleted; nothing was." in run("policy", "apply", "--dry-run")
    assert stored_prefixes(resource) == before
    told = json.loads(run("policy", "apply", "--json"))
    assert told["deleted"] == len(shown["to_delete"]) > 0
    gone = {Backup.objects.get(pk=one["backup"]).prefix for one in shown["to_delete"]}
    assert stored_prefixes(resource) == before - gone
    assert run("policy", "apply") == "Nothing is to be deleted."


def test_a_stopped_run_is_decided_from_the_shell(world: World, resource: Resource, old: list[Backup]) -> None:
    with pytest.raises(CommandError, match=r"was stopped: it would delete \d of 13 copies.*policy decide") as stopped:
        run("policy", "apply")
    assert stopped.value.returncode == 1
    number = str(RetentionRun.objects.get().pk)
    with pytest.raises(CommandError, match="Only IT decides"):
        run("policy", "decide", number, "--carry-on", "--by", "staff", "--reason", "Go.")
    assert "is done." in run("policy", "decide", number, "--carry-on", "--by", "it", "--reason", "The first run.")
    assert len(stored_prefixes(resource)) < 12


def test_the_audit_says_by_its_exit_code_whether_all_is_well(resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    assert run("policy", "audit") == "The policy holds."
    assert json.loads(run("policy", "audit", "--json")) == []
    Copy.objects.filter(region=HOME).update(checksum_at=days_ago(31))
    with pytest.raises(SystemExit) as found:
        run("policy", "audit", resource.name)
    assert found.value.code == 3


def test_moments_are_written_as_the_api_writes_them(resource: Resource) -> None:
    Copy.objects.update(checksum_at=days_ago(40))
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("policy", "audit", "--json", stdout=out)
    finding = Finding.objects.first()
    assert finding is not None
    assert json.loads(out.getvalue())[0]["since"] == DateTimeField().to_representation(finding.since)
    (told,) = json.loads(run("policy", "plan", "--json"))
    backup = resource.backups.get()
    assert told["backups"][0]["taken_at"] == DateTimeField().to_representation(backup.taken_at)


def test_verifying_from_the_shell(resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    assert run("verify") == "2 copies are sound."
    assert json.loads(run("verify", "--due", "--json")) == {"sound": 0, "damaged": [], "not_read": []}
    copy = resource.backups.get().copies.get(region=HOME)
    data = Path(settings.STORE_REGIONS[HOME]) / copy.stored_under / "data.zst"
    data.write_bytes(b"x" + data.read_bytes()[1:])
    out = StringIO()
    with pytest.raises(SystemExit) as found:
        call_command("verify", resource.name, "--json", stdout=out)
    assert found.value.code == 1
    told = json.loads(out.getvalue())
    assert (told["sound"], told["damaged"][0]["region"]) == (1, HOME)


def test_nothing_is_called_sound_in_a_region_that_is_away(resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    assert run("verify", "--presence") == "2 copies are there in full size."
    place = Path(settings.STORE_REGIONS[HOME])
    place.rename(place.with_name("away"))
    try:
        out = StringIO()
        with pytest.raises(SystemExit) as found:
            call_command("verify", "--presence", "--json", stdout=out)
    finally:
        place.with_name("away").rename(place)
    told = json.loads(out.getvalue())
    assert (found.value.code, told["sound"], told["damaged"]) == (1, 1, [])
    assert HOME in told["not_read"][0]


def test_a_copy_that_is_replaced_at_once_was_damaged_all_the_same(
    resource: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_to_other_region(resource.pk)
    copy = resource.backups.get().copies.get(region=HOME)
    data = Path(settings.STORE_REGIONS[HOME]) / copy.stored_under / "data.zst"
    data.write_bytes(b"x" + data.read_bytes()[1:])

    def verify_and_repair(copy: Copy, **how: Any) -> bool:
        sound = verify_copy(copy, **how)
        repair(resource.pk)
        return sound

    monkeypatch.setattr(verify, "verify_copy", verify_and_repair)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify", stdout=out)
    assert f"DAMAGED: backup {copy.backup_id} of {resource.name} in {HOME}" in out.getvalue()


def test_nothing_is_claimed_of_a_region_that_is_away(resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    backup_now(resource)
    assert run("verify", "--presence") == "3 copies are there in full size."
    home = Path(settings.STORE_REGIONS[HOME])
    home.rename(home.with_name("away"))
    Copy.objects.update(checksum_at=days_ago(40))
    for words, read in (
        (["verify", "--due"], "1 copy is sound."),
        (["verify", "--presence"], "1 copy is there in full size."),
        (["verify"], "1 copy is sound."),
    ):
        out = StringIO()
        with pytest.raises(SystemExit) as found:
            call_command(*words, stdout=out)
        assert found.value.code == 1
        first, second = out.getvalue().strip().splitlines()
        assert first == read
        assert second.startswith(f"NOT READ: The region {HOME} is not at ")
    assert not Copy.objects.filter(state="damaged").exists()
    home.with_name("away").rename(home)


def test_a_region_that_is_away_is_told_also_when_nothing_of_it_is_due(resource: Resource) -> None:
    copy_to_other_region(resource.pk)
    home = Path(settings.STORE_REGIONS[HOME])
    home.rename(home.with_name("away"))
    out = StringIO()
    with pytest.raises(SystemExit) as found:
        call_command("verify", "--due", "--json", stdout=out)
    home.with_name("away").rename(home)
    told = json.loads(out.getvalue())
    assert (found.value.code, told["sound"], len(told["not_read"])) == (1, 0, 1)
    assert told["not_read"][0].startswith(f"The region {HOME} is not at ")
    Copy.objects.exclude(region=HOME).update(region="us-east-1")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify", "--due", stdout=out)
    assert "NOT READ: The region us-east-1 is not configured." in out.getvalue()


def test_holding_from_the_shell(world: World, resource: Resource) -> None:
    backup, until = resource.backups.get(), timezone.localdate() + timedelta(days=9)
    words = ["hold", "place", str(backup.pk), "--by", "it", "--reason", "before the migration", "--until"]
    assert run(*words, until.isoformat()).endswith(f"stays through {until}.")
    with pytest.raises(CommandError, match="is over already"):
        run(*words, "2020-01-01")
    with pytest.raises(CommandError, match="no day such as"):
        run(*words, "tomorrow")
    (hold,) = json.loads(run("hold", "list", "--json"))
    assert (hold["resource"], hold["by"], hold["until"]) == (resource.name, "it", until.isoformat())
    run("hold", "release", str(hold["id"]), "--by", "it2", "--reason", "it is done")
    assert json.loads(run("hold", "list", "--json")) == []
