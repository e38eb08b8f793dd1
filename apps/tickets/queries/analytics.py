"""How the city does: tickets, teams, categories, districts, marks (contract tickets 4).

Unless said otherwise a figure is about the living tickets reported in the period. *Open* is NEW or IN_PROGRESS,
*resolved* is RESOLVED or CLOSED. Rates are percents from 0 to 100; a mean of nothing is null, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.utils import timezone

from apps.tickets import errors
from apps.tickets.models import Category, Feedback, Member, Team, Ticket
from apps.tickets.queries.kept import kept

Status = Ticket.Status
IS_OPEN = Q(status__in=(Status.NEW, Status.IN_PROGRESS))
IS_RESOLVED = Q(status__in=(Status.RESOLVED, Status.CLOSED))
TIME_TO_RESOLVE = ExpressionWrapper(F("resolved_at") - F("created_at"), output_field=DurationField())
HOUR = timedelta(hours=1)
MOST_TOP_CATEGORIES = 5


@dataclass(frozen=True)
class Period:
    """Tickets reported from `since` on, and before `until` where that is given."""

    since: datetime
    until: datetime | None = None

    def tickets(self) -> QuerySet[Ticket]:
        """The living tickets of the period."""
        found = Ticket.objects.living().filter(created_at__gte=self.since)
        return found.filter(created_at__lt=self.until) if self.until else found


def last_days(days: int, *, now: datetime | None = None) -> Period:
    """The period that ends now."""
    return Period((now or timezone.now()) - timedelta(days=days))


def quarter_of(year: int, quarter: int) -> Period:
    """Three months of the UTC calendar."""
    first = datetime(year, quarter * 3 - 2, 1, tzinfo=UTC)
    after = datetime(year + quarter // 4, quarter * 3 % 12 + 1, 1, tzinfo=UTC)
    return Period(first, after)


def percent(part: int, whole: int, digits: int = 2) -> float:
    """`part` of `whole` in percent; 0 of nothing."""
    return round(part / whole * 100, digits) if whole else 0.0


def hours(span: timedelta | None) -> float | None:
    """Two decimals; null stays null."""
    return None if span is None else round(span / HOUR, 2)


def mean(value: float | None) -> float | None:
    """Two decimals; null stays null."""
    return None if value is None else round(float(value), 2)


def dashboard(*, days: int) -> bytes:
    """The headline figures of the city; one query.

    `open_tickets`, `resolved_tickets`, `closed_tickets` and `escalated_tickets` count the present status: NEW or
    IN_PROGRESS, RESOLVED, CLOSED, ESCALATED. `resolution_rate`: RESOLVED or CLOSED among all, four decimals.
    `average_rating`: mean mark of these tickets. `average_resolution_hours`: mean time from the report to the (last)
    resolution of those that are resolved now.
    """
    return kept(f"dashboard|{days}", lambda: _dashboard(last_days(days)))


def _dashboard(period: Period) -> dict[str, Any]:
    found = period.tickets().aggregate(
        total_tickets=Count("pk"),
        open_tickets=Count("pk", filter=IS_OPEN),
        resolved_tickets=Count("pk", filter=Q(status=Status.RESOLVED)),
        closed_tickets=Count("pk", filter=Q(status=Status.CLOSED)),
        escalated_tickets=Count("pk", filter=Q(status=Status.ESCALATED)),
        rating=Avg("feedback__rating"),
        span=Avg(TIME_TO_RESOLVE),
    )
    rating, span = found.pop("rating"), found.pop("span")
    finished = found["resolved_tickets"] + found["closed_tickets"]
    return {
        **found,
        "resolution_rate": percent(finished, found["total_tickets"], 4),
        "average_rating": mean(rating),
        "average_resolution_hours": hours(span),
    }


def teams(*, days: int) -> bytes:
    """How each team does, by name; two queries.

    `total_assigned`: tickets of the period that are the team's now; `total_resolved` of those RESOLVED or CLOSED,
    `resolution_rate` in two decimals. `open_tickets`: all its open tickets, however old. `member_count`: living people.
    The list is under `items` and, for older clients, under `teams` (C12).
    """
    return kept(f"teams|{days}", lambda: _both("teams", _teams(last_days(days))))


def _both(alias: str, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"items": items, alias: items, **more}


def _teams(period: Period) -> list[dict[str, Any]]:
    known = Team.objects.annotate(people=Count("members", filter=Q(members__deleted_at=None)))
    in_period = Q(created_at__gte=period.since)
    if period.until:
        in_period &= Q(created_at__lt=period.until)
    either = Ticket.objects.living().filter(in_period | IS_OPEN, team__isnull=False)
    counted = _by(either, "team_id", in_period, open_tickets=Count("pk", filter=IS_OPEN))
    return [
        {
            "team_id": team.pk,
            "team_name": team.name,
            **_performance(counted.get(team.pk)),
            "open_tickets": counted.get(team.pk, {}).get("open_tickets", 0),
            "member_count": team.people,
        }
        for team in known.order_by("name", "pk")
    ]


def _by(tickets: QuerySet[Ticket], key: str, among: Q, **more: Any) -> dict[Any, dict[str, Any]]:
    """Counts and means of the tickets `among` the given ones, by a key; one query."""
    rows = (
        tickets.order_by()
        .values(key)
        .annotate(
            total=Count("pk", filter=among),
            resolved=Count("pk", filter=among & IS_RESOLVED),
            span=Avg(TIME_TO_RESOLVE, filter=among),
            rating=Avg("feedback__rating", filter=among),
            **more,
        )
    )
    return {row[key]: row for row in rows}


def _performance(row: dict[str, Any] | None) -> dict[str, Any]:
    found = row or {"total": 0, "resolved": 0, "span": None, "rating": None}
    return {
        "total_assigned": found["total"],
        "total_resolved": found["resolved"],
        "resolution_rate": percent(found["resolved"], found["total"]),
        "average_resolution_hours": hours(found["span"]),
        "average_rating": mean(found["rating"]),
    }


def members(*, team_id: UUID, days: int) -> bytes:
    """How each living member of a team does, by name; three queries. Raises `TeamNotFound`.

    The figures of `teams`, for the tickets of the period whose assignee the member is.
    """
    return kept(f"members|{team_id}|{days}", lambda: _members(team_id, last_days(days)))


def _members(team_id: UUID, period: Period) -> dict[str, Any]:
    team = Team.objects.filter(pk=team_id).first()
    if team is None:
        raise errors.TeamNotFound()
    people = list(Member.objects.living().filter(team=team).order_by("name", "pk").values_list("pk", "name"))
    done = period.tickets().filter(assignee__in=[pk for pk, _ in people])
    counted = _by(done, "assignee_id", Q())
    items = [{"user_id": pk, "user_name": name, **_performance(counted.get(pk))} for pk, name in people]
    return _both("members", items, team_id=team.pk, team_name=team.name)


def categories(*, days: int) -> bytes:
    """How each active category does, the busiest first; two queries.

    `escalated_tickets` completes the sum: total is open, resolved and escalated.
    """
    return kept(f"categories|{days}", lambda: {"items": _categories(last_days(days))})


def _categories(period: Period) -> list[dict[str, Any]]:
    counts = {
        "open_tickets": Count("pk", filter=IS_OPEN),
        "escalated_tickets": Count("pk", filter=Q(status=Status.ESCALATED)),
    }
    counted = _by(period.tickets(), "category_id", Q(), **counts)
    rows = [_category(*row, counted) for row in Category.objects.filter(is_active=True).values_list("pk", "name")]
    return sorted(rows, key=lambda row: (-row["total_tickets"], row["category_name"]))


def _category(pk: UUID, name: str, counted: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    row = counted.get(pk, {})
    return {
        "category_id": pk,
        "category_name": name,
        "total_tickets": row.get("total", 0),
        "open_tickets": row.get("open_tickets", 0),
        "resolved_tickets": row.get("resolved", 0),
        "escalated_tickets": row.get("escalated_tickets", 0),
        "average_rating": mean(row.get("rating")),
    }


def neighborhoods(*, days: int, limit: int) -> bytes:
    """The districts with most tickets, each with its categories, both from most to least; one query.

    Tickets outside of every district are in none.
    """
    return kept(f"neighborhoods|{days}|{limit}", lambda: {"items": _neighborhoods(last_days(days))[:limit]})


def _neighborhoods(period: Period) -> list[dict[str, Any]]:
    counted = (
        period.tickets()
        .filter(district__isnull=False)
        .values_list("district_id", "district__name", "category__name")
        .annotate(count=Count("pk"))
        .order_by("-count", "category__name")
    )
    found: dict[UUID, dict[str, Any]] = {}
    for district_id, district, category, count in counted:  # two cities may each have a "Centre"
        row = found.setdefault(district_id, {"district": district, "total_tickets": 0, "category_breakdown": []})
        row["total_tickets"] += count
        row["category_breakdown"].append({"category_name": category, "ticket_count": count})
    return sorted(found.values(), key=lambda row: (-row["total_tickets"], row["district"]))


def feedback_trends(*, days: int) -> bytes:
    """Marks given in the period by active category, the best mean first; one query.

    `rating_distribution` always has the five keys "1" to "5".
    """
    return kept(f"feedback|{days}", lambda: {"items": _feedback_trends(last_days(days))})


def _feedback_trends(period: Period) -> list[dict[str, Any]]:
    marks = {f"mark_{mark}": Count("pk", filter=Q(rating=mark)) for mark in range(1, 6)}
    counted = (
        Feedback.objects.filter(created_at__gte=period.since, ticket__deleted_at=None, ticket__category__is_active=True)
        .order_by()
        .values("ticket__category_id", "ticket__category__name")
        .annotate(total=Count("pk"), mean=Avg("rating"), **marks)
    )
    rows = [_trend(row) for row in counted]
    return sorted(rows, key=lambda row: (-row["average_rating"], row["category_name"]))


def _trend(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "category_id": row["ticket__category_id"],
        "category_name": row["ticket__category__name"],
        "total_feedbacks": row["total"],
        "average_rating": mean(row["mean"]),
        "rating_distribution": {str(mark): row[f"mark_{mark}"] for mark in range(1, 6)},
    }


def quarterly_report(*, year: int, quarter: int) -> bytes:
    """A quarter on one page; five queries.

    `resolved_tickets` are RESOLVED or CLOSED; `average_resolution_days` is the dashboard's mean in days;
    `top_categories` the five busiest, `team_rankings` all teams with tickets by their resolution rate.
    """
    return kept(f"quarter|{year}|{quarter}", lambda: _quarterly(quarter_of(year, quarter), year, quarter))


def _quarterly(period: Period, year: int, quarter: int) -> dict[str, Any]:
    head = _dashboard(period)
    span = head["average_resolution_hours"]
    ranked = [row for row in _teams(period) if row["total_assigned"]]
    busiest = [row for row in _categories(period) if row["total_tickets"]]
    return {
        "quarter": quarter,
        "year": year,
        "total_tickets": head["total_tickets"],
        "resolved_tickets": head["resolved_tickets"] + head["closed_tickets"],
        "resolution_rate": head["resolution_rate"],
        "average_resolution_days": None if span is None else round(span / 24, 2),
        "average_rating": head["average_rating"],
        "top_categories": busiest[:MOST_TOP_CATEGORIES],
        "team_rankings": sorted(ranked, key=lambda row: (-row["resolution_rate"], row["team_name"])),
    }
