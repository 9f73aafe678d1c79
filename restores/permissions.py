"""Who may do what with requests. Each check raises the sentence that pages and the API show; deny by default."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backups.actions.belief import policy_moment
from backups.drivers.base import Mode, Place
from backups.models import Backup, BackupStatus, CopyState, Resource, ResourceState
from portal.errors import InvalidInput, NotPermitted, Refused
from portal.permissions import (
    Person,
    check_is_a_person,
    check_permission,
    has_permission,
)
from portal.roles import Permission
from restores.incident_workflow import IncidentStatus
from restores.models import Attempt, AttemptKind, AttemptStatus, ChargeStatus, RestoreRequest
from restores.succession import recovering_it, recovering_sentence, replaced_sentence, replaced_since
from restores.workflow import Move, Status, refusal_sentence, transition

ATTACHABLE_AFTER_THE_END = timedelta(days=30)


def check_can_file(user: Person, resource: Resource) -> None:
    """The client's people, their staff and IT file requests."""
    check_permission(
        user,
        Permission.FILE_REQUESTS,
        resource.client,
        "You can look at this resource, but not ask for its restore. Ask the client, its staff or IT.",
    )
    if resource.state == ResourceState.REMOVED:
        raise Refused(f"{resource.name} was removed. Ask IT whether its last backup is still kept.")
    if resource.state == ResourceState.REMOVING:
        raise Refused(f"{resource.name} is being removed. Ask IT if something of it is still needed.")


def why_unusable(backup: Backup) -> str:
    """Why nothing can be restored from the backup any more, in a sentence; empty while it is good."""
    if backup.status != BackupStatus.FINISHED:
        return "This backup is not complete, so nothing can be restored from it."
    if backup.damaged_at is not None:
        return "This backup was found damaged."
    fetched = getattr(backup, "present_copies", None)
    there = bool(fetched) if fetched is not None else backup.copies.filter(state=CopyState.PRESENT).exists()
    return "" if there else "No copy of this backup is left."


def check_restorable(backup: Backup) -> None:
    """Whether the backup can be asked for: finished, not damaged, with a copy left. The sentence says which it is not."""
    if unusable := why_unusable(backup):
        raise InvalidInput(f"{unusable} Choose another one.", field="backup")


def check_move(request: RestoreRequest, move: Move) -> None:
    """Whether the workflow has the move in the request's status."""
    if transition(request.state, move) is None:
        raise Refused(refusal_sentence(request.state, move))


def _check_decides(user: Person, request: RestoreRequest, sentence: str) -> None:
    check_permission(user, Permission.DECIDE_REQUESTS, request.client, sentence)
    check_is_a_person(user)


def check_can_approve(user: Person, request: RestoreRequest) -> None:
    """IT approves, never what it filed itself."""
    _check_decides(user, request, "Only IT approves restores.")
    check_move(request, Move.APPROVE)
    _check_not_own(user, request)
    _check_in_time(request)
    _check_no_emergency(request)
    _check_usable(request, "Reject")


def check_can_retry(user: Person, request: RestoreRequest) -> None:
    """Another attempt is a new approval, by the same rules."""
    _check_decides(user, request, "Only IT approves another attempt.")
    check_move(request, Move.RETRY)
    _check_not_own(user, request)
    _check_at_rest(request)
    _check_no_emergency(request)
    _check_usable(request, "Close")


def _check_in_time(request: RestoreRequest) -> None:
    """What has expired is closed by the portal in a moment; until then nobody acts on it."""
    if request.expires_at is not None and request.expires_at <= policy_moment(timezone.now()):
        raise Refused("Nobody acted on it in time: it has expired. File a new request.")


def _check_no_emergency(request: RestoreRequest) -> None:
    """What an incident brings back is not replaced by a yes that was given before it is there."""
    if (incident := recovering_it(request)) is not None:
        raise Refused(recovering_sentence(request, incident))


def _check_usable(request: RestoreRequest, verb: str) -> None:
    """What is not good any more is approved in vain: say at once what helps."""
    if not (unusable := why_unusable(request.backup)):
        return
    if goes_on_in_its_incident(request):
        raise Refused(f"{unusable} {request.incident} can go on with the next good one: restore that on its page.")
    raise Refused(f"{unusable} {verb} this request, and have a new one filed for another backup.")


def goes_on_in_its_incident(request: RestoreRequest) -> bool:
    """Whether the request belongs to an incident that still recovers: there the next good backup can be chosen."""
    return request.incident is not None and request.incident.state is IncidentStatus.RECOVERING


def check_can_reject(user: Person, request: RestoreRequest) -> None:
    """IT rejects, never what it filed itself: that is cancelled."""
    _check_decides(user, request, "Only IT rejects requests.")
    check_move(request, Move.REJECT)
    _check_not_own(user, request)


def check_can_cancel(user: Person, request: RestoreRequest) -> None:
    """Whoever filed it cancels it; so does IT, and before anything runs whoever at the client answers for its price."""
    it = "Only the person who asked, or IT, cancels this request."
    check_permission(user, Permission.CANCEL_REQUESTS, request.client, it)
    decides = request.filed_by_id == user.pk or has_permission(user, Permission.DECIDE_REQUESTS, request.client)
    if not decides and _answers_for_price(user, request):
        check_move(request, Move.CANCEL)
        if request.state is Status.AWAITING_CONSENT:
            raise Refused("Decline the estimate instead: that closes the request.")
        if request.state is Status.FAILED:
            raise Refused("Nothing of its price is spent while it is not done. IT tries again, or closes it.")
    elif request.filed_by_id != user.pk:
        check_permission(user, Permission.DECIDE_REQUESTS, request.client, it)
        check_is_a_person(user)
    check_move(request, Move.CANCEL)
    _check_at_rest(request)
    if has_swapped(request) and original_is_kept(request):
        raise Refused("The restored data is live. Undo brings the original back.")


def _answers_for_price(user: Person, request: RestoreRequest) -> bool:
    """Whether it is a person whose client may have to pay it, also by a standing consent."""
    price = request.price
    is_person = not getattr(user, "is_service_account", True)
    return (
        bool(price and price.amount) and is_person and has_permission(user, Permission.ACCEPT_ESTIMATES, request.client)
    )


def check_can_stop(user: Person, request: RestoreRequest) -> None:
    """Whoever may cancel it stops it while it runs, as long as the restored data is not live."""
    check_permission(user, Permission.CANCEL_REQUESTS, request.client, _ONLY_STOPS)
    if request.filed_by_id != user.pk:
        check_permission(user, Permission.DECIDE_REQUESTS, request.client, _ONLY_STOPS)
        check_is_a_person(user)
    check_move(request, Move.STOP)
    if has_swapped(request):
        raise Refused("The restored data is live already, so there is nothing to stop. Undo brings the original back.")


_ONLY_STOPS = "Only the person who asked, or IT, stops this restore."


def check_can_extend(user: Person, request: RestoreRequest) -> None:
    """IT keeps longer what a restore left: the original, what stands beside, an export."""
    check_permission(user, Permission.EXTEND_KEPT, request.client, "Only IT keeps it longer. Ask IT to do it.")
    check_is_a_person(user)
    attempt = last_restore(request)
    if request.state not in (Status.COMPLETED, Status.UNDONE) or attempt is None:
        raise Refused("Nothing is kept for this request.")
    if attempt.tidied_at or not attempt.kept_until or attempt.kept_until <= timezone.now():
        raise Refused("It is no longer kept.")


def check_can_schedule(user: Person, request: RestoreRequest) -> None:
    """IT says when an approved restore starts."""
    _check_decides(user, request, "Only IT says when a restore starts.")
    if request.incident_id:
        raise Refused("It belongs to an incident: its place in the order is decided there.")
    if request.state is not Status.APPROVED:
        raise Refused(f"This request is {request.facts.label.lower()}: when it starts is decided while it is approved.")


def check_can_accept(user: Person, request: RestoreRequest) -> None:
    """A person of the client accepts the estimate."""
    _check_client_decides(user, request, "Only a person of the client accepts the estimate.")
    check_move(request, Move.ACCEPT)
    _check_in_time(request)


def check_can_decline(user: Person, request: RestoreRequest) -> None:
    """Or declines it."""
    _check_client_decides(user, request, "Only a person of the client declines the estimate.")
    check_move(request, Move.DECLINE)


def _check_client_decides(user: Person, request: RestoreRequest, sentence: str) -> None:
    check_permission(user, Permission.ACCEPT_ESTIMATES, request.client, sentence)
    check_is_a_person(user)


def check_can_correct(user: Person, request: RestoreRequest) -> None:
    """IT corrects the cause, not while it is approved or running, nor once the charge is decided."""
    check_permission(user, Permission.CORRECT_CAUSES, request.client, "Only IT corrects the cause.")
    check_is_a_person(user)
    check_move(request, Move.CORRECT)
    if request.incident_id:
        raise Refused(f"It belongs to {request.incident}: what a hazard makes necessary is free of charge.")
    _check_at_rest(request)
    charge = getattr(request, "charge", None)
    if charge is not None and charge.status == ChargeStatus.VOID:
        raise Refused("It was done free of charge, because of the cause. That is not taken back.")
    if charge is not None and charge.status != ChargeStatus.TO_REVIEW:
        raise Refused("The account manager has decided about its charge already. Ask them to reopen it first.")


def check_can_undo(user: Person, request: RestoreRequest) -> None:
    """IT brings the original back while it is kept."""
    check_permission(user, Permission.UNDO_RESTORES, request.client, "Only IT undoes restores. Ask IT to do it.")
    check_is_a_person(user)
    check_move(request, Move.UNDO)
    _check_at_rest(request)
    _check_no_emergency(request)
    if request.restore_mode is not Mode.IN_PLACE:
        raise Refused("Nothing was replaced: there is nothing to undo.")
    attempt = live_restore(request) or last_restore(request)
    if attempt is None or not swapped(attempt):
        raise Refused("The live data was not replaced: there is nothing to undo.")
    if (later := replaced_since(request)) is not None:
        raise Refused(f"{replaced_sentence(later)} {_how_to_get_before(later)}")
    if Place.from_json(attempt.place).replaced_nothing:
        raise Refused("Nothing stood there before the restore: there is no original to bring back.")
    if attempt.tidied_at or not attempt.kept_until or attempt.kept_until <= timezone.now():
        raise Refused("The original is no longer kept. File a request for a backup from before the restore instead.")


def _how_to_get_before(later: RestoreRequest) -> str:
    """What leads back behind a restore that came after: its own Undo, as long as that is possible."""
    if original_is_kept(later):
        return "Undo that one first."
    return "What that one replaced is no longer kept. File a request for a backup from before instead."


def check_can_download(user: Person, request: RestoreRequest) -> None:
    """An export is for the person who asked for it, while it lasts."""
    if request.filed_by_id != user.pk:
        raise NotPermitted("An export can be downloaded only by the person who asked for it.")
    check_permission(user, Permission.FILE_REQUESTS, request.client, "You no longer act for this client.")
    if request.restore_mode is not Mode.EXPORT:
        raise Refused("This request is no export: there is nothing to download.")
    attempt = last_restore(request)
    if request.state is not Status.COMPLETED or attempt is None:
        raise Refused("There is no finished export to download.")
    if not attempt.kept_until or attempt.kept_until <= timezone.now():
        raise Refused("This export has expired. File a new request for it.")


def check_can_be_told(user: Person) -> None:
    """People follow requests and get mail; a program asks the API."""
    if getattr(user, "is_service_account", True):
        raise NotPermitted("A service account is told of nothing. It asks the API.")


def check_can_comment(user: Person, request: RestoreRequest) -> None:
    """The people of the request comment on it, whatever became of it."""
    check_permission(
        user,
        Permission.COMMENT_ON_REQUESTS,
        request.client,
        "You can read this request, but not comment on it. The client, its staff, IT and its account manager do.",
    )


def check_can_note_internally(user: Person, request: RestoreRequest) -> None:
    """Internal notes are written by those of the company who comment."""
    check_permission(
        user,
        Permission.VIEW_INTERNAL_NOTES,
        request.client,
        "Only the company’s people write internal notes. Send it as a comment.",
    )
    check_can_comment(user, request)


def check_can_attach(user: Person, request: RestoreRequest) -> None:
    """Who comments attaches files, until some time after the request came to its end."""
    check_can_comment(user, request)
    ended = request.closed_at or (request.status_changed_at if request.state is Status.COMPLETED else None)
    if ended is not None and timezone.now() - ended > ATTACHABLE_AFTER_THE_END:
        raise Refused(
            f"This request came to its end more than {ATTACHABLE_AFTER_THE_END.days} days ago: nothing is attached to it"
            " any more. You can still comment on it."
        )


def _check_at_rest(request: RestoreRequest) -> None:
    """Nothing is decided while something runs, or while it is not known yet what a stopped attempt left."""
    for attempt in request.attempts.all():
        if attempt.status in (AttemptStatus.QUEUED, AttemptStatus.RUNNING):
            running = (
                "The original is being brought back." if attempt.kind == AttemptKind.UNDO else "A restore is running."
            )
            raise Refused(f"{running} Wait until that is done.")
        if attempt.status != AttemptStatus.COMPLETED and attempt.resend_at is not None:
            raise Refused("The portal is still putting things right after the last attempt. Try again in a moment.")


def _check_not_own(user: Person, request: RestoreRequest) -> None:
    if request.incident_id:  # filed by confirming the incident, by IT for IT (R1)
        return
    if request.filed_by_id == user.pk:
        raise NotPermitted("You filed this request; another person of IT decides about it. You can cancel it.")


def last_restore(request: RestoreRequest) -> Attempt | None:
    """The newest attempt that was a restore, not an undo."""
    return request.attempts.filter(kind=AttemptKind.RESTORE).order_by("-number").first()


def live_restore(request: RestoreRequest) -> Attempt | None:
    """The attempt whose restored data is live, with its original still kept; a later one may have failed since."""
    restores = [one for one in request.attempts.all() if one.kind == AttemptKind.RESTORE]
    live = [one for one in restores if one.went_live_at is not None and one.tidied_at is None]
    return max(live, key=lambda one: one.number, default=None)


def original_is_kept(request: RestoreRequest) -> bool:
    """Whether what its restored data replaced is still there to be brought back."""
    attempt = live_restore(request)
    return attempt is not None and attempt.kept_until is not None and attempt.kept_until > timezone.now()


def swapped(attempt: Attempt) -> bool:
    """Whether the attempt put the restored data in place and it has stayed there, as far as is recorded."""
    return attempt.went_live_at is not None


def has_swapped(request: RestoreRequest) -> bool:
    """Whether the restored data of this request is live now."""
    if request.state is Status.UNDONE:
        return False
    restores = [one for one in request.attempts.all() if one.kind == AttemptKind.RESTORE]
    return any(one.went_live_at is not None for one in restores)
