"""What people enter about restores. Whether it is allowed is not decided here but by the actions, in their words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from backups.drivers.base import Mode
from portal.forms import Reason, SentenceForm, TypedName
from portal.words import company_zone
from restores.actions.filing import REASON_MISSING
from restores.charging import Cause

EARLIEST_YEAR, LATEST_YEAR = 1970, 2199  # far from the ends of the calendar, where other zones' times do not exist


class CompanyMoment(forms.Field):
    """A date and time as clocks in the company's time zone show it; aware when clean, None when left empty."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        """The moment. The hour that happens twice in autumn is taken for the first one, the safer for a backup."""
        if not value:
            return None
        try:
            naive = parse_datetime(str(value))
        except ValueError:
            naive = None
        if naive is None:
            raise forms.ValidationError("Enter a date and a time, such as 2026-11-17T14:30.")
        if not EARLIEST_YEAR <= naive.year <= LATEST_YEAR:
            raise forms.ValidationError(f"There is no backup of the year {naive.year}. Check the year of the date.")
        return naive if naive.tzinfo else naive.replace(tzinfo=company_zone())


class MomentForm(forms.Form):
    """When it went wrong: leads to the last good backup before."""

    went_wrong = CompanyMoment(required=False, label="When did it go wrong?")

    def moment(self) -> datetime | None:
        """The moment, or None when none was entered or it cannot be read (the field then says so)."""
        return self.cleaned_data.get("went_wrong") if self.is_bound and self.is_valid() else None


class AskForm(SentenceForm):
    """A restore request before it is filed."""

    backup = forms.IntegerField(
        widget=forms.HiddenInput,
        error_messages={"required": "Pick the backup to go back to.", "invalid": "Pick a backup."},
    )
    mode = forms.ChoiceField(
        choices=[(mode.value, mode.value) for mode in Mode],
        error_messages={"required": "Say where the backup goes.", "invalid_choice": "Choose one of the three places."},
    )
    cause = forms.ChoiceField(
        choices=[(cause.value, cause.label) for cause in Cause],
        error_messages={
            "required": "Say what caused it: it decides whether the restore is free.",
            "invalid_choice": "Choose one of the causes.",
        },
    )
    reason = Reason(
        "What happened, and what do you need back?",
        "Kept with the request, for whoever reads it later.",
        maxlength="5000",
        placeholder="For example: the nightly import of Monday overwrote the prices; we need the shop as it was before.",
    )

    accepts = forms.CharField(required=False, max_length=40)

    def clean(self) -> dict[str, Any] | None:
        """All that is missing is said at once, the reason too."""
        if not self.cleaned_data.get("reason") and "reason" not in self.errors:
            self.add_error("reason", REASON_MISSING)
        return super().clean()


class ConsentForm(SentenceForm):
    """A yes to the price that was shown."""

    plan_digest = forms.CharField(widget=forms.HiddenInput, required=False)


class CorrectForm(SentenceForm):
    """The true cause, and how IT knows."""

    cause = forms.TypedChoiceField(
        label="What really caused it?",
        coerce=Cause,
        choices=[(cause.value, cause.label) for cause in Cause],
        error_messages={"required": "Choose the cause.", "invalid_choice": "Choose one of the causes."},
    )
    reason = Reason("How do you know?", "The people of the request read it.")


class StartForm(SentenceForm):
    """When an approved restore starts."""

    start_at = CompanyMoment(required=False, label="Start at", help_text="Empty: at once.")
    reason = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 2}))


class ExtendForm(SentenceForm):
    """Until when something is kept."""

    until = forms.DateField(
        label="Keep it through",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Choose the last day.", "invalid": "Enter a day, such as 2026-12-01."},
    )
    reason = Reason("Why?", "Kept with the request.")


class PreferencesForm(SentenceForm):
    """What a person wants by mail."""

    mail_turn = forms.BooleanField(
        required=False,
        label="Mail when it is my turn",
        help_text="To approve, to accept, to check, to decide about a charge.",
    )
    mail_followed = forms.BooleanField(
        required=False,
        label="Mail about requests that I follow",
        help_text="Your own, and those about which you did something.",
    )
    digest = forms.BooleanField(
        required=False,
        label="A digest every morning",
        help_text="What waits for you, what ran, what is removed soon. None when there is nothing to say.",
    )


class ApproveForm(SentenceForm):
    """A yes to the plan that was shown."""

    plan_digest = forms.CharField(widget=forms.HiddenInput, required=False)
    typed_name = TypedName()
    start_at = CompanyMoment(required=False, label="Start at", help_text="For a maintenance window. Empty: at once.")
    reason = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 2}))
