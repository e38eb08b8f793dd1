"""Districts, what is near, what lies in a window of the map (contract tickets 1.3, 1.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from pydantic import Field, model_validator

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.tickets import errors
from apps.tickets.api.base import Status, TicketsView
from apps.tickets.models import Ticket
from apps.tickets.queries import districts, maps

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]

AN_HOUR = "public, max-age=3600"


class DistrictOut(Shape):
    """A district."""

    id: UUID
    name: str
    city: str
    created_at: datetime
    updated_at: datetime


class DistrictList(Shape):
    """All of them."""

    items: list[DistrictOut]
    total: int


class PointQuery(Shape):
    """A point on the map, degrees."""

    latitude: Latitude
    longitude: Longitude


class NearbyQuery(PointQuery):
    """Around a point; the radius in true metres."""

    radius_meters: int = Field(500, ge=100, le=5000)
    category_id: UUID | None = None


class Nearby(Shape):
    """A possible duplicate."""

    id: UUID
    title: str
    status: Ticket.Status
    category_name: str
    distance_meters: float
    follower_count: int


class WindowQuery(Shape):
    """A part of the map, degrees."""

    south: Latitude
    west: Longitude
    north: Latitude
    east: Longitude
    category_id: UUID | None = None
    status: Status | None = None

    @model_validator(mode="after")
    def is_a_window(self) -> WindowQuery:
        """Not turned over, not empty."""
        if not (self.south < self.north and self.west < self.east):
            raise ValueError("south must be below north, west before east")
        return self

    def window(self) -> maps.Window:
        """The four sides."""
        return maps.Window(self.south, self.west, self.north, self.east)


class Marker(Shape):
    """A ticket on the map."""

    id: UUID
    title: str
    status: Ticket.Status
    category_name: str
    latitude: float
    longitude: float
    created_at: datetime


class Districts(TicketsView):
    """The districts of the city."""

    @endpoint(answers={200: DistrictList}, summary="Districts")
    def get(self, request: Any) -> dict[str, Any]:
        """By city and name."""
        return self.wire.listed(districts.listed())


class DistrictAreas(TicketsView):
    """The districts to draw."""

    @endpoint(answers={200: dict}, summary="District outlines")
    def get(self, request: Any) -> HttpResponse:
        """GeoJSON; `is_exact` is false where only the centre is known and the area holds what is nearest to it."""
        return self.reply(districts.areas(), headers={"Cache-Control": AN_HOUR})


class DistrictOfPoint(TicketsView):
    """Which district is it?"""

    @endpoint(
        query=PointQuery, answers={200: DistrictOut}, refusals=[errors.DistrictNotFound], summary="District of a point"
    )
    def get(self, request: Any, *, query: PointQuery) -> dict[str, Any]:
        """By outline, else by the nearest centre; 404 far from all of them."""
        return districts.shown_at(query.latitude, query.longitude)


class NearbyTickets(TicketsView):
    """Has somebody reported it already?"""

    @endpoint(query=NearbyQuery, login="required", answers={200: list[Nearby]}, summary="Tickets nearby")
    def get(self, request: Any, *, query: NearbyQuery) -> list[dict[str, Any]]:
        """At most ten open tickets, nearest first."""
        return maps.near(
            latitude=query.latitude,
            longitude=query.longitude,
            metres=query.radius_meters,
            category_id=query.category_id,
        )


class TicketsInWindow(TicketsView):
    """Markers of a map."""

    @endpoint(
        query=WindowQuery,
        login="required",
        answers={200: list[Marker]},
        summary="Tickets in a map window",
    )
    def get(self, request: Any, *, query: WindowQuery) -> list[dict[str, Any]]:
        """The newest 500."""
        return maps.in_window(query.window(), category_id=query.category_id, status=query.status)


urlpatterns = [
    path("api/v1/districts", Districts, name="districts"),
    path("api/v1/districts/areas", DistrictAreas, name="district-areas"),
    path("api/v1/districts/at", DistrictOfPoint, name="district-at"),
    path("api/v1/tickets/nearby", NearbyTickets, name="tickets-nearby"),
    path("api/v1/tickets/window", TicketsInWindow, name="tickets-window"),
]
