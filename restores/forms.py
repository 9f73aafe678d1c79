"""What people enter about restores. Whether it is allowed is not decided here but by the actions, in their words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.dateparse import parse_datetime

from backups.drivers.base import Mode
from portal.forms import Reason, SentenceForm, TypedName
from portal.words import company_zone
from restores.actions.filing import REASON_MISSING
from restores.amounts import NotAnAmount, read_amount
from restores.charging import Cause
from restores.details import DETAIL_LABELS, DETAIL_MAX, SINCE_MAX, Details
from restores.filekinds import KINDS
from restores.models.conversation import COMMENT_MAX

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
        "What happened?",
        "Kept with the request, for whoever reads it later. The other boxes may stay empty.",
        maxlength="5000",
        placeholder="For example: the nightly import of Monday overwrote the prices.",
    )

    since_when = forms.CharField(
        label="Since when is it so?",
        required=False,
        help_text="As far as you know. Left empty, the moment entered above is kept.",
        widget=forms.TextInput(attrs={"maxlength": SINCE_MAX, "placeholder": "Since the import of Monday night"}),
    )
    wanted = forms.CharField(
        label="What should be restored?",
        required=False,
        help_text="All of it, or the part that you need back.",
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": DETAIL_MAX}),
    )
    must_not_lose = forms.CharField(
        label="What must not be lost?",
        required=False,
        help_text="What was saved since then and is still needed, such as today’s orders.",
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": DETAIL_MAX}),
    )
    accepts = forms.CharField(required=False, max_length=40)

    def details(self) -> Details:
        """The structured part of the reason. Only of a valid form."""
        return Details(**{name: self.cleaned_data[name] for name in DETAIL_LABELS})

    def clean(self) -> dict[str, Any] | None:
        """All that is missing is said at once, the reason too."""
        if not self.cleaned_data.get("reason") and "reason" not in self.errors:
            self.add_error("reason", REASON_MISSING)
        return super().clean()


class ManyFiles(forms.FileInput):
    """A control in which several files can be chosen."""

    allow_multiple_selected = True


class Files(forms.Field):
    """The files that were sent. Which ones may be attached is for the action to say, in its words."""

    widget = ManyFiles

    def to_python(self, value: Any) -> list[UploadedFile[Any]]:
        """All of them."""
        return list(value or [])


class SayForm(SentenceForm):
    """A comment on a request, files for it, or both."""

    text = forms.CharField(
        label="Your comment", required=False, widget=forms.Textarea(attrs={"rows": 3, "maxlength": COMMENT_MAX})
    )
    file = Files(required=False, label="Files")
    internal = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "id-say-%s")
        super().__init__(*args, **kwargs)
        accepted = ",".join(f".{name}" for name in KINDS)
        self.fields["file"].widget.attrs |= {"accept": accepted, "data-most-bytes": settings.ATTACHMENT_BYTES}


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


class Amount(forms.CharField):
    """A box for an amount of money, or for hours; None when left empty. Whether it is needed is for the action to say."""

    def __init__(self, label: str, help_text: str = "", *, places: int = 2, size: int = 10) -> None:
        self.places = places
        typed = forms.TextInput(attrs={"inputmode": "decimal", "size": size, "autocomplete": "off"})
        super().__init__(label=label, help_text=help_text, required=False, empty_value=None, widget=typed)

    def to_python(self, value: Any) -> Any:
        """The amount."""
        text = super().to_python(value)
        try:
            return None if text is None else read_amount(text, self.places)
        except NotAnAmount as error:
            raise forms.ValidationError(str(error)) from error


class DecideForm(SentenceForm):
    """A decision about money."""

    amount = Amount("Charge this instead")
    reason = Reason("Reason for the decision")


class PreferencesForm(SentenceForm):
    """What a person wants by mail."""

    mail_turn = forms.BooleanField(
        required=False,
        label="Mail when it is my turn",
        help_text="To approve, to accept, to check, to decide about a charge; and when your company’s live data is replaced or a"
        " restore costs it something.",
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
