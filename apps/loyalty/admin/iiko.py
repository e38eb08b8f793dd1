"""iiko: what we owe it, what it told us, and whether our purses agree."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core import phones
from apps.core.admin import ReadOnlyAdmin, amount, run_action
from apps.core.panels import moment
from apps.loyalty.actions import iiko_audit, iiko_jobs, iiko_notices
from apps.loyalty.models import IikoJob, IikoNotice, IikoReconciliation

State = IikoJob.State
STATE_COLOURS = {
    State.PENDING: "info",
    State.RUNNING: "info",
    State.FAILED: "warning",
    State.PAUSED: "danger",
    State.SUCCESS: "success",
}
BUTTONS = {State.PENDING: ("hasten", "pause"), State.FAILED: ("hasten", "pause"), State.PAUSED: ("resume",)}
"""What can be pressed in which state; a stale page may ask for more, then the action refuses."""

MOST_AT_ONCE = 500
"""Rows that one press moves."""


@admin.register(IikoJob)
class IikoJobAdmin(ReadOnlyAdmin):
    """The queue: try now, put aside, let go on."""

    list_display = ("id", "operation", "client", "state_badge", "tries", "due", "outcome", "asked")
    list_filter = ("state", "operation", ("created_at", RangeDateTimeFilter))
    search_fields = ("id__exact", "client__id__exact", "phone__icontains", "outcome__icontains")
    search_help_text = _("Number of the job or the guest, part of the phone or the outcome")
    list_select_related = ("client",)
    ordering = ("-id",)
    actions = ("hasten_selected", "pause_selected", "resume_selected")
    actions_detail = one_click = ("hasten", "pause", "resume")

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_badge(self, job: IikoJob) -> tuple[str, str]:
        return job.state, job.get_state_display()

    @display(description=_("attempts"), ordering="attempts")
    def tries(self, job: IikoJob) -> str:
        return f"{job.attempts}/{job.most_attempts}"

    @display(description=_("due"), ordering="due_at")
    def due(self, job: IikoJob) -> str:
        return "–" if job.state in (State.SUCCESS, State.PAUSED) else moment(job.due_at)

    @display(description=_("asked for"), ordering="created_at")
    def asked(self, job: IikoJob) -> str:
        return moment(job.created_at)

    def buttons(self, request: HttpRequest, object_id: Any) -> list[Any]:
        shown = self.get_object(request, str(object_id))
        names = {f"loyalty_iikojob_{name}" for name in BUTTONS.get(State(shown.state), ())} if shown else set()
        return [button for button in super().buttons(request, object_id) if button.action_name in names]

    @action(description=_("Try now"), icon="play_arrow", permissions=["steer"])
    def hasten(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._steer(request, object_id, iiko_jobs.hasten)

    @action(description=_("Pause"), icon="pause", permissions=["steer"])
    def pause(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._steer(request, object_id, iiko_jobs.pause)

    @action(description=_("Resume"), icon="resume", permissions=["steer"])
    def resume(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._steer(request, object_id, iiko_jobs.resume)

    def _steer(self, request: HttpRequest, object_id: int, deed: Callable[..., Any]) -> HttpResponse:
        run_action(request, lambda: deed(by=request.user, job_id=object_id))
        return HttpResponseRedirect(reverse("admin:loyalty_iikojob_change", args=[object_id]))

    @admin.action(description=_("Try now"), permissions=["steer"])
    def hasten_selected(self, request: HttpRequest, queryset: QuerySet[IikoJob]) -> None:
        self._steer_all(request, queryset, iiko_jobs.hasten)

    @admin.action(description=_("Pause"), permissions=["steer"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[IikoJob]) -> None:
        self._steer_all(request, queryset, iiko_jobs.pause)

    @admin.action(description=_("Resume"), permissions=["steer"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[IikoJob]) -> None:
        self._steer_all(request, queryset, iiko_jobs.resume)

    def _steer_all(self, request: HttpRequest, queryset: QuerySet[IikoJob], deed: Callable[..., Any]) -> None:
        for job in queryset.order_by("pk")[:MOST_AT_ONCE]:
            run_action(request, partial(deed, by=request.user, job_id=job.pk), str(job))

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("loyalty.change_iikojob")


@admin.register(IikoNotice)
class IikoNoticeAdmin(ReadOnlyAdmin):
    """What iiko told us of purses; a parked notice waits for its guest, or for somebody who looks again."""

    list_display = ("id", "received", "kind", "moved", "held", "client", "masked_phone", "state_badge", "changed")
    list_filter = ("state", "kind", ("received_at", RangeDateTimeFilter))
    search_fields = ("id__exact", "event_id__exact", "customer_id__exact", "wallet_id__exact", "phone__icontains",
                     "order_number__exact")  # fmt: skip
    search_help_text = _("Number, event, guest or purse in iiko, part of the phone, order")
    list_select_related = ("client",)
    ordering = ("-id",)
    actions = ("look_again_selected",)
    actions_detail = one_click = ("look_again",)

    @display(description=_("received"), ordering="received_at")
    def received(self, notice: IikoNotice) -> str:
        return moment(notice.received_at)

    @display(description=_("changed on"), ordering="changed_on")
    def changed(self, notice: IikoNotice) -> str:
        return moment(notice.changed_on)

    @display(description=_("amount"), ordering="amount")
    def moved(self, notice: IikoNotice) -> str:
        return amount(notice.amount)

    @display(description=_("balance after"))
    def held(self, notice: IikoNotice) -> str:
        return amount(notice.balance)

    @display(description=_("phone"))
    def masked_phone(self, notice: IikoNotice) -> str:
        return phones.mask(notice.phone) if notice.phone else "–"

    @display(description=_("state"), ordering="state", label={"applied": "success", "parked": "warning"})
    def state_badge(self, notice: IikoNotice) -> tuple[str, str]:
        return notice.state, notice.get_state_display()

    def buttons(self, request: HttpRequest, object_id: Any) -> list[Any]:
        shown = self.get_object(request, str(object_id))
        is_parked = shown is not None and shown.state == IikoNotice.State.PARKED
        return super().buttons(request, object_id) if is_parked else []

    @action(description=_("Look for the guest again"), icon="person_search", permissions=["steer"])
    def look_again(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: iiko_notices.look_again(by=request.user, notice_id=object_id))
        return HttpResponseRedirect(reverse("admin:loyalty_iikonotice_change", args=[object_id]))

    @admin.action(description=_("Look for the guests again"), permissions=["steer"])
    def look_again_selected(self, request: HttpRequest, queryset: QuerySet[IikoNotice]) -> None:
        for notice in queryset.order_by("changed_on", "pk")[:MOST_AT_ONCE]:
            deed = partial(iiko_notices.look_again, by=request.user, notice_id=notice.pk)
            run_action(request, deed, str(notice))

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("loyalty.change_iikonotice")


@admin.register(IikoReconciliation)
class IikoReconciliationAdmin(ReadOnlyAdmin):
    """The nightly comparison: how many guests were read, how many balances differed, how much was levelled."""

    list_display = ("started_at", "progress", "differing_badge", "missing_count", "paused_count", "levelled")
    list_filter = (("started_at", RangeDateTimeFilter),)
    list_select_related = False
    ordering = ("-id",)
    actions_list = one_click = ("begin",)

    @display(description=_("guests compared"))
    def progress(self, report: IikoReconciliation) -> str:
        return f"{report.checked_count}/{report.asked_count}"

    @display(description=_("balances that differed"), label={"some": "danger", "none": "success"})
    def differing_badge(self, report: IikoReconciliation) -> tuple[str, str]:
        return ("some" if report.differing_count else "none", str(report.differing_count))

    @display(description=_("sum levelled"))
    def levelled(self, report: IikoReconciliation) -> str:
        return amount(report.levelled_total)

    @action(description=_("Compare now"), icon="balance", url_path="begin", permissions=["begin"])
    def begin(self, request: HttpRequest) -> HttpResponse:
        run_action(request, lambda: iiko_audit.reconcile(by=request.user))
        return HttpResponseRedirect(reverse("admin:loyalty_iikoreconciliation_changelist"))

    def has_begin_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("loyalty.change_iikojob")
