"""The small parts of pages: icons, pills, times, sizes, progress, buttons, dialogs, fields."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import count
from typing import Any
from urllib.parse import urlencode

import lucide
from django import template
from django.forms import BoundField, CheckboxInput
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal import words
from portal.days import short_day
from portal.ways import ways_from

register = template.Library()

PILL_ICONS = {
    "waiting": "clock",
    "working": "loader",
    "good": "circle-check",
    "bad": "triangle-alert",
    "quiet": "circle-minus",
}


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, css: str = "") -> SafeString:
    """A lucide icon as inline SVG; of the text's size and colour. Beside a word always, so hidden from readers."""
    svg = lucide._render_icon(
        name + "", None, **{"aria-hidden": "true", "focusable": "false", "class": f"icon {css}".strip()}
    )
    return mark_safe(svg)  # noqa: S308  # the wheel's own file and literal names


@register.simple_tag
def pill(label: object, colour: object) -> SafeString:
    """A status: a word, an icon and a colour (waiting, working, good, bad, quiet)."""
    return format_html('<span class="pill pill-{}">{} {}</span>', colour, icon(PILL_ICONS[str(colour)]), label)


def _time(moment: datetime, shown: str, other: str, printed: str) -> SafeString:
    local = moment.astimezone(words.company_zone())
    if shown == printed:
        return format_html(
            '<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"), other, shown
        )
    return format_html(
        '<time datetime="{}" title="{}"><span class="only-screen">{}</span><span class="only-print">{}</span></time>',
        local.isoformat(timespec="seconds"),
        other,
        shown,
        printed,
    )


@register.simple_tag
def when(moment: datetime | None, none: str = "never") -> SafeString | str:
    """A time as people say it ("3 h ago"); the exact one with its zone on hover and on paper."""
    if moment is None:
        return none
    now = timezone.now()
    exact_words = words.exact_time(moment, now)
    return _time(moment, words.relative_time(moment, now), exact_words, exact_words)


@register.simple_tag
def exact(moment: datetime | None, none: str = "–") -> SafeString | str:
    """A time to the minute with its zone; how long ago on hover. For rows and sentences from which one is picked."""
    if moment is None:
        return none
    now = timezone.now()
    exact_words = words.exact_time(moment, now)
    return _time(moment, exact_words, words.relative_time(moment, now), exact_words)


@register.filter
def day(value: date) -> str:
    """A day without its time, as the company counts it: "1 Nov", with the year when it is not this one."""
    return short_day(value, timezone.now().astimezone(words.company_zone()).date())


@register.filter
def spaced(word: str) -> str:
    """``hard_links`` as people write it."""
    return word.replace("_", " ")


@register.filter
def size(value: int | None) -> str:
    """Bytes in words: "1.8 GB"."""
    return words.size_in_words(value)


@register.filter
def span(value: timedelta) -> str:
    """A span of time in words: "2 d 6 h"."""
    return words.span_in_words(value)


@register.filter
def counted(value: int, noun: str) -> str:
    """ "3 backups": ``{{ n|counted:"backup" }}``; an odd plural after a comma: "copy,copies"."""
    singular, _, plural = noun.partition(",")
    return words.counted(value, singular, plural)


@register.simple_tag
def progress(done: int, expected: int | None, label: str = "Progress") -> SafeString:
    """A bar of real bytes, and the same in words. Without an expected size it only says how much there is so far."""
    if not expected:
        text = f"{words.size_in_words(done)} so far"
        return format_html(
            '<div class="progress"><progress aria-label="{}"></progress><span>{}</span></div>', label, text
        )
    done = min(done, expected)
    text = f"{words.size_in_words(done)} of {words.size_in_words(expected)}, {done * 100 // expected} %"
    return format_html(
        '<div class="progress"><progress aria-label="{}" value="{}" max="{}"></progress><span>{}</span></div>',
        label,
        done,
        expected,
        text,
    )


@register.simple_tag
def action(label: str, url: str, reason: str = "", icon: str = "", style: str = "") -> str:
    """A link that looks like a button. With a ``reason`` why not, it is disabled and says so when asked.

    ``style``: primary, danger, quiet, small (several by space).
    """
    return _button(label, reason, icon, style, url=url)


@register.simple_tag
def opener(dialog: str, label: str, reason: str = "", icon: str = "", style: str = "") -> str:
    """A button that opens the dialog of that id, disabled like :func:`action` when there is a reason why not."""
    return _button(label, reason, icon, style, dialog=dialog)


_numbers = count(1)


def _button(label: str, reason: str, icon: str, style: str, **more: str) -> str:
    css = " ".join(["button", *(f"button-{word}" for word in style.split())])
    values = {"label": label, "reason": reason, "icon": icon, "css": css, "why": f"why-{next(_numbers)}", **more}
    return render_to_string("components/button.html", values)


@register.simple_block_tag
def dialog(content: str, key: str, title: str, shown: bool = False) -> str:
    """A dialog around a form. ``key`` is its id; ``shown`` opens it at once: the form came back with an error."""
    return render_to_string("components/dialog.html", {"content": content, "id": key, "title": title, "open": shown})


@register.simple_tag
def field(bound: BoundField, label: str = "") -> str:
    """A form's field: label, help, control, errors, tied together for screen readers."""
    checkbox = isinstance(bound.field.widget, CheckboxInput)
    values: dict[str, Any] = {"field": bound, "label": label or bound.label, "checkbox": checkbox}
    return render_to_string("components/field.html", values)


@register.filter
def grouped(value: int) -> str:
    """A count with separators: "88,123"."""
    return f"{value:,}"


@register.simple_tag
def querystring_of(url: str, **parameters: object) -> str:
    """The address with those parameters."""
    return f"{url}?{urlencode(parameters)}"


@register.inclusion_tag("components/ways.html", takes_context=True)
def ways(context: template.RequestContext, also_this: bool = False, above: bool = True) -> dict[str, Any]:
    """The links of a page that says no. ``also_this``: this very address may say yes the next time."""
    return {"ways": ways_from(context["request"], also_this=also_this, above=above)}
