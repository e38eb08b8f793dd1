"""Invoices: what providers were asked for and what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin, run_action
from apps.urgent.actions import invoices
from apps.urgent.admin import panels
from apps.urgent.models import Invoice, StrayPayment

STATUS_COLOURS = {
    Invoice.Status.PENDING: "info",
    Invoice.Status.PAID: "success",
    Invoice.Status.EXPIRED: "warning",
    Invoice.Status.REFUSED: "danger",
    Invoice.Status.REFUNDED: "warning",
}


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """Top-ups; the provider can be asked at once, Stars can be given back."""

    list_display = ("id", "member", "provider", "amount", "status_badge", "created_at", "paid_at", "attention")
    list_filter = ("status", "provider", "needs_attention", ("created_at", RangeDateTimeFilter))
    search_fields = ("id__exact", "member__id__exact", "provider_invoice_id__exact", "charge_id__exact")
    search_help_text = _("Our or the provider's number, charge id, Telegram id")
    list_select_related = ("member__user",)
    ordering = ("-id",)
    actions_detail = ("ask_the_provider", "refund")
    fieldsets = (
        (None, {"fields": ("id", "member", "provider", "amount", "stars", "status", "needs_attention", "note")}),
        (_("At the provider"), {"fields": ("provider_invoice_id", "charge_id", "payer_id", "pay_url")}),
        (_("Times"), {"fields": ("created_at", "expires_at", "paid_at", "refunded_at", "check_at", "checks_count")}),
        (_("Money"), {"fields": ("entry", "shortfall")}),
        (_("History"), {"fields": ("history",)}),
    )
    readonly_fields = ("history",)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, invoice: Invoice) -> tuple[str, str]:
        return invoice.status, invoice.get_status_display()

    @display(description=_("needs a look"), label={"yes": "danger"})
    def attention(self, invoice: Invoice) -> Any:
        return ("yes", _("look")) if invoice.needs_attention else "–"

    @display(description=_("steps"))
    def history(self, invoice: Invoice) -> SafeString:
        return panels.history(invoice)

    @action(description=_("Ask the provider now"), icon="sync", permissions=["handle"])
    def ask_the_provider(self, request: HttpRequest, object_id: int) -> HttpResponse:
        invoice = Invoice.objects.get(pk=object_id)
        run_action(request, lambda: invoices.ask_now(by=request.user, invoice=invoice))
        return HttpResponseRedirect(reverse("admin:urgent_invoice_change", args=[object_id]))

    @action(description=_("Give the Stars back"), icon="undo", permissions=["handle"])
    def refund(self, request: HttpRequest, object_id: int) -> HttpResponse:
        invoice = Invoice.objects.select_related("member__user").get(pk=object_id)
        return self.ask_reason(request, invoice, title=_("Give the Stars back"), deed=_refund)

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("urgent.handle_payments")


def _refund(invoice: Invoice, *, by: Any, reason: str) -> Invoice:
    return invoices.refund(by=by, invoice=invoice, reason=reason)


@admin.register(StrayPayment)
class StrayPaymentAdmin(ReadOnlyAdmin):
    """Money that came twice or for nothing we know; it goes back by itself."""

    list_display = ("created_at", "provider", "telegram_id", "amount", "invoice", "returned_at")
    list_filter = (("returned_at", admin.EmptyFieldListFilter),)
    search_fields = ("charge_id__exact", "telegram_id__exact")
    list_select_related = ("invoice",)
    ordering = ("-id",)
