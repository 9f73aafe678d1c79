"""Who may do what with resources and backups. Each check raises the sentence that pages and the API show."""

from __future__ import annotations

from backups.models import Backup, Hold, Resource, ResourceState, RetentionRun, RunStatus
from backups.models.pin import OF_TESTS
from portal.errors import Refused
from portal.models import Client
from portal.permissions import Person, check_is_a_person, check_permission
from portal.roles import Permission


def check_can_register(user: Person, client: Client | None) -> None:
    """IT registers resources; ``None`` asks for any client."""
    check_permission(user, Permission.REGISTER_RESOURCES, client, "Only IT registers resources. Ask IT to do it.")


def check_can_back_up(user: Person, resource: Resource) -> None:
    """IT and the client's staff may take a backup now, of a resource that still exists and has none under way."""
    check_permission(
        user,
        Permission.BACK_UP_NOW,
        resource.client,
        "Only IT and staff of this client take backups on request. Ask one of them.",
    )
    if resource.state == ResourceState.REMOVED:
        raise Refused(f"{resource.name} was removed; there is nothing left to back up.")
    if resource.state == ResourceState.REMOVING:
        raise Refused(f"{resource.name} is being removed: its final backup is the last one.")
    if resource.backups.open().exists():
        raise Refused(f"A backup of {resource.name} is under way already. Wait until it is finished.")


def check_can_browse(user: Person, backup: Backup) -> None:
    """Names of a client's files and tables are for those who may ask for them back: its people, their staff, IT."""
    check_permission(
        user,
        Permission.FILE_REQUESTS,
        backup.resource.client,
        "What is inside a backup is shown only to those who may ask for its restore: the client, its staff and IT.",
    )
    if not backup.is_good:
        raise Refused("Only a good backup can be looked into. Choose another one.")


def check_can_hold(user: Person, backup: Backup) -> None:
    """IT holds backups of which something is left."""
    check_permission(user, Permission.HOLD_BACKUPS, backup.resource.client, "Only IT holds backups. Ask IT to do it.")
    check_is_a_person(user)
    if backup.is_open:
        raise Refused("This backup is not finished yet. Hold it once it is.")
    if backup.deleted_at is not None or backup.stored_bytes is None:
        raise Refused("No copy of this backup is left, so there is nothing to hold.")


def check_can_release(user: Person, hold: Hold) -> None:
    """IT releases holds, once."""
    client = hold.backup.resource.client
    check_permission(user, Permission.HOLD_BACKUPS, client, "Only IT releases holds. Ask IT to do it.")
    check_is_a_person(user)
    if hold.released_at is not None:
        raise Refused("This hold was released already.")


def check_can_view_compliance(user: Person) -> None:
    """The company's compliance is for IT, auditors and administrators."""
    check_permission(
        user,
        Permission.VIEW_COMPLIANCE,
        None,
        "The compliance of the whole company is for IT and auditors. Your own resources show how safe each of them is.",
    )


def check_can_run_retention(user: Person) -> None:
    """IT lets retention delete."""
    check_permission(user, Permission.RUN_RETENTION, None, "Only IT runs retention. Ask IT to do it.")
    check_is_a_person(user)


def check_can_decide_run(user: Person, run: RetentionRun) -> None:
    """IT decides about a run that was stopped, once."""
    check_permission(user, Permission.RUN_RETENTION, None, "Only IT decides about stopped runs.")
    check_is_a_person(user)
    if run.status != RunStatus.STOPPED:
        raise Refused(f"This run is {run.get_status_display().lower()}: there is nothing to decide.")


def check_can_remove(user: Person, resource: Resource) -> None:
    """A person of IT removes a resource that stands, while no request for it is open and nothing is under way."""
    check_permission(user, Permission.REMOVE_RESOURCES, resource.client, "Only IT removes resources. Ask IT to do it.")
    check_is_a_person(user)
    if resource.state == ResourceState.REMOVED:
        raise Refused(f"{resource.name} was removed already.")
    if resource.state == ResourceState.REMOVING:
        raise Refused(f"{resource.name} is being removed already: its final backup is taken first.")
    labels = sorted(set(_open_pins(resource)))
    if labels:
        raise Refused(
            f"{', '.join(labels)} refers to a backup of {resource.name} and is not closed."
            " Finish or cancel that first: nobody's restore is taken away from under them."
        )


def check_can_bring_back(user: Person, resource: Resource) -> None:
    """A person of IT brings a removed resource back while a good backup of it is left."""
    check_permission(
        user, Permission.REMOVE_RESOURCES, resource.client, "Only IT brings resources back. Ask IT to do it."
    )
    check_is_a_person(user)
    if resource.state != ResourceState.REMOVED:
        raise Refused(f"{resource.name} is not removed.")
    if not resource.backups.good().exists():
        raise Refused(
            f"No backup of {resource.name} is left, so there is nothing to bring back. Register it as a new resource."
        )


def _open_pins(resource: Resource) -> list[str]:
    """The labels of what is open and refers to a backup of the resource; a checkup leaves what is removed."""
    pins = resource.backups.filter(pins__isnull=False, pins__until__isnull=True)
    return [label for label in pins.values_list("pins__label", flat=True) if not label.startswith(OF_TESTS)]
