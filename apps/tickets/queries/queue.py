"""The staff's queue: what a team has to do, the oldest promise first."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from apps.tickets import access
from apps.tickets.models import Member, SlaClock, Ticket
from apps.tickets.states import NEVER_BY_HAND, TICKET

MOST = 100
Status = Ticket.Status
WORK = (Status.NEW, Status.IN_PROGRESS, Status.ESCALATED)


def rows(
    *,
    by: Member,
    category_id: UUID | None = None,
    status: str = "",
    ticket_id: UUID | None = None,
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """At most 100 tickets of the caller's team, for a manager of everybody; what is not finished unless a status or

    one ticket is asked for. Each row has the steps that may follow, and whether the caller may merge it. One query.
    """
    moment = now or timezone.now()
    found = _of(by).filter(Q(pk=ticket_id) if ticket_id else _about(category_id, status))
    due = SlaClock.objects.filter(ticket=OuterRef("pk"), stopped_at=None).order_by("due_at").values("due_at")[:1]
    values = found.annotate(due_at=Subquery(due)).order_by(F("due_at").asc(nulls_last=True), "created_at", "id")
    names = {"category_name": F("category__name"), "team_name": F("team__name"), "district_name": F("district__name")}
    columns = ("id", "title", "status", "created_at", "latitude", "longitude", "due_at")
    may_merge = access.can("merge", by)
    return [{**_row(row, moment), "may_merge": may_merge} for row in values.values(*columns, **names)[:MOST]]


def _of(by: Member) -> QuerySet[Ticket]:
    access.ensure_rank(by, "staff")
    living = Ticket.objects.living()
    if by.is_manager:
        return living
    return living.filter(team_id=by.team_id) if by.team_id else living.none()


def _about(category_id: UUID | None, status: str) -> Q:
    about = Q(status=status) if status else Q(status__in=WORK)
    return about & Q(category_id=category_id) if category_id else about


def _row(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    steps = [to for to in TICKET.allowed_from(row["status"]) if (row["status"], to) not in NEVER_BY_HAND]
    return {
        **row,
        "status_label": Status(row["status"]).label,
        "is_late": row["due_at"] is not None and row["due_at"] < now,
        "steps": [(to, Status(to).label) for to in steps],
    }
