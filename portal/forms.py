"""Forms that show an action's sentence where it belongs, and the boxes that decisions ask for."""

from __future__ import annotations

from django import forms

from portal.errors import PortalError


class Reason(forms.CharField):
    """A required box for a reason. An empty one is refused by the action, with its sentence, not here."""

    def __init__(self, label: str, help_text: str = "", **attributes: str) -> None:
        super().__init__(label=label, help_text=help_text, widget=forms.Textarea(attrs={"rows": 3, **attributes}))

    def validate(self, value: str) -> None:
        """Anything goes."""


class TypedName(forms.CharField):
    """The resource's name, typed. Whether it is right is for the action to say, in its words."""

    def __init__(self) -> None:
        typed = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"})
        super().__init__(widget=typed)

    def validate(self, value: str) -> None:
        """Anything goes."""


class SentenceForm(forms.Form):
    """A form that shows an action's sentence beside the field at fault, or above all fields."""

    def show(self, error: PortalError) -> None:
        """Take over the error of an action."""
        self.add_error(error.field if error.field in self.fields else None, error.sentence)


class ReasonForm(SentenceForm):
    """A decision that needs a reason."""

    reason = Reason("Reason")
