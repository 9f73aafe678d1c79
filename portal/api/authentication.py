"""Who asks: a token of the API, or the session of the pages."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed

from portal.models import User


class Tokens(TokenAuthentication):  # type: ignore[misc]  # the library has no types
    """knox's tokens; one of other characters than it hands out is unknown, not a fault."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        """The person and the token's row. Raises AuthenticationFailed."""
        if not token.isalnum():
            raise AuthenticationFailed()
        known: tuple[User, AuthToken] = super().authenticate_credentials(token)
        return known


class TokensInSchema(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # the library has no types
    """How the schema describes them."""

    target_class = "portal.api.authentication.Tokens"
    name = "token"


AUTHENTICATION: list[Any] = [Tokens, SessionAuthentication]
