"""Tickets as the API shows them: lists, one row, one whole ticket (contract tickets 1.1, 1.4, C6).

Rows are read as values, never as objects: a page costs two queries, whatever its size.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.core.access import ensure
from apps.tickets import errors
from apps.tickets.models import Comment, Escalation, Feedback, Follow, Member, Photo, StatusLog, Ticket
from apps.tickets.queries import kept, photos

Scope = Literal["all tickets", "reported", "assigned", "followed", "mine"]
Row = Mapping[str, Any]

COLUMNS = (
    *("id", "title", "description", "status", "category_id", "reporter_id", "team_id", "assignee_id"),
    *("latitude", "longitude", "address", "city", "resolved_at", "created_at", "updated_at"),
)
NAMES = {
    "category_name": F("category__name"),
    "reporter_name": F("reporter__name"),
    "team_name": F("team__name"),
    "district_name": F("district__name"),
}
COMMENTS_SHOWN = 200
"""Newest comments of a whole ticket; the rest is in its list of comments (D19)."""
LINES_SHOWN = 200
"""Newest lines of history of a whole ticket."""


@dataclass(frozen=True)
class Wanted:
    """Which tickets, and which page of them."""

    scope: Scope
    status: str | None = None
    category_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None
    page: int = 1
    page_size: int = 20


def _followed(by: Member) -> Exists:
    return Exists(Follow.objects.filter(ticket=OuterRef("pk"), member=by))


def _concerning(by: Member) -> QuerySet[Any]:
    """Ids of what the member reported or follows: two index look-ups, where OR would read the whole table."""
    reported = Ticket.objects.filter(reporter=by).order_by().values_list("pk", flat=True)
    return reported.union(Follow.objects.filter(member=by).values_list("ticket_id", flat=True))


def _others_followed(by: Member) -> QuerySet[Any]:
    """Distinct, so that PostgreSQL begins here and does not walk all tickets from the newest on."""
    others = Follow.objects.filter(~Q(ticket__reporter=by), member=by)
    return others.values_list("ticket_id", flat=True).distinct()


SCOPES: dict[Scope, Callable[[QuerySet[Ticket], Member], QuerySet[Ticket]]] = {
    "all tickets": lambda rows, by: rows,
    "reported": lambda rows, by: rows.filter(reporter=by),
    "assigned": lambda rows, by: rows.filter(team_id=by.team_id) if by.team_id else rows.none(),
    "followed": lambda rows, by: rows.filter(pk__in=_others_followed(by)),
    "mine": lambda rows, by: rows.filter(pk__in=_concerning(by)),
}


def page(wanted: Wanted, *, by: Member) -> tuple[list[Row], int]:
    """One page, newest first, and how many there are; two queries, one while a slow count is kept."""
    found = SCOPES[wanted.scope](Ticket.objects.visible_to(by), by)
    for name in ("status", "category_id", "team_id"):
        if (value := getattr(wanted, name)) is not None:
            found = found.filter(**{name: value})
    start = (wanted.page - 1) * wanted.page_size
    rows = _read(found, by).order_by("-created_at", "-id")[start : start + wanted.page_size]
    return [shown(row, by) for row in rows], _total(wanted, found, by)


def _total(wanted: Wanted, found: QuerySet[Ticket], by: Member) -> int:
    """Of a list that is one's own, exactly; of those that all staff or a whole team share, `kept.total`."""
    shared = {"all tickets": "", "assigned": by.team_id}
    if wanted.scope not in shared:
        return found.count()
    which = f"{shared[wanted.scope]}|{wanted.status}|{wanted.category_id}|{wanted.team_id}"
    return kept.total(f"total|{wanted.scope}|{which}", found.count)


def one(*, by: Member, ticket_id: uuid.UUID) -> Row:
    """One row. Raises `TicketNotFound`."""
    return shown(_found(_read(Ticket.objects.visible_to(by), by), ticket_id), by)


def _found(rows: QuerySet[Any], ticket_id: uuid.UUID) -> Row:
    row: Row | None = rows.filter(pk=ticket_id).first()
    if row is None:
        raise errors.TicketNotFound()
    return row


def _read(rows: QuerySet[Ticket], by: Member) -> QuerySet[Any]:
    """Values with names and counts; internal comments are counted for staff only (D20)."""
    return rows.annotate(
        **NAMES,
        photo_count=_count(Photo.objects.all()),
        comment_count=_count(visible_comments(by)),
        follower_count=_count(Follow.objects.all()),
    ).values(*COLUMNS, *NAMES, "photo_count", "comment_count", "follower_count")


def _count(rows: QuerySet[Any]) -> Coalesce:
    own = rows.filter(ticket=OuterRef("pk")).order_by().values("ticket").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(own, output_field=IntegerField()), 0)


def visible_comments(by: Member) -> QuerySet[Comment]:
    """Comments that the caller may read."""
    return Comment.objects.all() if by.is_staff_member else Comment.objects.filter(is_internal=False)


def knows_people(row: Row, by: Member) -> bool:
    """Staff and the reporter read the names of a ticket's people, other citizens do not (C6)."""
    return by.is_staff_member or row["reporter_id"] == by.pk


def shown(row: Row, by: Member) -> dict[str, Any]:
    """A row in the shape of `Ticket`; the location is one with its ticket, so it has its id."""
    place = {
        "id": row["id"],
        "latitude": row["latitude"],
        "longitude": row["longitude"],
        "address": row["address"],
        "district": row["district_name"],
        "city": row["city"],
    }
    apart = {"latitude", "longitude", "address", "city", "district_name"}
    return {
        **{name: value for name, value in row.items() if name not in apart},
        "location": place,
        "reporter_name": row["reporter_name"] if knows_people(row, by) else None,
        "assignee_id": row["assignee_id"] if by.is_staff_member else None,
    }


def whole(*, by: Member, ticket_id: uuid.UUID) -> dict[str, Any]:
    """`TicketDetail` in four queries. Raises `TicketNotFound`."""
    marks = {
        "has_feedback": Exists(Feedback.objects.filter(ticket=OuterRef("pk"))),
        "has_escalation": Exists(Escalation.objects.filter(ticket=OuterRef("pk"))),
        "is_escalated": Exists(Escalation.objects.filter(ticket=OuterRef("pk"), status__in=("PENDING", "APPROVED"))),
        "is_following": _followed(by),
    }
    rows = (
        _read(Ticket.objects.visible_to(by), by)
        .annotate(**marks)
        .values(*COLUMNS, *NAMES, *marks, "photo_count", "comment_count", "follower_count")
    )
    row = dict(_found(rows, ticket_id))
    can_escalate = row["team_id"] is not None and not row.pop("is_escalated")
    return {
        **shown(row, by),
        "can_escalate": can_escalate,
        "photos": photos.of_ticket(ticket_id, by=by),
        "comments": _comments(by, row, ticket_id),
        "status_logs": _lines(by, row, ticket_id),
    }


def _lines(by: Member, row: Row, ticket_id: uuid.UUID) -> list[Row]:
    lines = StatusLog.objects.filter(ticket_id=ticket_id).annotate(changed_by_name=F("changed_by__name"))
    found = list(
        lines.values(
            *("id", "ticket_id", "old_status", "new_status", "changed_by_id", "changed_by_name"),
            *("comment", "created_at"),
        )[:LINES_SHOWN]
    )
    return found if knows_people(row, by) else [{**line, "changed_by_name": None} for line in found]


def _comments(by: Member, row: Row, ticket_id: uuid.UUID, *, start: int = 0, most: int = COMMENTS_SHOWN) -> list[Row]:
    comments = (
        visible_comments(by).filter(ticket_id=ticket_id).annotate(user_id=F("author_id"), user_name=F("author__name"))
    )
    found = list(
        comments.values(*("id", "ticket_id", "user_id", "user_name", "content", "is_internal", "created_at"))[
            start : start + most
        ]
    )
    if knows_people(row, by):
        return found
    # A reporter who answers under his own ticket would tell everybody who he is.
    return [{**said, "user_name": None} if said["user_id"] == row["reporter_id"] else said for said in found]


def comments(
    *, by: Member, ticket_id: uuid.UUID, page: int = 1, page_size: int = COMMENTS_SHOWN
) -> tuple[list[Row], int]:
    """Newest first, and how many there are for the caller; three queries. Raises `TicketNotFound`."""
    row = _found(Ticket.objects.visible_to(by).values("reporter_id"), ticket_id)
    total = visible_comments(by).filter(ticket_id=ticket_id).count()
    return _comments(by, row, ticket_id, start=(page - 1) * page_size, most=page_size), total


def own_comment(said: Comment, *, by: Member) -> Row:
    """A comment that the caller has just written, as lists show it."""
    return {
        "id": said.pk,
        "ticket_id": said.ticket_id,
        "user_id": by.pk,
        "user_name": by.name,
        "content": said.content,
        "is_internal": said.is_internal,
        "created_at": said.created_at,
    }


def feedback(*, by: Member, ticket_id: uuid.UUID) -> Row:
    """The mark of a ticket. Raises `TicketNotFound`, `FeedbackNotFound`."""
    row = _found(Ticket.objects.visible_to(by).values("reporter_id"), ticket_id)
    marks = Feedback.objects.filter(ticket_id=ticket_id).annotate(user_id=F("author_id"), user_name=F("author__name"))
    found = marks.values(
        *("id", "ticket_id", "user_id", "user_name", "rating", "comment", "created_at", "updated_at")
    ).first()
    ensure(found is not None, errors.FeedbackNotFound)
    return {**found, "user_name": found["user_name"] if knows_people(row, by) else None}  # type: ignore[dict-item,index]
