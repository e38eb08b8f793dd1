"""What somebody was told (contract florist 1.6, the paths that clients call and the original lacked)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist.actions import inbox as deeds
from apps.florist.api.base import FloristView, Paging
from apps.florist.queries import inbox
from apps.notifications import actions as notifications
from apps.notifications.models import Notification


class InboxQuery(Paging):
    """Which part of the inbox."""

    unread_only: bool = False


class NotificationOut(Shape):
    """One thing that somebody was told; `data` names the order, task or run."""

    id: UUID
    type: str
    title: str
    message: str
    data: dict[str, Any]
    is_read: bool
    created_at: datetime
    read_at: datetime | None


class NotificationPage(Shape):
    items: list[NotificationOut]
    total: int
    unread: int


class NotificationPath(Shape):
    """A notification's id."""

    notification_id: UUID


class Marked(Shape):
    marked: int


def notification_out(row: Notification) -> dict[str, Any]:
    """The shape of `NotificationOut`."""
    return {
        "id": row.public_id,
        "type": row.kind,
        "title": row.title,
        "message": row.body,
        "data": row.payload,
        "is_read": row.is_read,
        "created_at": row.created_at,
        "read_at": row.read_at,
    }


class Inbox(FloristView):
    """My inbox in this shop."""

    tag = "notifications"

    @endpoint(summary="My notifications", query=InboxQuery, login="required", answers={200: NotificationPage})
    def get(self, request: Any, *, query: InboxQuery) -> dict[str, Any]:
        """Newest first."""
        rows, total, unread = inbox.page(request.member, **query.model_dump())
        return {"items": [notification_out(row) for row in rows], "total": total, "unread": unread}


class ReadOne(FloristView):
    """Opening one."""

    tag = "notifications"

    @endpoint(
        summary="Mark one as read",
        path=NotificationPath,
        login="required",
        answers={200: NotificationOut},
        refusals=[notifications.NotificationNotFound],
    )
    def patch(self, request: Any, *, notification_id: UUID) -> dict[str, Any]:
        """Again is free."""
        return notification_out(deeds.mark_read(by=request.member, notification_id=notification_id))

    @endpoint(
        summary="Mark one as read",
        path=NotificationPath,
        login="required",
        answers={200: NotificationOut},
        refusals=[notifications.NotificationNotFound],
    )
    def post(self, request: Any, *, notification_id: UUID) -> dict[str, Any]:
        """The same; clients use both methods."""
        return notification_out(deeds.mark_read(by=request.member, notification_id=notification_id))


class ReadAll(FloristView):
    """Opening all."""

    tag = "notifications"

    @endpoint(summary="Mark all as read", login="required", answers={200: Marked})
    def post(self, request: Any) -> dict[str, int]:
        """Answers how many were not."""
        return {"marked": deeds.mark_all_read(by=request.member)}

    @endpoint(summary="Mark all as read", login="required", answers={200: Marked})
    def patch(self, request: Any) -> dict[str, int]:
        """The same; clients use both methods."""
        return {"marked": deeds.mark_all_read(by=request.member)}


urlpatterns = [
    path("api/notifications/", Inbox, name="notifications"),
    path("api/notifications/mark-all-read", ReadAll, name="notifications-read-all"),
    path("api/notifications/<str:notification_id>/read", ReadOne, name="notification-read"),
]
