"""The managers' inbox: what teams ask them to decide, and the marks of citizens."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin
from apps.tickets import access
from apps.tickets.actions import escalations
from apps.tickets.models import Escalation, Feedback

STATUS_COLOURS = {
    Escalation.Status.PENDING: "warning",
    Escalation.Status.APPROVED: "success",
    Escalation.Status.REJECTED: "danger",
}


@admin.register(Escalation)
class EscalationAdmin(ReadOnlyAdmin):
    """Two buttons, each with a reason that the team reads."""

    list_display = ("ticket", "status_badge", "requester", "reason", "created_at", "reviewer", "reviewed_at")
    list_filter = ("status", "ticket__team", ("created_at", RangeDateTimeFilter))
    search_fields = ("ticket__id__exact", "ticket__title__istartswith", "requester__name__istartswith")
    search_help_text = _("Id of the ticket, or the beginning of its title or of the requester's name")
    list_select_related = ("ticket", "requester", "reviewer")
    ordering = ("-created_at", "-id")
    actions_detail = ("approve", "reject")
    fields = (
        *("ticket", "status", "reason", "requester", "created_at"),
        *("reviewer", "review_comment", "reviewed_at"),
    )

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, escalation: Escalation) -> tuple[str, str]:
        return escalation.status, escalation.get_status_display()

    @action(description=_("Approve"), icon="check", permissions=["decide"])
    def approve(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _escalation(object_id), title=_("Approve the request"), deed=_approve)

    @action(description=_("Reject"), icon="close", permissions=["decide"])
    def reject(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _escalation(object_id), title=_("Reject the request"), deed=_reject)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What is decided is decided."""
        escalation = self.get_object(request, str(object_id))
        is_waiting = escalation is not None and escalation.status == Escalation.Status.PENDING
        return super().get_actions_detail(request, object_id) if is_waiting else []

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can("decide an escalation", request.user)


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """Marks; citizens alone give them."""

    list_display = ("ticket", "rating", "comment", "author", "created_at")
    list_filter = ("rating", ("created_at", RangeDateTimeFilter))
    search_fields = ("ticket__id__exact", "ticket__title__istartswith")
    list_select_related = ("ticket", "author")
    ordering = ("-created_at",)


def _escalation(object_id: Any) -> Escalation:
    return Escalation.objects.select_related("ticket").get(pk=object_id)


def _approve(escalation: Escalation, *, by: Any, reason: str) -> None:
    _decide(escalation, Escalation.Status.APPROVED, by, reason)


def _reject(escalation: Escalation, *, by: Any, reason: str) -> None:
    _decide(escalation, Escalation.Status.REJECTED, by, reason)


def _decide(escalation: Escalation, verdict: str, by: Any, reason: str) -> None:
    escalations.decide(by=by, escalation_id=escalation.pk, verdict=verdict, comment=reason)
