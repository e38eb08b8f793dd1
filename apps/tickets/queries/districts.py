"""Questions about districts: the list, where a point belongs, the outlines for maps (contract tickets 1.3, 9).

There are some dozens of districts and they hardly ever change, so all of them are kept in the cache; parsed outlines
stay in the process.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
import shapely
from django.core.cache import cache
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from apps.core import geo
from apps.tickets import errors
from apps.tickets.models import District

CACHE_KEY = "tickets:districts:v1"
AREAS_KEY = "tickets:district-areas:v1"
CACHE_SECONDS = 3600

FARTHEST_CENTRE_METRES = 45_000
"""A point farther than this from every centre is in none of our districts (the largest is 40 km across)."""

FRAME_METRES = 12_000
"""How far around the outermost centres the drawn areas reach where no outline is known."""


@dataclass(frozen=True)
class Place:
    """One district of the read model; `area` is its outline as GeoJSON text, or empty."""

    id: UUID
    name: str
    city: str
    latitude: float
    longitude: float
    area: str


def places() -> list[Place]:
    """All districts by city and name."""
    stored: list[Place] | None = cache.get(CACHE_KEY)
    if stored is None:
        stored = [_place(*row) for row in District.objects.order_by("city", "name").values_list(*_COLUMNS)]
        cache.set(CACHE_KEY, stored, CACHE_SECONDS)
    return stored


_SHOWN = ("id", "name", "city", "created_at", "updated_at")
_COLUMNS = ("id", "name", "city", "latitude", "longitude", "area")


def _place(id: UUID, name: str, city: str, latitude: float, longitude: float, area: Any) -> Place:
    return Place(id, name, city, latitude, longitude, orjson.dumps(area).decode() if area else "")


def forget() -> None:
    """Drop what is kept, after the commit of the transaction that changed a district."""
    transaction.on_commit(lambda: cache.delete_many([CACHE_KEY, AREAS_KEY]))


def listed() -> list[dict[str, Any]]:
    """The list of the API."""
    return list(District.objects.order_by("city", "name").values(*_SHOWN))


def shown_at(latitude: float, longitude: float) -> dict[str, Any]:
    """The district around a point as the API shows it. Raises `DistrictNotFound`."""
    place = of_point(latitude, longitude)
    found = District.objects.filter(pk=place.id).values(*_SHOWN).first() if place else None
    if found is None:
        raise errors.DistrictNotFound()
    return found


def find(district_id: UUID) -> Place | None:
    """One district, from the cache."""
    return next((place for place in places() if place.id == district_id), None)


def named_in(address: str) -> Place | None:
    """The district whose name stands in an address as words of its own; the longest name wins."""
    words = " ".join(re.findall(r"\w+", _folded(address)))
    named = [place for place in places() if f" {_folded(place.name)} " in f" {words} "]
    return max(named, key=lambda place: len(place.name), default=None)


def _folded(text: str) -> str:
    """Without case and accents, so that Uskudar is Üsküdar; the dotless ı counts as i."""
    bare = unicodedata.normalize("NFKD", text.replace("ı", "i").replace("İ", "i").casefold())
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def of_point(latitude: float, longitude: float) -> Place | None:
    """The district around a point: the one whose outline covers it, else the nearest centre among those without one.

    `None` when the point is far from all of them.
    """
    known = places()
    outlines = [(place, outline(place.area)) for place in known if place.area]
    if (covering := geo.district_of(latitude, longitude, outlines)) is not None:
        return covering  # type: ignore[return-value]
    measured = [
        (geo.distance_metres(latitude, longitude, place.latitude, place.longitude), place.name, place)
        for place in known
        if not place.area
    ]
    metres, _, nearest = min(measured, default=(math.inf, "", None))
    return nearest if metres <= FARTHEST_CENTRE_METRES else None


@lru_cache(maxsize=512)
def outline(area: str) -> BaseGeometry:
    """The geometry of a GeoJSON text, prepared for many point questions."""
    found = geo.polygon(orjson.loads(area))
    shapely.prepare(found)
    return found


def areas() -> bytes:
    """All districts as GeoJSON, to draw. Where no outline is known, the points nearer to this centre than to others:

    exactly what `of_point` answers there; `is_exact` says which it is.
    """
    kept: bytes | None = cache.get(AREAS_KEY)
    if kept is None:
        kept = orjson.dumps({"type": "FeatureCollection", "features": _features(places())})
        cache.set(AREAS_KEY, kept, CACHE_SECONDS)
    return kept


def _features(known: Sequence[Place]) -> list[dict[str, Any]]:
    drawn = {place.id: outline(place.area) for place in known if place.area}
    taken = shapely.union_all(list(drawn.values()))
    guessed = _nearest_areas([place for place in known if not place.area])
    shapes = {**drawn, **{key: shape.difference(taken) for key, shape in guessed.items()}}
    return [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(shapely.set_precision(shapes[place.id], 1e-4)),
            "properties": {"id": str(place.id), "name": place.name, "city": place.city, "is_exact": bool(place.area)},
        }
        for place in known
    ]


def _nearest_areas(known: Sequence[Place]) -> dict[UUID, BaseGeometry]:
    """Voronoi cells of the centres, on a map where a degree is as long in both directions, cut to a frame."""
    if not known:
        return {}
    squeeze = math.cos(math.radians(sum(place.latitude for place in known) / len(known)))
    centres = shapely.MultiPoint([(place.longitude * squeeze, place.latitude) for place in known])
    frame = centres.convex_hull.buffer(FRAME_METRES / 111_195)
    cells = shapely.voronoi_polygons(centres, extend_to=frame, ordered=True) if len(known) > 1 else centres.buffer(9)
    parts = list(cells.geoms) if len(known) > 1 else [cells]
    return {
        place.id: shapely.transform(part.intersection(frame), lambda xy: xy / [squeeze, 1])
        for place, part in zip(known, parts, strict=True)
    }
