"""Requests for the managers, as the API shows them (contract tickets 1.5)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import F, QuerySet

from apps.tickets import errors
from apps.tickets.models import Escalation, Member

Row = Mapping[str, Any]
COLUMNS = (
    *("id", "ticket_id", "ticket_title", "requester_id", "requester_name", "reviewer_id", "reviewer_name"),
    *("reason", "status", "review_comment", "created_at", "reviewed_at"),
)


def visible_to(by: Member) -> QuerySet[Escalation]:
    """A manager sees all, support those of its team's tickets; none about deleted tickets."""
    rows = Escalation.objects.filter(ticket__deleted_at=None)
    if by.is_manager:
        return rows
    return rows.filter(ticket__team_id=by.team_id) if by.is_staff_member and by.team_id else rows.none()


def page(
    *, by: Member, status: str | None, ticket_id: uuid.UUID | None, page: int, page_size: int
) -> tuple[list[Row], int]:
    """One page, newest first, and how many there are; two queries."""
    rows = visible_to(by)
    if status is not None:
        rows = rows.filter(status=status)
    if ticket_id is not None:
        rows = rows.filter(ticket_id=ticket_id)
    start = (page - 1) * page_size
    return list(_read(rows)[start : start + page_size]), rows.count()


def one(*, by: Member, escalation_id: uuid.UUID) -> Row:
    """One request. Raises `EscalationNotFound`."""
    row: Row | None = _read(visible_to(by)).filter(pk=escalation_id).first()
    if row is None:
        raise errors.EscalationNotFound()
    return row


def _read(rows: QuerySet[Escalation]) -> QuerySet[Any]:
    names = {
        "ticket_title": F("ticket__title"),
        "requester_name": F("requester__name"),
        "reviewer_name": F("reviewer__name"),
    }
    return rows.annotate(**names).values(*COLUMNS)
