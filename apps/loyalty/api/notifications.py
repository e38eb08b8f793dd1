"""Announcements, the guests' inbox, messages to some guests, devices (contract loyalty 1.6, rows 55 to 63)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty import errors
from apps.loyalty.actions import announcements, messages
from apps.loyalty.api.base import ClientView, ManagerView
from apps.loyalty.api.shapes import Changes
from apps.loyalty.api.wire import LARGEST_ID, Id, Paged, Pagination
from apps.loyalty.conf import PRODUCT
from apps.loyalty.queries import news as questions
from apps.notifications import actions as notifications
from apps.notifications import queries as inboxes
from apps.notifications.models import Notification

MOST_RECIPIENTS = 5000
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]
Words = Annotated[str, Field(max_length=20_000)]
Language = Annotated[str, Field(min_length=1, max_length=8)]
MessageId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class AnnouncementRead(Shape):
    """A message to every guest."""

    id: int
    title: str
    description: str
    created_at: datetime


class AnnouncementPage(Shape):
    """One page."""

    pagination: Pagination
    items: list[AnnouncementRead]


class NewAnnouncement(Shape):
    """A message to send to every guest."""

    title: Title
    description: Words


class AnnouncementChanges(Changes):
    """What changes, one field at least."""

    title: Title | None = None
    description: Words | None = None


class AnnouncementPath(Shape):
    """Which announcement."""

    announcement_id: Id


class MessagePath(Shape):
    """Which message of one's own."""

    message_id: MessageId


class InboxFilters(Shape):
    """How much of the inbox."""

    limit: int = Field(50, ge=1, le=200)


class MessageRead(Shape):
    """A message in the inbox."""

    id: int
    title: str
    description: str
    type: str | None
    payload: dict[str, Any] | None
    language: str
    is_read: bool
    is_sent: bool
    sent_at: datetime | None
    created_at: datetime


class Inbox(Shape):
    """The inbox, newest first."""

    unread_count: int
    items: list[MessageRead]


class Device(Shape):
    """A phone that wants pushes; without a token only its language is kept."""

    deviceToken: Annotated[str | None, Field(min_length=1, max_length=2048)] = None
    deviceType: Literal["ios", "android"]
    language: Language | None = None


class Sending(Shape):
    """A message to some guests."""

    userIds: list[Annotated[int, Field(ge=1, le=LARGEST_ID)]] = Field(max_length=MOST_RECIPIENTS)
    title: Title
    description: Words
    notificationType: Annotated[str | None, Field(max_length=64)] = None
    payload: dict[str, Any] | None = None
    language: Language = "ru"


class Announcements(ManagerView):
    """Messages to every guest."""

    @endpoint(
        query=Paged,
        login="required",
        answers={200: AnnouncementPage},
        refusals=[errors.ManagersOnly],
        summary="Announcements",
    )
    def get(self, request: Any, *, query: Paged) -> dict[str, Any]:
        """Newest first."""
        rows, total = questions.announcements(page=query.page, size=query.size)
        items = [AnnouncementRead.model_validate(row) for row in rows]
        return self.wire.paged(items, total, page=query.page, size=query.size)

    @endpoint(
        body=NewAnnouncement,
        login="required",
        answers={200: AnnouncementRead},
        refusals=[errors.ManagersOnly],
        summary="Tell every guest",
    )
    def post(self, request: Any, *, body: NewAnnouncement) -> AnnouncementRead:
        """Inbox, socket and push; the answer does not wait for the telling."""
        said = announcements.announce(by=request.member, title=body.title, description=body.description)
        return AnnouncementRead.model_validate(said)


class OneAnnouncement(ManagerView):
    """One message to every guest."""

    @endpoint(
        path=AnnouncementPath,
        login="required",
        answers={200: AnnouncementRead},
        refusals=[errors.ManagersOnly, errors.AnnouncementNotFound],
        summary="An announcement",
    )
    def get(self, request: Any, *, announcement_id: int) -> AnnouncementRead:
        """As it is now."""
        return AnnouncementRead.model_validate(questions.announcement(announcement_id))

    @endpoint(
        path=AnnouncementPath,
        body=AnnouncementChanges,
        login="required",
        answers={200: AnnouncementRead},
        refusals=[errors.ManagersOnly, errors.AnnouncementNotFound, errors.NothingToUpdate],
        summary="Change an announcement",
    )
    def put(self, request: Any, *, announcement_id: int, body: AnnouncementChanges) -> AnnouncementRead:
        """Whoever was told already keeps the old words."""
        changed = announcements.change(by=request.member, announcement_id=announcement_id, changes=body.given())
        return AnnouncementRead.model_validate(changed)

    patch = put

    @endpoint(
        path=AnnouncementPath,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly, errors.AnnouncementNotFound],
        summary="Take an announcement back",
    )
    def delete(self, request: Any, *, announcement_id: int) -> None:
        """Out of the inboxes too."""
        announcements.delete(by=request.member, announcement_id=announcement_id)


class RegisterToken(ClientView):
    """Where to push."""

    @endpoint(
        body=Device,
        login="required",
        answers={204: None},
        refusals=[errors.WrongActor, notifications.BadDevice],
        summary="Register a phone for pushes",
    )
    def post(self, request: Any, *, body: Device) -> None:
        """One phone per type; a token that another account had moves to this one."""
        messages.register_device(
            by=request.member, token=body.deviceToken, platform=body.deviceType, language=body.language
        )


class MyInbox(ClientView):
    """The guest's inbox."""

    @endpoint(
        query=InboxFilters,
        login="required",
        answers={200: Inbox},
        refusals=[errors.WrongActor],
        summary="My inbox",
    )
    def get(self, request: Any, *, query: InboxFilters) -> dict[str, Any]:
        """Newest first, with the number of unread ones."""
        user_id = request.member.user_id
        return {
            "unread_count": inboxes.unread_count(user_id=user_id, product=PRODUCT),
            "items": _inbox(user_id, query.limit),
        }


class MyMessages(ClientView):
    """The same as older clients ask for it."""

    @endpoint(
        query=InboxFilters,
        login="required",
        answers={200: list[MessageRead]},
        refusals=[errors.WrongActor],
        summary="My inbox as a bare list",
    )
    def get(self, request: Any, *, query: InboxFilters) -> list[dict[str, Any]]:
        """Newest first."""
        return _inbox(request.member.user_id, query.limit)


class ReadMessage(ClientView):
    """Opened."""

    @endpoint(
        path=MessagePath,
        login="required",
        answers={204: None},
        refusals=[errors.WrongActor, errors.AnnouncementNotFound],
        summary="Mark a message as read",
    )
    def post(self, request: Any, *, message_id: int) -> None:
        """Again is free."""
        messages.mark_read(by=request.member, message_id=message_id)


class Send(ManagerView):
    """To some guests."""

    @endpoint(
        body=Sending,
        login="required",
        answers={204: None},
        refusals=[errors.ManagersOnly],
        summary="Write to some guests",
    )
    def post(self, request: Any, *, body: Sending) -> None:
        """Unknown ids vanish silently."""
        messages.send(
            by=request.member,
            client_ids=body.userIds,
            title=body.title,
            description=body.description,
            kind=body.notificationType or "",
            payload=body.payload,
            language=body.language,
        )


def _inbox(user_id: int, limit: int) -> list[dict[str, Any]]:
    return [message_read(row) for row in inboxes.inbox(user_id=user_id, product=PRODUCT, limit=limit)]


def message_read(row: Notification) -> dict[str, Any]:
    """A message as clients read it; what managers write has no type."""
    return {
        "id": row.pk,
        "title": row.title,
        "description": row.body,
        "type": messages.shown_kind(row.kind),
        "payload": row.payload or None,
        "language": row.language,
        "is_read": row.is_read,
        "is_sent": row.is_sent,
        "sent_at": row.sent_at,
        "created_at": row.created_at,
    }


urlpatterns = [
    path("api/v1/notifications", Announcements, name="announcement-list"),
    path("api/v1/notifications/register-token", RegisterToken, name="register-token"),
    path("api/v1/notifications/clients", MyInbox, name="inbox"),
    path("api/v1/notifications/me", MyMessages, name="messages"),
    path("api/v1/notifications/clients/<int:message_id>/read", ReadMessage, name="message-read"),
    path("api/v1/notifications/send", Send, name="send"),
    path("api/v1/notifications/<int:announcement_id>", OneAnnouncement, name="announcement"),
]
