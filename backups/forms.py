"""Forms: backing up now, holding a backup, removing a resource, and registering one with its driver's own settings."""

from __future__ import annotations

from typing import Any

from django import forms

from backups.actions.holding import REASON_MISSING
from backups.drivers.words import Setting
from backups.kinds import KINDS, REGIONS
from backups.models import Environment
from backups.secrets import bounds
from portal.errors import InvalidInput
from portal.forms import Reason, SentenceForm, TypedName
from portal.models import Application
from portal.permissions import Person, visible
from portal.roles import Permission

SETTING = "setting-"


class BackUpForm(forms.Form):
    """Why a backup is taken now."""

    reason = forms.CharField(
        label="Why now?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "autofocus": True}),
        help_text="Kept with the backup, such as “before the release of 24 Nov”.",
        error_messages={"required": "Say why the backup is taken: it is kept with it."},
    )


class HoldForm(SentenceForm):
    """Keep a backup until a day, for a reason."""

    until = forms.DateField(
        label="Keep it until",
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The last day on which it must be there; ten years at most.",
        error_messages={
            "required": "Name the last day on which the backup must be there.",
            "invalid": "Enter a day, such as 2026-12-01.",
        },
    )
    reason = Reason("Why?", "Kept with the hold, such as “before the migration of 24 Nov”.")

    def clean(self) -> dict[str, Any] | None:
        """All that is missing is said at once, the reason too."""
        if not self.cleaned_data.get("reason") and "reason" not in self.errors:
            self.add_error("reason", REASON_MISSING)
        return super().clean()


class RemoveForm(SentenceForm):
    """A yes to the list of what goes and what stays, confirmed with the resource's name.

    The page writes the digest of the list that it shows, whatever was sent before.
    """

    digest = forms.CharField(required=False)
    reason = Reason("Why is it removed?", "Kept with the resource: who reads it later wants to know.")
    typed_name = TypedName()

    def __init__(self, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["typed_name"].label = f"Type {name} to confirm"


class _ApplicationField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    def label_from_instance(self, application: Application) -> str:
        """Applications of two clients may have the same name."""
        return f"{application.client} · {application}"


class RegisterForm(forms.Form):
    """A new resource of one kind; the driver's settings are fields named ``setting-<name>``."""

    name = forms.CharField(
        max_length=63,
        help_text="Small letters, digits and dashes, such as shop-db. People will look for it by this name.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )
    application = _ApplicationField(Application.objects.none(), empty_label="Choose one")
    environment = forms.ChoiceField(
        choices=Environment.choices,
        help_text="The last daily backup of a production resource is kept for six months after its removal (B4).",
    )
    home_region = forms.ChoiceField(
        choices=[(region, region) for region in REGIONS], help_text="Where its backups are kept."
    )
    other_region = forms.ChoiceField(
        choices=[(region, region) for region in REGIONS],
        initial=REGIONS[1],
        help_text="Where the copy of the latest monthly backup is kept (B3).",
    )

    def __init__(self, user: Person, kind: str, data: Any = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial={name: value for name, value in (initial or {}).items() if value})
        self.kind = kind
        may = visible(user, Permission.REGISTER_RESOURCES, "client")
        applications: Any = self.fields["application"]
        applications.queryset = (
            Application.objects.filter(may).select_related("client").order_by("client__name", "name")
        )
        for setting in KINDS[kind].settings:
            self.fields[SETTING + setting.name] = _setting_field(setting)

    @property
    def setting_fields(self) -> list[forms.BoundField]:
        """The driver's own fields."""
        return [self[name] for name in self.fields if name.startswith(SETTING)]

    def given(self) -> dict[str, Any]:
        """What register_resource() takes, once valid."""
        data = self.cleaned_data
        settings = {
            name.removeprefix(SETTING): data[name] for name in self.fields if name.startswith(SETTING) and data[name]
        }
        own = ("application", "name", "environment", "home_region", "other_region")
        return {"kind": self.kind, "settings": settings} | {name: data[name] for name in own}

    def blame(self, error: InvalidInput) -> None:
        """Show the action's sentence beside its field, or above the form when it names none."""
        for name in (SETTING + error.field, error.field):
            if name in self.fields:
                return self.add_error(name, error.sentence)
        return self.add_error(None, error.sentence)


def _setting_field(setting: Setting) -> forms.CharField:
    help_text = f"{setting.help}. {_reference_help()}".lstrip(". ") if setting.secret else setting.help
    attrs = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
    if setting.secret:
        attrs["placeholder"] = bounds().examples[0]
    return forms.CharField(
        label=setting.label,
        required=setting.required and not setting.default,
        initial=setting.default,
        help_text=help_text,
        max_length=1000,
        widget=forms.TextInput(attrs=attrs),
    )


def _reference_help() -> str:
    return (
        f"A reference, never the secret itself: env:NAME or file:/path for {bounds().sentence}. "
        "It is looked up where the portal runs, by the web server and the workers."
    )
