"""Orders with their lines, money and timeline; every button is one action."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from import_export import fields, resources
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import AmountForm, ReadOnlyAdmin, amount, run_action
from apps.core.panels import moment, table
from apps.shop import access
from apps.shop.actions import orders, payments
from apps.shop.admin.finance import FinanceView
from apps.shop.models import Order, OrderItem
from apps.shop.queries import figures, timeline
from apps.shop.states import ORDER

Status = Order.Status

STATUS_COLOURS = {
    Status.PENDING: "warning",
    Status.CONFIRMED: "info",
    Status.PREPARING: "info",
    Status.READY: "primary",
    Status.DELIVERED: "success",
    Status.CANCELLED: "danger",
    Status.REFUNDED: "danger",
}
STEP_WORDS = {
    Status.PREPARING: _("Begin to prepare"),
    Status.READY: _("It is ready"),
    Status.DELIVERED: _("It is delivered"),
}
"""Steps of one click. Money has buttons of its own, and giving up asks for a reason."""

MONEY = {
    "unpaid": (_("not paid"), "warning"),
    "paid": (_("paid"), "success"),
    "part": (_("a part paid back"), "info"),
    "back": (_("paid back"), "danger"),
}
"""What the list says about the money of an order, and in which colour."""


class MoneyFilter(admin.SimpleListFilter):
    """Not paid, paid, a part paid back, all of it."""

    title = _("money")
    parameter_name = "money"
    WHERE: ClassVar[dict[str, Q]] = {
        "unpaid": Q(paid_amount=None),
        "paid": Q(paid_amount__isnull=False, back_amount=0),
        "part": Q(back_amount__gt=0, back_amount__lt=F("paid_amount")),
        "back": Q(back_amount__gt=0, back_amount__gte=F("paid_amount")),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, words) for name, (words, _colour) in MONEY.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(self.WHERE.get(self.value() or "", Q()))


class LineInline(TabularInline):
    """What was ordered, as it was on that day."""

    model = OrderItem
    extra = 0
    fields = readonly_fields = ("name", "size", "quantity", "unit_price", "total_price", "notes", "slipper")
    ordering = ("id",)
    can_delete = False
    verbose_name_plural = _("goods")
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderItem]:
        return super().get_queryset(request).select_related("slipper")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrderResource(resources.ModelResource):
    """Orders as a table for the accountant: no phones."""

    customer = fields.Field("customer__full_name", "customer")

    class Meta:
        model = Order
        fields = ("id", "customer", "status", "total_amount", "currency", "created_at", "paid_at", "delivered_at",
                  "cancelled_at", "refunded_at")  # fmt: skip
        export_order = fields


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Every order; nothing is edited here, buttons call what the API calls."""

    resource_classes = (OrderResource,)
    list_display = ("number", "customer", "total", "status_badge", "money_badge", "created_at")
    list_display_links = ("number", "customer")
    list_filter = (
        *("status", MoneyFilter, ("created_at", RangeDateTimeFilter), ("paid_at", RangeDateTimeFilter)),
        *("cancelled_by", ("deleted_at", admin.EmptyFieldListFilter)),
    )
    search_fields = ("id__exact", "customer__name__icontains", "customer__surname__icontains",
                     "customer__phone_number__endswith")  # fmt: skip
    search_help_text = _("Number of the order, part of the customer's name, end of the phone")
    list_select_related = ("customer",)
    ordering = ("-created_at", "-id")
    inlines = (LineInline,)
    actions = ("move_on",)
    actions_list = ("finance",)
    actions_detail = ("take_cash", "cancel", "refund", "confirm_by_hand")
    fieldsets = (
        (None, {"fields": ("number", "status", "next_steps", "customer", "total", "money_words", "notes")}),
        (_("Payments"), {"fields": ("money_table",)}),
        (_("History"), {"fields": ("history_table",)}),
        (
            _("Times"),
            {"fields": ("created_at", "stock_reserved_until", "paid_at", "delivered_at", "cancelled_at",
                        "cancelled_by", "refunded_at", "deleted_at")},
        ),
    )  # fmt: skip
    readonly_fields = ("number", "next_steps", "total", "money_words", "money_table", "history_table")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return figures.with_money(super().get_queryset(request))

    # ── What is shown ───────────────────────────────────────────────────────────────────────────────────────────────
    @display(description=_("number"), ordering="id")
    def number(self, order: Order) -> str:
        return str(order)

    @display(description=_("total"), ordering="total_amount")
    def total(self, order: Order) -> str:
        return amount(order.total_amount, order.currency)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("money"), label={name: colour for name, (_words, colour) in MONEY.items()})
    def money_badge(self, order: Any) -> tuple[str, Any]:
        name = _money_of(order)
        return name, MONEY[name][0]

    @display(description=_("money"))
    def money_words(self, order: Any) -> Any:
        return MONEY[_money_of(order)][0]

    @display(description=_("next step"))
    def next_steps(self, order: Order) -> SafeString:
        """Buttons of the page's own form: one click, and a POST with its token."""
        steps = [(to, STEP_WORDS[Status(to)]) for to in ORDER.allowed_from(order.status) if to in STEP_WORDS]
        address = reverse("admin:shop_order_step", args=[order.pk])
        return SafeString(render_to_string("admin/_steps.html", {"steps": steps, "address": address}))

    @display(description=_("payments"))
    def money_table(self, order: Order) -> SafeString:
        rows = [
            (
                _link("payments_payment", payment.pk),
                payment.get_method_display(),
                payment.get_status_display(),
                amount(payment.amount, payment.currency),
                amount(payment.refunded_amount, payment.currency),
                moment(payment.created_at),
                moment(payment.paid_at),
            )
            for payment in timeline.payments_of(order)
        ]
        return table(
            (_("payment"), _("method"), _("status"), _("amount"), _("paid back"), _("created"), _("paid at")), rows
        )

    @display(description=_("timeline"))
    def history_table(self, order: Order) -> SafeString:
        rows = [(moment(row.at), row.kind, row.what, row.who) for row in timeline.of(order)]
        return table((_("when"), _("kind"), _("what"), _("who")), rows)

    # ── Buttons ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that the order's status allows."""
        order = self.get_object(request, str(object_id))
        wanted = _buttons(order) if order and not order.deleted_at else set()
        return [
            button
            for button in super().get_actions_detail(request, object_id)
            if button.action_name.removeprefix("shop_order_") in wanted
        ]

    def step(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """POST: one step of the table that needs no reason. What is not such a step is refused by the action."""
        if request.method != "POST" or not self.has_advance_permission(request):
            raise PermissionDenied
        to = request.POST.get("to", "")
        run_action(request, lambda: orders.set_status(by=request.user, order_id=object_id, status=to))
        return HttpResponseRedirect(reverse("admin:shop_order_change", args=[object_id]))

    @admin.action(description=_("Move on by one step"), permissions=["advance"])
    def move_on(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Each chosen order to what follows; those that wait for money or are over say so."""
        for order in queryset.order_by("pk"):
            following = [to for to in ORDER.allowed_from(order.status) if to in STEP_WORDS]
            to = following[0] if following else Status.PREPARING
            run_action(request, partial(orders.set_status, by=request.user, order_id=order.pk, status=to), str(order))

    @action(description=_("Take cash"), icon="payments", permissions=["handle_money"])
    def take_cash(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(
            request, _order(object_id), title=_("The cash for this order is here"), deed=_take_cash, form=forms.Form
        )

    @action(description=_("Cancel"), icon="block", permissions=["advance"])
    def cancel(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, _order(object_id), title=_("Cancel the order"), deed=_cancel)

    @action(description=_("Give money back"), icon="undo", permissions=["refund"])
    def refund(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, _order(object_id), title=_("Give money back"), deed=_refund, form=AmountForm)

    @action(description=_("Set paid by hand"), icon="gavel", permissions=["override"])
    def confirm_by_hand(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, _order(object_id), title=_("Set paid by hand"), deed=_confirm)

    @action(description=_("Finance"), icon="monitoring", url_path="to-finance", permissions=["finance"])
    def finance(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:shop_finance"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(FinanceView.as_view(model_admin=self))
        return [
            path("finance/", view, name="shop_finance"),
            path("<int:object_id>/step/", self.admin_site.admin_view(self.step), name="shop_order_step"),
            *super().get_urls(),
        ]

    # ── Rights ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def has_advance_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can_handle_orders(request.user)

    def has_override_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can_handle_orders(request.user, access.OVERRIDE)

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can_handle_orders(request.user, access.REFUND)

    def has_handle_money_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can_handle_orders(request.user, access.HANDLE_MONEY)

    def has_finance_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("shop.view_finance")


def _money_of(order: Any) -> str:
    """The word for the money of an order that `figures.with_money` has annotated."""
    if order.paid_amount is None:
        return "unpaid"
    if not order.back_amount:
        return "paid"
    return "back" if order.back_amount >= order.paid_amount else "part"


def _buttons(order: Order) -> set[str]:
    if order.status == Status.PENDING:
        return {"take_cash", "cancel", "confirm_by_hand"}
    return {"refund"} if order.is_paid else set()


def _order(object_id: int) -> Order:
    return Order.objects.get(pk=object_id)


def _link(screen: str, pk: int) -> SafeString:
    return format_html(
        '<a class="text-primary-600" href="{}">#{}</a>', reverse(f"admin:{screen}_change", args=[pk]), pk
    )


def _take_cash(order: Order, *, by: Any) -> None:
    payments.take_cash(by=by, order_id=order.pk)


def _cancel(order: Order, *, by: Any, reason: str) -> None:
    orders.cancel(by=by, order_id=order.pk, reason=reason)


def _refund(order: Order, *, by: Any, amount: Decimal | None, reason: str, key: str) -> None:
    payments.refund(by=by, order_id=order.pk, amount=amount, key=key, reason=reason)


def _confirm(order: Order, *, by: Any, reason: str) -> None:
    orders.set_status(by=by, order_id=order.pk, status=Status.CONFIRMED, reason=reason)
