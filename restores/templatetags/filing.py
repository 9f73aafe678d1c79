"""For pages of resources and backups: may the person ask for a restore, and if not, why not."""

from __future__ import annotations

from django import template

from backups.models import Resource
from portal.permissions import Person
from portal.rules import refusal
from restores.permissions import check_can_file

register = template.Library()


@register.simple_tag
def why_not_file(user: Person, resource: Resource) -> str:
    """The sentence that refuses a request for this resource; empty when it may be filed."""
    return refusal(check_can_file, user, resource)
