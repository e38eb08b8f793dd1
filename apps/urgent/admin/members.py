"""Members: figures, money, blocking."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin
from apps.urgent.actions import members
from apps.urgent.admin import panels
from apps.urgent.models import Member
from apps.urgent.queries import balance


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    """Clients and executors. The balance is the ledger's; it is corrected there, by two people."""

    list_display = (
        "id",
        "name",
        "telegram_name",
        "average_rating",
        "active_orders_count",
        "completed_orders_count",
        "state",
    )
    list_filter = (("blocked_at", admin.EmptyFieldListFilter), "notifications_enabled")
    search_fields = (
        "id__exact",
        "user__telegram_username__istartswith",
        "user__first_name__istartswith",
        "user__phone__startswith",
    )
    search_help_text = _("Telegram id, beginning of a Telegram name, first name or phone")
    list_select_related = ("user",)
    ordering = ("-created_at", "-id")
    actions_detail = ("block", "unblock")
    fieldsets = (
        (None, {"fields": ("id", "name", "telegram_name", "blocked_at", "block_reason", "created_at")}),
        (_("Figures"), {"fields": ("average_rating", "active_orders_count", "completed_orders_count")}),
        (_("Messages"), {"fields": ("notifications_enabled", "notification_frequency_minutes", "last_notified_at")}),
        (_("Money"), {"fields": ("roubles", "money")}),
    )
    readonly_fields = ("name", "telegram_name", "roubles", "money")

    @display(description=_("name"))
    def name(self, member: Member) -> str:
        return member.user.get_full_name()

    @display(description=_("Telegram name"))
    def telegram_name(self, member: Member) -> str:
        return f"@{member.user.telegram_username}" if member.user.telegram_username else "–"

    @display(description=_("state"), label={"blocked": "danger", "trades": "success"})
    def state(self, member: Member) -> tuple[str, Any]:
        return ("blocked", _("blocked")) if member.is_blocked else ("trades", _("trades"))

    @display(description=_("balance, ₽"))
    def roubles(self, member: Member) -> int:
        return balance.balance(member)

    @display(description=_("last movements"))
    def money(self, member: Member) -> SafeString:
        return panels.money(balance.last_entries(member))

    @action(description=_("Block"), icon="block", permissions=["block"])
    def block(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, self._member(object_id), title=_("Block the member"), deed=_block)

    @action(description=_("Unblock"), icon="lock_open", permissions=["block"])
    def unblock(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, self._member(object_id), title=_("Unblock the member"), deed=_unblock)

    @staticmethod
    def _member(object_id: int) -> Member:
        return Member.objects.select_related("user").get(pk=object_id)

    def has_block_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("urgent.block_member")


def _block(member: Member, *, by: Any, reason: str) -> Member:
    return members.block(by=by, member_id=member.pk, reason=reason)


def _unblock(member: Member, *, by: Any, reason: str) -> Member:
    return members.unblock(by=by, member_id=member.pk, reason=reason)
