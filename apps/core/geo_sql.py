"""Questions about places as SQL that means the same on SQLite and PostgreSQL (design 3.23, 3.25).

Column names come from our own code, never from a request. Each fragment says which values it wants, in their order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from django.db import connection

from apps.core.geo import EARTH_RADIUS_METRES

_AMONG = {
    "postgresql": "{column} = ANY(%s)",
    "sqlite": "{column} IN (SELECT value FROM json_each(%s))",
}


def among(column: str) -> str:
    """The column holds one of some cells. Value: `cells(...)`, one whatever their number, so the text stays the same.

    No box of latitudes beside it: PostgreSQL would combine two indexes and become slower.
    """
    return _AMONG[connection.vendor].format(column=column)


def cells(numbers: Iterable[int]) -> list[int] | str:
    """The value for `among`."""
    found = list(numbers)
    return found if connection.vendor == "postgresql" else json.dumps(found)


def chord(lat: str, lon: str) -> str:
    """A number that grows with the distance to a point: the haversine before its root. Values: `chord_values`."""
    return (
        f"(POWER(SIN(RADIANS({lat} - %s) / 2), 2) + %s * COS(RADIANS({lat})) * POWER(SIN(RADIANS({lon} - %s) / 2), 2))"
    )


def chord_values(lat: float, lon: float) -> tuple[float, float, float]:
    """The values of `chord` for a point in degrees."""
    return lat, math.cos(math.radians(lat)), lon


def chord_of(metres: float) -> float:
    """What `chord` yields at that distance."""
    return math.sin(metres / (2 * EARTH_RADIUS_METRES)) ** 2


def metres_of(chord_found: float) -> float:
    """The distance behind a value of `chord`."""
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(chord_found)))


def coarser(column: str, resolution: int) -> str:
    """The cell of `resolution` around the column's finer cell, by integer arithmetic. No values."""
    keep = ~(0xF << 52) & (2**63 - 1)
    filled = (resolution << 52) | ((1 << (3 * (15 - resolution))) - 1)
    return f"(({column} & {keep}) | {filled})"
