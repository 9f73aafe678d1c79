"""What moto's RDS lacks and the portal needs: ids of instances that tell one from another, and the account's limits."""

from __future__ import annotations

import functools
import uuid
from typing import Any

LIMITS = {"DBInstances": (3, 40), "AllocatedStorage": (60, 100_000)}
"""Used and most, by the names of RDS."""


def fill_gaps() -> None:
    """Once in the process that serves; nothing of the portal's is touched."""
    from moto.core.responses import ActionResult
    from moto.rds.models import DBInstance
    from moto.rds.responses import RDSResponse

    made = DBInstance.__init__

    @functools.wraps(made)
    def with_own_id(self: Any, *arguments: Any, **more: Any) -> None:
        made(self, *arguments, **more)
        self.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"  # in moto all have the same

    def describe_account_attributes(self: Any) -> Any:
        limits = [{"AccountQuotaName": name, "Used": used, "Max": most} for name, (used, most) in LIMITS.items()]
        return ActionResult({"AccountQuotas": limits})

    DBInstance.__init__ = with_own_id  # type: ignore[method-assign]
    RDSResponse.describe_account_attributes = describe_account_attributes  # type: ignore[attr-defined]
