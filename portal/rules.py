"""Rules come in pairs: ``check_can_x(...)`` raises a sentence, :func:`refusal` and :func:`allowed` ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.errors import PortalError


def refusal(check: Callable[..., None], *args: Any, **kwargs: Any) -> str:
    """Why the check refuses, in the sentence that the action would raise; empty when it does not."""
    try:
        check(*args, **kwargs)
    except PortalError as error:
        return error.sentence
    return ""


def allowed(check: Callable[..., None], *args: Any, **kwargs: Any) -> bool:
    """Whether the check lets it pass."""
    return not refusal(check, *args, **kwargs)
