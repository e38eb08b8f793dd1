"""What tickets look like on the wire (contract tickets 1.1)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from apps.core.wire import Shape
from apps.tickets.actions.tickets import Whereabouts
from apps.tickets.api.base import PageNumber, PageSize, Paging, Status
from apps.tickets.api.places import Latitude, Longitude, Nearby
from apps.tickets.api.shapes import Trimmed
from apps.tickets.conf import CITY
from apps.tickets.models import Photo, Ticket


def _spaces_once(given: Any) -> Any:
    return " ".join(given.split()) if isinstance(given, str) else given


Title = Annotated[str, BeforeValidator(_spaces_once), Field(min_length=5, max_length=200)]
Description = Annotated[str, Trimmed, Field(min_length=10, max_length=5000)]
Remark = Annotated[str, Trimmed, Field(max_length=1000)]


class LocationIn(Shape):
    """A whole point, or a district; both: the point wins (C9)."""

    latitude: Latitude | None = None
    longitude: Longitude | None = None
    address: Annotated[str, Trimmed, Field(max_length=500)] | None = None
    district_id: uuid.UUID | None = None
    city: Annotated[str, Trimmed, Field(min_length=1, max_length=100)] = CITY

    @model_validator(mode="after")
    def _is_somewhere(self) -> LocationIn:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude belong together")
        if self.latitude is None and self.district_id is None:
            raise ValueError("either latitude and longitude or district_id is required")
        return self

    def whereabouts(self) -> Whereabouts:
        """In the words of the action."""
        return Whereabouts(**self.model_dump())


class TicketIn(Shape):
    """A new ticket."""

    title: Title
    description: Description
    category_id: uuid.UUID
    location: LocationIn


class TicketChange(Shape):
    """Any part of its words."""

    title: Title | None = None
    description: Description | None = None
    category_id: uuid.UUID | None = None


class StatusIn(Shape):
    """Where to, in any case, and why."""

    status: Status
    comment: Remark | None = None


class AssignIn(Shape):
    """Whose it is from now on."""

    team_id: uuid.UUID


class CommentIn(Shape):
    """What somebody says."""

    content: Annotated[str, Trimmed, Field(min_length=1, max_length=2000)]
    is_internal: bool = False


class CommentsQuery(Shape):
    """The newest 200, unless told otherwise."""

    page: PageNumber = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 200


class MyQuery(Paging):
    """Which of my tickets."""

    status_filter: Status | None = None
    category_id: uuid.UUID | None = None


class TicketsQuery(MyQuery):
    """Which of all tickets."""

    team_id: uuid.UUID | None = None


class Location(Shape):
    id: uuid.UUID
    latitude: float
    longitude: float
    address: str | None
    district: str | None
    city: str


class TicketOut(Shape):
    """A ticket; `reporter_name` is null for strangers, `assignee_id` for citizens."""

    id: uuid.UUID
    title: str
    description: str
    status: Ticket.Status
    category_id: uuid.UUID
    category_name: str
    location: Location
    reporter_id: uuid.UUID
    reporter_name: str | None
    team_id: uuid.UUID | None
    team_name: str | None
    assignee_id: uuid.UUID | None
    resolved_at: datetime | None
    photo_count: int
    comment_count: int
    follower_count: int
    created_at: datetime
    updated_at: datetime


class NewTicket(TicketOut):
    """A ticket that has just been reported, and what may be the same trouble."""

    possible_duplicates: list[Nearby]


class TicketPage(Shape):
    items: list[TicketOut]
    total: int
    page: PageNumber
    page_size: PageSize


class PhotoPlace(Shape):
    latitude: float
    longitude: float


class PhotoOut(Shape):
    """A picture; who took it and where is told to staff and its sender only."""

    id: uuid.UUID
    url: str
    thumbnail_url: str
    filename: str
    photo_type: Photo.Type
    uploaded_by_id: uuid.UUID | None
    uploaded_at: datetime
    taken_at_place: PhotoPlace | None


class CommentOut(Shape):
    id: uuid.UUID
    ticket_id: uuid.UUID
    user_id: uuid.UUID | None
    user_name: str | None
    content: str
    is_internal: bool
    created_at: datetime


class CommentList(Shape):
    items: list[CommentOut]
    total: int


class StatusLogOut(Shape):
    id: uuid.UUID
    ticket_id: uuid.UUID
    old_status: Ticket.Status | None
    new_status: Ticket.Status
    changed_by_id: uuid.UUID | None
    changed_by_name: str | None
    comment: str | None
    created_at: datetime


class TicketDetail(TicketOut):
    """A ticket with everything that belongs to it."""

    photos: list[PhotoOut]
    comments: list[CommentOut]
    status_logs: list[StatusLogOut]
    has_feedback: bool
    has_escalation: bool
    can_escalate: bool
    is_following: bool
