"""What a member was told (contract tickets 1.5)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.notifications import actions as notifications
from apps.notifications import queries as inbox
from apps.notifications.models import Notification
from apps.tickets.api.base import Paging, TicketsView
from apps.tickets.api.shapes import Message
from apps.tickets.conf import PRODUCT
from apps.tickets.models import Member


class NotificationPath(Shape):
    """A notification's id."""

    notification_id: uuid.UUID


class InboxQuery(Paging):
    """Which part of the inbox."""

    unread_only: bool = False


class NotificationOut(Shape):
    """One thing that a member was told."""

    id: uuid.UUID
    user_id: uuid.UUID
    ticket_id: uuid.UUID | None
    notification_type: str
    title: str
    message: str
    is_read: bool
    read_at: datetime | None
    created_at: datetime
    updated_at: datetime


class NotificationPage(Shape):
    items: list[NotificationOut]
    total: int
    page: int
    page_size: int


class UnreadCount(Shape):
    count: int


class Wish(Shape):
    """A channel switched on, off, or (null) back to what is usual."""

    kind: str = ""
    channel: Literal["inbox", "socket", "sms"]
    is_on: bool | None


class Wishes(Shape):
    wishes: list[Wish]


class KindOut(Shape):
    """A kind of message and its channels."""

    kind: str
    label: str
    channels: dict[str, bool]


def shown(row: Notification, by: Member) -> dict[str, Any]:
    """The shape of `Notification`."""
    return {
        "id": row.public_id,
        "user_id": by.pk,
        "ticket_id": row.payload.get("ticket_id"),
        "notification_type": row.kind,
        "title": row.title,
        "message": row.body,
        "is_read": row.is_read,
        "read_at": row.read_at,
        "created_at": row.created_at,
        "updated_at": row.read_at or row.created_at,
    }


class Inbox(TicketsView):
    """My inbox."""

    tag = "notifications"

    @endpoint(summary="List my notifications", query=InboxQuery, login="required", answers={200: NotificationPage})
    def get(self, request: Any, *, query: InboxQuery) -> dict[str, Any]:
        """Newest first."""
        rows, total = inbox.inbox_page(
            user_id=request.member.user_id,
            product=PRODUCT,
            page=query.page,
            page_size=query.page_size,
            unread_only=query.unread_only,
        )
        items = [shown(row, request.member) for row in rows]
        return self.wire.paged(items, total, page=query.page, page_size=query.page_size)


class Unread(TicketsView):
    """How many are unread; clients ask every 30 seconds."""

    tag = "notifications"

    @endpoint(summary="Count my unread notifications", login="required", answers={200: UnreadCount})
    def get(self, request: Any) -> dict[str, int]:
        """From a partial index."""
        return {"count": inbox.unread_count(user_id=request.member.user_id, product=PRODUCT)}


class ReadAll(TicketsView):
    """Everything is read."""

    tag = "notifications"

    @endpoint(summary="Mark everything as read", login="required", answers={200: Message})
    def patch(self, request: Any) -> dict[str, str]:
        """Again is fine."""
        count = notifications.mark_all_read(by=request.member, product=PRODUCT)
        return {"message": f"{count} notifications marked as read"}


class ReadOne(TicketsView):
    """One is read."""

    tag = "notifications"

    @endpoint(
        summary="Mark as read",
        path=NotificationPath,
        login="required",
        answers={200: NotificationOut},
        refusals=[notifications.NotificationNotFound],
    )
    def patch(self, request: Any, *, notification_id: uuid.UUID) -> dict[str, Any]:
        """Again is fine; other people's do not exist."""
        row = notifications.mark_read(by=request.member, notification_id=str(notification_id), product=PRODUCT)
        return shown(row, request.member)


class OneNotification(TicketsView):
    """One of mine."""

    tag = "notifications"

    @endpoint(
        summary="Delete a notification",
        path=NotificationPath,
        login="required",
        answers={204: None},
        refusals=[notifications.NotificationNotFound],
    )
    def delete(self, request: Any, *, notification_id: uuid.UUID) -> None:
        """Other people's do not exist."""
        notifications.forget(by=request.member, notification_id=str(notification_id), product=PRODUCT)


class Settings(TicketsView):
    """By which channels I want to hear; the original has no such path."""

    tag = "notifications"

    @endpoint(summary="My channels", login="required", answers={200: list[KindOut]})
    def get(self, request: Any) -> list[dict[str, Any]]:
        """Every kind with its channels."""
        return inbox.wishes(user_id=request.member.user_id, product=PRODUCT)

    @endpoint(
        summary="Switch channels on or off",
        body=Wishes,
        login="required",
        answers={200: list[KindOut]},
        refusals=[notifications.BadWish],
    )
    def put(self, request: Any, *, body: Wishes) -> list[dict[str, Any]]:
        """A follower gets text messages after switching `FOLLOWED_TICKET_SMS` on."""
        notifications.set_wishes(by=request.member, product=PRODUCT, wishes=[wish.model_dump() for wish in body.wishes])
        return inbox.wishes(user_id=request.member.user_id, product=PRODUCT)


urlpatterns = [
    path("api/v1/notifications", Inbox, name="notifications"),
    path("api/v1/notifications/unread-count", Unread, name="notifications-unread"),
    path("api/v1/notifications/read-all", ReadAll, name="notifications-read-all"),
    path("api/v1/notifications/settings", Settings, name="notifications-settings"),
    path("api/v1/notifications/<str:notification_id>", OneNotification, name="notification"),
    path("api/v1/notifications/<str:notification_id>/read", ReadOne, name="notification-read"),
]
