"""The slot picture and the size chart as inline SVG, without a style attribute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django import template
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from backups.picture import Cell, Look, Picture

register = template.Library()

SIDE, STEP, GAP = 10, 13, 9  # a cell, from one cell to the next, between groups
TOP = 2


def _hatch(x: int) -> str:
    """Three strokes across a cell."""
    y, end = TOP, TOP + SIDE
    return f'<path class="hatch" d="M{x} {y + 5}l5-5M{x} {end}L{x + SIDE} {y}M{x + 5} {end}l5-5"/>'


def _lock(x: int, proven: bool) -> str:
    """A padlock in the middle of a cell; where a restore proved the backup, the keyhole is the dot of that."""
    y = TOP + 2
    keyhole = f'<circle class="keyhole" cx="{x + 5}" cy="{y + 4.75}" r="0.95"/>' if proven else ""
    return (
        f'<path class="shackle" d="M{x + 3.5} {y + 3}v-1.1a1.5 1.5 0 0 1 3 0v1.1"/>'
        f'<rect class="lock" x="{x + 2}" y="{y + 2.75}" width="6" height="4" rx="0.9"/>{keyhole}'
    )


def _pin(x: int) -> str:
    """A pin stuck into the upper right corner of a cell."""
    right = x + SIDE
    return f'<path class="needle" d="M{right - 5} {TOP + 5}l4-4"/><circle class="pin" cx="{right}" cy="{TOP}" r="2.7"/>'


def _marks(cell: Cell, x: int) -> str:
    """What keeps it, and how far it was proven. ``x`` is the left of the square around its middle."""
    dot = f'<circle class="proof" cx="{x + SIDE // 2}" cy="{TOP + SIDE // 2}" r="2"/>' if cell.proven else ""
    middle = _lock(x, cell.proven) if cell.held else dot
    return middle + (_pin(x) if cell.pinned else "")


def _square(cell: Cell, x: int) -> str:
    shape = f'<rect class="cell cell-{cell.look}" x="{x}" y="{TOP}" width="{SIDE}" height="{SIDE}" rx="2"/>'
    if cell.look is Look.FAILED:
        shape += _hatch(x)
    return shape + _marks(cell, x)


def _diamond(cell: Cell, x: int) -> str:
    half, middle = 6, TOP + SIDE // 2
    shape = f'<path class="cell cell-{cell.look}" d="M{x} {middle}l{half}-{half} {half} {half}-{half} {half}z"/>'
    if cell.look is Look.LATE:
        shape += f'<path class="cell-half" d="M{x} {middle}l{half}-{half}v{2 * half}z"/>'
    return shape + _marks(cell, x + half - SIDE // 2)


def _titled(cell: Cell, shape: str, link: bool) -> str:
    title = f"<title>{escape(cell.title)}</title>"
    if link and cell.backup is not None:
        url = reverse("backup", args=[cell.backup])
        return f'<a href="{url}" aria-label="{escape(cell.title)}"><g>{title}{shape}</g></a>'
    return f"<g>{title}{shape}</g>"


def _row(cells: Iterable[Cell], start: int, step: int, link: bool) -> tuple[str, int]:
    parts, x = [], start
    for cell in cells:
        parts.append(_titled(cell, _square(cell, x), link))
        x += step
    return "".join(parts), x


@register.simple_tag
def slot_picture(picture: Picture) -> SafeString:
    """The picture for lists: 7 daily, 6 monthly, the other region; the sentence for screen readers."""
    daily, x = _row(picture.daily, 1, STEP, False)
    monthly, x = _row(picture.monthly, x + GAP, STEP, False)
    other = _titled(picture.other, _diamond(picture.other, x + GAP), False)
    return mark_safe(  # noqa: S308  # numbers and escaped titles
        f'<svg class="picture" viewBox="0 0 {x + GAP + 13} 14" role="img" aria-label="{escape(picture.sentence)}">'
        f"{daily}{monthly}{other}</svg>"
    )


LARGE_STEP = 17


@register.simple_tag
def slot_picture_large(picture: Picture) -> SafeString:
    """The picture for a resource's own page: named cells, each a link to its backup."""
    daily, x = _row(picture.daily, 4, LARGE_STEP, True)
    monthly_start = x + 12
    monthly, x = _row(picture.monthly, monthly_start, LARGE_STEP, True)
    other_start = x + 12
    other = _titled(picture.other, _diamond(picture.other, other_start + 10), True)
    names = _names(picture.daily, 4) + _names(picture.monthly, monthly_start)
    names += f'<text x="{other_start + 16}" y="20">{escape(picture.other.label)}</text>'
    heads = "".join(
        f'<text class="group" x="{at}" y="-4">{name}</text>'
        for at, name in ((4, "7 daily"), (monthly_start, "6 monthly"), (other_start, "Other region"))
    )
    return mark_safe(  # noqa: S308  # numbers and escaped words
        f'<svg class="picture picture-large" viewBox="0 -10 {other_start + 44} 33" role="group"'
        f' aria-label="{escape(picture.sentence)}">{heads}{daily}{monthly}{other}{names}</svg>'
    )


def _names(cells: Sequence[Cell], start: int) -> str:
    return "".join(
        f'<text x="{start + index * LARGE_STEP + SIDE // 2}" y="20">{escape(cell.label)}</text>'
        for index, cell in enumerate(cells)
    )


LEGEND = (
    (Cell(Look.GOOD, "", ""), "good"),
    (Cell(Look.GOOD, "", "", proven=True), "proven by a restore"),
    (Cell(Look.MISSING, "", ""), "missing"),
    (Cell(Look.FAILED, "", ""), "failed or damaged"),
    (Cell(Look.BEFORE, "", ""), "before its first backup"),
    (Cell(Look.GOOD, "", "", held=True), "held"),
    (Cell(Look.GOOD, "", "", pinned=True), "in use by a request"),
)


@register.simple_tag
def picture_legend() -> SafeString:
    """What the cells mean."""
    items = "".join(
        f'<li><svg viewBox="0 0 12 14" aria-hidden="true">{_square(cell, 1)}</svg>{escape(words)}</li>'
        for cell, words in LEGEND
    )
    return mark_safe(f'<ul class="legend" aria-label="What the cells mean">{items}</ul>')  # noqa: S308  # made above
