"""However much there is at AWS: calls grow with the pages of its lists, and queries with the groups that are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backups.actions.discovering import discover_region
from backups.actions.providerlook import GROUP, check_provider_region
from backups.models import AccountRegion, Copy, Discovered, RegionCheck
from tests.app.many import make_copies, make_region, register_machines
from tests.drivers.many import A_PAGE, counted_calls, forget, in_pages, make_machines

pytestmark = pytest.mark.slow  # a simulated AWS of many resources

FEW = 30
MANY = FEW * 10


@pytest.fixture
def region(transactional_db: None) -> Iterator[AccountRegion]:
    made = make_region()
    forget()  # EC2 goes on listing the machines that other tests have terminated
    yield made
    forget()


def asked(act: Callable[[], object], most: int = A_PAGE) -> tuple[Counter[str], int]:
    """The calls by operation, where AWS gives so many at a time, and the number of queries."""
    with in_pages(most), counted_calls() as calls, CaptureQueriesContext(connection) as queries:
        act()
    return calls, len(queries)


def test_the_nightly_look_asks_a_page_at_a_time(region: AccountRegion) -> None:
    queries = {}
    for number in (FEW, MANY):
        Copy.objects.all().delete()
        forget()
        copies = make_copies(number)
        calls, queries[number] = asked(lambda: check_provider_region(region), most=15)
        assert calls == {"DescribeSnapshots": number // 15}, "each page once, and nothing by name"
        assert seen() == (len(copies), 0, 0)
    assert queries[MANY] - queries[FEW] <= 2 * (-(-MANY // GROUP) - 1)


def seen() -> tuple[int, int, int]:
    """Whole, missing and unknown, as the last look has recorded it."""
    last = RegionCheck.objects.latest("pk")
    return last.copies, last.missing, last.strays


def test_many_that_nobody_knows_are_not_asked_about_one_by_one(region: AccountRegion) -> None:
    """As after the portal's database was set back."""
    queries = {}
    for number in (FEW, MANY):
        forget()
        make_copies(number)
        Copy.objects.all().delete()
        calls, queries[number] = asked(lambda: check_provider_region(region), most=15)
        assert calls == {"DescribeSnapshots": number // 15}
        assert seen() == (0, 0, number)
    assert queries[MANY] - queries[FEW] <= 2 * (-(-MANY // GROUP) - 1)


def test_discovery_asks_a_page_at_a_time(region: AccountRegion) -> None:
    queries, machines = {}, list[str]()
    for number in (FEW // 3, MANY // 3):
        machines += make_machines(number - len(machines))
        Discovered.objects.all().delete()
        calls, queries[number] = asked(lambda: discover_region(region.pk), most=10)
        assert calls == {"DescribeVolumes": number // 10, "DescribeInstances": number // 10}
        assert Discovered.objects.count() == number
    assert queries[MANY // 3] - queries[FEW // 3] <= MANY // 3 // 50, "rows are written many at a time"


def test_what_is_registered_is_known_at_once(region: AccountRegion) -> None:
    machines = make_machines(FEW)
    queries = []
    for start, end in ((0, 2), (2, FEW)):
        register_machines(machines[start:end])
        queries.append(asked(lambda: discover_region(region.pk))[1])
        assert Discovered.objects.count() == FEW - end
    assert queries[1] <= queries[0]


def test_a_thousand_are_asked_for_at_a_time(region: AccountRegion) -> None:
    """As many as EC2 gives."""
    make_copies(A_PAGE + 2)
    calls, _ = asked(lambda: check_provider_region(region))
    assert calls == {"DescribeSnapshots": 2}
