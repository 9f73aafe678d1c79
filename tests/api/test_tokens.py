"""The life of a token."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.test import APIClient

from portal.api.tokens import LIFETIME, SignInThrottle
from portal.models import User
from tests.api.conftest import As
from tests.factories import PASSWORD, Cast


def sign_in(username: str, password: str = PASSWORD, **headers: Any) -> Any:
    return APIClient().post("/api/token/", {"username": username, "password": password}, **headers)


@pytest.fixture
def user(cast: Cast) -> User:
    return cast.client


def test_a_password_is_exchanged_for_a_token_that_is_stored_hashed(user: User) -> None:
    answer = sign_in(user.username)
    assert answer.status_code == 200
    token = answer.json()["token"]
    row = AuthToken.objects.get()
    assert token not in (row.digest, row.token_key)
    assert timezone.now() + LIFETIME - timedelta(minutes=1) < row.expiry < timezone.now() + LIFETIME
    known = APIClient().get("/api/me/", HTTP_AUTHORIZATION=f"Token {token}").json()
    assert known["username"] == user.username


def test_the_email_address_serves_as_username(user: User) -> None:
    assert sign_in(user.email).status_code == 200


def test_wrong_password_unknown_and_inactive_people_are_answered_alike(user: User, cast: Cast) -> None:
    cast.colleague.is_active = False
    cast.colleague.save()
    answers = [sign_in(user.username, "wrong"), sign_in("nobody-at-all"), sign_in(cast.colleague.username)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert not AuthToken.objects.exists()


def test_a_token_of_somebody_inactive_does_not_hold(as_: As, user: User) -> None:
    client = as_("client")
    user.is_active = False
    user.save()
    answer = client.get("/api/me/")
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("This token is unknown, revoked or expired.")


def test_an_expired_token_does_not_hold_and_goes_at_the_next_sign_in(user: User) -> None:
    tokens = [AuthToken.objects.create(user=user)[1] for _ in range(2)]
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert APIClient().get("/api/me/", HTTP_AUTHORIZATION=f"Token {tokens[0]}").status_code == 401
    sign_in(user.username)
    assert AuthToken.objects.count() == 1


def test_a_revoked_token_does_not_hold_and_others_do(as_: As) -> None:
    one, other = as_("client"), as_("client")
    assert one.post("/api/token/revoke/").status_code == 204
    assert one.get("/api/me/").status_code == 401
    assert other.get("/api/me/").status_code == 200


NEW = "quite another password"


def change(user: User) -> None:
    browser = Browser()
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    browser.post("/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})


def reset(user: User) -> None:
    browser = Browser()
    browser.post("/password/reset/", {"email": user.email})
    link = re.search(r"http://testserver(/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link
    form = browser.get(link[1], follow=True)
    browser.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW})


def set_by_an_administrator(user: User) -> None:
    browser = Browser()
    administrator = User.objects.get(username="adele-administrator")
    browser.force_login(administrator, backend="allauth.account.auth_backends.AuthenticationBackend")
    entered = {"password1": NEW, "password2": NEW, "usable_password": "true", "set-password": "1"}
    browser.post(f"/administration/portal/user/{user.pk}/password/", entered)


def set_at_a_terminal(user: User) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getpass.getpass", lambda prompt: NEW)
        call_command("changepassword", user.username, stdout=io.StringIO())


@pytest.mark.parametrize("how", [change, reset, set_by_an_administrator, set_at_a_terminal])
def test_tokens_end_with_the_password_that_they_were_got_by(as_: As, cast: Cast, user: User, how: Any) -> None:
    own, others = as_("client"), as_("colleague")
    how(user)
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert own.get("/api/me/").status_code == 401
    assert others.get("/api/me/").status_code == 200


def test_a_password_that_is_only_hashed_anew_is_no_new_password(as_: As, user: User, settings: Any) -> None:
    client = as_("client")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    assert sign_in(user.username).status_code == 200
    user.refresh_from_db()
    assert user.password.startswith("pbkdf2")
    assert client.get("/api/me/").status_code == 200


def test_an_administrator_revokes_somebodys_tokens(as_: As, cast: Cast, user: User) -> None:
    own, others = as_("client"), as_("colleague")
    browser = Browser()
    browser.force_login(cast.administrator, backend="allauth.account.auth_backends.AuthenticationBackend")
    asked = {"action": "end_tokens", "_selected_action": [user.pk]}
    assert "1 token revoked." in browser.post("/administration/portal/user/", asked, follow=True).content.decode()
    assert own.get("/api/me/").status_code == 401
    assert others.get("/api/me/").status_code == 200


def test_a_session_has_no_token_to_revoke(user: User) -> None:
    browser = APIClient()
    browser.force_login(user)
    assert browser.post("/api/token/revoke/").status_code == 401


@pytest.mark.parametrize("header", ["Token", "Token nonsense", "Token a b", "Token ünïcode"])
def test_a_malformed_token_is_unknown(db: None, header: str) -> None:
    answer = APIClient().get("/api/me/", HTTP_AUTHORIZATION=header)
    assert answer.status_code == 401
    assert "POST /api/token/" in answer.json()["detail"]


def test_tries_are_counted_by_address_whatever_the_proxy_header_says(user: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(SignInThrottle, "rate", "3/min", raising=False)
    for number in range(3):
        assert sign_in(user.username, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}").status_code == 200
    answer = sign_in(user.username, HTTP_X_FORWARDED_FOR="10.0.0.9")
    assert answer.status_code == 429
    assert answer.json()["detail"].startswith("Too many tries. Wait ")
    assert int(answer["Retry-After"]) > 0


def test_guessing_one_persons_password_is_stopped(user: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(SignInThrottle, "rate", "1000/min", raising=False)
    codes = [sign_in(user.username, f"guess {number}").status_code for number in range(12)]
    assert codes[0] == 401
    assert codes[-1] == 429


def test_who_am_i(as_: As, cast: Cast) -> None:
    known = as_("staff").get("/api/me/").json()
    assert known["name"] == str(cast.staff)
    assert known["is_service_account"] is False
    (role,) = known["roles"]
    assert role["role"] == "staff"
    assert role["client"] == {"id": cast.shopco.pk, "name": "Shopco"}
    assert "file_requests" in role["permissions"]
    assert as_("it").get("/api/me/").json()["roles"][0]["client"] is None
