"""What the back office asks: promises beside the queue, how much each team has to do, a team's board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.tickets.models import UNFINISHED, Member, SlaClock, Team, Ticket

PER_COLUMN = 25
"""Cards of one column; its heading says how many there are."""

COLUMNS = (*UNFINISHED, Ticket.Status.RESOLVED)


@dataclass(frozen=True)
class Column:
    """Tickets of one status, the oldest promise first."""

    status: str
    label: str
    count: int
    cards: list[Any]


def _running() -> QuerySet[SlaClock]:
    return SlaClock.objects.filter(ticket=OuterRef("pk"), stopped_at=None).order_by("due_at")


def with_due(found: QuerySet[Ticket]) -> QuerySet[Any]:
    """Adds `due_at`, the nearest running promise of each ticket."""
    return found.annotate(due_at=Subquery(_running().values("due_at")[:1]))


def late(found: QuerySet[Ticket], *, now: datetime | None = None) -> QuerySet[Ticket]:
    """Those with a promise that has run out."""
    return found.filter(Exists(_running().filter(due_at__lt=now or timezone.now())))


def with_load(teams: QuerySet[Team]) -> QuerySet[Any]:
    """Adds `people_count`, `open_count` (not finished) and `late_count`."""
    open_tickets = Ticket.objects.living().filter(team=OuterRef("pk"), status__in=UNFINISHED)
    return teams.annotate(
        people_count=_count(Member.objects.living().filter(team=OuterRef("pk"), is_active=True)),
        open_count=_count(open_tickets),
        late_count=_count(late(open_tickets)),
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("team").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def board(team_id: UUID | None) -> list[Column]:
    """The unfinished and the resolved tickets of a team, of no team for `None`; five queries."""
    found = Ticket.objects.living().filter(Q(team=team_id) if team_id else Q(team=None))
    counts = dict(found.order_by().values_list("status").annotate(Count("pk")))
    cards = with_due(found).select_related("category", "district", "assignee").order_by("created_at", "id")
    return [
        Column(status, str(status.label), counts.get(status, 0), list(cards.filter(status=status)[:PER_COLUMN]))
        for status in COLUMNS
    ]
