"""Transactions of the gateways that call us, and when they changed their keys."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.core.admin import ReadOnlyAdmin, amount
from apps.payments.models import Attempt, GatewayKey

STATE_COLOURS = {
    Attempt.State.CREATED: "info",
    Attempt.State.PERFORMED: "success",
    Attempt.State.CANCELLED: "danger",
    Attempt.State.TAKEN_BACK: "warning",
}


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    """What Payme and Click did with a payment; their number is what their support asks for."""

    list_display = ("created_at", "method", "vendor_id", "payment", "amount_shown", "state_badge", "reason")
    list_filter = ("method", "state", ("created_at", RangeDateTimeFilter))
    search_fields = ("vendor_id__exact", "payment__id__exact", "payment__reference__exact")
    search_help_text = _("The gateway's number, ours, the product's reference")
    list_select_related = ("payment",)
    ordering = ("-id",)
    fields = (
        *("payment", "method", "vendor_id", "amount", "state", "reason", "created_at"),
        *("vendor_time", "created_ms", "performed_ms", "cancelled_ms", "fiscal"),
    )

    @display(description=_("amount"), ordering="amount")
    def amount_shown(self, attempt: Attempt) -> str:
        return amount(attempt.amount, attempt.payment.currency)

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_badge(self, attempt: Attempt) -> tuple[int, Any]:
        return attempt.state, attempt.get_state_display()


@admin.register(GatewayKey)
class GatewayKeyAdmin(ReadOnlyAdmin):
    """That a gateway has changed its key, and when; the key itself is known to nobody here."""

    list_display = ("method", "changed_at")
    list_select_related = False
    ordering = ("method",)
    fields = ("method", "changed_at")
