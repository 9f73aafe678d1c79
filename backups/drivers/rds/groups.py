"""Security groups that an original had and that are gone. They cannot be made again: another one has another id."""

from __future__ import annotations

from backups.aws import tags
from backups.drivers.base import DriverError
from backups.drivers.rds.instance import instance_if_there
from backups.drivers.rds.properties import Entry
from backups.drivers.rds.target import Target

NAME = "security groups"


def with_those_there(target: Target, entry: Entry) -> tuple[Entry, str]:
    """The entry with what an instance can have of it today, and a sentence where that is something else.

    Those that are left let in fewer than before; where none is, what has the live name says who is let in. Raises
    :class:`DriverError` where nothing says it, for RDS would take the network's default.
    """
    wanted: list[str] = list(entry.get(NAME) or ())
    if not wanted:
        return entry, ""
    answer = target.access.call("ec2", "describe_security_groups", Filters=tags.filters(group_id=wanted))
    there = {one["GroupId"] for one in answer["SecurityGroups"]}
    gone = [one for one in wanted if one not in there]
    if not gone:
        return entry, ""
    left, whose = [one for one in wanted if one in there], "those that are left"
    if not left and (live := instance_if_there(target.access, target.name)) is not None:
        left = sorted(one["VpcSecurityGroupId"] for one in live.described.get("VpcSecurityGroups") or ())
        whose = f"those that {target.name} has now"
    if not left:
        raise DriverError(
            f"The security groups of {target.name} are not there any more ({', '.join(gone)}), and no instance of that name says"
            " which to take instead. Make the instance of the snapshot by hand, or an instance of that name first."
        )
    return {
        **entry,
        NAME: left,
    }, f"Not there any more: {', '.join(gone)}. The restored instance has {whose}: {', '.join(left)}."
