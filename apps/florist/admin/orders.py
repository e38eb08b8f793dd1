"""Orders across shops with their lines, money and timeline; every button is one action."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from import_export import fields, resources
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin import AmountForm, ReadOnlyAdmin, ReasonForm, amount, run_action
from apps.core.panels import moment, table
from apps.florist import access
from apps.florist.actions import lifecycle, payments
from apps.florist.admin.figures import FiguresView
from apps.florist.models import Order, OrderItem
from apps.florist.queries import orders as questions
from apps.florist.states import CANCEL, FORWARD, ISSUE, ROLLBACK

Status = Order.Status

STATUS_COLOURS = {
    Status.NEW: "warning",
    Status.PAID: "info",
    Status.ASSEMBLED: "primary",
    Status.DELIVERY: "primary",
    Status.SELF_PICKUP: "primary",
    Status.DELIVERED: "success",
    Status.COMPLETED: "success",
    Status.ISSUE: "danger",
    Status.CANCELLED: "danger",
}
STEP_WORDS = {
    Status.PAID: _("It is paid"),
    Status.ASSEMBLED: _("It is assembled"),
    Status.DELIVERY: _("It is on its way"),
    Status.SELF_PICKUP: _("It waits to be picked up"),
    Status.DELIVERED: _("It is handed over"),
    Status.COMPLETED: _("It is completed"),
}
"""Steps of one click; going back, aside and out asks for a reason."""


class RollbackForm(ReasonForm):
    """Back to where, and why."""

    target = forms.ChoiceField(
        label=_("Back to"),
        choices=[(to, Status(to).label) for to in dict.fromkeys(to for _origin, to in ROLLBACK)],
        widget=UnfoldAdminSelectWidget,
    )


class IssueForm(ReasonForm):
    """What is wrong."""

    kind = forms.ChoiceField(label=_("Kind of problem"), choices=Order.Issue.choices, widget=UnfoldAdminSelectWidget)


class LineInline(TabularInline):
    """What was ordered, as it was on that day."""

    model = OrderItem
    extra = 0
    fields = readonly_fields = ("product_name", "quantity", "price", "total", "is_reserved", "is_written_off")
    ordering = ("id",)
    can_delete = False
    verbose_name_plural = _("goods")
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrderResource(resources.ModelResource):
    """Orders as a table for the accountant: no phones, no addresses."""

    shop = fields.Field("shop__name", "shop")
    currency = fields.Field("shop__currency", "currency")

    class Meta:
        model = Order
        fields = (
            *("id", "shop", "status", "source", "flower_sum", "delivery_fee", "discount", "total", "currency"),
            *("paid_amount", "refund_due", "payment_method", "created_at", "delivered_at", "cancelled_at"),
        )
        export_order = fields


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Every order of every shop; nothing is edited here, buttons call what the API calls."""

    resource_classes = (OrderResource,)
    list_display = ("number", "shop", "status_badge", "money", "paid", "delivery_from", "source", "created_at")
    list_display_links = ("number",)
    list_select_related = ("shop",)
    list_filter = (
        "status",
        ("shop", RelatedDropdownFilter),
        "delivery_method",
        "is_backorder",
        ("created_at", RangeDateTimeFilter),
        ("delivery_from", RangeDateTimeFilter),
    )
    search_fields = ("id__exact", "order_number__exact", "shop__name__icontains", "customer_phone__endswith")
    search_help_text = _("Number of the order, part of the shop's name, end of the buyer's phone")
    ordering = ("-created_at", "-id")
    inlines = (LineInline,)
    actions_list = ("figures",)
    actions_detail = ("roll_back", "report_issue", "cancel", "pay_back")
    fieldsets = (
        (None, {"fields": ("number", "shop", "status", "next_steps", "customer", "assigned_florist", "courier")}),
        (
            _("Delivery"),
            {"fields": ("delivery_method", "delivery_zone", "delivery_from", "delivery_to",
                        "address_needs_clarification", "is_backorder", "source")},
        ),
        (_("Money"), {"fields": ("flower_sum", "delivery_fee", "discount", "money", "paid", "refund_due",
                                 "payment_method", "money_table")}),
        (_("History"), {"fields": ("history_table",)}),
        (
            _("Times"),
            {"fields": ("created_at", "reserved_until", "assembled_at", "dispatched_at", "delivered_at", "completed_at",
                        "cancelled_at", "cancel_reason")},
        ),
    )  # fmt: skip
    readonly_fields = ("number", "next_steps", "money", "paid", "money_table", "history_table", "reserved_until")

    # ── What is shown ───────────────────────────────────────────────────────────────────────────────────────────────
    @display(description=_("number"), ordering="id")
    def number(self, order: Order) -> str:
        return str(order)

    @display(description=_("total"), ordering="total")
    def money(self, order: Order) -> str:
        return amount(order.total, order.shop.currency)

    @display(description=_("paid"), ordering="paid_amount")
    def paid(self, order: Order) -> str:
        return amount(order.paid_amount, order.shop.currency)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("next step"))
    def next_steps(self, order: Order) -> SafeString:
        """Buttons of the page's own form: one click, and a POST with its token."""
        steps = [(to, STEP_WORDS[Status(to)]) for (origin, to) in FORWARD if origin == order.status]
        address = reverse("admin:florist_order_step", args=[order.pk])
        return SafeString(render_to_string("admin/_steps.html", {"steps": steps, "address": address}))

    @display(description=_("money"))
    def money_table(self, order: Order) -> SafeString:
        rows = [
            (moment(row.created_at), row.get_source_display(), row.method, amount(row.amount, order.shop.currency),
             row.by.name if row.by else "–")
            for row in questions.payments_of(order)
        ]  # fmt: skip
        return table((_("when"), _("came by"), _("method"), _("amount"), _("who")), rows)

    @display(description=_("timeline"))
    def history_table(self, order: Order) -> SafeString:
        rows = [
            (
                moment(row.created_at),
                row.get_event_type_display(),
                f"{row.old_status or ''} → {row.new_status}" if row.new_status else "",
                row.by.name if row.by else row.by_text,
                row.comment or "",
            )
            for row in questions.history_of(order)
        ]
        return table((_("when"), _("what"), _("step"), _("who"), _("words")), rows)

    # ── Buttons ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that the order's status allows."""
        order = self.get_object(request, str(object_id))
        wanted = _buttons(order) if order else set()
        return [
            button
            for button in super().get_actions_detail(request, object_id)
            if button.action_name.removeprefix("florist_order_") in wanted
        ]

    def step(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """POST: one step forward. What is not such a step is refused by the action."""
        to = request.POST.get("to", "")
        if request.method != "POST" or not self.has_handle_permission(request) or to not in STEP_WORDS:
            raise PermissionDenied
        run_action(request, lambda: lifecycle.move(by=request.user, order_id=object_id, to=to))
        return HttpResponseRedirect(reverse("admin:florist_order_change", args=[object_id]))

    @action(description=_("Back"), icon="undo", permissions=["handle"])
    def roll_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._ask(request, object_id, _("A step back"), _roll_back, RollbackForm)

    @action(description=_("Problem"), icon="report", permissions=["handle"])
    def report_issue(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._ask(request, object_id, _("Report a problem"), _report, IssueForm)

    @action(description=_("Cancel"), icon="block", permissions=["handle"])
    def cancel(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._ask(request, object_id, _("Cancel the order"), _cancel, ReasonForm)

    @action(description=_("Pay back"), icon="payments", permissions=["handle"])
    def pay_back(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._ask(request, object_id, _("Pay back what is due"), _pay_back, AmountForm)

    @action(description=_("Figures"), icon="monitoring", url_path="to-figures", permissions=["handle"])
    def figures(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:florist_figures"))

    def _ask(self, request: HttpRequest, object_id: int, title: Any, deed: Any, form: Any) -> HttpResponse:
        order = Order.objects.get(pk=object_id)
        return self.ask_reason(request, order, title=title, deed=deed, form=form)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(FiguresView.as_view(model_admin=self))
        return [
            path("figures/", view, name="florist_figures"),
            path("<int:object_id>/step/", self.admin_site.admin_view(self.step), name="florist_order_step"),
            *super().get_urls(),
        ]

    # ── Rights ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("shop")

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.may(request.user, "orders")


def _buttons(order: Order) -> set[str]:
    tables = {"roll_back": ROLLBACK, "report_issue": ISSUE, "cancel": CANCEL}
    found = {name for name, steps in tables.items() if any(origin == order.status for origin, _to in steps)}
    return found | {"pay_back"} if order.refund_due else found


def _roll_back(order: Order, *, by: Any, reason: str, target: str) -> None:
    lifecycle.rollback(by=by, order_id=order.pk, to=target, reason=reason)


def _report(order: Order, *, by: Any, reason: str, kind: str) -> None:
    lifecycle.report_issue(by=by, order_id=order.pk, issue_type=kind, comment=reason)


def _cancel(order: Order, *, by: Any, reason: str) -> None:
    lifecycle.cancel(by=by, order_id=order.pk, reason=reason)


def _pay_back(order: Order, *, by: Any, reason: str, amount: Any, key: str) -> None:
    payments.pay_back(by=by, order_id=order.pk, amount=amount, key=key)
