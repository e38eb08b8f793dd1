"""Refunds: what was asked, by whom, why, and how it stands."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin, amount, run_action
from apps.payments import access, actions
from apps.payments.models import Refund

STATUS_COLOURS = {
    Refund.Status.NEW: "info",
    Refund.Status.PENDING: "warning",
    Refund.Status.SUCCEEDED: "success",
    Refund.Status.FAILED: "danger",
}


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Money on its way back."""

    list_display = ("created_at", "payment", "amount_shown", "status_badge", "reason", "asked_by", "settled_at")
    list_filter = ("status", "payment__method", ("created_at", RangeDateTimeFilter))
    search_fields = ("shop_refund_id__exact", "vendor_refund_id__exact", "payment__reference__exact")
    search_help_text = _("Our or the gateway's number, the product's reference")
    list_select_related = ("payment", "asked_by")
    ordering = ("-id",)
    actions_detail = ("ask_now", "went_back", "did_not_go")
    one_click = ("ask_now",)

    @display(description=_("amount"), ordering="amount")
    def amount_shown(self, refund: Refund) -> str:
        return amount(refund.amount, refund.currency)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, refund: Refund) -> tuple[str, str]:
        return refund.status, refund.get_status_display()

    @action(description=_("Ask the gateway now"), icon="sync", permissions=["handle"])
    def ask_now(self, request: HttpRequest, object_id: int) -> HttpResponse:
        payment = Refund.objects.select_related("payment").get(pk=object_id).payment
        run_action(request, lambda: actions.ask_gateway(payment, by=request.user, source="staff asked"))
        return HttpResponseRedirect(reverse("admin:payments_refund_change", args=[object_id]))

    @action(description=_("The money went back"), icon="check", permissions=["refund"])
    def went_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        title = _("The money went back")
        return self.ask_reason(request, Refund.objects.get(pk=object_id), title=title, deed=_went_back)

    @action(description=_("The money did not go back"), icon="block", permissions=["refund"])
    def did_not_go(self, request: HttpRequest, object_id: int) -> HttpResponse:
        title = _("The money did not go back")
        return self.ask_reason(request, Refund.objects.get(pk=object_id), title=title, deed=_did_not_go)

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can(request.user, access.REFUND)

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can(request.user, access.HANDLE)


def _went_back(refund: Refund, *, by: Any, reason: str) -> None:
    actions.conclude_by_staff(by=by, refund=refund, went_back=True, reason=reason)


def _did_not_go(refund: Refund, *, by: Any, reason: str) -> None:
    actions.conclude_by_staff(by=by, refund=refund, went_back=False, reason=reason)
