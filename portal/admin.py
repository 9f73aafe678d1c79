"""The administration: people, clients, applications, memberships. For those who may manage people, nobody else.

Permissions come from memberships alone, so Django's own (``is_staff``, groups) play no part here.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from simple_history.admin import SimpleHistoryAdmin

from portal.accounts import revoke_tokens
from portal.models import Application, Client, Membership, User
from portal.permissions import has_permission
from portal.roles import Permission
from portal.words import counted


class Administration(admin.AdminSite):
    """The site, with the portal's own rule and the portal's own sign-in."""

    site_title = "HaaS backups"
    site_header = "People and clients"
    index_title = "Administration"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may manage people."""
        return has_permission(request.user, Permission.MANAGE_PEOPLE, None)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Who is signed in and may not come here goes to the start; all others sign in first."""
        return redirect("start" if request.user.is_authenticated else "account_login")

    def logout(  # type: ignore[override]  # the portal answers
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """By the portal's own way."""
        return redirect("account_logout")

    def password_change(  # type: ignore[override]  # the portal answers
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """By the portal's own way."""
        return redirect("account_change_password")


administration = Administration(name="administration")


class _ByThePortalsRule(SimpleHistoryAdmin):  # type: ignore[misc]  # the library has no types
    """Every right is that of managing people. Nothing is deleted here: history refers to it."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Shown on the index."""
        return has_permission(request.user, Permission.MANAGE_PEOPLE, None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """See."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Add."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Change."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only memberships are ended by deleting them."""
        return False


class _Memberships(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = Membership
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_permission(request.user, Permission.MANAGE_PEOPLE, None)

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


@admin.register(User, site=administration)
class People(_ByThePortalsRule, UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """People: leaving means becoming inactive."""

    list_display = ("username", "first_name", "last_name", "email", "is_active", "is_service_account")
    list_filter = ("is_active", "is_service_account", "memberships__role")
    inlines = (_Memberships,)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Sign-in", {"fields": ("is_active", "is_service_account", "last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    actions = ("end_tokens",)

    @admin.action(description="Revoke their tokens for the API")
    def end_tokens(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """For a token that was lost, or a program that is no longer trusted."""
        number = 0
        for user in people:
            number += revoke_tokens(user)
            self.log_change(request, user, "Revoked all tokens for the API.")
        self.message_user(request, f"{counted(number, 'token')} revoked.")


@admin.register(Client, site=administration)
class Clients(_ByThePortalsRule):
    """Clients."""

    list_display = ("name", "created_at")
    search_fields = ("name",)


@admin.register(Application, site=administration)
class Applications(_ByThePortalsRule):
    """Applications."""

    list_display = ("name", "client", "created_at")
    list_select_related = ("client",)
    list_filter = ("client",)
    search_fields = ("name", "client__name")


@admin.register(Membership, site=administration)
class Memberships(_ByThePortalsRule):
    """Memberships: deleting one ends the role; the history keeps it."""

    list_display = ("user", "role", "client")
    list_select_related = ("user", "client")
    list_filter = ("role", "client")
    search_fields = ("user__username", "user__last_name", "client__name")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role ends by deleting its membership."""
        return self.has_module_permission(request)
