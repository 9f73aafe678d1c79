"""What people enter about checkups. Whether it is allowed is decided by the actions, in their words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from checkups.models import Asking
from checkups.models.applicationcheck import MOST_SECONDS
from portal.forms import Reason, SentenceForm
from portal.models import User


class Day(forms.DateField):
    """A day, picked from the browser's calendar."""

    def __init__(self, label: str, missing: str, help_text: str = "") -> None:
        picker = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        errors = {"required": missing, "invalid": missing}
        super().__init__(label=label, help_text=help_text, widget=picker, error_messages=errors)


class DateForm(SentenceForm):
    """One of the company's dates, and how much is restored on it."""

    on = Day("Date", "Choose a day.", "It starts by itself as this day begins, and takes as long as it takes.")
    share = forms.IntegerField(
        label="Share of the resources restored, in per cent",
        initial=100,
        help_text="100: all of them. Of the others every stored byte is read, and nothing more is claimed.",
        error_messages={"required": "Choose a share from 1 to 100 per cent.", "invalid": "Enter a whole number."},
    )
    sample_reason = forms.CharField(
        label="Why not all?",
        required=False,
        help_text="Only below 100 per cent. The reason and the rule of the sample stand in the record.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ChangeForm(DateForm):
    """The same, of a date that was set before."""

    reason = Reason("Why is it changed?")


class SignForm(SentenceForm):
    """A signature under what the page showed."""

    digest = forms.CharField(widget=forms.HiddenInput, required=False)
    statement = forms.CharField(
        label="Statement",
        required=False,
        help_text="What you looked at, if you like. It stands in the record.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AgainForm(SentenceForm):
    """What is tried again: the same backups, or newer ones."""

    which = forms.ChoiceField(
        label="Which backups?",
        initial="same",
        widget=forms.RadioSelect,
        choices=[
            ("same", "The same backups once more"),
            ("newest", "The newest ones there are now"),
        ],
        error_messages={"required": "Choose which backups are tried.", "invalid_choice": "Choose one of the two."},
    )
    reason = forms.CharField(label="Reason", required=False, widget=forms.Textarea(attrs={"rows": 2}))


class HandOnForm(SentenceForm):
    """Whose a task is from now on, and until when."""

    owner = forms.ModelChoiceField(
        User.objects.none(),
        label="Who sees to it?",
        error_messages={"required": "Choose a person of IT.", "invalid_choice": "Choose a person of IT."},
    )
    due_on = Day("Until when?", "Choose a day.")
    reason = Reason("Reason")

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        """``people`` are those it can be given to."""
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = people  # type: ignore[attr-defined]  # a model's field


class DoneForm(SentenceForm):
    """How a task ended."""

    outcome = Reason("How did it end?", "It is kept with the finding. What the checkup found stays as it is.")


class TestForm(SentenceForm):
    """Which copy of a backup is tested, and why."""

    region = forms.ChoiceField(
        label="Which copy?",
        error_messages={
            "required": "Choose which copy is tested.",
            "invalid_choice": "There is no copy there. Choose another one.",
        },
    )
    reason = Reason("Reason")

    def __init__(self, *args: Any, regions: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        """``regions`` are those where a copy of it is, the home region first."""
        super().__init__(*args, **kwargs)
        self.fields["region"].choices = regions  # type: ignore[attr-defined]


class AskingForm(SentenceForm):
    """How a restored copy of a resource is asked."""

    way = forms.ChoiceField(
        label="How?", choices=Asking.choices, error_messages={"required": "Choose how it is asked."}
    )
    text = Reason("What?", spellcheck="false")
    seconds = forms.IntegerField(
        label="It has to answer within so many seconds",
        initial=30,
        error_messages={"required": f"Choose from 1 to {MOST_SECONDS:,} seconds.", "invalid": "Enter a whole number."},
    )
    reason = Reason("Reason")

    def __init__(self, *args: Any, by_sql: bool, **kwargs: Any) -> None:
        """``by_sql``: whether a resource of that kind can be asked by SQL."""
        super().__init__(*args, **kwargs)
        if not by_sql:
            self.fields["way"].choices = [one for one in Asking.choices if one[0] != Asking.SQL]  # type: ignore[attr-defined]

    try_now = forms.BooleanField(
        label="Try it now",
        required=False,
        help_text="The newest good backup is restored into scratch and asked this. Nothing live is touched.",
    )
