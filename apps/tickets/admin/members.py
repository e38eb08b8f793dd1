"""Who takes part: roles, teams, shutting out; and the programmes that report through Open311."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin
from apps.tickets import access
from apps.tickets.actions import members, open311
from apps.tickets.admin.forms import RoleForm
from apps.tickets.models import ApiKey, Member, Team

ROLE_COLOURS = {Member.Role.CITIZEN: "default", Member.Role.SUPPORT: "info", Member.Role.MANAGER: "primary"}


class ManagedAdmin(ReadOnlyAdmin):
    """Buttons for whoever manages the city."""

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can("manage", request.user)


@admin.register(Member)
class MemberAdmin(ManagedAdmin):
    """People write their own profile; staff give roles and shut out."""

    list_display = ("name", "role_badge", "team", "is_verified", "is_active", "created_at")
    list_filter = ("role", "team", "is_verified", "is_active", ("deleted_at", admin.EmptyFieldListFilter))
    search_fields = ("id__exact", "name__istartswith", "phone_number__exact", "email__iexact")
    search_help_text = _("Id, beginning of the name, whole phone or e-mail")
    list_select_related = ("team",)
    ordering = ("-created_at", "-id")
    actions_detail = ("set_role", "shut_out", "let_in", "remove")
    fields = (
        *("id", "name", "phone_number", "email", "role", "team", "is_verified", "is_phone_proved"),
        *("is_active", "created_at", "updated_at", "deleted_at"),
    )

    @display(description=_("role"), ordering="role", label=ROLE_COLOURS)
    def role_badge(self, member: Member) -> tuple[str, str]:
        return member.role, member.get_role_display()

    @action(description=_("Role and team"), icon="badge", permissions=["manage"])
    def set_role(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _member(object_id), title=_("Role and team"), deed=_set_role, form=RoleForm)

    @action(description=_("Shut out"), icon="block", permissions=["manage"])
    def shut_out(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _member(object_id), title=_("Shut the member out"), deed=_shut_out)

    @action(description=_("Let in again"), icon="lock_open", permissions=["manage"])
    def let_in(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _member(object_id), title=_("Let the member in again"), deed=_let_in)

    @action(description=_("Remove"), icon="person_remove", permissions=["manage"])
    def remove(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _member(object_id), title=_("Remove the member"), deed=_remove)


@admin.register(ApiKey)
class ApiKeyAdmin(ManagedAdmin):
    """Keys are made by `manage.py open311_key`, which shows them once."""

    list_display = ("name", "beginning", "member", "created_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name__istartswith", "beginning__exact")
    list_select_related = ("member",)
    ordering = ("name",)
    actions_detail = ("revoke",)
    fields = ("name", "beginning", "member", "created_at", "revoked_at")

    @action(description=_("Revoke"), icon="key_off", permissions=["manage"])
    def revoke(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        key = ApiKey.objects.get(pk=object_id)
        return self.ask_reason(request, key, title=_("Revoke the key"), deed=_revoke)


def _member(object_id: Any) -> Member:
    return Member.objects.get(pk=object_id)


def _set_role(member: Member, *, by: Any, role: str, team: Team | None) -> None:
    members.set_role(by=by, member_id=member.pk, role=role, team_id=team.pk if team else None)


def _shut_out(member: Member, *, by: Any, reason: str) -> None:
    members.set_active(by=by, member_id=member.pk, is_active=False)


def _let_in(member: Member, *, by: Any, reason: str) -> None:
    members.set_active(by=by, member_id=member.pk, is_active=True)


def _remove(member: Member, *, by: Any, reason: str) -> None:
    members.remove(by=by, member_id=member.pk)


def _revoke(key: ApiKey, *, by: Any, reason: str) -> None:
    open311.revoke_key(by=by, key_id=key.pk)
