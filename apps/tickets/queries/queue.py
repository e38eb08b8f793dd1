"""The staff's queue: what a team has to do, the oldest promise first, and what no team has yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from apps.tickets import access
from apps.tickets.models import Escalation, Member, SlaClock, Team, Ticket
from apps.tickets.queries.public import Page
from apps.tickets.states import NEVER_BY_HAND, TICKET

PER_PAGE = 50
Status = Ticket.Status
WORK = (Status.NEW, Status.IN_PROGRESS, Status.ESCALATED)


def page(
    *, by: Member, category_id: UUID | None = None, status: str = "", number: int = 1, is_free: bool = False
) -> Page:
    """Tickets of the caller's team, for a manager of everybody; what is not finished unless a status is asked for.

    `is_free`: those that no team has, instead. One query; the rows are `rows`'.
    """
    start = (number - 1) * PER_PAGE
    found = _of(by, is_free=is_free).filter(_about(category_id, status))
    read = _read(found, by, start=start, most=PER_PAGE + 1)
    return Page(read[:PER_PAGE], number, len(read) > PER_PAGE)


def row(*, by: Member, ticket_id: UUID) -> dict[str, Any] | None:
    """One ticket of the queue, in any status: with the steps that may follow, and what else the caller may do with it.

    One query.
    """
    return next(iter(_read(_of(by).filter(pk=ticket_id), by, start=0, most=1)), None)


def teams() -> list[tuple[UUID, str]]:
    """Whom a ticket can be handed to, by name."""
    return list(Team.objects.order_by("name", "pk").values_list("pk", "name"))


def _of(by: Member, *, is_free: bool = False) -> QuerySet[Ticket]:
    access.ensure_rank(by, "staff")
    living = Ticket.objects.living()
    if is_free:
        living = living.filter(team=None)
    if by.is_manager:
        return living
    if by.team_id is None:
        return living.none()
    return living if is_free else living.filter(team_id=by.team_id)


def _about(category_id: UUID | None, status: str) -> Q:
    about = Q(status=status) if status else Q(status__in=WORK)
    return about & Q(category_id=category_id) if category_id else about


def _read(found: QuerySet[Ticket], by: Member, *, start: int, most: int) -> list[dict[str, Any]]:
    due = SlaClock.objects.filter(ticket=OuterRef("pk"), stopped_at=None).order_by("due_at").values("due_at")[:1]
    asked = Escalation.objects.filter(ticket=OuterRef("pk")).exclude(status=Escalation.Status.REJECTED)
    values = found.annotate(due_at=Subquery(due), is_asked=Exists(asked))
    names = {"category_name": F("category__name"), "team_name": F("team__name"), "district_name": F("district__name")}
    columns = ("id", "title", "status", "created_at", "latitude", "longitude", "team_id", "due_at", "is_asked")
    ordered = values.order_by(F("due_at").asc(nulls_last=True), "created_at", "id")
    now = timezone.now()
    return [_shown(row, by, now) for row in ordered.values(*columns, **names)[start : start + most]]


def _shown(row: Mapping[str, Any], by: Member, now: datetime) -> dict[str, Any]:
    ticket = Ticket(status=row["status"], team_id=row["team_id"])
    may_assign = access.can("assign", by, ticket)
    is_claim = may_assign and ticket.team_id is None and not by.is_manager
    return {
        **row,
        "status_label": Status(row["status"]).label,
        "is_late": row["due_at"] is not None and row["due_at"] < now,
        "steps": _steps(row["status"]) if access.can("change status", by, ticket) else [],
        "may_claim": is_claim,
        "may_hand_over": may_assign and not is_claim,
        "may_ask": access.can("escalate", by, ticket) and not row["is_asked"],
        "may_merge": access.can("merge", by),
    }


def _steps(status: str) -> list[tuple[str, Any]]:
    steps = [to for to in TICKET.allowed_from(status) if (status, to) not in NEVER_BY_HAND]
    return [(to, Status(to).label) for to in steps]
