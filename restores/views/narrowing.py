"""Lists to choose from, narrowed by words; what was typed and chosen meanwhile stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.http import HttpRequest

from portal.entered import search_words
from restores.incident_forms import Affected
from restores.views.ask_context import answers_of

Form = TypeVar("Form", bound=Affected)


def is_sent(http: HttpRequest) -> bool:
    """Whether the form was sent to be done; not when it was sent to narrow its lists."""
    return http.method == "POST" and "narrow" not in http.POST


def form_to_choose(kind: type[Form], http: HttpRequest, initial: Mapping[str, Any]) -> Form:
    """The form as it is to be shown or checked. While its lists are narrowed nothing of it is checked."""
    words = " ".join(search_words(answers_of(http).get("q", "")))
    if is_sent(http):
        return kind(http.POST, words=words)
    if http.method == "POST":
        fields = kind.base_fields.items()
        initial = {name: field.widget.value_from_datadict(http.POST, http.FILES, name) for name, field in fields}
    return kind(words=words, initial=initial)
