"""The queue: every ticket with its place, pictures and timeline; every button is one action."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from apps.core.admin import ReadOnlyAdmin, run_action
from apps.core.panels import history, moment, table
from apps.tickets import access
from apps.tickets.actions import duplicates, tickets
from apps.tickets.admin import forms as asked
from apps.tickets.admin import screens
from apps.tickets.models import FINISHED, Feedback, Ticket
from apps.tickets.queries import boards, photos, timeline
from apps.tickets.states import NEVER_BY_HAND, TICKET

Status = Ticket.Status

STATUS_COLOURS = {
    Status.NEW: "info",
    Status.IN_PROGRESS: "primary",
    Status.RESOLVED: "success",
    Status.CLOSED: "default",
    Status.ESCALATED: "danger",
}
MOST_AT_ONCE = 200
"""Tickets that one button moves; more would outlive the request."""


class LateFilter(admin.SimpleListFilter):
    """Those whose promised time has run out."""

    title = _("promise")
    parameter_name = "promise"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("late", _("late"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        return boards.late(queryset) if self.value() == "late" else queryset


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    """Nothing is edited here; buttons call what the API calls."""

    list_display = ("title", "status_badge", "category", "district", "team", "assignee", "due", "created_at")
    list_filter = (
        *("status", LateFilter, "category", "team", "district", ("created_at", RangeDateTimeFilter)),
        *(("duplicate_of", admin.EmptyFieldListFilter), ("deleted_at", admin.EmptyFieldListFilter)),
    )
    search_fields = ("id__exact", "title__istartswith", "address__istartswith", "reporter__name__istartswith")
    search_help_text = _("Id of the ticket, or the beginning of its title, address or reporter's name")
    list_select_related = ("category", "district", "team", "assignee")
    ordering = ("-created_at", "-id")
    actions = ("assign_selected", "merge_selected")
    actions_list = ("open_map", "open_boards", "open_figures")
    actions_detail = ("assign", "merge")
    fieldsets = (
        (None, {"fields": ("title", "status", "next_steps", "description", "category", "team", "assignee", "due")}),
        (_("Place"), {"fields": ("place", "address", "district", "city")}),
        (_("Pictures"), {"fields": ("pictures",)}),
        (_("Duplicates"), {"fields": ("duplicate_of", "merged_reports", "followers_count")}),
        (_("Timeline"), {"fields": ("timeline_table",)}),
        (_("Steps"), {"fields": ("steps_table",)}),
        (_("Times"), {"fields": ("id", "reporter", "mark", "created_at", "updated_at", "resolved_at", "deleted_at")}),
    )
    readonly_fields = (
        *("next_steps", "due", "place", "pictures", "merged_reports", "followers_count", "timeline_table"),
        *("steps_table", "mark", "id", "duplicate_of"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ticket]:
        return boards.with_due(super().get_queryset(request))

    # ── What is shown ───────────────────────────────────────────────────────────────────────────────────────────────
    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_badge(self, ticket: Ticket) -> tuple[str, str]:
        return ticket.status, ticket.get_status_display()

    @display(description=_("promised until"))
    def due(self, ticket: Any) -> Any:
        is_late = ticket.due_at and ticket.due_at < timezone.now()
        return (
            format_html("<strong>{} · {}</strong>", moment(ticket.due_at), _("late"))
            if is_late
            else moment(ticket.due_at)
        )

    @display(description=_("next step"))
    def next_steps(self, ticket: Ticket) -> SafeString:
        """Buttons of the page's own form: one click, and a POST with its token."""
        allowed = TICKET.allowed_from(ticket.status)
        steps = [(to, Status(to).label) for to in allowed if (ticket.status, to) not in NEVER_BY_HAND]
        address = reverse("admin:tickets_ticket_step", args=[ticket.pk])
        return SafeString(render_to_string("admin/_steps.html", {"steps": steps, "address": address}))

    @display(description=_("map"))
    def place(self, ticket: Ticket) -> SafeString:
        return SafeString(render_to_string("tickets/admin/_place.html", {"ticket": ticket}))

    @display(description=_("pictures"))
    def pictures(self, ticket: Ticket) -> SafeString:
        shown = photos.shown_all(timeline.photos(ticket), by=None)
        return SafeString(render_to_string("tickets/admin/_pictures.html", {"photos": shown}))

    @display(description=_("merged reports"))
    def merged_reports(self, ticket: Ticket) -> SafeString:
        found = ticket.duplicates.select_related("reporter").order_by("created_at")[:MOST_AT_ONCE]
        rows = [(_link(other), other.reporter.name, moment(other.created_at)) for other in found]
        return table((_("ticket"), _("reporter"), _("reported")), rows)

    @display(description=_("followers"))
    def followers_count(self, ticket: Ticket) -> int:
        return ticket.follows.count()

    @display(description=_("what happened"))
    def timeline_table(self, ticket: Ticket) -> SafeString:
        rows = [(moment(row.at), row.kind, row.what, row.who or "–") for row in timeline.of(ticket)]
        return table((_("when"), _("kind"), _("what"), _("who")), rows)

    @display(description=_("who moved it"))
    def steps_table(self, ticket: Ticket) -> SafeString:
        return history(ticket)

    @display(description=_("mark"))
    def mark(self, ticket: Ticket) -> str:
        found = Feedback.objects.filter(ticket=ticket).first()
        return f"{found.rating}/5 {found.comment or ''}" if found else "–"

    # ── Buttons ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def step(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """POST: one step of the table. What is not such a step is refused by the action."""
        if request.method != "POST" or not self.has_handle_permission(request):
            raise PermissionDenied
        to = request.POST.get("to", "")
        run_action(request, lambda: tickets.change_status(by=request.user, ticket_id=object_id, status=to))
        return HttpResponseRedirect(reverse("admin:tickets_ticket_change", args=[object_id]))

    @action(description=_("Assign"), icon="groups", permissions=["handle"])
    def assign(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        ticket = Ticket.objects.get(pk=object_id)
        return self.ask_reason(request, ticket, title=_("Give it to a team"), deed=_assign, form=asked.TeamForm)

    @action(description=_("Merge"), icon="merge", permissions=["handle"])
    def merge(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        ticket = Ticket.objects.get(pk=object_id)
        title = _("This is a duplicate of another ticket")
        return self.ask_reason(request, ticket, title=title, deed=_merge, form=asked.OriginalForm)

    @admin.action(description=_("Assign to a team"), permissions=["handle"])
    def assign_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponse | None:
        if _are_too_many(request, queryset):
            return None
        form = asked.TeamForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._ask_about(request, queryset, form, _("Give them to a team"))
        for ticket in queryset.order_by("pk"):
            run_action(request, partial(_assign, ticket, by=request.user, **form.cleaned_data), ticket.title)
        return None

    @admin.action(description=_("Merge duplicates"), permissions=["handle"])
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> HttpResponse | None:
        if _are_too_many(request, queryset):
            return None
        form = asked.OneOfThemForm(request.POST if "confirmed" in request.POST else None)
        form.among(queryset)
        if not form.is_valid():
            return self._ask_about(request, queryset, form, _("They report the same trouble"))
        original, reason = form.cleaned_data["original"], form.cleaned_data["reason"]
        for ticket in queryset.exclude(pk=original.pk).order_by("pk"):
            deed = partial(_merge, ticket, by=request.user, original=original.pk, reason=reason)
            run_action(request, deed, ticket.title)
        return None

    def _ask_about(
        self, request: HttpRequest, queryset: QuerySet[Ticket], form: forms.Form, title: Any
    ) -> HttpResponse:
        """A page between the list and the deed; it carries the chosen tickets along."""
        chosen = queryset.order_by("created_at", "pk")
        context = {"title": title, "form": form, "chosen": chosen, "opts": self.opts, "action": request.POST["action"]}
        return render(
            request, "tickets/admin/ask_about_many.html", {**self.admin_site.each_context(request), **context}
        )

    @action(description=_("Map"), icon="map", url_path="to-map")
    def open_map(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tickets_map"))

    @action(description=_("Boards"), icon="view_kanban", url_path="to-boards")
    def open_boards(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tickets_board"))

    @action(description=_("Figures"), icon="monitoring", url_path="to-figures")
    def open_figures(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tickets_figures"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A duplicate and a deleted ticket have nothing to decide; finished ones are not assigned."""
        ticket = self.get_object(request, str(object_id))
        wanted = _buttons(ticket) if ticket else set()
        return [
            button
            for button in super().get_actions_detail(request, object_id)
            if button.action_name.removeprefix("tickets_ticket_") in wanted
        ]

    def get_urls(self) -> list[URLPattern]:
        step = path("<uuid:object_id>/step/", self.admin_site.admin_view(self.step), name="tickets_ticket_step")
        return [*screens.urls(self), step, *super().get_urls()]

    def has_handle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can("change status", request.user)


def _are_too_many(request: HttpRequest, queryset: QuerySet[Ticket]) -> bool:
    """Before the question and after the answer: a form can come back with more than it was given."""
    found = len(queryset.order_by()[: MOST_AT_ONCE + 1].values_list("pk")) > MOST_AT_ONCE
    if found:
        messages.error(request, _("Choose at most {count} tickets").format(count=MOST_AT_ONCE))
    return found


def _buttons(ticket: Ticket) -> set[str]:
    if ticket.deleted_at or ticket.duplicate_of_id:
        return set()
    return {"merge"} if ticket.status in FINISHED else {"assign", "merge"}


def _link(ticket: Ticket) -> SafeString:
    address = reverse("admin:tickets_ticket_change", args=[ticket.pk])
    return format_html('<a class="text-primary-600" href="{}">{}</a>', address, ticket.title)


def _assign(ticket: Ticket, *, by: Any, team: Any) -> None:
    tickets.assign(by=by, ticket_id=ticket.pk, team_id=team.pk)


def _merge(ticket: Ticket, *, by: Any, original: UUID, reason: str) -> None:
    duplicates.merge(by=by, duplicate_id=ticket.pk, original_id=original, reason=reason)
