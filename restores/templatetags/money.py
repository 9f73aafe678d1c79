"""Money in templates."""

from __future__ import annotations

from decimal import Decimal

from django import template
from moneyed import Money

from restores.pricing import in_money

register = template.Library()


@register.filter
def money(value: Money | None) -> str:
    """ "EUR 1,234.50"; a dash for None."""
    return "–" if value is None else in_money(value)


@register.filter
def plain(value: Decimal) -> str:
    """A quantity without needless zeros."""
    return f"{value.normalize():,f}"
