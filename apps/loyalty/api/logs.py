"""The login log for managers (contract loyalty 1.4, rows 32, 34, 35), and what staff did (1.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from apps.accounts.models import AuthLog
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty import errors
from apps.loyalty.api.base import ManagerView
from apps.loyalty.api.wire import Id, Paged, Pagination, Sized
from apps.loyalty.models import Client, Staff
from apps.loyalty.queries import clients, logs
from apps.loyalty.queries.counting import page_of


class OtpList(Paged):
    """Whose codes; without a word everybody's, as the web client asks."""

    user_id: Id | None = None


class OldLine(Shape):
    """A line as the first servers told it."""

    id: int
    actor_type: str | None
    actor_id: int | None
    phone: str | None
    action: str
    ip: str | None
    user_agent: str
    meta: dict[str, Any]
    created_at: datetime


class Actor(Shape):
    """Who it was."""

    id: int
    type: Literal["user", "staff"]
    name: str | None
    phone: str
    role: str | None


class LogLine(OldLine):
    """A line with who it was. Clients read `meta` or `metadata`."""

    event: str
    status: Literal["success", "failed"]
    metadata: dict[str, Any]
    user: Actor | None


class Deed(Shape):
    """What somebody of the staff did to whom."""

    id: int
    actor: str
    actor_id: int
    action: str
    entity: Literal["user"]
    entity_id: int
    amount: float
    created_at: datetime


class DeedPage(Shape):
    """A page of deeds."""

    pagination: Pagination
    items: list[Deed]


class OldPage(Shape):
    """A page of lines."""

    pagination: Pagination
    items: list[OldLine]


class LogPage(Shape):
    """A page of lines."""

    pagination: Pagination
    items: list[LogLine]


def _line(entry: AuthLog, actor: Client | Staff | None) -> dict[str, Any]:
    """What both shapes share. Nobody's number is told as the log has it: masked."""
    event, action = logs.words(entry)
    return {
        "id": entry.pk,
        "actor_id": actor.pk if actor else None,
        "phone": actor.phone if actor else entry.identifier or None,
        "action": action,
        "ip": entry.address,
        "user_agent": entry.user_agent,
        "meta": logs.meta(entry),
        "created_at": entry.at,
    }


def old_line(entry: AuthLog, actor: Client | Staff | None) -> dict[str, Any]:
    """With the actor types of the tokens."""
    kind = None if actor is None else "STAFF" if isinstance(actor, Staff) else "CLIENT"
    return {**_line(entry, actor), "actor_type": kind}


def log_line(entry: AuthLog, actor: Client | Staff | None) -> dict[str, Any]:
    """With the actor itself."""
    kind = None if actor is None else "staff" if isinstance(actor, Staff) else "user"
    line = _line(entry, actor)
    who = actor and {
        "id": actor.pk,
        "type": kind,
        "name": actor.name,
        "phone": actor.phone,
        "role": actor.role if isinstance(actor, Staff) else None,
    }
    return {
        **line,
        "actor_type": kind,
        "event": logs.words(entry)[0],
        "status": "success" if entry.is_success else "failed",
        "metadata": line["meta"],
        "user": who,
    }


def _with_actors(rows: Sequence[AuthLog]) -> list[tuple[AuthLog, Client | Staff | None]]:
    found: Mapping[int, Client | Staff] = logs.actors(rows)
    return [(row, found.get(row.user_id or 0)) for row in rows]


class AuthLogs(ManagerView):
    """`GET admin/auth-logs`."""

    @endpoint(query=Sized, login="required", answers={200: OldPage}, summary="Login log (older shape)")
    def get(self, request: Any, *, query: Sized) -> dict[str, Any]:
        """Newest first (contract loyalty 1.4, row 32)."""
        rows, total = page_of(logs.entries(), page=query.page, size=query.size)
        items = [old_line(entry, actor) for entry, actor in _with_actors(rows)]
        return self.wire.paged(items, total, page=query.page, size=query.size)


class Logs(ManagerView):
    """`GET logs/auth`."""

    @endpoint(query=Paged, login="required", answers={200: LogPage}, summary="Login log")
    def get(self, request: Any, *, query: Paged) -> dict[str, Any]:
        """Newest first (contract loyalty 1.4, row 34)."""
        rows, total = page_of(logs.entries(), page=query.page, size=query.size)
        items = [log_line(entry, actor) for entry, actor in _with_actors(rows)]
        return self.wire.paged(items, total, page=query.page, size=query.size)


class OtpLogs(ManagerView):
    """`GET logs/otp`."""

    @endpoint(
        query=OtpList,
        login="required",
        answers={200: LogPage},
        refusals=[errors.ClientNotFound],
        summary="Codes asked for and handed in",
    )
    def get(self, request: Any, *, query: OtpList) -> dict[str, Any]:
        """Of one guest, or of all (contract loyalty 1.4, row 35)."""
        found = logs.codes(clients.one(query.user_id) if query.user_id else None)
        rows, total = page_of(found, page=query.page, size=query.size)
        items = [log_line(entry, actor) for entry, actor in _with_actors(rows)]
        return self.wire.paged(items, total, page=query.page, size=query.size)


class RefusedLogs(ManagerView):
    """`GET logs/validation`."""

    @endpoint(query=Paged, login="required", answers={200: LogPage}, summary="What was refused at the doors")
    def get(self, request: Any, *, query: Paged) -> dict[str, Any]:
        """Wrong codes and passwords, newest first; what was typed is kept nowhere (contract loyalty 1.7)."""
        rows, total = page_of(logs.refused(), page=query.page, size=query.size)
        items = [log_line(entry, actor) for entry, actor in _with_actors(rows)]
        return self.wire.paged(items, total, page=query.page, size=query.size)


class AuditLogs(ManagerView):
    """`GET logs/audit`."""

    @endpoint(query=Paged, login="required", answers={200: DeedPage}, summary="Cashback that staff gave or took")
    def get(self, request: Any, *, query: Paged) -> dict[str, Any]:
        """Newest first (contract loyalty 1.7)."""
        rows, total = page_of(logs.deeds(), page=query.page, size=query.size)
        return self.wire.paged(rows, total, page=query.page, size=query.size)


urlpatterns = [
    path("api/v1/admin/auth-logs", AuthLogs, name="auth-logs"),
    path("api/v1/logs/auth", Logs, name="logs-auth"),
    path("api/v1/logs/otp", OtpLogs, name="logs-otp"),
    path("api/v1/logs/validation", RefusedLogs, name="logs-validation"),
    path("api/v1/logs/audit", AuditLogs, name="logs-audit"),
]
