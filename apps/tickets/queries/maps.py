"""What the maps ask: what is near, what lies in a window, where it is hot (contract tickets 1.4, 4, design 3.25).

Fixed SQL over the column `h9` (H3 cell of resolution 9), the same on SQLite and PostgreSQL. Rows go to the answer as
they come; heat maps are kept as bytes for some seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from apps.core import geo, geo_sql
from apps.tickets.models import Ticket
from apps.tickets.queries import rows
from apps.tickets.queries.kept import kept

OPEN = (Ticket.Status.NEW, Ticket.Status.IN_PROGRESS)
"""What counts as a possible duplicate."""

NEAREST = 10
FIRST_LOOK_METRES = 200
"""Radius of the first circle for ten tickets; for more it grows so that its area holds as many times more."""
WIDER = 5
"""Each next circle reaches so many times as far."""
NEARLY = 0.8
"""A circle that reaches so much of the asked radius would save nothing."""

DUPLICATE_METRES = 150
"""How near another report of the same kind may be to be the same trouble."""

MOST_IN_WINDOW = 500
MOST_POINTS = 2000
MOST_HEXAGONS = 750
"""Of a heat map, the hottest: both stay below 200 kB."""

CELL_METRES = 100
DEGREE_METRES = 111_195
COS_OF_THE_CITY = 0.7547
"""Of 41 degrees north: a grid cell is as wide as it is high there."""

_NEAR = """
SELECT t.id, t.title, t.status, c.name AS category_name, nearest.chord,
    (SELECT COUNT(*) FROM tickets_follow f WHERE f.ticket_id = t.id) AS follower_count
FROM (
    SELECT id, chord FROM (
        SELECT id, {chord} AS chord FROM tickets_ticket
        WHERE {among} AND deleted_at IS NULL AND status IN ('NEW', 'IN_PROGRESS'){category}
    ) near
    WHERE chord <= %s ORDER BY chord, id LIMIT %s
) nearest
JOIN tickets_ticket t ON t.id = nearest.id
JOIN tickets_category c ON c.id = t.category_id
ORDER BY nearest.chord, t.id
"""

_WINDOW = """
SELECT t.id, t.title, t.status, c.name AS category_name, t.latitude, t.longitude, t.created_at
FROM tickets_ticket t JOIN tickets_category c ON c.id = t.category_id
WHERE t.deleted_at IS NULL
    AND t.latitude BETWEEN %s AND %s AND t.longitude BETWEEN %s AND %s{cells}{category}{status}
ORDER BY t.created_at DESC, t.id DESC
LIMIT %s
"""

_CELLS = """
SELECT {cell} AS cell, COUNT(*) AS count FROM tickets_ticket
WHERE deleted_at IS NULL AND created_at >= %s{category}{status}{window}
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s
"""

_GRID = """
SELECT AVG(latitude) AS latitude, AVG(longitude) AS longitude, COUNT(*) AS count FROM tickets_ticket
WHERE deleted_at IS NULL AND created_at >= %s{category}{status}{window}
GROUP BY FLOOR(latitude / %s), FLOOR(longitude / %s) ORDER BY 3 DESC, 1, 2 LIMIT %s
"""

_DISTRICTS = """
SELECT d.name, hot.count FROM (
    SELECT district_id, COUNT(*) AS count FROM tickets_ticket
    WHERE deleted_at IS NULL AND created_at >= %s{category}{status}{window} GROUP BY 1
) hot
JOIN tickets_district d ON d.id = hot.district_id ORDER BY hot.count DESC, d.name LIMIT %s
"""

_HOMELESS = """
SELECT id, latitude, longitude FROM tickets_ticket WHERE {among} AND deleted_at IS NULL AND district_id IS NULL
"""

_TOTAL = """
SELECT COUNT(*) AS total FROM tickets_ticket
WHERE deleted_at IS NULL AND created_at >= %s{category}{status}{window}
"""


@dataclass(frozen=True)
class Window:
    """A part of the map in degrees."""

    south: float
    west: float
    north: float
    east: float

    @property
    def span(self) -> float:
        """The longer side."""
        return max(self.north - self.south, self.east - self.west)

    def rounded(self) -> Window:
        """A wider window on a grid, at most a quarter of its span on each side: neighbours' windows become the same."""
        step = 2 ** math.floor(math.log2(self.span)) / 4
        south, west = (math.floor(side / step) * step for side in (self.south, self.west))
        north, east = (math.ceil(side / step) * step for side in (self.north, self.east))
        return Window(south, west, north, east)


@dataclass(frozen=True)
class Wanted:
    """What a heat map is about: tickets reported since `since`."""

    since: datetime
    category_id: UUID | None = None
    status: str | None = None
    window: Window | None = None

    def clauses(self) -> tuple[dict[str, str], list[Any]]:
        """The optional parts of the SQL, and their values in order."""
        parts: dict[str, tuple[str, list[Any]]] = {
            "category": (" AND category_id = %s", [self.category_id]) if self.category_id else ("", []),
            "status": (" AND status = %s", [self.status]) if self.status else ("", []),
            "window": _within(self.window) if self.window else ("", []),
        }
        return {name: sql for name, (sql, _) in parts.items()}, [value for _, more in parts.values() for value in more]

    def key(self) -> str:
        """Tells cached answers apart; the moment only by the minute."""
        return f"{self.since:%Y-%m-%dT%H:%M}|{self.category_id}|{self.status}|{self.window}"


def _within(window: Window) -> tuple[str, list[Any]]:
    sql = " AND latitude BETWEEN %s AND %s AND longitude BETWEEN %s AND %s"
    return sql, [window.south, window.north, window.west, window.east]


def near(
    *, latitude: float, longitude: float, metres: float, category_id: UUID | None = None, limit: int = NEAREST
) -> list[dict[str, Any]]:
    """Open tickets within true metres of a point, nearest first; one query where many are near, else two or three.

    A small circle is looked at first: ten found there are the nearest ten, and in a busy street nothing else is read.
    """
    found: list[dict[str, Any]] = []
    for reach in _circles(metres, limit):
        found = _near(latitude, longitude, reach, category_id, limit)
        if len(found) == limit:
            break
    return found


def _circles(metres: float, limit: int) -> Iterator[float]:
    """Radii from the first look to the asked one; where little is near, a look too many reads next to nothing."""
    reach = FIRST_LOOK_METRES * math.sqrt(limit / NEAREST)
    while reach < metres * NEARLY:
        yield reach
        reach *= WIDER
    yield metres


def _near(
    latitude: float, longitude: float, metres: float, category_id: UUID | None, limit: int
) -> list[dict[str, Any]]:
    category, extra = (" AND category_id = %s", [category_id]) if category_id else ("", [])
    sql = _NEAR.format(chord=geo_sql.chord("latitude", "longitude"), among=geo_sql.among("h9"), category=category)
    cells = geo_sql.cells(geo.disk(latitude, longitude, metres))
    point = geo_sql.chord_values(latitude, longitude)
    found = rows.fetch(sql, [*point, cells, *extra, geo_sql.chord_of(metres), limit])
    return [_near_row(row) for row in found]


def duplicates(*, ticket_id: UUID, limit: int = 3) -> list[dict[str, Any]]:
    """Open tickets of the same category within `DUPLICATE_METRES`: perhaps the same trouble."""
    return duplicates_of(Ticket.objects.only("latitude", "longitude", "category_id").get(pk=ticket_id), limit=limit)


def duplicates_of(ticket: Ticket, *, limit: int = 3) -> list[dict[str, Any]]:
    """The same for a ticket at hand; one query where many are near, else two."""
    found = near(
        latitude=ticket.latitude,
        longitude=ticket.longitude,
        metres=DUPLICATE_METRES,
        category_id=ticket.category_id,
        limit=limit + 1,
    )
    return [row for row in found if row["id"] != ticket.pk][:limit]


def _near_row(row: dict[str, Any]) -> dict[str, Any]:
    distance = round(geo_sql.metres_of(row.pop("chord")), 1)
    return {**row, "id": rows.uuid(row["id"]), "distance_meters": distance}


def in_window(
    window: Window, *, category_id: UUID | None = None, status: str | None = None, limit: int = MOST_IN_WINDOW
) -> list[dict[str, Any]]:
    """The newest tickets in a part of the map; one query."""
    cells, in_cells = _cells_of(window)
    category, of_category = (" AND t.category_id = %s", [category_id]) if category_id else ("", [])
    stated, of_status = (" AND t.status = %s", [status]) if status else ("", [])
    values = [window.south, window.north, window.west, window.east, *in_cells, *of_category, *of_status, limit]
    found = rows.fetch(_WINDOW.format(cells=cells, category=category, status=stated), values)
    return [{**row, "id": rows.uuid(row["id"]), "created_at": rows.moment(row["created_at"])} for row in found]


def markers(window: Window, *, category_id: UUID | None = None, status: str | None = None) -> bytes:
    """The same for strangers, as JSON under `items`.

    A wide window is answered for one on a grid around it, and kept: in a quiet part of the map every living ticket is
    walked to find the newest 500.
    """

    def made() -> dict[str, Any]:
        return {"items": in_window(asked, category_id=category_id, status=status)}

    if window.span <= WIDEST_BY_CELLS:
        asked = window
        return orjson.dumps(made())
    asked = window.rounded()
    return kept(f"markers|{category_id}|{status}|{asked}", made)


WIDEST_BY_CELLS = 0.12
"""Degrees: a wider window holds so many cells that walking the newest tickets is quicker."""


def _cells_of(window: Window) -> tuple[str, list[Any]]:
    if window.span > WIDEST_BY_CELLS:
        return "", []
    cells = geo.viewport(window.south, window.west, window.north, window.east, geo.RESOLUTION)
    return f" AND {geo_sql.among('t.h9')}", [geo_sql.cells(cells)]


def without_district(cells: Iterable[int]) -> list[tuple[UUID, float, float]]:
    """Id and point of the tickets in some cells that belong to no district; one query."""
    found = rows.fetch(_HOMELESS.format(among=geo_sql.among("h9")), [geo_sql.cells(cells)])
    return [(rows.uuid(row["id"]), row["latitude"], row["longitude"]) for row in found]


def heat_points(wanted: Wanted, *, cell_metres: int = CELL_METRES) -> bytes:
    """The shape that clients parse today: count-weighted centres of square cells, hottest first (contract tickets 4).

    `total_tickets` counts all tickets that match, `max_count` is the hottest cell's, `intensity` is count by that.
    """
    return kept(f"points|{cell_metres}|{wanted.key()}", lambda: _points(wanted, cell_metres))


def _points(wanted: Wanted, cell_metres: int) -> dict[str, Any]:
    parts, values = wanted.clauses()
    step = cell_metres / DEGREE_METRES
    found = rows.fetch(_GRID.format(**parts), [wanted.since, *values, step, step / COS_OF_THE_CITY, MOST_POINTS])
    most = found[0]["count"] if found else 0
    points = [
        {
            "latitude": round(row["latitude"], 6),
            "longitude": round(row["longitude"], 6),
            "count": row["count"],
            "intensity": round(row["count"] / most, 4),
        }
        for row in found
    ]
    return {"points": points, "total_tickets": _total(wanted, found, MOST_POINTS), "max_count": most}


def heat_hexagons(wanted: Wanted, *, zoom: float) -> bytes:
    """Hexagons as GeoJSON, their size by the zoom, hottest first; `count` and `intensity` are properties."""
    resolution = geo.heat_resolution(zoom)
    return kept(f"hexagons|{resolution}|{wanted.key()}", lambda: _hexagons(wanted, resolution))


def _hexagons(wanted: Wanted, resolution: int) -> dict[str, Any]:
    parts, values = wanted.clauses()
    sql = _CELLS.format(cell=geo_sql.coarser("h9", resolution), **parts)
    found = rows.fetch(sql, [wanted.since, *values, MOST_HEXAGONS])
    most = found[0]["count"] if found else 0
    digits = 4 if resolution < SMALL_RESOLUTION else 5
    return {
        "type": "FeatureCollection",
        "resolution": resolution,
        "total_tickets": _total(wanted, found, MOST_HEXAGONS),
        "max_count": most,
        "features": [_hexagon(row, most, digits) for row in found],
    }


SMALL_RESOLUTION = 8
"""From here on a decimal of ten metres would be seen in a hexagon's shape."""


def _hexagon(row: dict[str, Any], most: int, digits: int) -> dict[str, Any]:
    ring = [[round(lon, digits), round(lat, digits)] for lon, lat in geo.hexagon(row["cell"])]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"count": row["count"], "intensity": round(row["count"] / most, 3)},
    }


def hottest_districts(wanted: Wanted, *, limit: int = 10) -> list[dict[str, Any]]:
    """The same heat in words: districts by their number of tickets; one query."""
    parts, values = wanted.clauses()
    return rows.fetch(_DISTRICTS.format(**parts), [wanted.since, *values, limit])


def _total(wanted: Wanted, found: list[dict[str, Any]], most: int) -> int:
    """All that match; counted anew only when the coldest cells were cut off."""
    if len(found) < most:
        return sum(row["count"] for row in found)
    parts, values = wanted.clauses()
    return int(rows.fetch(_TOTAL.format(**parts), [wanted.since, *values])[0]["total"])
