"""The moderation queue: complaints to decide, reviews to hide or restore. Each deed asks why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin
from apps.core.panels import history as history_of
from apps.urgent.actions import reviews
from apps.urgent.models import Complaint, Review


class ModeratedAdmin(ReadOnlyAdmin):
    """What both queues share: the right, the search, the order and its people in one query."""

    search_fields = (
        "order__id__exact",
        "executor__id__exact",
        "client__id__exact",
        "executor__user__telegram_username__istartswith",
    )
    search_help_text = _("Order id, Telegram id of one of the two, beginning of the executor's Telegram name")
    list_select_related = ("order", "client__user", "executor__user")
    ordering = ("-id",)

    def has_moderate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("urgent.moderate")

    @display(description=_("about whom"))
    def executor_name(self, row: Any) -> str:
        return row.executor.user.get_full_name() or str(row.executor)

    @display(description=_("client"))
    def client_name(self, row: Any) -> str:
        return row.client.user.get_full_name() or str(row.client)

    @display(description=_("comment"))
    def short_comment(self, row: Any) -> str:
        words = row.comment or "–"
        return words if len(words) <= 80 else f"{words[:79]}…"

    @display(description=_("steps"))
    def history(self, row: Any) -> SafeString:
        return history_of(row)


@admin.register(Review)
class ReviewAdmin(ModeratedAdmin):
    """Clients about executors. Hiding takes a review out of the mean, restoring puts it back."""

    list_display = ("created_at", "stars", "client_name", "executor_name", "short_comment", "order", "status_badge")
    list_filter = ("status", "rating", ("created_at", RangeDateTimeFilter))
    actions_detail = ("hide", "restore")
    actions_row = ("hide", "restore")
    fields = (
        *("order", "client", "executor", "stars", "comment", "created_at"),
        *("status", "hidden_at", "executor_mean", "history"),
    )
    readonly_fields = ("stars", "executor_mean", "history")

    @display(description=_("rating"), ordering="rating")
    def stars(self, review: Review) -> str:
        return "★" * review.rating + "☆" * (5 - review.rating)

    @display(description=_("status"), label={Review.Status.SHOWN: "success", Review.Status.HIDDEN: "danger"})
    def status_badge(self, review: Review) -> tuple[str, str]:
        return review.status, review.get_status_display()

    @display(description=_("mean of the executor"))
    def executor_mean(self, review: Review) -> float:
        return review.executor.average_rating

    @action(description=_("Hide"), icon="visibility_off", permissions=["moderate"])
    def hide(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, self._review(object_id), title=_("Hide the review"), deed=_hide)

    @action(description=_("Restore"), icon="visibility", permissions=["moderate"])
    def restore(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, self._review(object_id), title=_("Restore the review"), deed=_restore)

    @staticmethod
    def _review(object_id: int) -> Review:
        return Review.objects.select_related("order").get(pk=object_id)


def _hide(review: Review, *, by: Any, reason: str) -> Review:
    return reviews.hide(by=by, review=review, reason=reason)


def _restore(review: Review, *, by: Any, reason: str) -> Review:
    return reviews.restore(by=by, review=review, reason=reason)


@admin.register(Complaint)
class ComplaintAdmin(ModeratedAdmin):
    """Executors about clients. The list opens on what waits for a decision."""

    list_display = ("created_at", "complaint", "executor_name", "client_name", "short_comment", "order", "status_badge")
    list_filter = ("status", "complaint", ("created_at", RangeDateTimeFilter))
    actions_detail = ("resolve", "dismiss")
    actions_row = ("resolve", "dismiss")
    fields = (
        *("order", "executor", "client", "complaint", "comment", "created_at", "status", "decided_at"),
        "history",
    )
    readonly_fields = ("history",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not request.META.get("QUERY_STRING") and request.method == "GET":
            return HttpResponseRedirect(f"{request.path}?status__exact={Complaint.Status.OPEN}")
        return super().changelist_view(request, extra_context)

    @display(
        description=_("status"),
        label={
            Complaint.Status.OPEN: "warning",
            Complaint.Status.RESOLVED: "success",
            Complaint.Status.DISMISSED: "danger",
        },
    )
    def status_badge(self, complaint: Complaint) -> tuple[str, str]:
        return complaint.status, complaint.get_status_display()

    @display(description=_("who complains"))
    def executor_name(self, row: Any) -> str:
        return row.executor.user.get_full_name() or str(row.executor)

    @display(description=_("about whom"))
    def client_name(self, row: Any) -> str:
        return row.client.user.get_full_name() or str(row.client)

    @action(description=_("Resolve"), icon="check_circle", permissions=["moderate"])
    def resolve(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, self._complaint(object_id), title=_("The executor is right"), deed=_resolve)

    @action(description=_("Dismiss"), icon="cancel", permissions=["moderate"])
    def dismiss(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self.ask_reason(request, self._complaint(object_id), title=_("Dismiss the complaint"), deed=_dismiss)

    @staticmethod
    def _complaint(object_id: int) -> Complaint:
        return Complaint.objects.select_related("order").get(pk=object_id)


def _resolve(complaint: Complaint, *, by: Any, reason: str) -> Complaint:
    return reviews.resolve(by=by, complaint=complaint, reason=reason)


def _dismiss(complaint: Complaint, *, by: Any, reason: str) -> Complaint:
    return reviews.dismiss(by=by, complaint=complaint, reason=reason)
