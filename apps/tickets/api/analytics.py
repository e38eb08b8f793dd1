"""Figures over HTTP: staff see the dashboard and the heat map, managers all of them (contract tickets 1.5, 4, C5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from pydantic import Field

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.tickets import errors
from apps.tickets.api.base import ManagerView, StaffView
from apps.tickets.queries import analytics, exports, sla


class Days(Shape):
    """How far back; reported within so many days until now."""

    days: int = Field(30, ge=1, le=365)


class Dashboard(Shape):
    """The headline figures."""

    total_tickets: int
    open_tickets: int
    resolved_tickets: int
    closed_tickets: int
    escalated_tickets: int
    resolution_rate: float
    average_rating: float | None
    average_resolution_hours: float | None


class Performance(Shape):
    """Of a team or a person."""

    total_assigned: int
    total_resolved: int
    resolution_rate: float
    average_resolution_hours: float | None
    average_rating: float | None


class TeamFigures(Performance):
    """Of a team."""

    team_id: UUID
    team_name: str
    open_tickets: int
    member_count: int


class TeamList(Shape):
    """The same list under two names (C12)."""

    items: list[TeamFigures]
    teams: list[TeamFigures]


class MemberFigures(Performance):
    """Of a person."""

    user_id: UUID
    user_name: str


class MemberList(Shape):
    """The same list under two names (C12)."""

    items: list[MemberFigures]
    members: list[MemberFigures]
    team_id: UUID
    team_name: str


class CategoryFigures(Shape):
    """Of a category."""

    category_id: UUID
    category_name: str
    total_tickets: int
    open_tickets: int
    resolved_tickets: int
    escalated_tickets: int
    average_rating: float | None


class CategoryList(Shape):
    """The busiest first."""

    items: list[CategoryFigures]


class CategoryCount(Shape):
    """Of one category in a district."""

    category_name: str
    ticket_count: int


class Neighborhood(Shape):
    """Of a district."""

    district: str
    total_tickets: int
    category_breakdown: list[CategoryCount]


class NeighborhoodList(Shape):
    """The busiest first."""

    items: list[Neighborhood]


class Trend(Shape):
    """Marks of a category."""

    category_id: UUID
    category_name: str
    total_feedbacks: int
    average_rating: float
    rating_distribution: dict[str, int]


class TrendList(Shape):
    """The best first."""

    items: list[Trend]


class QuarterlyReport(Shape):
    """A quarter on one page."""

    quarter: int
    year: int
    total_tickets: int
    resolved_tickets: int
    resolution_rate: float
    average_resolution_days: float | None
    average_rating: float | None
    top_categories: list[CategoryFigures]
    team_rankings: list[TeamFigures]


class NeighborhoodQuery(Days):
    """The first so many."""

    limit: int = Field(5, ge=1, le=20)


class QuarterQuery(Shape):
    """Which quarter."""

    year: int = Field(ge=2000, le=2100)
    quarter: int = Field(ge=1, le=4)


class TeamPath(Shape):
    """The id in an address; anything but a UUID is 422."""

    team_id: UUID


class FigurePath(Shape):
    """What to export."""

    figure: exports.Figure


class DashboardView(StaffView):
    """The city at a glance."""

    tag = "analytics"

    @endpoint(query=Days, login="required", answers={200: Dashboard}, refusals=[errors.StaffOnly], summary="Dashboard")
    def get(self, request: Any, *, query: Days) -> bytes:
        """Of the whole city, for support too (C5)."""
        return analytics.dashboard(days=query.days)


class TeamsView(ManagerView):
    """How teams do."""

    tag = "analytics"

    @endpoint(query=Days, login="required", answers={200: TeamList}, refusals=[errors.ManagersOnly], summary="Teams")
    def get(self, request: Any, *, query: Days) -> bytes:
        """All teams by name."""
        return analytics.teams(days=query.days)


class MembersView(ManagerView):
    """How the people of a team do."""

    tag = "analytics"

    @endpoint(
        path=TeamPath,
        query=Days,
        login="required",
        answers={200: MemberList},
        refusals=[errors.ManagersOnly, errors.TeamNotFound],
        summary="Members of a team",
    )
    def get(self, request: Any, *, team_id: UUID, query: Days) -> bytes:
        """By who is the assignee."""
        return analytics.members(team_id=team_id, days=query.days)


class CategoriesView(ManagerView):
    """How categories do."""

    tag = "analytics"

    @endpoint(
        query=Days, login="required", answers={200: CategoryList}, refusals=[errors.ManagersOnly], summary="Categories"
    )
    def get(self, request: Any, *, query: Days) -> bytes:
        """Active ones."""
        return analytics.categories(days=query.days)


class NeighborhoodsView(ManagerView):
    """How districts do."""

    tag = "analytics"

    @endpoint(
        query=NeighborhoodQuery,
        login="required",
        answers={200: NeighborhoodList},
        refusals=[errors.ManagersOnly],
        summary="Neighborhoods",
    )
    def get(self, request: Any, *, query: NeighborhoodQuery) -> bytes:
        """The busiest."""
        return analytics.neighborhoods(days=query.days, limit=query.limit)


class TrendsView(ManagerView):
    """What citizens say."""

    tag = "analytics"

    @endpoint(
        query=Days,
        login="required",
        answers={200: TrendList},
        refusals=[errors.ManagersOnly],
        summary="Feedback by category",
    )
    def get(self, request: Any, *, query: Days) -> bytes:
        """By when the mark was given."""
        return analytics.feedback_trends(days=query.days)


class QuarterView(ManagerView):
    """A quarter on one page."""

    tag = "analytics"

    @endpoint(
        query=QuarterQuery,
        login="required",
        answers={200: QuarterlyReport},
        refusals=[errors.ManagersOnly],
        summary="Quarterly report",
    )
    def get(self, request: Any, *, query: QuarterQuery) -> bytes:
        """Of the UTC calendar."""
        return analytics.quarterly_report(year=query.year, quarter=query.quarter)


class ExportView(ManagerView):
    """Figures for a spreadsheet."""

    tag = "analytics"

    def media_type(self, path: str, status: int) -> str:
        """Refusals are JSON."""
        return "text/csv" if status == 200 else "application/json"

    @endpoint(
        path=FigurePath,
        query=Days,
        login="required",
        answers={200: bytes},
        refusals=[errors.ManagersOnly],
        summary="Figures as CSV",
    )
    def get(self, request: Any, *, figure: exports.Figure, query: Days) -> HttpResponse:
        """UTF-8 with a byte order mark."""
        name = f"{figure}-{query.days}-days.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(
            exports.as_csv(figure, days=query.days), content_type="text/csv; charset=utf-8", headers=headers
        )


class SlaView(ManagerView):
    """How promises are kept."""

    tag = "analytics"

    @endpoint(
        query=Days, login="required", answers={200: dict}, refusals=[errors.ManagersOnly], summary="Kept promises"
    )
    def get(self, request: Any, *, query: Days) -> bytes:
        """By category and team."""
        return sla.figures(days=query.days)


urlpatterns = [
    path("api/v1/analytics/dashboard", DashboardView, name="analytics-dashboard"),
    path("api/v1/analytics/teams", TeamsView, name="analytics-teams"),
    path("api/v1/analytics/teams/<str:team_id>/members", MembersView, name="analytics-members"),
    path("api/v1/analytics/categories", CategoriesView, name="analytics-categories"),
    path("api/v1/analytics/neighborhoods", NeighborhoodsView, name="analytics-neighborhoods"),
    path("api/v1/analytics/feedback-trends", TrendsView, name="analytics-feedback"),
    # The load test of the original's repository asks by this name.
    path("api/v1/analytics/feedback/trends", TrendsView, name="analytics-feedback-alias"),
    path("api/v1/analytics/quarterly-report", QuarterView, name="analytics-quarter"),
    path("api/v1/analytics/sla", SlaView, name="analytics-sla"),
    path("api/v1/analytics/export/<str:figure>", ExportView, name="analytics-export"),
]
