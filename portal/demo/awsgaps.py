"""What moto's RDS lacks and the portal needs: ids of instances that tell one from another, the account's limits, and copies in
other regions that bring nothing with them of the region that they come from.
"""

from __future__ import annotations

import copy
import functools
import uuid
from typing import Any

LIMITS = {"DBInstances": (3, 40), "AllocatedStorage": (60, 100_000)}
"""Used and most, by the names of RDS."""


def fill_gaps() -> None:
    """Once in the process that serves; nothing of the portal's is touched."""
    from moto.core.responses import ActionResult
    from moto.rds.models import DBInstance, RDSBackend
    from moto.rds.responses import RDSResponse

    made = DBInstance.__init__

    @functools.wraps(made)
    def with_own_id(self: Any, *arguments: Any, **more: Any) -> None:
        made(self, *arguments, **more)
        self.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"  # in moto all have the same

    copied = RDSBackend.copy_db_snapshot

    @functools.wraps(copied)
    def without_its_region(self: Any, *arguments: Any, **more: Any) -> Any:
        snapshot = copied(self, *arguments, **more)
        if snapshot.database.region != self.region_name:
            snapshot.database = copy.copy(snapshot.database)
            snapshot.database.db_subnet_group_name = None
            snapshot.database.availability_zone = f"{self.region_name}a"
            snapshot.database.option_group_supplied = False
        return snapshot

    def describe_account_attributes(self: Any) -> Any:
        limits = [{"AccountQuotaName": name, "Used": used, "Max": most} for name, (used, most) in LIMITS.items()]
        return ActionResult({"AccountQuotas": limits})

    RDSBackend.copy_db_snapshot = without_its_region  # type: ignore[method-assign]
    DBInstance.__init__ = with_own_id  # type: ignore[method-assign]
    RDSResponse.describe_account_attributes = describe_account_attributes  # type: ignore[attr-defined]
