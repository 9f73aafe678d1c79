"""Who may do what: one enum of permissions, and per role a readable list of them. Deny by default."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """One thing a person may do. A page, an action and the API ask for the same one."""

    VIEW_RESOURCES = "view_resources"  # resources, their backups and copies
    VIEW_REQUESTS = "view_requests"  # restore requests and their timelines
    VIEW_CHARGES = "view_charges"
    VIEW_TECHNICAL = "view_technical"  # locators, settings, technical details of errors
    FILE_REQUESTS = "file_requests"
    CANCEL_REQUESTS = "cancel_requests"  # one's own
    COMMENT_ON_REQUESTS = "comment_on_requests"  # and attach files
    VIEW_INTERNAL_NOTES = "view_internal_notes"  # never a client's; who may comment writes them, too
    DECIDE_REQUESTS = "decide_requests"  # approve, reject, approve again after a failure
    CORRECT_CAUSES = "correct_causes"
    EXTEND_KEPT = "extend_kept"  # originals, what stands beside, exports
    ACCEPT_ESTIMATES = "accept_estimates"  # and decline them
    UNDO_RESTORES = "undo_restores"
    MANAGE_INCIDENTS = "manage_incidents"  # declare, confirm, close; say what the monitoring's hosts are
    BACK_UP_NOW = "back_up_now"
    REGISTER_RESOURCES = "register_resources"
    REMOVE_RESOURCES = "remove_resources"  # and bring them back
    HOLD_BACKUPS = "hold_backups"  # and release them
    RUN_RETENTION = "run_retention"  # and decide about a run that was stopped
    VIEW_COMPLIANCE = "view_compliance"  # findings, audits, what retention did
    VIEW_CHECKUPS = "view_checkups"  # of one's clients once they are signed; company-wide: all
    MANAGE_CHECKUPS = "manage_checkups"  # set dates, pause, cancel, have things checked again, see to tasks
    SIGN_CHECKUPS = "sign_checkups"
    TEST_BACKUPS = "test_backups"  # by restoring them into scratch; say how a restored copy is asked
    DECIDE_CHARGES = "decide_charges"
    DECIDE_ANY_CHARGE = "decide_any_charge"  # beyond what account managers may let off
    EXPORT_CHARGES = "export_charges"
    MANAGE_PRICES = "manage_prices"  # rate cards, and what is agreed with clients
    MANAGE_PEOPLE = "manage_people"


class Role(StrEnum):
    """What a membership makes of a person."""

    CLIENT = "client"
    STAFF = "staff"
    IT = "it"
    ACCOUNT_MANAGER = "account_manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """The role's name on pages."""
        return ROLE_LABELS[self]


ROLE_LABELS = {
    Role.CLIENT: "Client",
    Role.STAFF: "Staff",
    Role.IT: "IT",
    Role.ACCOUNT_MANAGER: "Account manager",
    Role.AUDITOR: "Auditor",
    Role.ADMINISTRATOR: "Administrator",
}

COMPANY_WIDE = frozenset({Role.IT, Role.AUDITOR, Role.ADMINISTRATOR})
"""Roles that hold for every client; the others are held for one client per membership."""

_SEE = frozenset({Permission.VIEW_RESOURCES, Permission.VIEW_REQUESTS, Permission.VIEW_CHECKUPS})
_CONVERSE = frozenset({Permission.COMMENT_ON_REQUESTS, Permission.VIEW_INTERNAL_NOTES})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.CLIENT: _SEE
    | {
        Permission.VIEW_CHARGES,
        Permission.FILE_REQUESTS,
        Permission.CANCEL_REQUESTS,
        Permission.COMMENT_ON_REQUESTS,
        Permission.ACCEPT_ESTIMATES,
    },
    Role.STAFF: _SEE
    | _CONVERSE
    | {
        Permission.FILE_REQUESTS,
        Permission.CANCEL_REQUESTS,
        Permission.BACK_UP_NOW,
    },
    Role.IT: _SEE
    | _CONVERSE
    | {
        Permission.VIEW_TECHNICAL,
        Permission.FILE_REQUESTS,
        Permission.CANCEL_REQUESTS,
        Permission.DECIDE_REQUESTS,
        Permission.CORRECT_CAUSES,
        Permission.EXTEND_KEPT,
        Permission.UNDO_RESTORES,
        Permission.MANAGE_INCIDENTS,
        Permission.BACK_UP_NOW,
        Permission.REGISTER_RESOURCES,
        Permission.REMOVE_RESOURCES,
        Permission.HOLD_BACKUPS,
        Permission.RUN_RETENTION,
        Permission.VIEW_COMPLIANCE,
        Permission.MANAGE_CHECKUPS,
        Permission.SIGN_CHECKUPS,
        Permission.TEST_BACKUPS,
    },
    Role.ACCOUNT_MANAGER: _SEE
    | _CONVERSE
    | {Permission.VIEW_CHARGES, Permission.DECIDE_CHARGES, Permission.EXPORT_CHARGES},
    Role.AUDITOR: _SEE
    | {
        Permission.VIEW_INTERNAL_NOTES,
        Permission.VIEW_CHARGES,
        Permission.VIEW_TECHNICAL,
        Permission.VIEW_COMPLIANCE,
    },
    Role.ADMINISTRATOR: _SEE
    | {
        Permission.VIEW_INTERNAL_NOTES,
        Permission.VIEW_CHARGES,
        Permission.VIEW_TECHNICAL,
        Permission.VIEW_COMPLIANCE,
        Permission.DECIDE_ANY_CHARGE,
        Permission.EXPORT_CHARGES,
        Permission.MANAGE_PRICES,
        Permission.MANAGE_PEOPLE,
    },
}
