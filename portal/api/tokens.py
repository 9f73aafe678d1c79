"""Signing in to the API: a password for a token. Tokens expire and are stored hashed."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from knox.models import AuthToken
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from portal.api.authentication import Tokens
from portal.api.inputs import Input, Nothing
from portal.api.views import Recorded
from portal.errors import PortalError
from portal.models import User

LIFETIME = timedelta(days=30)


class WrongSignIn(PortalError):
    """Username and password do not belong to a person who may sign in; it is not said which is wrong."""

    status = 401

    def __init__(self) -> None:
        super().__init__("This username and password do not belong together, or the person may not sign in.")


class SignInThrottle(SimpleRateThrottle):
    """So many tries a minute from one address, seen through the proxies that are trusted and no others."""

    scope = "sign-in"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """One count per address."""
        return self.cache_format % {"scope": self.scope, "ident": get_adapter().get_client_ip(request)}


class SignIn(Input):
    """Who signs in."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, style={"input_type": "password"})


class Token(serializers.Serializer[AuthToken]):
    """A token. It is shown this once."""

    token = serializers.CharField(help_text="Send it as “Authorization: Token …”.")
    expires_at = serializers.DateTimeField()


class TokenView(Recorded):
    """Exchange a username and password for a token."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = [SignInThrottle]

    @extend_schema(request=SignIn, responses={200: Token}, auth=[], tags=["token"])
    def post(self, request: Request) -> Response:
        """Sign in. The token holds for 30 days or until it is revoked."""
        entered = SignIn(data=request.data)
        entered.is_valid(raise_exception=True)
        user = authenticated(request, **entered.validated_data)
        AuthToken.objects.filter(user=user, expiry__lte=timezone.now()).delete()
        row, token = AuthToken.objects.create(user=user, expiry=LIFETIME)
        return Response(Token({"token": token, "expires_at": row.expiry}).data)


class RevokeView(Recorded):
    """Give the token back."""

    authentication_classes = [Tokens]

    @extend_schema(request=Nothing, responses={204: OpenApiResponse(description="Revoked.")}, tags=["token"])
    def post(self, request: Request) -> Response:
        """Revoke the token that this request was sent with."""
        Nothing(data=request.data or {}).is_valid(raise_exception=True)
        request.auth.delete()
        return Response(status=204)


def authenticated(request: Request, *, username: str, password: str) -> User:
    """The person. Failed tries count together with those of the sign-in page. Raises WrongSignIn or Throttled."""
    try:
        user: User | None = get_adapter().authenticate(request._request, username=username, password=password)
    except ValidationError as error:
        raise Throttled(wait=300) from error
    if user is None or not user.is_active:  # the adapter hands out inactive people too
        raise WrongSignIn()
    return user
