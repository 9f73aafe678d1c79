"""What an original was set up with and that is not there, any more or in another region, and what is taken instead.

Security groups cannot be made again: another one has another id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from backups.aws import tags
from backups.aws.access import Access
from backups.drivers.base import DriverError, NotFound
from backups.drivers.counting import some
from backups.drivers.rds.instance import instance_if_there
from backups.drivers.rds.properties import DEFAULT, Entry
from backups.drivers.rds.target import Target

NAME = "security groups"
OF_ITS_REGION = frozenset({NAME, "directory", "directory role", "insights key", "password in Secrets Manager"})
"""What names something that is in the region of the original alone, or would make it in another one."""


def is_elsewhere(access: Access, entry: Entry) -> bool:
    """Whether the original was in another region: then this one is to be tried out there, and never takes its place."""
    zone = str(entry.get("zone") or "")
    return bool(zone) and not zone.startswith(access.region)


def missing(access: Access, entry: Entry) -> Iterator[str]:
    """Which of the groups that have names are not there, by property."""
    looks: dict[str, Callable[[str], object]] = {
        "subnet group": lambda name: access.call("rds", "describe_db_subnet_groups", DBSubnetGroupName=name)[
            "DBSubnetGroups"
        ],
        "parameter group": lambda name: access.call("rds", "describe_db_parameter_groups", DBParameterGroupName=name)[
            "DBParameterGroups"
        ],
        "option group": lambda name: access.call("rds", "describe_option_groups", OptionGroupName=name)[
            "OptionGroupsList"
        ],
    }
    for what, look in looks.items():
        name = entry.get(what)
        if not name or name.startswith(DEFAULT):
            continue
        try:
            found = look(name)
        except NotFound:
            found = None
        if not found:
            yield what


def with_those_there(target: Target, entry: Entry) -> tuple[Entry, str]:
    """The entry with what an instance can have of it today, and a sentence where that is something else.

    Those that are left let in fewer than before; where none is, what has the live name says who is let in. Raises
    :class:`DriverError` where nothing says it, for RDS would take the network's default.
    """
    if is_elsewhere(target.access, entry):
        return _of_that_region(target.access, entry)
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


def _of_that_region(access: Access, entry: Entry) -> tuple[Entry, str]:
    """RDS's own takes the place of what is not there. It is never public: the network that it comes into is not known."""
    left_out = OF_ITS_REGION | set(missing(access, entry))
    if "subnet group" in left_out:
        left_out |= {"network type"}
    had = [what for what in sorted(left_out) if entry.get(what)]
    fit = {key: value for key, value in entry.items() if key not in left_out} | {"public": False}
    sentence = f"In {access.region} it is tried out as RDS makes it there by itself"
    return fit, f"{sentence}, without the original's {some(had, 9)}." if had else f"{sentence}."
