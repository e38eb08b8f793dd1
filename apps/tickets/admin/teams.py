"""Teams with what they have to do; removing one finds new teams for its tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import action, display

from apps.core.admin import run_action
from apps.tickets.actions import teams
from apps.tickets.admin.saving import CityAdmin
from apps.tickets.models import Team
from apps.tickets.queries import boards


@admin.register(Team)
class TeamAdmin(CityAdmin):
    """Name, what it repairs and where are written here; people come by their own list."""

    list_display = ("name", "is_fallback", "people", "open_tickets", "late_tickets")
    search_fields = ("name__istartswith",)
    list_select_related = False
    ordering = ("name",)
    filter_horizontal = ("categories", "districts")
    fields = ("name", "description", "is_fallback", "categories", "districts")
    readonly_fields = ("is_fallback",)
    actions_detail = ("open_board", "make_fallback", "dissolve")
    one_click = ("make_fallback",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return boards.with_load(super().get_queryset(request))

    @display(description=_("people"), ordering="people_count")
    def people(self, team: Any) -> int:
        return int(team.people_count)

    @display(description=pgettext_lazy("tickets", "open"), ordering="open_count")
    def open_tickets(self, team: Any) -> int:
        return int(team.open_count)

    @display(description=_("late"), ordering="late_count")
    def late_tickets(self, team: Any) -> int:
        return int(team.late_count)

    @action(description=_("Board"), icon="view_kanban")
    def open_board(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(f"{reverse('admin:tickets_board')}?team={object_id}")

    @action(description=_("Takes what nobody covers"), icon="all_inbox", permissions=["manage"])
    def make_fallback(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """The one that did so before does it no longer."""
        run_action(request, lambda: teams.make_fallback(by=request.user, team_id=UUID(str(object_id))))
        return self.back_to(object_id)

    @action(description=_("Dissolve"), icon="group_remove", permissions=["manage"])
    def dissolve(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """A question first; then the team is gone, so the way leads to the list."""
        team = Team.objects.get(pk=object_id)
        answer = self.ask_reason(request, team, title=_("Dissolve the team; its tickets get new ones"), deed=_dissolve)
        if Team.objects.filter(pk=object_id).exists():
            return answer
        return HttpResponseRedirect(reverse("admin:tickets_team_changelist"))

    def create(self, by: Any, given: Mapping[str, Any]) -> Team:
        return teams.create(by=by, **_as_told(given))

    def change(self, by: Any, pk: Any, given: Mapping[str, Any]) -> None:
        teams.change(by=by, team_id=pk, changes=_as_told(given))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What it covers was written by the action already."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting would leave its tickets with nobody: the button does it."""
        return False


def _as_told(given: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values in the words of the action."""
    ids = {"categories": "category_ids", "districts": "district_ids"}
    return {ids.get(name, name): [row.pk for row in value] if name in ids else value for name, value in given.items()}


def _dissolve(team: Team, *, by: Any, reason: str) -> None:
    teams.remove(by=by, team_id=team.pk)
