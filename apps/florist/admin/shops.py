"""Shops as the platform's owner sees them: plans, papers, closing; zones, slots and days to look at."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget

from apps.core.admin import ReadOnlyAdmin, ReasonForm
from apps.florist.actions import shops
from apps.florist.models import DeliverySlot, DeliveryZone, Employee, Order, Shop, SpecialDay

PLAN_COLOURS = {Shop.Plan.BASIC: "default", Shop.Plan.STANDARD: "info", Shop.Plan.PREMIUM: "success"}


class PlanForm(ReasonForm):
    """Which plan, and until when it is a trial."""

    plan = forms.ChoiceField(label=_("Plan"), choices=Shop.Plan.choices, widget=UnfoldAdminSelectWidget)
    trial_ends_at = forms.DateTimeField(
        label=_("Trial ends"), required=False, widget=UnfoldAdminSingleDateWidget, help_text=_("Empty: no trial")
    )
    field_order = ("plan", "trial_ends_at", "reason")


class ShopPart(TabularInline):
    """Part of a shop, to be looked at: its people write it."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("florist.view_shop")


class ZoneInline(ShopPart):
    """Where the shop delivers to."""

    model = DeliveryZone
    fields = readonly_fields = ("name", "price", "min_order", "daily_capacity", "is_active")


class SlotInline(ShopPart):
    """When the shop delivers."""

    model = DeliverySlot
    fields = readonly_fields = ("starts_at", "ends_at", "capacity", "surcharge", "cutoff_minutes", "is_active")


class SpecialDayInline(ShopPart):
    """When it does not, or more than usual."""

    model = SpecialDay
    fields = readonly_fields = ("day", "kind", "title", "capacity", "preorder_days")


@admin.register(Shop)
class ShopAdmin(ReadOnlyAdmin):
    """Every shop with its size; the platform decides about plan, papers and closing."""

    list_display = ("name", "city", "plan_badge", "is_active", "is_verified", "people", "orders", "last_login_at")
    list_filter = ("is_active", "is_verified", "plan", "city")
    search_fields = ("id__exact", "name__istartswith", "phone__exact", "email__iexact")
    search_help_text = _("Id, beginning of the name, whole phone or e-mail")
    ordering = ("-created_at", "-id")
    inlines = (ZoneInline, SlotInline, SpecialDayInline)
    actions_detail = ("change_plan", "verify", "doubt", "close", "open_again")
    fields: ClassVar[tuple[str, ...]] = (
        *("id", "name", "owner", "phone", "email", "address", "city", "description", "plan", "trial_ends_at"),
        *("is_active", "is_verified", "currency", "timezone", "language", "opens_at", "closes_at", "reserve_at"),
        *("lead_minutes", "pickup_lead_minutes", "days_ahead", "created_at", "updated_at", "last_login_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shop]:
        counted = Order.objects.filter(shop=OuterRef("pk")).order_by().values("shop").annotate(count=Count("pk"))
        works = Employee.objects.filter(shop=OuterRef("pk"), is_active=True).order_by().values("shop")
        people = works.annotate(count=Count("pk")).values("count")
        rows: QuerySet[Shop] = super().get_queryset(request)
        return rows.annotate(
            order_count=Coalesce(Subquery(counted.values("count")), 0), people_count=Coalesce(Subquery(people), 0)
        )

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("florist.change_shop")

    @display(description=_("plan"), ordering="plan", label=PLAN_COLOURS)
    def plan_badge(self, shop: Shop) -> tuple[str, str]:
        return shop.plan, shop.get_plan_display()

    @display(description=_("people"), ordering="people_count")
    def people(self, shop: Any) -> int:
        return int(shop.people_count)

    @display(description=_("orders"), ordering="order_count")
    def orders(self, shop: Any) -> int:
        return int(shop.order_count)

    @action(description=_("Plan"), icon="workspace_premium", permissions=["manage"])
    def change_plan(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        shop = _shop(object_id)
        present = {"plan": shop.plan, "trial_ends_at": shop.trial_ends_at}
        return self.ask_reason(
            request, shop, title=_("Change the plan"), deed=_set_plan, form=PlanForm, initial=present
        )

    @action(description=_("Verified"), icon="verified", permissions=["manage"])
    def verify(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _shop(object_id), title=_("The papers are right"), deed=_verify)

    @action(description=_("Not verified"), icon="gpp_bad", permissions=["manage"])
    def doubt(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _shop(object_id), title=_("Take the mark away"), deed=_doubt)

    @action(description=_("Close"), icon="block", permissions=["manage"])
    def close(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _shop(object_id), title=_("Close the shop"), deed=_close)

    @action(description=_("Open again"), icon="lock_open", permissions=["manage"])
    def open_again(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _shop(object_id), title=_("Open the shop again"), deed=_open)


def _shop(object_id: Any) -> Shop:
    return Shop.objects.get(pk=object_id)


def _set_plan(shop: Shop, *, by: Any, reason: str, plan: str, trial_ends_at: Any) -> None:
    """The form shows a day only: the same day leaves the hour as it is."""
    present = shop.trial_ends_at
    if present and trial_ends_at and localdate(present) == localdate(trial_ends_at):
        trial_ends_at = present
    shops.set_plan(by=by, shop_id=shop.pk, plan=plan, trial_ends_at=trial_ends_at)


def _verify(shop: Shop, *, by: Any, reason: str) -> None:
    shops.set_verified(by=by, shop_id=shop.pk, is_verified=True)


def _doubt(shop: Shop, *, by: Any, reason: str) -> None:
    shops.set_verified(by=by, shop_id=shop.pk, is_verified=False)


def _close(shop: Shop, *, by: Any, reason: str) -> None:
    shops.set_open(by=by, shop_id=shop.pk, is_active=False)


def _open(shop: Shop, *, by: Any, reason: str) -> None:
    shops.set_open(by=by, shop_id=shop.pk, is_active=True)
