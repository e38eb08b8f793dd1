"""Tickets as the API shows them: lists, one row, one whole ticket (contract tickets 1.1, 1.4, C6).

Rows are fixed SQL read as values, never as objects (design 3.25): a page costs two queries, whatever its size.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from django.db.models import F, QuerySet

from apps.core.access import ensure
from apps.core.rows import FixedRows
from apps.tickets import access, errors
from apps.tickets.models import Comment, Feedback, Member, StatusLog, Ticket
from apps.tickets.queries import kept, photos
from apps.tickets.queries.rows import fetch, stored

Scope = Literal["all tickets", "reported", "assigned", "followed", "mine"]
Row = Mapping[str, Any]

COLUMNS = (
    *("id", "title", "description", "status", "category_id", "reporter_id", "team_id", "assignee_id"),
    *("latitude", "longitude", "address", "city", "resolved_at", "created_at", "updated_at"),
)
ALSO = {
    "category_name": "c.name",
    "reporter_name": "r.name",
    "team_name": "o.name",
    "district_name": "d.name",
    "photo_count": "(SELECT COUNT(*) FROM tickets_photo p WHERE p.ticket_id = t.id)",
    "comment_count": "(SELECT COUNT(*) FROM tickets_comment m WHERE m.ticket_id = t.id{public})",
    "follower_count": "(SELECT COUNT(*) FROM tickets_follow f WHERE f.ticket_id = t.id)",
}
"""What stands beside the columns; internal comments are counted for staff only (D20)."""
_PUBLIC = " AND NOT m.is_internal"
_ASKED = "SELECT 1 FROM tickets_escalation e WHERE e.ticket_id = t.id"
MARKS = {
    "has_feedback": "EXISTS (SELECT 1 FROM tickets_feedback b WHERE b.ticket_id = t.id)",
    "has_escalation": f"EXISTS ({_ASKED})",
    "is_escalated": f"EXISTS ({_ASKED} AND e.status IN ('PENDING', 'APPROVED'))",
    "is_following": "EXISTS (SELECT 1 FROM tickets_follow w WHERE w.ticket_id = t.id AND w.member_id = %s)",
}
"""What a whole ticket says beyond a row; the value is the caller's id."""
_ROWS = """
SELECT {{columns}}, {also}
FROM (SELECT * FROM tickets_ticket WHERE {which} ORDER BY created_at DESC, id DESC LIMIT {size} OFFSET {start}) t
JOIN tickets_category c ON c.id = t.category_id
JOIN tickets_member r ON r.id = t.reporter_id
LEFT JOIN tickets_team o ON o.id = t.team_id
LEFT JOIN tickets_district d ON d.id = t.district_id
ORDER BY t.created_at DESC, t.id DESC
"""
# Limit and offset stand in the text: for a value of unknown size PostgreSQL would plan to read a tenth of the table.
_COUNT = "SELECT COUNT(*) AS total FROM tickets_ticket WHERE {which}"
# Ids of what somebody reported or follows: two index look-ups, where OR would read the whole table.
_CONCERNING = """
id IN (SELECT id FROM tickets_ticket WHERE reporter_id = %s
    UNION SELECT ticket_id FROM tickets_follow WHERE member_id = %s)
"""
# Distinct, so that PostgreSQL begins here and does not walk all tickets from the newest on.
_OTHERS_FOLLOWED = """
id IN (SELECT DISTINCT w.ticket_id FROM tickets_follow w JOIN tickets_ticket own ON own.id = w.ticket_id
    WHERE w.member_id = %s AND own.reporter_id <> %s)
"""
COMMENTS_SHOWN = 200
"""Newest comments of a whole ticket; the rest is in its list of comments (D19)."""
LINES_SHOWN = 200
"""Newest lines of history of a whole ticket."""
QUESTIONS_KEPT = 256
"""Different questions whose SQL stays ready: filters and first pages in every combination, and some deep pages."""


@dataclass(frozen=True)
class Wanted:
    """Which tickets, and which page of them."""

    scope: Scope
    status: str | None = None
    category_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None
    page: int = 1
    page_size: int = 20


@dataclass(frozen=True)
class Which:
    """A condition on tickets with its values, put together from fixed pieces; deleted ones vanish from every list."""

    sql: str = "deleted_at IS NULL"
    values: tuple[Any, ...] = ()

    def also(self, piece: str, *values: Any) -> Which:
        """Both conditions."""
        return Which(f"{self.sql} AND {piece.strip()}", (*self.values, *(stored(value) for value in values)))


SCOPES: dict[Scope, Callable[[Which, Member], Which]] = {
    "all tickets": lambda which, by: which,
    "reported": lambda which, by: which.also("reporter_id = %s", by.pk),
    "assigned": lambda which, by: which.also("team_id = %s", by.team_id),
    "followed": lambda which, by: which.also(_OTHERS_FOLLOWED, by.pk, by.pk),
    "mine": lambda which, by: which.also(_CONCERNING, by.pk, by.pk),
}
"""Everybody who is signed in may read every living ticket (C6); what is blanked for whom, `shown` says."""


def page(wanted: Wanted, *, by: Member) -> tuple[list[Row], int]:
    """One page, newest first, and how many there are; two queries, one while a slow count is kept.

    Who is in no team has nothing assigned (D8): the condition is never true then.
    """
    which = SCOPES[wanted.scope](Which(), by)
    for name in ("status", "category_id", "team_id"):
        if (value := getattr(wanted, name)) is not None:
            which = which.also(f"{name} = %s", value)
    rows = _rows(which, by, size=wanted.page_size, start=(wanted.page - 1) * wanted.page_size)
    return [shown(row, by) for row in rows], _total(wanted, which, by)


def _total(wanted: Wanted, which: Which, by: Member) -> int:
    """Of a list that is one's own, exactly; of those that all staff or a whole team share, `kept.total`."""
    shared = {"all tickets": "", "assigned": by.team_id}
    if wanted.scope not in shared:
        return _counted(which)
    about = f"{shared[wanted.scope]}|{wanted.status}|{wanted.category_id}|{wanted.team_id}"
    return kept.total(f"total|{wanted.scope}|{about}", lambda: _counted(which))


def _counted(which: Which) -> int:
    return int(fetch(_COUNT.format(which=which.sql), which.values)[0]["total"])


def one(*, by: Member, ticket_id: uuid.UUID) -> Row:
    """One row. Raises `TicketNotFound`."""
    return shown(_one(by, ticket_id), by)


def _one(by: Member, ticket_id: uuid.UUID, *, is_whole: bool = False) -> dict[str, Any]:
    found = _rows(Which().also("id = %s", ticket_id), by, size=1, is_whole=is_whole)
    if not found:
        raise errors.TicketNotFound()
    return found[0]


def _rows(which: Which, by: Member, *, size: int, start: int = 0, is_whole: bool = False) -> list[dict[str, Any]]:
    """Values with names and counts, and the marks of a whole ticket."""
    question = _question(which.sql, by.is_staff_member, is_whole, size, start)
    return question.dicts(*([stored(by.pk)] if is_whole else []), *which.values)


@lru_cache(QUESTIONS_KEPT)
def _question(which: str, is_staff: bool, is_whole: bool, size: int, start: int) -> FixedRows[Ticket]:
    also = ALSO | MARKS if is_whole else ALSO
    said = ", ".join(also.values()).format(public="" if is_staff else _PUBLIC)
    sql = _ROWS.format(also=said, which=which, size=size, start=start)
    return FixedRows(Ticket, sql, table="t", only=COLUMNS, also=tuple(also))


def visible_comments(by: Member) -> QuerySet[Comment]:
    """Comments that the caller may read."""
    return Comment.objects.all() if by.is_staff_member else Comment.objects.filter(is_internal=False)


def knows_people(row: Row, by: Member) -> bool:
    """Staff and the reporter read the names of a ticket's people, other citizens do not (C6)."""
    return by.is_staff_member or row["reporter_id"] == by.pk


PLACE = {
    "latitude": "latitude",
    "longitude": "longitude",
    "address": "address",
    "district": "district_name",
    "city": "city",
}
"""What `location` says, and the value that it says it of."""
PLAIN = tuple(name for name in (*COLUMNS, *ALSO) if name not in PLACE.values())


def shown(row: Row, by: Member) -> dict[str, Any]:
    """A row in the shape of `Ticket`; the location is one with its ticket, so it has its id."""
    return {
        **{name: row[name] for name in PLAIN},
        "location": {"id": row["id"], **{name: row[column] for name, column in PLACE.items()}},
        "reporter_name": row["reporter_name"] if knows_people(row, by) else None,
        "assignee_id": row["assignee_id"] if by.is_staff_member else None,
    }


def whole(*, by: Member, ticket_id: uuid.UUID) -> dict[str, Any]:
    """`TicketDetail` in four queries. Raises `TicketNotFound`."""
    row = _one(by, ticket_id, is_whole=True)
    return {
        **shown(row, by),
        # SQLite answers 0 and 1.
        **{name: bool(row[name]) for name in ("has_feedback", "has_escalation", "is_following")},
        "can_escalate": row["team_id"] is not None and not row["is_escalated"],
        "photos": photos.of_ticket(ticket_id, by=by),
        "comments": _comments(by, row, ticket_id),
        "status_logs": _lines(by, row, ticket_id),
    }


def _lines(by: Member, row: Row, ticket_id: uuid.UUID) -> list[Row]:
    """History: everybody sees its steps, only readers of requests what was said about an escalation (D9)."""
    lines = StatusLog.objects.filter(ticket_id=ticket_id).annotate(changed_by_name=F("changed_by__name"))
    found = list(
        lines.values(
            *("id", "ticket_id", "old_status", "new_status", "changed_by_id", "changed_by_name"),
            *("comment", "created_at"),
        )[:LINES_SHOWN]
    )
    if not access.can("see an escalation", by, Ticket(team_id=row["team_id"])):
        found = [{**line, "comment": None} if access.is_about_escalation(line) else line for line in found]
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


def _seen(by: Member, ticket_id: uuid.UUID) -> Row:
    """What `knows_people` asks of a ticket that the caller may read. Raises `TicketNotFound`."""
    row = Ticket.objects.visible_to(by).filter(pk=ticket_id).values("reporter_id").first()
    if row is None:
        raise errors.TicketNotFound()
    return row


def comments(
    *, by: Member, ticket_id: uuid.UUID, page: int = 1, page_size: int = COMMENTS_SHOWN
) -> tuple[list[Row], int]:
    """Newest first, and how many there are for the caller; three queries. Raises `TicketNotFound`."""
    row = _seen(by, ticket_id)
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
    row = _seen(by, ticket_id)
    marks = Feedback.objects.filter(ticket_id=ticket_id).annotate(user_id=F("author_id"), user_name=F("author__name"))
    found = marks.values(
        *("id", "ticket_id", "user_id", "user_name", "rating", "comment", "created_at", "updated_at")
    ).first()
    ensure(found is not None, errors.FeedbackNotFound)
    return {**found, "user_name": found["user_name"] if knows_people(row, by) else None}  # type: ignore[dict-item,index]
