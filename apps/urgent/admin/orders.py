"""Orders with their takes and money beside them; the analytics page hangs on the order list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin
from apps.core.panels import history as history_of
from apps.urgent import access
from apps.urgent.actions import takes
from apps.urgent.admin import panels
from apps.urgent.admin.analytics import AnalyticsView
from apps.urgent.models import Order, Take
from apps.urgent.queries import balance

STATUS_COLOURS = {
    Order.Status.ACTIVE: "info",
    Order.Status.COMPLETED: "success",
    Order.Status.EXPIRED: "warning",
    Order.Status.CLOSED_NO_RESPONSE: "danger",
}


class TakeInline(TabularInline):
    """Who bought the contact."""

    model = Take
    tab = True
    fields = ("slot", "executor", "price", "taken_at", "refunded_at", "refund_reason")
    readonly_fields = fields
    extra = 0
    show_change_link = True
    verbose_name_plural = _("takes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Take]:
        return super().get_queryset(request).select_related("executor__user", "order")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Every order; nothing is edited here, people do that themselves."""

    list_display = ("id", "category", "city", "client", "status_badge", "places", "earned", "created_at")
    list_filter = ("status", "category", ("created_at", RangeDateTimeFilter))
    search_fields = (
        "id__exact",
        "city__istartswith",
        "client__user__telegram_username__istartswith",
        "client__id__exact",
    )
    search_help_text = _("Order id, beginning of a city or Telegram name, Telegram id")
    list_select_related = ("client__user",)
    ordering = ("-created_at", "-id")
    inlines = (TakeInline,)
    actions_list = ("analytics",)
    fieldsets = (
        (None, {"fields": ("id", "status", "category", "city", "client", "description", "contact")}),
        (
            _("Times"),
            {"fields": ("created_at", "expires_at", "first_taken_at", "customer_responded_at", "finished_at")},
        ),
        (_("Review"), {"fields": ("rating", "review_comment")}),
        (_("Money"), {"fields": ("earned", "money")}),
        (_("History"), {"fields": ("history",)}),
    )
    readonly_fields = ("earned", "money", "history")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The paid secret is for staff who settle quarrels about it, not for everybody who may look at orders."""
        shown = super().get_fieldsets(request, obj)
        if access.may_read_contacts(request.user):
            return shown
        return [
            (title, {**block, "fields": tuple(name for name in block["fields"] if name != "contact")})
            for title, block in shown
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        paid, back = (
            Sum("takes__price", default=0),
            Sum("takes__price", filter=Q(takes__refunded_at__isnull=False), default=0),
        )
        return super().get_queryset(request).annotate(revenue=paid - back)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("places"), ordering="takes_count")
    def places(self, order: Order) -> str:
        return f"{order.takes_count}/{order.max_executors}"

    @display(description=_("earned, ₽"), ordering="revenue")
    def earned(self, order: Any) -> int:
        return int(order.revenue)

    @display(description=_("ledger"))
    def money(self, order: Order) -> SafeString:
        return panels.money(balance.entries_of_order(order))

    @display(description=_("steps"))
    def history(self, order: Order) -> SafeString:
        return history_of(order)

    @action(description=_("Analytics"), icon="monitoring", url_path="to-analytics")
    def analytics(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:urgent_analytics"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(AnalyticsView.as_view(model_admin=self))
        return [path("analytics/", view, name="urgent_analytics"), *super().get_urls()]


@admin.register(Take)
class TakeAdmin(ReadOnlyAdmin):
    """Every purchase of a contact; the one button gives the money back."""

    list_display = ("order", "executor", "slot", "price", "taken_at", "refund_badge")
    list_filter = (("taken_at", RangeDateTimeFilter), ("refunded_at", admin.EmptyFieldListFilter))
    search_fields = ("order__id__exact", "executor__id__exact", "executor__user__telegram_username__istartswith")
    search_help_text = _("Order id, Telegram id or beginning of the Telegram name of the executor")
    list_select_related = ("order", "executor__user")
    ordering = ("-taken_at", "-id")
    actions_detail = ("refund",)
    actions_row = ("refund",)
    fields = ("order", "executor", "slot", "price", "taken_at", "refunded_at", "refund_reason")

    @display(description=_("refunded"), label={True: "warning", False: "info"})
    def refund_badge(self, take: Take) -> tuple[bool, Any]:
        return take.refunded_at is not None, _("given back") if take.refunded_at else _("paid")

    @action(description=_("Refund"), icon="undo", permissions=["refund"])
    def refund(self, request: HttpRequest, object_id: int) -> HttpResponse:
        take = Take.objects.select_related("order", "executor__user").get(pk=object_id)
        return self.ask_reason(request, take, title=_("Give the money back"), deed=_refund)

    def has_refund_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("urgent.refund_take")


def _refund(take: Take, *, by: Any, reason: str) -> Take:
    return takes.refund(by=by, take_id=take.pk, reason=reason)
