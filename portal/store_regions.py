"""How STORE_REGIONS is read: the regions of the portal's own store, each a directory or a bucket of S3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import permutations
from urllib.parse import parse_qsl, urlencode, urlsplit

from portal.values import as_path, as_url, as_words


def as_regions(value: str) -> dict[str, str]:
    """The regions by name: a directory, or s3://bucket/prefix?region=…, each in one form. Two at least, apart from each other."""
    regions: dict[str, str] = {}
    for part in as_words(value):
        name, equals, place = part.partition("=")
        if not equals or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not place:
            raise ValueError("is not of the form name=/directory,name=s3://bucket/prefix?region=eu-central-1")
        if name in regions:
            raise ValueError(f"names the region {name} twice")
        regions[name] = _bucket(name, place) if place.startswith("s3:") else str(as_path(place))
    if len(regions) < 2 or len(set(regions.values())) < len(regions):
        raise ValueError("must name two different regions at least: backups are copied to another region (B3)")
    _check_apart(regions)
    return regions


def _bucket(name: str, place: str) -> str:
    """The place in S3 in one form, so that the same one written twice is noticed. Secrets are never part of it."""
    parts = as_url(place, ("s3",))
    if parts.username or parts.password:
        raise ValueError(f"has credentials in the region {name}: they belong into a role or AWS_ACCESS_KEY_ID")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
        raise ValueError(f"names no bucket in the region {name}: s3://bucket/prefix?region=eu-central-1")
    prefix = parts.path.strip("/")
    if prefix and not re.fullmatch(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", prefix):
        raise ValueError(f"has a prefix in the region {name} of more than letters, digits and ._- between slashes")
    given = parse_qsl(parts.query, keep_blank_values=True)
    query = dict(given)
    if parts.fragment or len(query) < len(given) or not {"region"} <= set(query) <= {"region", "endpoint"}:
        raise ValueError(f"needs region=… after the question mark of the region {name}, and may have &endpoint=…")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", query["region"]):
        raise ValueError(f"has a region of S3 in the region {name} that is none, such as eu-central-1")
    if "endpoint" in query:
        endpoint = as_url(query["endpoint"], ("https", "http"))
        if not endpoint.hostname or endpoint.username or endpoint.path.strip("/") or endpoint.query:
            raise ValueError(f"has an endpoint in the region {name} that is not like https://s3.example.com:9000")
        query["endpoint"] = f"{endpoint.scheme}://{endpoint.netloc}"
    return f"s3://{parts.netloc}/{prefix}?{urlencode(sorted(query.items(), reverse=True))}"


def _check_apart(regions: Mapping[str, str]) -> None:
    """One bucket may hold several regions, but none within another: its objects would be taken for strays.

    Two buckets in one region of AWS are lost together; what two buckets of another server are is for who runs it to know.
    """
    places: dict[str, str] = {}
    of_aws: dict[str, str] = {}
    for name, place in regions.items():
        if place.startswith("s3:"):
            parts = urlsplit(place)
            query = dict(parse_qsl(parts.query))
            endpoint = query.get("endpoint", "")
            if not endpoint and query["region"] in of_aws:
                raise ValueError(
                    f"has the regions {of_aws[query['region']]} and {name} both in {query['region']} of AWS:"
                    " backups are copied to another region (B3)"
                )
            if not endpoint:
                of_aws[query["region"]] = name
            places[name] = f"{endpoint} {parts.netloc}{parts.path.rstrip('/')}/"
    for (one, outer), (other, inner) in permutations(places.items(), 2):
        if inner.startswith(outer):
            raise ValueError(f"has the region {other} within the region {one}: give each a prefix of its own")
