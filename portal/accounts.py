"""Sign-in: there is no sign-up; people are made by administrators. A new password ends what the old one opened."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from django.conf import settings
from django.http import HttpRequest
from knox.models import AuthToken

from portal.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no types
    """allauth's hooks."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "The name and the password do not belong together. Check both, then try again.",
        "email_password_mismatch": "The address and the password do not belong together. Check both, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up."""
        return False


def revoke_tokens(user: User) -> int:
    """End every token of the API that the person has; how many there were."""
    return int(AuthToken.objects.filter(user=user).delete()[0])


class TokensEndWithThePassword:
    """Django tells its password validators of every new password, whichever page or command it was set by."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Any password will do here."""

    def get_help_text(self) -> str:
        """What people read above the box for a new password."""
        return "Your tokens for the API end with your old password."

    def password_changed(self, password: str, user: User) -> None:
        """Whoever got a token by the old password is locked out with it."""
        revoke_tokens(user)


class SignInForm(LoginForm):  # type: ignore[misc]  # the library has no types
    """The sign-in form. In the demo, and only there, it knows the cast and is filled in by ``?as=<username>``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "User name or email"
        self.fields["login"].widget.attrs = {"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}
        self.fields["password"].help_text = ""
        self.cast = demo_cast()
        self.chosen = self._chosen()
        if self.chosen is not None:
            self.initial.update(login=self.chosen.username, password=self.chosen.password)
            self.fields["password"].widget.render_value = True
            self.fields["login"].widget.attrs.pop("autofocus")

    def _chosen(self) -> Any:
        wanted = self.request.GET.get("as") if self.request is not None and self.cast else None
        return next((person for person in self.cast if person.username == wanted), None)


def demo_cast() -> tuple[Any, ...]:
    """The demo's people with their passwords; nobody when this is not the demo."""
    if not settings.DEMO:
        return ()
    from portal.demo.cast import CAST  # only the demo may know it

    return tuple(CAST)
