"""Payments with their timeline; every button is one action, money moves only with a reason and a right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import AmountForm, ReadOnlyAdmin, amount, run_action
from apps.core.panels import moment, table
from apps.payments import access, actions, queries
from apps.payments.admin.report import ReportView
from apps.payments.models import Attempt, Payment, PaymentEvent, Refund

STATUS_COLOURS = {
    Payment.Status.CREATED: "info",
    Payment.Status.PENDING: "info",
    Payment.Status.HELD: "warning",
    Payment.Status.PAID: "success",
    Payment.Status.REFUNDED: "warning",
    Payment.Status.FAILED: "danger",
    Payment.Status.CANCELLED: "danger",
}


class ReadOnlyInline(TabularInline):
    """Rows beside a payment."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RefundInline(ReadOnlyInline):
    """What went back, or is on its way."""

    model = Refund
    fields = ("created_at", "amount", "status", "reason", "asked_by", "settled_at", "note")
    ordering = ("id",)


class AttemptInline(ReadOnlyInline):
    """Transactions of gateways that call us."""

    model = Attempt
    fields = ("created_at", "method", "vendor_id", "amount", "state", "reason")
    ordering = ("id",)


class EventInline(ReadOnlyInline):
    """Notices about this payment."""

    model = PaymentEvent
    fields = ("received_at", "word", "is_genuine", "result", "processed_at", "repeats_count")
    ordering = ("id",)


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Money from outside, of all products."""

    list_display = ("id", "what", "method", "amount_shown", "status_badge", "payer", "created_at", "paid_at", "look")
    list_filter = (
        *("status", "method", "purpose", "needs_attention", "is_surplus"),
        *(("created_at", RangeDateTimeFilter), ("paid_at", RangeDateTimeFilter)),
    )
    search_fields = ("id__exact", "reference__exact", "shop_transaction_id__exact", "vendor_id__exact")
    search_help_text = _("Our or the gateway's number, the product's reference")
    list_select_related = ("payer",)
    ordering = ("-id",)
    inlines = (RefundInline, AttemptInline, EventInline)
    actions_list = ("report",)
    actions_detail = ("ask_now", "refund", "capture", "let_go", "take_in_cash", "looked_at")
    one_click = ("ask_now", "looked_at")
    fieldsets = (
        (None, {"fields": ("id", "purpose", "reference", "method", "status", "payer", "description")}),
        (_("Money"), {"fields": ("amount", "currency", "captured_amount", "refunding_amount", "refunded_amount")}),
        (_("What staff should know"), {"fields": ("needs_attention", "note", "is_surplus", "is_superseded")}),
        (
            _("At the gateway"),
            {
                "fields": (
                    "shop_transaction_id",
                    "vendor_id",
                    "vendor_payer",
                    "vendor_word",
                    "pay_url",
                    "is_two_stage",
                    "wish",
                )
            },
        ),
        (
            _("Times"),
            {"fields": ("created_at", "expires_at", "held_at", "hold_until", "paid_at", "ended_at", "refunded_at")},
        ),
        (_("Questions to the gateway"), {"fields": ("check_at", "checked_at", "checks_count")}),
        (_("History"), {"fields": ("timeline",)}),
    )
    readonly_fields = ("timeline",)

    @display(description=_("what for"), ordering="reference")
    def what(self, payment: Payment) -> str:
        return f"{payment.purpose} {payment.reference}"

    @display(description=_("amount"), ordering="amount")
    def amount_shown(self, payment: Payment) -> str:
        return amount(payment.amount, payment.currency)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, payment: Payment) -> tuple[str, str]:
        return payment.status, payment.get_status_display()

    @display(description=_("needs a look"), label={"yes": "danger"})
    def look(self, payment: Payment) -> Any:
        return ("yes", _("look")) if payment.needs_attention else "–"

    @display(description=_("timeline"))
    def timeline(self, payment: Payment) -> SafeString:
        rows = [(moment(row.at), row.kind, row.what, row.who) for row in queries.timeline(payment)]
        return table((_("when"), _("kind"), _("what"), _("who")), rows)

    @action(description=_("Ask the gateway now"), icon="sync", permissions=["handle"])
    def ask_now(self, request: HttpRequest, object_id: int) -> HttpResponse:
        payment = Payment.objects.get(pk=object_id)
        run_action(request, lambda: actions.ask_gateway(payment, by=request.user, source="staff asked"))
        return _back(object_id)

    @action(description=_("Give money back"), icon="undo", permissions=["refund"])
    def refund(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, _payment(object_id), title=_("Give money back"), deed=_refund, form=AmountForm)

    @action(description=_("Take the held money"), icon="check", permissions=["handle"])
    def capture(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(
            request, _payment(object_id), title=_("Take the held money"), deed=_capture, form=AmountForm
        )

    @action(description=_("Let the held money go"), icon="block", permissions=["handle"])
    def let_go(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, _payment(object_id), title=_("Let the held money go"), deed=_let_go)

    @action(description=_("The cash is here"), icon="payments", permissions=["handle"])
    def take_in_cash(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(
            request, _payment(object_id), title=_("The cash is here"), deed=_take_cash, form=forms.Form
        )

    @action(description=_("I have looked at it"), icon="visibility", permissions=["handle"])
    def looked_at(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: actions.looked_at(by=request.user, payment=_payment(object_id)))
        return _back(object_id)

    @action(description=_("Daily report"), icon="monitoring", url_path="to-report")
    def report(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:payments_report"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(ReportView.as_view(model_admin=self))
        return [path("report/", view, name="payments_report"), *super().get_urls()]

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can(request.user, access.REFUND)

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can(request.user, access.HANDLE)


def _payment(object_id: int) -> Payment:
    return Payment.objects.get(pk=object_id)


def _back(object_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:payments_payment_change", args=[object_id]))


def _refund(payment: Payment, *, by: Any, amount: Decimal | None, reason: str, key: str) -> None:
    actions.refund_by_staff(by=by, payment=payment, amount=amount, key=key, reason=reason)


def _capture(payment: Payment, *, by: Any, amount: Decimal | None, reason: str, key: str) -> None:
    actions.capture(by=by, payment=payment, amount=amount)


def _let_go(payment: Payment, *, by: Any, reason: str) -> None:
    actions.cancel_hold(by=by, payment=payment, reason=reason)


def _take_cash(payment: Payment, *, by: Any) -> None:
    actions.take_cash(by=by, payment=payment)
