"""Very many things in the simulated AWS, and its lists in pages, as those of EC2 are.

By itself it has no pages, and looks through the tags of everything for those of each. Both are mended here in the simulation;
the code under test runs as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from tests.drivers import aws
from tests.drivers.cases.ec2 import ZONE

A_PAGE = 1000
AT_ONCE = 500
IDS = {"snapshots": "SnapshotIds", "volumes": "VolumeIds", "instances": "InstanceIds"}
ANSWERS = {"snapshots": "Snapshots", "volumes": "Volumes", "instances": "Reservations"}


@contextmanager
def in_pages(most: int = A_PAGE) -> Iterator[None]:
    """Meanwhile snapshots, volumes and machines are listed so many at a time, where a page is asked for; else all at once."""
    aws.endpoint()
    from moto.ec2.models.core import TaggedEC2Resource
    from moto.ec2.responses.elastic_block_store import ElasticBlockStore
    from moto.ec2.responses.instances import InstanceResponse

    with ExitStack() as patched:
        patched.enter_context(patch.object(TaggedEC2Resource, "get_tags", _own_tags))
        for what in IDS:
            responses: type[Any] = InstanceResponse if what == "instances" else ElasticBlockStore
            original = getattr(responses, f"describe_{what}")
            patched.enter_context(patch.object(responses, f"describe_{what}", _listing(what, most, original)))
        yield


@contextmanager
def versions_in_pages() -> Iterator[None]:
    """Meanwhile versions of objects are listed by looking at a page of them: by itself each page copies the whole bucket."""
    aws.endpoint()
    from moto.s3.models import S3Backend

    original = S3Backend.list_object_versions

    def listed(self: Any, bucket_name: str, **asked: Any) -> Any:
        return original(self, bucket_name, **asked) if asked.get("delimiter") else _versions(self, bucket_name, **asked)

    with patch.object(S3Backend, "list_object_versions", listed):
        yield


def _versions(
    self: Any,
    bucket_name: str,
    *,
    key_marker: str | None = None,
    version_id_marker: str | None = None,
    max_keys: int = A_PAGE,
    prefix: str = "",
    **_: Any,
) -> Any:
    """What moto's own gives: versions, common prefixes, delete markers, and after which key and version it goes on."""
    from moto.s3.models import FakeKey

    keys = self.get_bucket(bucket_name).keys
    page: list[Any] = []
    for name in sorted(key for key in list(keys) if key.startswith(prefix) and key >= (key_marker or "")):
        versions = sorted(keys.getlist(name), key=lambda one: one.last_modified, reverse=True)
        for number, one in enumerate(versions):
            one.is_latest = number == 0
        if name == key_marker:
            ids = [one.version_id for one in versions]
            versions = versions[ids.index(version_id_marker) + 1 :] if version_id_marker in ids else []
        page += versions
        if len(page) > max_keys:
            break
    page, more = page[:max_keys], len(page) > max_keys
    after = (page[-1].name, page[-1].version_id) if more else (None, None)
    made = [one for one in page if isinstance(one, FakeKey)]
    return made, [], [one for one in page if not isinstance(one, FakeKey)], *after


def _own_tags(self: Any) -> list[dict[str, str]]:
    return [
        {"key": key, "value": value, "resource_id": self.id, "resource_type": ""}
        for key, value in self.ec2_backend.tags.get(self.id, {}).items()
    ]


def _listing(what: str, most: int, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    listed: dict[str, list[Any]] = {}

    def describe(self: Any) -> Any:
        from moto.core.responses import ActionResult

        if self._get_param(IDS[what]) or not self._get_param("MaxResults"):
            return original(self)
        token = self._get_param("NextToken")
        if token:
            number, _, start = token.partition("-")
        else:
            number, start = str(len(listed)), "0"
            listed[number] = getattr(self.ec2_backend, f"describe_{what}")(filters=self._filters_from_querystring())
        end = int(start) + min(int(self._get_param("MaxResults")), most)
        page, rest = listed[number][int(start) : end], listed[number][end:]
        return ActionResult({ANSWERS[what]: page, "NextToken": f"{number}-{end}" if rest else None})

    return describe


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """Meanwhile each request to EC2 that this process sends is counted, by operation; those sent again as well."""
    calls: Counter[str] = Counter()

    def count(request: Any, event_name: str, **_: Any) -> None:
        calls[event_name.rpartition(".")[2]] += 1

    with aws.answered("ec2", "*", count):
        yield calls


def make_snapshots(parts: Mapping[str, str], *, token: str, volume: str = "vol-0123456789abcdef0") -> None:
    """The complete snapshots of a copy, as the portal marks them. ``parts`` are their ids by device."""
    with aws.rows("ec2") as backend:
        from moto.ec2.models import elastic_block_store as moto

        volumes: Any = moto.Volume  # which says that it is abstract
        of = volumes(backend, volume, 8, None)
        for device, name in parts.items():
            backend.snapshots[name] = moto.Snapshot(backend, name, of, "HaaS backup portal")
            backend.tags[name] = {"haas:copy": token, "haas:part": device, "haas:of": str(len(parts))}


def make_machines(number: int) -> list[str]:
    """The ids of so many machines, each in a reservation of its own and with one volume."""
    made: list[str] = []
    while len(made) < number:
        count = min(AT_ONCE, number - len(made))
        run = aws.client("ec2").run_instances(
            ImageId="ami-12345678",
            InstanceType="t3.micro",
            MinCount=count,
            MaxCount=count,
            Placement={"AvailabilityZone": ZONE},
        )
        made += [one["InstanceId"] for one in run["Instances"]]
        with aws.rows("ec2") as backend:
            _each_by_itself(backend, run["ReservationId"])
    return made


def _each_by_itself(backend: Any, reservation: str) -> None:
    from moto.ec2.models.instances import Reservation

    for instance in backend.reservations.pop(reservation).instances:
        own = Reservation(f"r-{instance.id[2:]}", aws.NUMBER)
        own.instances = [instance]
        backend.reservations[own.id] = own
        backend.tags[instance.id] = {"Name": f"web-{instance.id}", "environment": "production"}


def forget(kinds: Iterable[str] = ("snapshots", "reservations", "volumes", "attachments")) -> None:
    """Take all of it out of the rows again: over HTTP that takes minutes."""
    with aws.rows("ec2") as backend:
        for kind in kinds:
            getattr(backend, kind).clear()
        backend.tags.clear()
