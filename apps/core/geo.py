"""Places on H3 cells kept as 64-bit integers: the same answers on SQLite and PostgreSQL (design 3.23)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import h3.api.basic_int as h3
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

EARTH_RADIUS_METRES = 6_371_008.8
RESOLUTION = 9
"""Stored resolution: cells of about 0.1 km², edge 200 m."""


def cell(lat: float, lon: float, resolution: int = RESOLUTION) -> int:
    """The H3 cell of a point (WGS84 degrees). Raises `ValueError` outside the globe."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError("latitude or longitude out of range")
    return int(h3.latlng_to_cell(lat, lon, resolution))


def parent(of: int, resolution: int) -> int:
    """The coarser cell that contains `of`, by integer arithmetic (no library call on a hot path)."""
    fine = (of >> 52) & 0xF
    if resolution > fine:
        raise ValueError("a parent is coarser than its child")
    keep = of & ~(0xF << 52) | (resolution << 52)
    return keep | ((1 << (3 * (15 - resolution))) - 1)


def disk(lat: float, lon: float, metres: float, resolution: int = RESOLUTION) -> list[int]:
    """Every cell that may hold a point within `metres`; filter exactly with `distance_metres`."""
    centre = cell(lat, lon, resolution)
    edge = h3.average_hexagon_edge_length(resolution, unit="m")
    # The apothem is 0.866 edges; cells shrink by up to a third against the mean, so rings are counted generously.
    rings = math.ceil(metres / (edge * 0.866 * 2 * 0.75)) + 1
    found = [int(each) for each in h3.grid_disk(centre, rings)]
    return found if rings > MOST_RINGS_TRIMMED else _reached(found, centre, lat, lon, metres)


MOST_RINGS_TRIMMED = 8
"""A larger disk has few cells too many for its size, and looking at each would take milliseconds."""


def _reached(cells: list[int], centre: int, lat: float, lon: float, metres: float) -> list[int]:
    """Without the cells whose circumscribed circle the radius does not reach.

    Neighbours are nearly equal in size; a fifth more than the centre's is safe, at the pentagons too.
    """
    middle = h3.cell_to_latlng(centre)
    circle = 1.2 * max(distance_metres(*middle, *corner) for corner in h3.cell_to_boundary(centre))
    return [each for each in cells if distance_metres(lat, lon, *h3.cell_to_latlng(each)) <= metres + circle]


def distance_metres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Great-circle distance by the haversine formula."""
    a, b = math.radians(lat), math.radians(other_lat)
    swing = math.sin(math.radians(other_lon - lon) / 2) ** 2
    chord = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * swing
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(chord)))


def viewport(south: float, west: float, north: float, east: float, resolution: int) -> list[int]:
    """Cells that cover a map window, edges included."""
    ring = [(south, west), (south, east), (north, east), (north, west)]
    inside = set(h3.h3shape_to_cells(h3.LatLngPoly(ring), resolution))
    corners = {h3.latlng_to_cell(lat, lon, resolution) for lat, lon in ring}
    return [int(found) for found in {near for each in inside | corners for near in h3.grid_disk(each, 1)}]


def cover(area: BaseGeometry, resolution: int) -> list[int]:
    """Cells that hold every point of a polygon, and a ring of neighbours; filter exactly with `area.covers`.

    The ring is needed because a cell's edges bend on the globe and run straight on a map.
    """
    touched = h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(area), resolution, contain="overlap")
    return [int(found) for found in {near for each in touched for near in h3.grid_disk(each, 1)}]


def hexagon(of: int) -> list[list[float]]:
    """The closed ring of a cell as GeoJSON coordinates (lon, lat)."""
    ring = [[round(lon, 6), round(lat, 6)] for lat, lon in h3.cell_to_boundary(of)]
    return [*ring, ring[0]]


def heat_resolution(zoom: float) -> int:
    """The cell size that reads well at a map zoom: 5 for a country, 7 for a city, 9 for a street."""
    return max(4, min(RESOLUTION, round(zoom * 0.6)))


def polygon(geojson: dict[str, object]) -> BaseGeometry:
    """A shapely geometry from GeoJSON; prepared for many point questions by its user."""
    return shape(geojson)


def district_of(lat: float, lon: float, districts: Iterable[tuple[object, BaseGeometry]]) -> object | None:
    """The key of the first district whose polygon covers the point; borders count as inside."""
    place = Point(lon, lat)
    return next((key for key, area in districts if area.covers(place)), None)
