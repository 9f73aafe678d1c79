"""What AWS's errors say, in sentences for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from backups.aws.answers import (
    BAD_KEYS,
    CLOCK,
    NO_CREDENTIALS,
    NOT_ANSWERED,
    PASSING,
    REFUSED,
    THROTTLED,
    code_of,
    detail_of,
    status_of,
    words_of,
)
from backups.drivers.base import DriverError, NotFound, StillWorking

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


@contextmanager
def said(account: str, region: str, action: str) -> Iterator[None]:
    """Have botocore's errors leave as :class:`DriverError`. ``action`` is IAM's name of the call: ``ec2:CreateSnapshot``."""
    try:
        yield
    except ClientError as error:
        raise translated(error, account, region, action) from error
    except NO_CREDENTIALS as error:
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
    code, detail = code_of(error), detail_of(error, action)
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
    if code in CLOCK:
        sentence = (
            f"The clock of this machine and that of AWS in {region} are too far apart for AWS to believe the portal."
        )
        return DriverError(f"{sentence} Set it (NTP).", detail=detail, retry=True)
    if code in PASSING or status_of(error) >= 500:
        return StillWorking(f"AWS has trouble in {region}. The portal tries again.", again_in=LATER, detail=detail)
    if code in IN_BETWEEN:
        return DriverError(
            f"AWS could not do it in {region} just now: {words_of(error)} The portal tries again.",
            detail=detail,
            retry=True,
        )
    if LIMITS.match(code):
        sentence = f"The AWS account {account} has reached a limit of its own in {region}: {words_of(error)}"
        return DriverError(f"{sentence} Have it raised, or remove what is not needed.", detail=detail, retry=True)
    if GONE.match(code):
        return NotFound(f"AWS does not have it in {region}: {words_of(error)}", detail=detail)
    return DriverError(f"AWS refused what the portal asked for in {region}: {words_of(error)}", detail=detail)
