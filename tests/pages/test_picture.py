"""The slot picture: which cell shows what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from backups.models import Pin, Resource
from backups.picture import BackupFacts, Look, Picture, draw
from backups.pictures import pictures_of
from backups.proof import Proof
from backups.templatetags.pictures import picture_legend, slot_picture, slot_picture_large
from portal.days import short_day
from tests.factories import Cast, make_backup, make_failed_backup, make_hold, make_resource

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


def good(
    pk: int, at: datetime, *regions: str, proof: Proof = Proof.PRESENT, proven_at: datetime | None = None
) -> BackupFacts:
    proofs = tuple((region, proof, proven_at) for region in regions or ("home",))
    return BackupFacts(pk, at, good=True, stored_bytes=1_800_000_000, proofs=proofs)


def picture(*history: BackupFacts, now: datetime = NOW, since: datetime = LONG_AGO) -> Picture:
    return draw(history, now=now, zone=ZONE, since=since, other_region="away")


def looks(cells) -> str:
    return "".join(
        {"good": "G", "missing": ".", "failed": "x", "open": "o", "before": "-"}[cell.look] for cell in cells
    )


def day(number: int, month: int = 11, hour: int = 3) -> datetime:
    return datetime(2026, month, number, hour, 12, tzinfo=ZONE)


def test_seven_days_ending_today_once_today_was_tried() -> None:
    assert [cell.label for cell in picture(good(1, day(20))).daily] == ["14", "15", "16", "17", "18", "19", "20"]
    assert [cell.label for cell in picture(good(1, day(19))).daily] == ["13", "14", "15", "16", "17", "18", "19"]


def test_gaps_failures_and_what_is_under_way() -> None:
    drawn = picture(
        good(1, day(14)),
        BackupFacts(2, day(16), good=False),
        BackupFacts(3, day(17), good=False, damaged=True),
        BackupFacts(4, day(18), good=False),
        good(5, day(18, hour=4)),
        BackupFacts(6, day(20), good=False, open=True),
    )
    assert looks(drawn.daily) == "G.xxG.o"
    assert [cell.title for cell in drawn.daily][1:4] == [
        "Sun 15 Nov: no backup",
        "Mon 16 Nov: failed",
        "Tue 17 Nov: damaged",
    ]
    assert drawn.daily[-1].title == "Fri 20 Nov: being taken now"


def test_a_day_leads_to_its_newest_and_a_month_to_its_first() -> None:
    drawn = picture(good(1, day(1)), good(2, day(20)), good(3, day(20, hour=9)))
    assert drawn.daily[-1].backup == 3
    assert drawn.monthly[-1].backup == 1


def test_the_title_says_when_how_large_and_how_proven() -> None:
    drawn = picture(good(1, day(20), proof=Proof.CONTENT_MATCHED, proven_at=day(2)))
    nbsp = "\N{NO-BREAK SPACE}"
    assert drawn.daily[-1].title == f"Fri 20 Nov, 03:12, 1.8{nbsp}GB, content matched on 2 Nov"
    assert drawn.daily[-1].proven
    assert not picture(good(1, day(20), proof=Proof.CHECKSUM)).daily[-1].proven


def test_nothing_is_missing_before_there_was_anything() -> None:
    assert looks(picture(good(1, day(20)), since=day(18)).daily) == "----..G"
    assert looks(picture(good(1, day(20)), since=day(18)).monthly) == "-----G"
    imported = picture(good(1, day(17)), good(2, day(20)), since=NOW)
    assert looks(imported.daily) == "---G..G"


def test_the_first_of_a_month_is_not_missing_before_it_is_over() -> None:
    morning = datetime(2026, 11, 1, 1, 0, tzinfo=ZONE)
    assert picture(good(1, day(31, month=10)), now=morning).monthly[-1].label == "Oct"
    assert picture(good(1, day(31, month=10)), now=morning + timedelta(days=1)).monthly[-1].label == "Nov"


def test_the_day_is_the_companys() -> None:
    late_evening = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)  # half past midnight on the 20th in Berlin
    assert picture(good(1, late_evening)).daily[-1].label == "20"


def test_the_copy_in_the_other_region() -> None:
    assert picture(good(1, day(1), "home", "away")).other.title == "copy in away of 1 Nov"
    older = picture(good(1, day(1, month=10), "home", "away"), good(2, day(1)))
    assert (older.other.look, older.other.backup) == (Look.LATE, 1)
    assert older.other.title == "copy in away of 1 Oct, not of the latest monthly"
    assert picture(good(1, day(1))).other.look is Look.MISSING


def test_the_sentence() -> None:
    history = [good(number, day(number)) for number in range(14, 21) if number != 16]
    history += [
        good(30 + month, day(1, month=month), *(("home", "away") if month == 11 else ())) for month in range(6, 12)
    ]
    assert picture(*history).sentence == "6 of 7 daily, 6 of 6 monthly, copy in away of 1 Nov."


def test_what_is_held_or_used_is_marked_and_said() -> None:
    held = replace(good(1, day(1), "home", "away"), held_until=date(2026, 12, 1))
    used = replace(good(2, day(20), proof=Proof.RESTORED), pinned_by=("RR-1042", "RR-1050"))
    both = replace(good(3, day(19)), held_until=date(2027, 5, 1), pinned_by=("RR-1042",))
    drawn = picture(held, used, both)
    assert drawn.monthly[-1].title.endswith("present, held until 1 Dec")
    assert drawn.other.title == "copy in away of 1 Nov, held until 1 Dec"
    assert drawn.daily[-1].title.endswith("restored, in use by RR-1042 and RR-1050")
    assert drawn.daily[-2].title.endswith("present, held until 1 May 2027, in use by RR-1042")
    assert drawn.sentence == "2 of 7 daily, 1 of 6 monthly, copy in away of 1 Nov; 2 held, 2 in use."
    for drawing in (slot_picture(drawn), slot_picture_large(drawn)):
        assert drawing.count('class="lock"') == 3  # the monthly of November, its copy, and the daily of the 19th
        assert drawing.count('class="pin"') == 2
    assert "held</li>" in picture_legend()
    assert "in use by a request</li>" in picture_legend()


def test_drawn_as_svg_without_style() -> None:
    drawn = picture(BackupFacts(2, day(16), good=False), good(1, day(20), "<b>", proof=Proof.RESTORED))
    small, large = slot_picture(drawn), slot_picture_large(drawn)
    assert f'role="img" aria-label="{drawn.sentence}"' in small
    assert small.count("<title>") == large.count("<title>") == 14
    assert 'class="hatch"' in small
    assert 'class="proof"' in small
    assert 'href="/backups/1/"' in large
    assert "style=" not in small + large
    assert "href" not in small


def test_three_queries_for_many(cast: Cast, now: datetime, django_assert_num_queries) -> None:
    resources = [make_resource(cast.shop) for _ in range(5)]
    Resource.objects.update(created_at=now - timedelta(days=400))
    for resource in resources:
        resource.refresh_from_db()
        latest = make_backup(resource, now, regions=("eu-central-1", "eu-west-1"), proof=Proof.RESTORED)
        make_hold(latest, cast.it, until=now.date() + timedelta(days=9))
        make_hold(latest, cast.it, until=now.date() + timedelta(days=30))
        Pin.objects.create(backup=latest, label="RR-1042", since=now)
        Pin.objects.create(backup=latest, label="RR-1041", since=now, until=now)  # its time is over
        make_failed_backup(resource, now - timedelta(days=1))
        make_backup(resource, now - timedelta(days=2), regions=())  # its copies are deleted
        make_backup(resource, now - timedelta(days=900))
    with django_assert_num_queries(3):
        drawn = pictures_of(resources, now)
    for resource in resources:
        assert looks(drawn[resource.pk].daily)[-3:] == ".xG"
        assert drawn[resource.pk].other.look is Look.GOOD
        assert drawn[resource.pk].daily[-1].proven
        until = short_day(now.date() + timedelta(days=30), now.date())
        assert drawn[resource.pk].daily[-1].title.endswith(f", held until {until}, in use by RR-1042")
