"""Teams and categories, as the API shows them (contract tickets 1.1, 1.3)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.tickets import errors
from apps.tickets.models import UNFINISHED, Category, Member, Team, Ticket

Row = Mapping[str, Any]
CATEGORY = ("id", "name", "description", "is_active", "created_at", "updated_at")
MOST_CATEGORIES = 500
MOST_MEMBERS = 1000
"""Rows of lists that the contract does not page (D19)."""


def categories(*, only_active: bool) -> list[Row]:
    """By name."""
    rows = Category.objects.filter(is_active=True) if only_active else Category.objects.all()
    return list(rows.order_by("name", "id").values(*CATEGORY)[:MOST_CATEGORIES])


def category(*, category_id: uuid.UUID) -> Row:
    """One category, active or not. Raises `CategoryNotFound`."""
    row = Category.objects.filter(pk=category_id).values(*CATEGORY).first()
    if row is None:
        raise errors.CategoryNotFound()
    return row


def page(*, page: int, page_size: int) -> tuple[list[Row], int]:
    """One page of teams by name and how many there are; three queries."""
    start = (page - 1) * page_size
    rows = list(_read(Team.objects.all())[start : start + page_size])
    return with_districts(rows), Team.objects.count()


def one(*, team_id: uuid.UUID) -> Row:
    """One team as lists show it; two queries. Raises `TeamNotFound`."""
    rows = list(_read(Team.objects.filter(pk=team_id)))
    if not rows:
        raise errors.TeamNotFound()
    return with_districts(rows)[0]


def whole(*, team_id: uuid.UUID) -> Row:
    """`TeamDetail` in five queries. Raises `TeamNotFound`."""
    members = Member.objects.living().filter(team_id=team_id).order_by("name", "id")
    return {
        **one(team_id=team_id),
        "members": list(members.values("id", "name", "email", "phone_number", "role")[:MOST_MEMBERS]),
        "categories": list(
            Team.categories.through.objects.filter(team=team_id)
            .order_by("category__name")
            .values("team_id", "category_id", category_name=F("category__name"))
        ),
        "districts": list(
            Team.districts.through.objects.filter(team=team_id)
            .order_by("district__name")
            .values("team_id", "district_id", district_name=F("district__name"), city=F("district__city"))
        ),
    }


def _read(teams: QuerySet[Team]) -> QuerySet[Any]:
    return (
        teams.annotate(
            member_count=_count(Member.objects.living()),
            active_ticket_count=_count(Ticket.objects.living().filter(status__in=UNFINISHED)),
        )
        .order_by("name", "id")
        .values(
            *("id", "name", "description", "is_fallback", "member_count", "active_ticket_count"),
            *("created_at", "updated_at"),
        )
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    own = rows.filter(team=OuterRef("pk")).order_by().values("team").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(own, output_field=IntegerField()), 0)


def with_districts(rows: Iterable[Row]) -> list[Row]:
    """The same rows with the ids of their districts; one query for all of them."""
    teams = list(rows)
    covered: dict[uuid.UUID, list[uuid.UUID]] = {row["id"]: [] for row in teams}
    links = Team.districts.through.objects.filter(team__in=covered).order_by("district__name")
    for team_id, district_id in links.values_list("team_id", "district_id"):
        covered[team_id].append(district_id)
    return [{**row, "district_ids": covered[row["id"]]} for row in teams]
