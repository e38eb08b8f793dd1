"""Buyers across shops, their standing orders, and the dates that come next; buttons call actions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display

from apps.core import phones
from apps.core.admin import ReadOnlyAdmin, amount, run_action
from apps.core.panels import history, moment, table
from apps.florist import access
from apps.florist.actions import customers, dates, standing
from apps.florist.models import Customer, CustomerAddress, ImportantDate, Order, StandingOrder
from apps.florist.queries import customers as questions

LAST_ORDERS = 20
"""Orders on a buyer's page."""


class OfficeAdmin(ReadOnlyAdmin):
    """Rows of all shops; buttons for those who may handle orders."""

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(access.OFFICE)

    def back_to(self, object_id: Any) -> HttpResponse:
        """The page of the row."""
        return HttpResponseRedirect(reverse(f"admin:florist_{self.opts.model_name}_change", args=[object_id]))


class PartInline(TabularInline):
    """Part of a buyer: whoever may see him sees it."""

    extra = 0
    max_num = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("florist.view_customer")


class AddressInline(PartInline):
    """Where a buyer sends flowers to."""

    model = CustomerAddress
    fields = readonly_fields = ("address", "label", "is_primary", "usage_count", "last_used_at")


class DateInline(PartInline):
    """What a buyer wants to be reminded of."""

    model = ImportantDate
    fields = readonly_fields = ("date", "description", "remind_days_before", "last_reminded_year")


@admin.register(Customer)
class CustomerAdmin(OfficeAdmin):
    """Phones are masked in the list."""

    list_display = ("name", "masked_phone", "shop", "orders_count", "spent", "last_order_date", "is_vip")
    list_filter = (("shop", admin.RelatedOnlyFieldListFilter), "is_vip", "agrees_to_reminders")
    search_fields = ("search_text",)
    search_help_text = _("Part of the name, e-mail or phone")
    list_select_related = ("shop",)
    ordering = ("-created_at", "-id")
    inlines = (AddressInline, DateInline)
    actions_detail = ("recount",)
    one_click: ClassVar[tuple[str, ...]] = ("recount",)
    fieldsets = (
        (None, {"fields": ("shop", "name", "phone", "email", "source", "agrees_to_reminders", "notes", "preferences")}),
        (_("Orders"), {"fields": ("orders_count", "spent", "last_order_date", "is_vip", "marks", "last_orders")}),
    )
    readonly_fields = ("spent", "marks", "last_orders")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str) -> Any:
        """As at the shops' desks: Cyrillic in any case, phones in any spelling."""
        return queryset.filter(questions.sought(search_term)), False

    @display(description=_("phone"))
    def masked_phone(self, customer: Customer) -> str:
        return phones.mask(customer.phone)

    @display(description=_("spent"), ordering="total_spent")
    def spent(self, customer: Customer) -> str:
        return amount(customer.total_spent, customer.shop.currency)

    @display(description=_("recency, frequency, money"))
    def marks(self, customer: Customer) -> str:
        found = questions.rfm(customer)
        return f"{found['recency']} · {found['frequency']} · {found['monetary']} = {found['total']}"

    @display(description=_("latest orders"))
    def last_orders(self, customer: Customer) -> SafeString:
        orders = Order.objects.filter(customer=customer).order_by("-created_at", "-id")[:LAST_ORDERS]
        rows = [
            (order, order.get_status_display(), amount(order.total, customer.shop.currency), moment(order.created_at))
            for order in orders
        ]
        return table((_("order"), _("status"), _("total"), _("created")), rows)

    @action(description=_("Count anew"), permissions=["handle"])
    def recount(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        run_action(request, lambda: customers.update_stats(by=request.user, customer_id=int(object_id)))
        return self.back_to(object_id)


@admin.register(StandingOrder)
class StandingOrderAdmin(OfficeAdmin):
    """What is made by itself; `problem` says why one paused."""

    list_display = ("id", "shop", "customer", "status", "next_day", "every_days", "made", "is_invoiced", "problem")
    list_filter = ("status", "is_invoiced", ("shop", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=id", "customer__search_text")
    list_select_related = ("shop", "customer")
    ordering = ("next_day", "id")
    readonly_fields = ("steps",)
    actions_detail = ("skip", "pause", "resume", "end")
    one_click: ClassVar[tuple[str, ...]] = ("skip", "pause", "resume", "end")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StandingOrder]:
        return super().get_queryset(request).annotate(made_count=Count("orders"))

    @display(description=_("orders"), ordering="made_count")
    def made(self, row: Any) -> int:
        return int(row.made_count)

    @display(description=_("history"))
    def steps(self, row: StandingOrder) -> SafeString:
        return history(row)

    @action(description=_("Skip the next one"), permissions=["handle"])
    def skip(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self._do(request, object_id, standing.skip)

    @action(description=_("Pause"), permissions=["handle"])
    def pause(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self._do(request, object_id, standing.pause)

    @action(description=_("Resume"), permissions=["handle"])
    def resume(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self._do(request, object_id, standing.resume)

    @action(description=_("End"), permissions=["handle"])
    def end(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self._do(request, object_id, standing.end)

    def _do(self, request: HttpRequest, object_id: Any, deed: Any) -> HttpResponse:
        run_action(request, lambda: deed(by=request.user, standing_id=int(object_id)))
        return self.back_to(object_id)


class DueFilter(admin.SimpleListFilter):
    """Dates whose reminder is due and was not sent yet."""

    title = _("reminder")
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("due and not sent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ImportantDate]) -> QuerySet[ImportantDate]:
        if self.value() != "now":
            return queryset
        return queryset.filter(pk__in=dates.due(timezone.localdate()).values("pk"))


@admin.register(ImportantDate)
class ImportantDateAdmin(OfficeAdmin):
    """Birthdays and weddings by the day of the year."""

    list_display = ("date", "description", "buyer", "shop_name", "remind_days_before", "next_on", "last_reminded_year")
    list_filter = (DueFilter, ("customer__shop", admin.RelatedOnlyFieldListFilter))
    search_fields = ("customer__search_text", "date")
    list_select_related = ("customer__shop",)
    ordering = ("date", "id")

    @display(description=_("buyer"))
    def buyer(self, row: ImportantDate) -> SafeString:
        return format_html(
            '<a class="text-primary-600" href="{}">{}</a>',
            reverse("admin:florist_customer_change", args=[row.customer_id]),
            row.customer,
        )

    @display(description=_("flower shop"), ordering="customer__shop")
    def shop_name(self, row: ImportantDate) -> str:
        return row.customer.shop.name

    @display(description=_("next"))
    def next_on(self, row: ImportantDate) -> Any:
        return dates.next_day(row.date, timezone.localdate())
