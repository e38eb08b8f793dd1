"""Movements of cashback: read, searched, exported; and the way to the figures."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter, RangeNumericFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin, amount
from apps.loyalty.admin.figures import FiguresView
from apps.loyalty.admin.saving import branch_name
from apps.loyalty.admin.staff import BranchFilter
from apps.loyalty.models import CashbackTransaction

Kind = CashbackTransaction.Kind
KIND_COLOURS = {
    Kind.ADDED: "success",
    Kind.TAKEN: "danger",
    Kind.ACCRUAL: "success",
    Kind.PAYMENT: "warning",
    Kind.REFILL: "success",
    Kind.REFILL_FROM_ORDER: "success",
    Kind.WELCOME: "success",
    Kind.CORRECTION: "info",
    Kind.LEVELLING: "info",
}


@admin.register(CashbackTransaction)
class CashbackTransactionAdmin(ReadOnlyAdmin):
    """Each row stands for one entry of the ledger; rows are never changed."""

    list_display = ("id", "created_at", "client", "kind_badge", "moved", "after", "branch", "order_number", "staff")
    list_filter = (
        *("kind", "source", BranchFilter, ("created_at", RangeDateTimeFilter), ("amount", RangeNumericFilter)),
        ("staff", admin.EmptyFieldListFilter),
    )
    search_fields = ("id__exact", "client__id__exact", "client__name__icontains", "client__phone__icontains",
                     "order_number__exact", "iiko_event_id__exact")  # fmt: skip
    search_help_text = _("Number, name or phone of the guest, order, event in iiko")
    list_select_related = ("client", "staff")
    ordering = ("-id",)
    actions_list = ("figures",)

    @display(description=_("what"), ordering="kind", label=KIND_COLOURS)
    def kind_badge(self, row: CashbackTransaction) -> tuple[str, str]:
        return row.kind, row.get_kind_display()

    @display(description=_("amount"), ordering="amount")
    def moved(self, row: CashbackTransaction) -> str:
        return amount(row.amount)

    @display(description=_("balance after"))
    def after(self, row: CashbackTransaction) -> str:
        return amount(row.balance_after)

    @display(description=_("branch"), ordering="branch_id")
    def branch(self, row: CashbackTransaction) -> str:
        return branch_name(row.branch_id)

    @action(description=_("Figures"), icon="monitoring", url_path="to-figures")
    def figures(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:loyalty_figures"))

    def get_urls(self) -> list[URLPattern]:
        view: Any = self.admin_site.admin_view(FiguresView.as_view(model_admin=self))
        return [path("figures/", view, name="loyalty_figures"), *super().get_urls()]
