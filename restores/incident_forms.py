"""What people enter about incidents. Whether it is allowed is decided by the actions, in their words."""

from __future__ import annotations

from typing import Any

from django import forms

from backups.kinds import REGIONS
from backups.models import Resource
from portal.entered import whole_number
from portal.forms import Reason, SentenceForm, TypedName
from portal.models import Application
from restores.actions.incidents import AT_ONCE, HAZARD_MISSING
from restores.forms import CompanyMoment
from restores.models.incident import MOST_AT_ONCE

SHOWN = 200


class Affected(SentenceForm):
    """Applications and resources to choose from; ``words`` narrow the two lists, what is chosen stays in them."""

    applications = forms.ModelMultipleChoiceField(
        Application.objects.none(), label="Whole applications", required=False
    )
    resources = forms.ModelMultipleChoiceField(Resource.objects.none(), label="Single resources", required=False)

    def __init__(self, *args: Any, words: str = "", **kwargs: Any) -> None:
        """The lists hold the first of each by name."""
        super().__init__(*args, **kwargs)
        self.words = words
        applications = Application.objects.select_related("client").order_by("client__name", "name")
        resources = Resource.objects.standing().select_related("application__client").order_by("name", "pk")
        self._offer("applications", applications, applications.filter(name__icontains=words) if words else applications)
        self._offer("resources", resources, resources.named(words) if words else resources)

    def _offer(self, name: str, allowed: Any, shown: Any) -> None:
        field = self.fields[name]
        field.queryset = allowed  # type: ignore[attr-defined]  # a model's field
        picked = [value for value in (self[name].value() or []) if whole_number(str(value)) is not None]
        rows = [*allowed.filter(pk__in=picked), *shown.exclude(pk__in=picked)[:SHOWN]]
        field.widget.choices = [(row.pk, f"{row.name} ({row.client})") for row in rows]
        field.widget.attrs["size"] = 8


class HazardForm(Affected):
    """A hazard with what it affects."""

    hazard = Reason("What happened?", "The people of the clients concerned read it: name no other client.")
    began_at = CompanyMoment(required=False, label="Since when?", help_text="Times to recovery count from here.")
    region = forms.ChoiceField(
        label="A region that is lost",
        required=False,
        help_text="All at home in it is affected; backups are read elsewhere.",
        choices=[("", "None"), *((region, region) for region in REGIONS)],
    )
    concurrency = forms.IntegerField(
        label="Restores at once",
        initial=AT_ONCE,
        min_value=1,
        max_value=MOST_AT_ONCE,
        error_messages={"required": f"Say how many restores run at once, 1 to {MOST_AT_ONCE}."},
    )

    def clean_hazard(self) -> str:
        """Missing words are said beside the others that are missing."""
        hazard: str = self.cleaned_data["hazard"]
        if not hazard.strip():
            raise forms.ValidationError(HAZARD_MISSING)
        return hazard


class ConfirmForm(SentenceForm):
    """A yes to the list that was shown."""

    digest = forms.CharField(widget=forms.HiddenInput, required=False)
    typed_number = TypedName()


class TakeOutForm(SentenceForm):
    """One resource of the list, and why it is left out."""

    resource = forms.TypedChoiceField(coerce=int, label="Resource")
    reason = Reason("Reason")

    def __init__(self, *args: Any, choices: list[tuple[int, str]], **kwargs: Any) -> None:
        """``choices`` are what can be taken out, as the page shows it."""
        super().__init__(*args, **kwargs)
        self.fields["resource"].choices = choices  # type: ignore[attr-defined]


class HostForm(Affected):
    """What a host of the monitoring is."""

    host = forms.CharField(label="Host, as Zabbix has it", max_length=128)
