"""Customers: who shops here, and who administers the shop."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from apps.core import phones
from apps.core.admin import ReadOnlyAdmin, amount
from apps.core.panels import moment, table
from apps.shop.actions import customers
from apps.shop.models import Customer
from apps.shop.queries import customers as customer_questions

LAST_ORDERS = 20
"""Orders on a customer's page; the list of orders is searched by his name for more."""


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Phones are masked in the list; blocking a person is a button of the house's people."""

    list_display = ("id", "name", "surname", "masked_phone", "role", "orders_count", "bought", "created_at")
    list_filter = ("is_admin", ("deleted_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "surname", "phone_number")
    search_help_text = _("Part of the name, surname or phone")
    list_select_related = ("user",)
    ordering = ("-created_at", "-id")
    actions_detail = ("make_admin", "unmake_admin")
    fieldsets = (
        (
            None,
            {"fields": ("name", "surname", "phone_number", "email", "is_admin", "user", "created_at", "updated_at",
                        "deleted_at")},
        ),
        (_("Orders"), {"fields": ("orders_count", "bought", "last_orders")}),
    )  # fmt: skip
    readonly_fields = ("orders_count", "bought", "last_orders")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return customer_questions.with_orders(super().get_queryset(request))

    @display(description=_("orders"), ordering="placed_count")
    def orders_count(self, customer: Any) -> int:
        return int(customer.placed_count)

    @display(description=_("bought for"), ordering="bought_for")
    def bought(self, customer: Any) -> str:
        return amount(customer.bought_for, settings.SHOP.currency)

    @display(description=_("latest orders"))
    def last_orders(self, customer: Customer) -> SafeString:
        rows = [
            (
                format_html(
                    '<a class="text-primary-600" href="{}">{}</a>',
                    reverse("admin:shop_order_change", args=[order.pk]),
                    order,
                ),
                order.get_status_display(),
                amount(order.total_amount, order.currency),
                moment(order.created_at),
                moment(order.paid_at),
            )
            for order in customer_questions.latest_orders(customer, LAST_ORDERS)
        ]
        return table((_("order"), _("status"), _("total"), _("created"), _("paid at")), rows)

    @display(description=_("phone"))
    def masked_phone(self, customer: Customer) -> str:
        return phones.mask(customer.phone_number) if customer.phone_number else "–"

    @display(description=_("role"), label={"admin": "warning", "buyer": "info"})
    def role(self, customer: Customer) -> tuple[str, Any]:
        return ("admin", _("administrator")) if customer.is_admin else ("buyer", _("buyer"))

    @action(description=_("Make an administrator"), icon="add_moderator", permissions=["make_admin"])
    def make_admin(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, self._one(object_id), title=_("Make an administrator"), deed=_make)

    @action(description=_("Take the rights away"), icon="remove_moderator", permissions=["make_admin"])
    def unmake_admin(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, self._one(object_id), title=_("Take the rights away"), deed=_unmake)

    @staticmethod
    def _one(object_id: int) -> Customer:
        return Customer.objects.select_related("user").get(pk=object_id)

    def has_make_admin_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("shop.make_admin")


def _make(customer: Customer, *, by: Any, reason: str) -> Customer:
    return customers.set_admin(by=by, customer=customer, is_admin=True, reason=reason)


def _unmake(customer: Customer, *, by: Any, reason: str) -> Customer:
    return customers.set_admin(by=by, customer=customer, is_admin=False, reason=reason)
