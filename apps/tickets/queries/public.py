"""What everybody may see without a sign-in: tickets without their people (contract tickets C6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from apps.tickets import access, errors
from apps.tickets.models import Category, Comment, StatusLog, Ticket
from apps.tickets.queries import photos

PER_PAGE = 20
COMMENTS_SHOWN = LINES_SHOWN = 100
ROW = ("id", "title", "status", "created_at", "latitude", "longitude")
LINE = ("old_status", "new_status", "comment", "created_at")
NAMES = {"category_name": F("category__name"), "district_name": F("district__name")}


@dataclass(frozen=True)
class Page:
    """Some rows, and whether there are more behind them."""

    rows: list[dict[str, Any]]
    number: int
    has_more: bool


def page(*, category_id: UUID | None = None, status: str = "", number: int = 1) -> Page:
    """Living tickets, newest first; one query."""
    found: QuerySet[Ticket] = Ticket.objects.living()
    if category_id:
        found = found.filter(category_id=category_id)
    if status:
        found = found.filter(status=status)
    start = (number - 1) * PER_PAGE
    rows = list(found.order_by("-created_at", "-id").values(*ROW, **NAMES)[start : start + PER_PAGE + 1])
    return Page([_labelled(row) for row in rows[:PER_PAGE]], number, len(rows) > PER_PAGE)


def categories() -> list[tuple[UUID, str]]:
    """Open categories by name."""
    return list(Category.objects.filter(is_active=True).order_by("name", "pk").values_list("pk", "name"))


def ticket(ticket_id: UUID) -> dict[str, Any]:
    """One ticket with its pictures, history and public comments; four queries. Raises `TicketNotFound`.

    What staff and managers write to each other about an escalation is not for the street.
    """
    found = Ticket.objects.living().filter(pk=ticket_id)
    row = found.values(
        *(*ROW, "description", "address", "city", "resolved_at", "duplicate_of_id"),
        team_name=F("team__name"),
        original_title=F("duplicate_of__title"),
        **NAMES,
    ).first()
    if row is None:
        raise errors.TicketNotFound()
    comments = Comment.objects.filter(ticket_id=ticket_id, is_internal=False).order_by("-created_at", "-id")
    lines = StatusLog.objects.filter(ticket_id=ticket_id).order_by("-created_at", "-id")
    return {
        **_labelled(row),
        "photos": photos.of_ticket(ticket_id, by=None),
        "comments": list(comments.values("content", "created_at")[:COMMENTS_SHOWN]),
        "lines": [_line(line) for line in lines.values(*LINE)[:LINES_SHOWN]],
    }


def _labelled(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "status_label": Ticket.Status(row["status"]).label}


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    said = "" if access.is_about_escalation(line) else line["comment"]
    return {**line, "comment": said, "status_label": Ticket.Status(line["new_status"]).label}
