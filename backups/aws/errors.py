"""What AWS's errors say, in sentences for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from backups.drivers.base import DriverError, NotFound, StillWorking

THROTTLED = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "PriorRequestNotComplete", "BandwidthLimitExceeded",
    }
)  # fmt: skip
NOT_ANSWERED = (
    EndpointConnectionError, ConnectTimeoutError, ConnectionClosedError, ReadTimeoutError, HTTPClientError, ResponseParserError,
)  # fmt: skip
PASSING = frozenset({"InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "InternalServiceError"})
REFUSED = frozenset(
    {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "UnauthorizedAccess", "Forbidden"}
)
BAD_KEYS = frozenset(
    {
        "AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidAccessKeyId", "UnrecognizedClientException",
        "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidSignatureException",
    }
)  # fmt: skip
IN_BETWEEN = frozenset(
    {
        "IncorrectState", "IncorrectInstanceState", "VolumeInUse", "InvalidDBInstanceState", "InvalidDBSnapshotState",
        "InsufficientDBInstanceCapacity",
    }
)  # fmt: skip
"""Said of something that is on its way from one state to another, or that there may be room for later."""

LATER = 60.0
LIMITS = re.compile(r".*(LimitExceeded|QuotaExceeded|Quota)$|^ResourceLimitExceeded$")
GONE = re.compile(r".*(NotFound|NotFoundFault|\.Malformed)$|^NoSuch.*")
SECRET = re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,}")


def code_of(error: BaseException) -> str:
    """AWS's name for what went wrong; empty for what is none of its answers."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


@contextmanager
def said(account: str, region: str, action: str) -> Iterator[None]:
    """Have botocore's errors leave as :class:`DriverError`. ``action`` is IAM's name of the call: ``ec2:CreateSnapshot``."""
    try:
        yield
    except ClientError as error:
        raise translated(error, account, region, action) from error
    except NoCredentialsError as error:
        raise DriverError(
            f"The portal has no credentials for the AWS account {account}. Give its workers a role, or the account keys.",
            detail=action,
        ) from error
    except NOT_ANSWERED as error:
        raise StillWorking(
            f"AWS does not answer in {region}. The portal tries again; see to the network if it stays so.",
            again_in=LATER,
            detail=f"{action}: {error}",
        ) from error
    except BotoCoreError as error:
        raise DriverError(
            f"AWS could not be asked in {region} for the account {account}. See what is set for it.",
            detail=f"{action}: {error}",
        ) from error


def translated(error: ClientError, account: str, region: str, action: str) -> DriverError:
    """The sentence for one answer of AWS; its own words and the request's id are the detail."""
    code, detail = code_of(error), _detail(error, action)
    if code in THROTTLED:
        sentence = f"AWS asks the account {account} to call more slowly in {region}. The portal tries again."
        return StillWorking(sentence, again_in=LATER, detail=detail)
    if code in REFUSED:
        return DriverError(
            f"The AWS account {account} does not let the portal call {action} in {region}. Add it to the portal's policy"
            " there: “manage.py aws_policy” prints what is needed.",
            detail=detail,
        )
    if code in BAD_KEYS:
        sentence = (
            f"The AWS account {account} does not know the portal's credentials, or they have expired. Renew them."
        )
        return DriverError(sentence, detail=detail)
    if code in PASSING or status_of(error) >= 500:
        return StillWorking(f"AWS has trouble in {region}. The portal tries again.", again_in=LATER, detail=detail)
    if code in IN_BETWEEN:
        return DriverError(
            f"AWS could not do it in {region} just now: {_words(error)} The portal tries again.",
            detail=detail,
            retry=True,
        )
    if LIMITS.match(code):
        sentence = f"The AWS account {account} has reached a limit of its own in {region}: {_words(error)}"
        return DriverError(f"{sentence} Have it raised, or remove what is not needed.", detail=detail, retry=True)
    if GONE.match(code):
        return NotFound(f"AWS does not have it in {region}: {_words(error)}", detail=detail)
    return DriverError(f"AWS refused what the portal asked for in {region}: {_words(error)}", detail=detail)


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer."""
    answer: dict[str, Any] = error.response.get("ResponseMetadata", {})
    return int(answer.get("HTTPStatusCode", 0))


def _words(error: ClientError) -> str:
    """AWS's own, as a sentence, without what looks like a key."""
    words = SECRET.sub("…", str(error.response.get("Error", {}).get("Message", "")).strip()) or code_of(error)
    return (words[:1].upper() + words[1:300]).rstrip(".") + "."


def _detail(error: ClientError, action: str) -> str:
    answer: dict[str, Any] = error.response.get("ResponseMetadata", {})
    parts = [action, code_of(error), _words(error), f"request {answer.get('RequestId', '?')}"]
    return SECRET.sub("…", " · ".join(filter(None, parts)))
