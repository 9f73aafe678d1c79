"""Who may do what with checkups. Each check raises the sentence that pages and the API show."""

from __future__ import annotations

from backups.models import Backup, Resource
from checkups.models import ApplicationCheck, Checkup, CheckupFinding, Signature, Task, Trial
from checkups.workflow import Status
from portal.errors import NotPermitted, Refused
from portal.permissions import (
    Person,
    check_is_a_person,
    check_permission,
    has_permission,
    has_permission_somewhere,
)
from portal.roles import Permission


def check_can_manage(user: Person) -> None:
    """IT sets the dates of checkups and sees to them."""
    check_permission(user, Permission.MANAGE_CHECKUPS, None, "Only IT sees to checkups. Ask IT to do it.")
    check_is_a_person(user)


def check_can_check_again(user: Person, finding: CheckupFinding) -> None:
    """IT has a failed finding checked again while the checkup is neither signed nor given up."""
    check_can_manage(user)
    if finding.checkup.state is Status.PAUSED:
        raise Refused(f"{finding.checkup.number} is paused. Resume it first, then have this checked again.")
    if finding.checkup.state not in (Status.RUNNING, Status.READY):
        raise Refused(
            f"{finding.checkup.number} is {finding.checkup.facts.label.lower()}: what it found stays as it is. Test a backup"
            " of the resource instead."
        )
    if finding.status != "failed":
        raise Refused("Only what failed is checked again.")


def check_can_see_to(user: Person, task: Task) -> None:
    """IT hands on tasks and says how they ended."""
    check_can_manage(user)
    if task.done_at is not None:
        raise Refused("This task is done already.")


def check_can_sign(user: Person, checkup: Checkup, signatures: list[Signature]) -> None:
    """Two different people of IT sign. ``signatures`` are those under what the record says now."""
    check_permission(user, Permission.SIGN_CHECKUPS, None, "Only IT signs checkups.")
    check_is_a_person(user)
    if checkup.state is Status.SIGNED:
        raise Refused(f"{checkup.number} carries its two signatures already.")
    if checkup.state is not Status.READY:
        raise Refused(f"{checkup.number} is {checkup.facts.label.lower()}. It is signed once everything was checked.")
    if any(signature.by_id == user.pk for signature in signatures):
        raise Refused("You have signed already. The second signature is another person's.")


def check_can_test(user: Person, backup: Backup) -> None:
    """IT tests good backups, one of a resource at a time."""
    check_permission(user, Permission.TEST_BACKUPS, backup.resource.client, "Only IT tests backups. Ask IT to do it.")
    if not backup.is_good:
        raise Refused("Only a good backup can be tested. Choose another one.")
    if Trial.objects.open().filter(resource=backup.resource_id).exists():
        raise Refused(f"A backup of {backup.resource} is being tested just now. Wait until that is done.")


def check_can_say_how_to_ask(user: Person, resource: Resource) -> None:
    """IT says how a restored copy of a resource is asked whether the application works on it."""
    check_permission(
        user, Permission.TEST_BACKUPS, resource.client, "Only IT says how a restored copy is asked. Ask IT to do it."
    )
    check_is_a_person(user)


def check_can_stop_asking(user: Person, resource: Resource, check: ApplicationCheck | None) -> None:
    """The same people take the check away, where there is one."""
    check_can_say_how_to_ask(user, resource)
    if check is None:
        raise Refused(f"A restored copy of {resource} is not asked anything: there is no check to take away.")


def check_can_try(user: Person, resource: Resource, newest: Backup | None) -> None:
    """A check is tried at once on the ``newest`` good backup, one test of a resource at a time."""
    check_can_say_how_to_ask(user, resource)
    if newest is None:
        raise Refused(f"There is no good backup of {resource} yet on which it could be tried.")
    check_can_test(user, newest)


def check_can_see_how_it_is_asked(user: Person, resource: Resource) -> None:
    """The question may name what is inside the application: it is for those who see technical things."""
    check_permission(
        user, Permission.VIEW_TECHNICAL, resource.client, "How a restored copy is asked is told to IT and auditors."
    )


def check_can_see_checkups(user: Person) -> None:
    """Everybody with a role sees them: all of them company-wide, or their own part of the signed ones."""
    if not has_permission_somewhere(user, Permission.VIEW_CHECKUPS):
        raise NotPermitted(
            "Checkups are for clients, and for those who work for them. Ask an administrator for a role."
        )


def sees_every_checkup(user: Person) -> bool:
    """Whether they see all of every checkup, also before it is signed, and not only their clients' part of it."""
    return has_permission(user, Permission.VIEW_CHECKUPS, None)
