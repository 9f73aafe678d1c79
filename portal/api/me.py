"""Who am I."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.api.clients import ClientOut
from portal.api.views import Recorded
from portal.models import Membership, User
from portal.roles import PERMISSIONS, Permission, Role


class RoleHeld(serializers.Serializer[Membership]):
    """A role that the person has."""

    role = serializers.ChoiceField(choices=[role.value for role in Role])
    client = ClientOut(allow_null=True, help_text="Null: the role holds for every client.")
    permissions = serializers.SerializerMethodField()

    def get_permissions(self, membership: Membership) -> list[str]:
        """What the role permits."""
        return sorted(permission.value for permission in Permission if permission in PERMISSIONS[Role(membership.role)])


class Me(serializers.ModelSerializer[User]):
    """The person whom the token or session belongs to."""

    name = serializers.CharField(source="__str__")
    roles = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "username", "name", "email", "is_service_account", "roles"]

    @extend_schema_field(RoleHeld(many=True))
    def get_roles(self, person: User) -> Any:
        """The roles they have."""
        held = person.memberships.select_related("client").order_by("role", "client__name")
        return serializers.ListSerializer(list(held), child=RoleHeld()).data


class MeView(Recorded):
    """Who the portal takes the asker for."""

    @extend_schema(responses=Me, tags=["me"], summary="Who am I, and what may I do for whom?")
    def get(self, request: Request) -> Response:
        """The person with their roles."""
        return Response(Me(self.person).data)
