"""Where calls of AWS go when they do not go to AWS. Knows nothing of Django."""

from __future__ import annotations

import os

ENDPOINT = "AWS_ENDPOINT_URL"
"""The variable by which boto3 learns it."""
NOWHERE = "http://127.0.0.1:1"
"""Where nothing answers."""


def aws_elsewhere() -> str:
    """The address of what stands in for AWS; empty where AWS itself is asked, or nobody."""
    address = os.environ.get(ENDPOINT, "")
    return "" if address == NOWHERE else address
