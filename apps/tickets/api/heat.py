"""Where it is hot, as points for today's clients and as hexagons for maps (contract tickets 1.5, 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from django.utils import timezone
from pydantic import BeforeValidator, Field, model_validator

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.tickets import errors
from apps.tickets.api.analytics import Days
from apps.tickets.api.base import StaffView, Status
from apps.tickets.queries import maps


class Point(Shape):
    """A cell of the grid: its weighted centre."""

    latitude: float
    longitude: float
    count: int
    intensity: float


class HeatPoints(Shape):
    """A heat map in points."""

    points: list[Point]
    total_tickets: int
    max_count: int


def _nothing_for_empty(given: Any) -> Any:
    return None if given == "" else given


class HeatQuery(Days):
    """What is hot. `bbox` is `west,south,east,north` in degrees."""

    category_id: Annotated[UUID | None, BeforeValidator(_nothing_for_empty)] = None
    status: Annotated[Status | None, BeforeValidator(_nothing_for_empty)] = None
    bbox: str | None = Field(None, max_length=100)

    @model_validator(mode="after")
    def box_is_whole(self) -> HeatQuery:
        """Four numbers on the globe, or nothing."""
        self.wanted()
        return self

    def wanted(self) -> maps.Wanted:
        """What to ask the map."""
        since = timezone.now() - timedelta(days=self.days)
        return maps.Wanted(since, self.category_id, self.status, _window(self.bbox) if self.bbox else None)


def _window(bbox: str) -> maps.Window:
    sides = [float(side) for side in bbox.split(",")]
    if len(sides) != 4:
        raise ValueError("bbox is west,south,east,north")
    west, south, east, north = sides
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValueError("bbox is west,south,east,north")
    return maps.Window(south, west, north, east)


class PointsQuery(HeatQuery):
    """A grid of squares."""

    cell_m: int = Field(maps.CELL_METRES, ge=20, le=10_000)


class HexagonQuery(HeatQuery):
    """Hexagons of the size that reads well at this zoom of the map."""

    zoom: float = Field(11, ge=0, le=22, allow_inf_nan=False)


class HeatMapView(StaffView):
    """Where it is hot, as points."""

    tag = "analytics"

    @endpoint(
        query=PointsQuery, login="required", answers={200: HeatPoints}, refusals=[errors.StaffOnly], summary="Heat map"
    )
    def get(self, request: Any, *, query: PointsQuery) -> bytes:
        """At most 2,000 cells of `cell_m` metres, the hottest first."""
        return maps.heat_points(query.wanted(), cell_metres=query.cell_m)


class HexagonView(StaffView):
    """Where it is hot, as hexagons."""

    tag = "analytics"

    @endpoint(
        query=HexagonQuery, login="required", answers={200: dict}, refusals=[errors.StaffOnly], summary="Heat hexagons"
    )
    def get(self, request: Any, *, query: HexagonQuery) -> bytes:
        """GeoJSON."""
        return maps.heat_hexagons(query.wanted(), zoom=query.zoom)


urlpatterns = [
    path("api/v1/analytics/heatmap", HeatMapView, name="analytics-heatmap"),
    path("api/v1/analytics/heatmap/hexagons", HexagonView, name="analytics-hexagons"),
]
