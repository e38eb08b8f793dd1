"""Screens beside the lists: the map, heat, the boards of the teams, the figures."""

from __future__ import annotations

from typing import Any

import orjson
from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.panels import PERIODS_DAYS, chart, rows_of
from apps.tickets.models import Team
from apps.tickets.pages.forms import Filter, Period, Sides, wanted
from apps.tickets.queries import analytics, boards, maps

NOTHING = "–"


class Screen(UnfoldModelAdminViewMixin, TemplateView):
    """For whoever may look at tickets."""

    permission_required = ("tickets.view_ticket",)


class MapView(Screen):
    """Tickets as markers."""

    title = _("Map of the tickets")
    template_name = "tickets/admin/map.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, form=Filter(self.request.GET), markers=True)


class HeatView(Screen):
    """Where it is hot: hexagons, and districts in words."""

    title = _("Heat map")
    template_name = "tickets/admin/map.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = Period(self.request.GET or {"days": 30})
        return super().get_context_data(**kwargs, form=form, rows=maps.hottest_districts(wanted(form)))


def hexagons(request: HttpRequest) -> HttpResponse:
    """GeoJSON for a window and a zoom."""
    if not request.user.has_perm("tickets.view_ticket"):  # type: ignore[union-attr]
        return JsonResponse({"detail": "forbidden"}, status=403)
    sides = Sides(request.GET)
    window = sides.window()
    if window is None:
        return JsonResponse({"detail": "south, west, north and east are required"}, status=422)
    body = maps.heat_hexagons(wanted(Period(request.GET), window), zoom=sides.cleaned_data["zoom"] or 11)
    return HttpResponse(body, content_type="application/json")


class TeamChoice(forms.Form):
    """Whose board."""

    team = forms.ModelChoiceField(
        label=_("Team"),
        queryset=Team.objects.all(),
        required=False,
        empty_label=_("no team"),
        widget=UnfoldAdminSelectWidget,
    )


class BoardView(Screen):
    """One team's work in columns; without a team, what waits for one."""

    title = _("Boards of the teams")
    template_name = "tickets/admin/board.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = TeamChoice(self.request.GET)
        team = form.cleaned_data.get("team") if form.is_valid() else None
        columns = boards.board(team.pk if team else None)
        return super().get_context_data(**kwargs, form=form, team=team, columns=columns)


class DaysForm(forms.Form):
    """How long."""

    days = forms.TypedChoiceField(
        label=_("Period, days"),
        coerce=int,
        required=False,
        choices=[(days, str(days)) for days in PERIODS_DAYS],
        widget=UnfoldAdminSelectWidget,
    )

    def chosen(self) -> int:
        """Anything malformed falls back to thirty."""
        return int(self.cleaned_data.get("days") or 30) if self.is_valid() else 30


class FiguresView(Screen):
    """The city in numbers; the queries are a constant number, whatever the period."""

    title = _("Figures")
    template_name = "admin/figures.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = DaysForm({"days": 30, **self.request.GET.dict()})
        days = form.chosen()
        kinds = orjson.loads(analytics.categories(days=days))["items"]
        return super().get_context_data(
            **kwargs,
            form=form,
            cards=cards(orjson.loads(analytics.dashboard(days=days))),
            charts=[kinds_chart(kinds)],
            tables=[(_("Teams"), team_table(orjson.loads(analytics.teams(days=days))["items"]))],
        )


def cards(found: dict[str, Any]) -> list[tuple[Any, str]]:
    """The headline figures."""
    return [
        (_("Tickets"), str(found["total_tickets"])),
        (_("Still open"), str(found["open_tickets"])),
        (_("Escalated"), str(found["escalated_tickets"])),
        (_("Resolved or closed"), f"{found['resolution_rate']:.1f} %"),
        (_("Hours to the resolution"), shown(found["average_resolution_hours"])),
        (_("Mean mark"), shown(found["average_rating"])),
    ]


def shown(value: float | None) -> str:
    """A figure, or a dash when there is nothing to say."""
    return NOTHING if value is None else f"{value:g}"


def kinds_chart(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What is reported, and what of it is open."""
    return chart(
        _("By category"),
        [row["category_name"] for row in rows],
        (pgettext_lazy("tickets", "open"), [row["open_tickets"] for row in rows]),
        (_("all"), [row["total_tickets"] for row in rows]),
    )


def team_table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How each team does."""
    headers = (_("team"), _("people"), _("assigned"), _("solved"), _("share"), _("open now"), _("hours"), _("mark"))
    return rows_of(
        headers,
        (
            (
                *(row["team_name"], row["member_count"], row["total_assigned"], row["total_resolved"]),
                *(f"{row['resolution_rate']:g} %", row["open_tickets"]),
                *(shown(row["average_resolution_hours"]), shown(row["average_rating"])),
            )
            for row in rows
        ),
    )


def urls(model_admin: Any) -> list[URLPattern]:
    """Addresses below the list of tickets."""
    wrap = model_admin.admin_site.admin_view
    pages = (("map", MapView), ("heat", HeatView), ("board", BoardView), ("figures", FiguresView))
    found = [
        path(f"{name}/", wrap(view.as_view(model_admin=model_admin)), name=f"tickets_{name}") for name, view in pages
    ]
    return [path("heat.json", wrap(hexagons), name="tickets_hexagons"), *found]
