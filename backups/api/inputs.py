"""What people send about resources."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from backups.kinds import KINDS, REGIONS
from backups.models import Environment
from portal.api.inputs import Input
from portal.errors import InvalidInput
from portal.models import Application
from portal.permissions import Person, visible
from portal.roles import Permission


class Registration(Input):
    """A resource to register. The application is given by its id, or by the names of client and application."""

    application = serializers.IntegerField(required=False, help_text="Its id; or leave it out and send the two names.")
    client = serializers.CharField(required=False, max_length=120, help_text="The client's name.")
    application_name = serializers.CharField(required=False, max_length=120, help_text="The application's name.")
    name = serializers.CharField(max_length=63, help_text="Small letters, digits and dashes, such as shop-db.")
    kind = serializers.CharField(help_text=f"One of: {', '.join(KINDS)}.")
    environment = serializers.CharField(help_text=f"One of: {', '.join(Environment.values)}.")
    home_region = serializers.CharField(help_text=f"One of: {', '.join(REGIONS)}.")
    other_region = serializers.CharField(required=False, help_text="Left out: the next region that is configured.")
    settings = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=1000, trim_whitespace=False),
        help_text=(
            "The kind's settings by name. A secret one is a reference, env:NAME or file:/path, to what lies within "
            "SECRETS_ENV_PREFIX and SECRETS_DIR where the portal runs."
        ),
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


def named_application(user: Person, entered: dict[str, Any]) -> Application:
    """Take the application that was named out of ``entered``, if the person sees it. Raises :class:`InvalidInput`."""
    pk, client, name = (entered.pop(key, None) for key in ("application", "client", "application_name"))
    seen = Application.objects.filter(visible(user, Permission.VIEW_RESOURCES, "client")).select_related("client")
    if pk is not None:
        found = seen.filter(pk=pk).first()
        sentence = f"There is no application {pk} that you can see."
    elif client and name:
        found = seen.filter(client__name=client, name=name).first()
        sentence = f"There is no application “{name}” of a client “{client}” that you can see."
    else:
        raise InvalidInput("Say which application: its id, or client and application_name.", field="application")
    if found is None:
        raise InvalidInput(sentence, field="application")
    return found
