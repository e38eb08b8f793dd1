"""Tasks across shops with their lines, substituted flowers and timeline; every button is one action."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter
from unfold.decorators import action, display

from apps.core import states
from apps.core.admin import ReadOnlyAdmin
from apps.core.panels import moment, table
from apps.florist import access
from apps.florist.actions import production
from apps.florist.models import ProductionTask, Substitution, TaskItem
from apps.florist.states import TASK

Status, Priority = ProductionTask.Status, ProductionTask.Priority

STATUS_COLOURS = {
    Status.PENDING: "warning",
    Status.ASSIGNED: "info",
    Status.IN_PROGRESS: "info",
    Status.QUALITY_CHECK: "primary",
    Status.COMPLETED: "success",
    Status.CANCELLED: "danger",
}
PRIORITY_COLOURS = {Priority.URGENT.name: "danger", Priority.HIGH.name: "warning"}


class LateFilter(admin.SimpleListFilter):
    """Open and past the deadline, or not."""

    title = _("late")
    parameter_name = "late"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ProductionTask]) -> QuerySet[ProductionTask]:
        late = Q(deadline__lt=timezone.now()) & ~Q(status__in=ProductionTask.CLOSED)
        return {"yes": queryset.filter(late), "no": queryset.exclude(late)}.get(self.value() or "", queryset)


class SeenInline(TabularInline):
    """Rows to be read."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LineInline(SeenInline):
    """What is made."""

    model = TaskItem
    fields = readonly_fields = ("order_item", "quantity", "is_completed", "quality_approved", "quality_notes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskItem]:
        return super().get_queryset(request).select_related("order_item")


class SubstitutionInline(SeenInline):
    """Which flower was taken for which."""

    model = Substitution
    fields = readonly_fields = (
        *("from_batch", "for_variety", "to_batch", "qty", "reason", "cost_difference", "by", "created_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Substitution]:
        return super().get_queryset(request).select_related("from_batch", "to_batch", "by")


@admin.register(ProductionTask)
class TaskAdmin(ReadOnlyAdmin):
    """Nothing is edited here: the shop's people work on tasks, the back office frees and cancels them."""

    list_display = ("number", "shop", "order", "task_type", "priority_badge", "status_badge", "florist", "deadline")
    list_display_links = ("number",)
    list_filter = (
        *("status", LateFilter, "task_type", "is_short", ("shop", RelatedDropdownFilter)),
        ("deadline", RangeDateTimeFilter),
    )
    search_fields = ("id__exact", "order__id__exact", "florist__name__istartswith")
    search_help_text = _("Number of the task or of its order, or the beginning of the florist's name")
    list_select_related = ("shop", "order", "florist")
    ordering = ("-id",)
    inlines = (LineInline, SubstitutionInline)
    actions_detail = ("free", "give_up")
    fieldsets = (
        (None, {"fields": ("number", "shop", "order", "task_type", "status", "priority", "florist", "instructions")}),
        (_("Check"), {"fields": ("quality_score", "checked_by", "returns", "quality_notes", "florist_notes")}),
        (_("Missing flowers"), {"fields": ("is_short", "shortage_note")}),
        (
            _("Times"),
            {
                "fields": (
                    *("deadline", "assigned_at", "started_at", "finished_at", "completed_at"),
                    *("estimated_minutes", "actual_minutes"),
                )
            },
        ),
        (_("History"), {"fields": ("history",)}),
    )
    readonly_fields = ("number", "history")

    @display(description=_("number"), ordering="id")
    def number(self, task: ProductionTask) -> str:
        return str(task)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, task: ProductionTask) -> tuple[str, str]:
        return task.status, task.get_status_display()

    @display(description=_("priority"), ordering="priority", label=PRIORITY_COLOURS)
    def priority_badge(self, task: ProductionTask) -> tuple[str, str]:
        return Priority(task.priority).name, task.get_priority_display()

    @display(description=_("history"))
    def history(self, task: ProductionTask) -> SafeString:
        return steps_of(task)

    @action(description=_("Back into the queue"), icon="undo", permissions=["handle"])
    def free(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """A florist who has gone home leaves tasks behind."""
        return self.ask_reason(request, _task(object_id), title=_("Put it back into the queue"), deed=_free)

    @action(description=_("Cancel"), icon="block", permissions=["handle"])
    def give_up(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _task(object_id), title=_("Cancel the task"), deed=_cancel)

    BUTTONS: ClassVar[dict[str, str]] = {"free": Status.PENDING, "give_up": Status.CANCELLED}

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the buttons that the task's status allows."""
        task = self.get_object(request, str(object_id))
        following = TASK.allowed_from(task.status) if task else []
        return [
            button
            for button in super().get_actions_detail(request, object_id)
            if self.BUTTONS[button.action_name.removeprefix("florist_productiontask_")] in following
        ]

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.may(request.user, "production")


def steps_of(obj: Model) -> SafeString:
    """The life of a row as a table; also for runs."""
    rows = [(moment(row.at), row.from_status, row.to_status, row.by, row.reason) for row in states.history(obj)[:200]]
    return table((_("when"), pgettext("status", "from"), pgettext("status", "to"), _("who"), _("why")), rows)


def _task(object_id: Any) -> ProductionTask:
    return ProductionTask.objects.get(pk=object_id)


def _free(task: ProductionTask, *, by: Any, reason: str) -> None:
    production.hand_back(by=by, task_id=task.pk, reason=reason)


def _cancel(task: ProductionTask, *, by: Any, reason: str) -> None:
    production.cancel(by=by, task_id=task.pk, reason=reason)
