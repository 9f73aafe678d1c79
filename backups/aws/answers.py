"""What AWS's answers are called when they are none: the codes of errors, by what they mean for whoever asked."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

THROTTLED = frozenset(
    {
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
        "TooManyRequests", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "PriorRequestNotComplete",
        "BandwidthLimitExceeded", "429",
    }
)  # fmt: skip
REFUSED = frozenset(
    {
        "UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "UnauthorizedAccess", "Forbidden",
        "AllAccessDisabled", "AccountProblem", "403",
    }
)  # fmt: skip
BAD_KEYS = frozenset(
    {
        "AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidAccessKeyId", "UnrecognizedClientException",
        "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidSignatureException", "InvalidToken",
        "TokenRefreshRequired", "AuthorizationHeaderMalformed", "401",
    }
)  # fmt: skip
CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
PASSING = frozenset(
    {
        "InternalError", "InternalFailure", "ServiceUnavailable", "Unavailable", "InternalServiceError", "RequestTimeout",
        "OperationAborted", "IncompleteBody",
    }
)  # fmt: skip
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError)
NOT_REACHED = (EndpointConnectionError, ConnectTimeoutError)
NOT_ANSWERED = (*NOT_REACHED, ConnectionClosedError, ReadTimeoutError, HTTPClientError, ResponseParserError)

_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,}")


def code_of(error: BaseException | None) -> str:
    """AWS's name for what went wrong; empty for what is none of its answers."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer."""
    answer: dict[str, Any] = error.response.get("ResponseMetadata", {})
    return int(answer.get("HTTPStatusCode", 0))


def without_keys(text: str) -> str:
    """It without what looks like an access key."""
    return _KEY.sub("…", text)


def words_of(error: ClientError) -> str:
    """AWS's own, as a sentence, without what looks like a key."""
    words = without_keys(str(error.response.get("Error", {}).get("Message", "")).strip()) or code_of(error)
    return (words[:1].upper() + words[1:300]).rstrip(".") + "."


def detail_of(error: ClientError, action: str) -> str:
    """For IT: the call by IAM's name, the code, AWS's words and the request's id, by which AWS finds it."""
    answer: dict[str, Any] = error.response.get("ResponseMetadata", {})
    parts = [action, code_of(error), words_of(error), f"request {answer.get('RequestId', '?')}"]
    return without_keys(" · ".join(filter(None, parts)))
