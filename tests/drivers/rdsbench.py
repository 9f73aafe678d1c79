"""What the tests of RDS share: a bench of it, looks at the simulated region, and RDS's own way to refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.drivers import aws
from tests.drivers.cases import factories
from tests.drivers.cases.rds import RdsCase
from tests.drivers.contract.bench import Bench
from tests.drivers.rooms import prepared


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An instance, and a store for its backups."""
    (tmp_path / "scratch").mkdir()
    with factories()["rds"](tmp_path) as case:
        yield Bench(case, prepared("here", tmp_path / "store"), tmp_path / "scratch")


def case_of(bench: Bench) -> RdsCase:
    """The case as what it is."""
    assert isinstance(bench.case, RdsCase)
    return bench.case


def snapshots(region: str = aws.HOME) -> list[dict[str, Any]]:
    """All manual ones."""
    found: list[dict[str, Any]] = aws.client("rds", region).describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    return found


def put(kind: str, region: str = aws.HOME, **values: Any) -> None:
    """Make all rows of that kind so: what is on its way, old or faulty at AWS, and never by itself in the simulated one."""
    with aws.rows("rds", region) as backend:
        for one in getattr(backend, kind).values():
            for name, value in values.items():
                setattr(one, name, value)


def refusal(
    code: str, status: int = 400, *, times: int = 1_000, passes: int = 0, words: str = "No."
) -> Callable[..., Any]:
    """An answer of RDS that says so, after as many calls as pass and for so many times."""
    left = [passes, times]

    def answer(request: Any, **_: Any) -> Any:
        if left[0]:
            left[0] -= 1
            return None
        if not left[1]:
            return None
        left[1] -= 1
        body = (
            '<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Sender</Type>'
            f"<Code>{code}</Code><Message>{words}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
        )
        return AWSResponse(request.url, status, {}, aws.body_of(body))

    return answer


def noted(operation: str, calls: list[dict[str, Any]]) -> Any:
    """Meanwhile the arguments of such calls are noted."""
    return aws.answered(
        "rds", operation, lambda params, **_: calls.append(dict(params)), event="before-parameter-build"
    )


def altered(operation: str, alter: Callable[[dict[str, Any]], None]) -> Any:
    """Meanwhile what RDS answers to such calls is altered."""
    return aws.answered("rds", operation, lambda parsed, **_: alter(parsed), event="after-call")
