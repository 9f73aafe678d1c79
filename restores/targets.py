"""What only one restore at a time may work on. Pure, but for the table of kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backups.kinds import KINDS


def exclusive_target(plan: Mapping[str, Any]) -> str:
    """What a plan's attempt holds while it runs: its target, or what that is a part of, whatever kind calls it so.

    Two volumes of one machine are not exchanged at the same time: the machine stands still for both.
    """
    kind, _, locator = str(plan["target"]).partition(":")
    driver = KINDS.get(kind)
    return f"{min(driver.shares_with)}:{driver.exclusive(locator)}" if driver else str(plan["target"])
