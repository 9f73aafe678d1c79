"""One thing that a person may do on a page: a button, and the dialog that it opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from portal.errors import PortalError
from portal.forms import SentenceForm

Bound = Mapping[str, SentenceForm]
"""Forms that came back with an error, by the name of their act."""


@dataclass(frozen=True)
class Act:
    """``refusal`` says why it cannot be done, and is empty when it can; ``words`` what doing it means."""

    name: str
    label: str
    title: str
    verb: str
    icon: str
    words: str
    url: str
    form: SentenceForm
    refusal: str = ""
    style: str = "primary"
    main: bool = False
    open: bool = False

    @property
    def id(self) -> str:
        """The dialog's id."""
        return f"act-{self.name}"

    @property
    def fields(self) -> list[BoundField]:
        """What it asks for. What came back with an error has the focus as soon as the dialog is open."""
        shown = self.form.visible_fields()
        for wrong in [field for field in shown if field.errors][:1]:
            wrong.field.widget.attrs["autofocus"] = True
        return shown

    @property
    def hidden(self) -> list[BoundField]:
        """What goes with it unseen."""
        return self.form.hidden_fields()

    @property
    def opener_style(self) -> str:
        """The look of the button that opens the dialog."""
        return "primary" if self.main and not self.refusal else ""


def do(
    http: HttpRequest,
    form: SentenceForm,
    action: Callable[[], Any],
    back: Callable[[SentenceForm, int], HttpResponse],
    done: str,
    where: Any,
) -> HttpResponse:
    """Do it, and go ``where`` with a message; or ``back`` to the page with the sentence beside what was typed."""
    if not form.is_valid():
        return back(form, 400)
    try:
        action()
    except PortalError as error:
        form.show(error)
        return back(form, error.status)
    messages.success(http, done)
    return redirect(where)
