"""Whether a bucket is set up as a place for backups should be: private, versioned, encrypted, and left to the portal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from backups.aws.answers import REFUSED, code_of
from backups.stores.base import StoreError
from backups.stores.s3.errors import action_of
from backups.stores.s3.place import Place

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
NOT_SET = frozenset(
    {
        "NoSuchPublicAccessBlockConfiguration", "ServerSideEncryptionConfigurationNotFoundError",
        "NoSuchLifecycleConfiguration", "NoSuchBucketPolicy",
    }
)  # fmt: skip
UNSET: Mapping[str, Any] = {}
"""What is said in the place of such an answer. Some servers answer what they do not know with something else."""
MOVES = ("Transitions", "Transition")


def warnings(place: Place) -> tuple[str, ...]:
    """A sentence for each setting that is not as it should be; nothing about what the server does not know.

    Raises :class:`StoreError` where nothing was found and not all could be asked.
    """
    unasked: list[StoreError] = []
    found = tuple(warnings_of(place, unasked))
    if unasked and not found:
        raise unasked[0]
    return found


def warnings_of(place: Place, unasked: list[StoreError]) -> Iterator[str]:
    """The same, one after another; ``unasked`` takes what could not be asked just now."""
    where = f"The bucket {place.bucket} of the region {place.region}"
    if place.endpoint.startswith("http://") and not _is_loopback(place.endpoint):
        yield f"{where} is reached without encryption: whoever is on the way reads backups. Give its endpoint as https://."
    for operation, judge in (
        ("GetBucketLocation", _elsewhere),
        ("GetPublicAccessBlock", _public),
        ("GetBucketPolicyStatus", _public_policy),
        ("GetBucketVersioning", _unversioned),
        ("GetBucketEncryption", _unencrypted),
        ("GetBucketLifecycleConfiguration", _lifecycle),
    ):
        try:
            said: Mapping[str, Any] = place.call(operation)
        except StoreError as error:
            code = code_of(error.__cause__)
            if code in REFUSED:
                yield f"{where} could not be looked at: allow the portal {action_of(operation)}."
                continue
            if code not in NOT_SET:
                if error.retry or not code:
                    unasked.append(error)
                continue  # a server that does not know the call, in whichever words
            said = UNSET
        for problem in judge(said, place):
            yield f"{where} {problem}"


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _elsewhere(said: Mapping[str, Any], place: Place) -> Iterator[str]:
    """A bucket of AWS answers from wherever it is, so that two regions could be one (B3). Other servers' names are their own."""
    found = said.get("LocationConstraint") or "us-east-1"
    found = "eu-west-1" if found == "EU" else found
    if said is not UNSET and not place.endpoint and found != place.aws_region:
        yield f"lies in {found} of AWS, not in {place.aws_region}. Correct STORE_REGIONS, or choose another bucket."


def _public(said: Mapping[str, Any], place: Place) -> Iterator[str]:
    block = said.get("PublicAccessBlockConfiguration", {})
    if (said is UNSET or block) and not all(block.get(name) for name in BLOCKS):
        yield "may be made public: switch on all four settings of “Block public access”."


def _public_policy(said: Mapping[str, Any], place: Place) -> Iterator[str]:
    if said.get("PolicyStatus", {}).get("IsPublic"):
        yield "is public by its policy: anybody may read backups. Change the policy."


def _unversioned(said: Mapping[str, Any], place: Place) -> Iterator[str]:
    if said.get("Status") != "Enabled":
        yield "keeps no versions: what somebody else overwrites or deletes is lost. Switch versioning on."


def _unencrypted(said: Mapping[str, Any], place: Place) -> Iterator[str]:
    if said is UNSET:
        yield "does not encrypt what is stored. Switch on its default encryption."


def _lifecycle(said: Mapping[str, Any], place: Place) -> Iterator[str]:
    """Expiring old versions and giving up uploads of long ago takes nothing that the portal still counts on."""
    for rule in said.get("Rules", ()):
        under = str(rule.get("Filter", {}).get("Prefix") or rule.get("Filter", {}).get("And", {}).get("Prefix") or "")
        under = under or str(rule.get("Prefix") or "")
        if rule.get("Status") != "Enabled" or not (under.startswith(place.prefix) or place.prefix.startswith(under)):
            continue
        name = f"lifecycle rule “{rule.get('ID', '')}”"
        if {"Days", "Date"} & set(rule.get("Expiration", {})):
            yield f"has a {name} that deletes the portal's backups: the portal alone may. Remove it."
        if any(rule.get(move) for move in MOVES):
            yield f"has a {name} that moves the portal's backups to where they may not be read at once. Remove it."
