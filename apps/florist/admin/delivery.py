"""Runs, failed attempts and couriers' days across shops; every button is one action."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin, amount, run_action
from apps.florist import access
from apps.florist.actions import courier_day, runs
from apps.florist.admin.production import SeenInline, steps_of
from apps.florist.models import CourierDay, DeliveryAttempt, DeliveryRun, Stop
from apps.florist.queries import deliveries
from apps.florist.states import RUN

Status = DeliveryRun.Status

STATUS_COLOURS = {
    Status.PLANNED: "warning",
    Status.ACCEPTED: "info",
    Status.STARTED: "primary",
    Status.FINISHED: "success",
    Status.CANCELLED: "danger",
}


class StopInline(SeenInline):
    """Where the run goes; addresses and phones stay with the orders."""

    model = Stop
    fields = readonly_fields = (
        *("position", "order", "status", "due", "cash_received", "picked_up_at", "delivered_at"),
        *("receiver_name", "left_with"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stop]:
        return super().get_queryset(request).select_related("order")

    @display(description=_("cash to collect"))
    def due(self, stop: Stop) -> str:
        return amount(stop.cash_due)


@admin.register(DeliveryRun)
class RunAdmin(ReadOnlyAdmin):
    """Planned by managers, driven by couriers; the back office cancels what never began."""

    list_display = ("number", "shop", "courier", "day", "status_badge", "stops", "cash")
    list_display_links = ("number",)
    list_filter = ("status", ("day", RangeDateFilter), ("shop", RelatedDropdownFilter))
    search_fields = ("id__exact", "stops__order__id__exact", "courier__name__istartswith")
    search_help_text = _("Number of the run or of an order, or the beginning of the courier's name")
    list_select_related = ("shop", "courier")
    ordering = ("-day", "-id")
    inlines = (StopInline,)
    actions_detail = ("give_up",)
    fieldsets = (
        (None, {"fields": ("number", "shop", "courier", "day", "status", "stops", "cash")}),
        (_("Times"), {"fields": ("created_at", "accepted_at", "started_at", "finished_at")}),
        (_("History"), {"fields": ("history",)}),
    )
    readonly_fields = ("number", "stops", "cash", "history")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeliveryRun]:
        return deliveries.with_figures(super().get_queryset(request))

    @display(description=_("number"), ordering="id")
    def number(self, run: DeliveryRun) -> str:
        return str(run)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, run: DeliveryRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description=_("delivered, failed, of all"))
    def stops(self, run: Any) -> str:
        return f"{run.stops_delivered} + {run.stops_failed} / {run.stops_total}"

    @display(description=_("cash collected, of what is due"))
    def cash(self, run: Any) -> str:
        return f"{amount(run.cash_received)} / {amount(run.cash_due, run.shop.currency)}"

    @display(description=_("history"))
    def history(self, run: DeliveryRun) -> SafeString:
        return steps_of(run)

    @action(description=_("Cancel"), icon="block", permissions=["handle"])
    def give_up(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        run = DeliveryRun.objects.get(pk=object_id)
        return self.ask_reason(request, run, title=_("Cancel the run; its orders are free again"), deed=_cancel)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only while it can be cancelled."""
        run = self.get_object(request, str(object_id))
        is_open = run is not None and Status.CANCELLED in RUN.allowed_from(run.status)
        return super().get_actions_detail(request, object_id) if is_open else []

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.may(request.user, "orders")


@admin.register(DeliveryAttempt)
class AttemptAdmin(ReadOnlyAdmin):
    """Doors that stayed shut."""

    list_display = ("created_at", "order", "reason", "next_step", "by", "note")
    list_filter = ("reason", "next_step", ("stop__run__shop", RelatedDropdownFilter))
    search_fields = ("stop__order__id__exact", "by__name__istartswith")
    search_help_text = _("Number of the order, or the beginning of the courier's name")
    list_select_related = ("stop__order", "by")
    ordering = ("-id",)

    @display(description=_("order"), ordering="stop__order_id")
    def order(self, attempt: DeliveryAttempt) -> str:
        return str(attempt.stop.order)


class DifferenceFilter(admin.SimpleListFilter):
    """Days on which less, or more, was handed over than collected."""

    title = _("cash")
    parameter_name = "cash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("short", _("too little")), ("over", _("too much")), ("even", _("right"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CourierDay]) -> QuerySet[CourierDay]:
        expected = F("cash_expected")
        found = {
            "short": queryset.filter(cash_handed__lt=expected, reopened_at=None),
            "over": queryset.filter(cash_handed__gt=expected, reopened_at=None),
            "even": queryset.filter(cash_handed=expected, reopened_at=None),
        }
        return found.get(self.value() or "", queryset)


@admin.register(CourierDay)
class CourierDayAdmin(ReadOnlyAdmin):
    """What couriers handed over at the end of their days; those that were opened again stay as history."""

    list_display = ("day", "shop", "courier", "delivered", "failed", "expected", "handed", "accepted_at", "reopened_at")
    list_filter = (
        *(DifferenceFilter, ("accepted_at", admin.EmptyFieldListFilter), ("day", RangeDateFilter)),
        ("reopened_at", admin.EmptyFieldListFilter),
        ("shop", RelatedDropdownFilter),
    )
    search_fields = ("courier__name__istartswith",)
    search_help_text = _("The beginning of the courier's name")
    list_select_related = ("shop", "courier")
    ordering = ("-day", "-id")
    actions_detail = ("accept", "open_again")
    one_click = ("accept",)
    fields = (
        *("day", "shop", "courier", "delivered", "failed", "expected", "handed", "taken", "note", "created_at"),
        *("accepted_at", "accepted_by", "reopened_at", "reopened_by", "reopen_reason"),
    )
    readonly_fields = ("expected", "handed", "taken")

    @display(description=_("collected"), ordering="cash_expected")
    def expected(self, day: CourierDay) -> str:
        return amount(day.cash_expected, day.shop.currency)

    @display(description=_("handed over"), ordering="cash_handed")
    def handed(self, day: CourierDay) -> str:
        return amount(day.cash_handed, day.shop.currency)

    @display(description=_("cash taken before"), ordering="cash_taken")
    def taken(self, day: CourierDay) -> str:
        return amount(day.cash_taken, day.shop.currency)

    @action(description=_("Accept the cash"), icon="check", permissions=["handle"])
    def accept(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        run_action(request, lambda: courier_day.accept(by=request.user, day_id=int(object_id)))
        return HttpResponseRedirect(reverse("admin:florist_courierday_change", args=[object_id]))

    @action(description=_("Open again"), icon="lock_open", permissions=["handle"])
    def open_again(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        day = CourierDay.objects.get(pk=object_id)
        return self.ask_reason(request, day, title=_("Open the day again; its courier closes it anew"), deed=_reopen)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """None for history."""
        day = self.get_object(request, str(object_id))
        is_standing = day is not None and day.reopened_at is None
        return super().get_actions_detail(request, object_id) if is_standing else []

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.may(request.user, "orders")


def _cancel(run: DeliveryRun, *, by: Any, reason: str) -> None:
    runs.cancel(by=by, run_id=run.pk, reason=reason)


def _reopen(day: CourierDay, *, by: Any, reason: str) -> None:
    courier_day.reopen(by=by, day_id=day.pk, reason=reason)
