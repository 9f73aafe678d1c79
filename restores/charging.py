"""Causes of a restore, and what they mean for the charge (R1, R2). Pure."""

from __future__ import annotations

from enum import StrEnum

from moneyed import Money

from restores.pricing import in_money


class Cause(StrEnum):
    """Why a restore is needed, in the client's words."""

    INFRASTRUCTURE = "infrastructure"
    DELETED_BY_MISTAKE = "deleted_by_mistake"
    BAD_CHANGE = "bad_change"
    BAD_DATA = "bad_data"
    SECURITY = "security"
    COPY_WANTED = "copy_wanted"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The cause in plain words."""
        return CAUSE_LABELS[self]


CAUSE_LABELS = {
    Cause.INFRASTRUCTURE: "An infrastructure problem (server, disk, network, our maintenance)",
    Cause.DELETED_BY_MISTAKE: "Something was deleted or overwritten by mistake",
    Cause.BAD_CHANGE: "A release or a change of the application went wrong",
    Cause.BAD_DATA: "An import or a user damaged the data",
    Cause.SECURITY: "A break-in or a leaked password on the application's side",
    Cause.COPY_WANTED: "A copy is wanted, for a test or to look something up",
    Cause.OTHER: "Something else",
}


class Classification(StrEnum):
    """Whether a restore may be charged."""

    FREE = "free"
    BILLABLE = "billable"

    @property
    def label(self) -> str:
        """The classification as people read it."""
        return "Free of charge" if self is Classification.FREE else "May be charged"


def classify(cause: Cause) -> Classification:
    """R2: free when infrastructure problems caused it, always; anything else may be charged."""
    return Classification.FREE if cause is Cause.INFRASTRUCTURE else Classification.BILLABLE


def classification_sentence(cause: Cause, price: Money | None = None) -> str:
    """What the cause means for the charge, in words for the client: with the price, where one is set."""
    if classify(cause) is Classification.FREE:
        return "Free of charge, because the cause is an infrastructure problem."
    if price is None:
        return (
            "This restore may be charged, because the cause is not an infrastructure problem. "
            "An account manager decides once it is done, with a reason."
        )
    return (
        f"This restore may be charged, {in_money(price)} at most, because the cause is not an infrastructure problem. "
        "An account manager decides once it is done, with a reason."
    )
