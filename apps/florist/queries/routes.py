"""A simple proposal for the order of stops, and links to maps (contract florist 4, 6)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from urllib.parse import quote, urlencode

LAST = datetime.max.replace(tzinfo=UTC)
EARTH_KM = 6371.0
Place = tuple[float, float]
"""Latitude, longitude."""


@dataclass(frozen=True)
class Wish:
    """Something to be brought; `zone` is the place of its delivery zone in the shop's list."""

    order_id: int
    starts: datetime | None = None
    zone: int = 0
    place: Place | None = None


def propose(wishes: Iterable[Wish], start: Place | None = None) -> list[Wish]:
    """Windows in their order; within one, always on to the nearest, then what has no place on the map by zone."""
    found: list[Wish] = []
    here = start
    for _, same in groupby(sorted(wishes, key=_by_window), key=lambda wish: wish.starts or LAST):
        for wish in _nearest_first(list(same), here):
            found.append(wish)
            here = wish.place or here
    return found


def _by_window(wish: Wish) -> tuple[datetime, int, int]:
    return wish.starts or LAST, wish.zone, wish.order_id


def _nearest_first(wishes: Sequence[Wish], here: Place | None) -> list[Wish]:
    left = [wish for wish in wishes if wish.place]
    found: list[Wish] = []
    while left:
        nearest = min(left, key=lambda wish: (kilometres(here, wish.place), wish.zone, wish.order_id))
        left.remove(nearest)
        found.append(nearest)
        here = nearest.place
    return [*found, *(wish for wish in wishes if not wish.place)]


def kilometres(one: Place | None, other: Place | None) -> float:
    """As the crow flies; nothing when a place is not known."""
    if one is None or other is None:
        return 0.0
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def in_city(city: str, address: str | None) -> str:
    """What a map is asked for."""
    return ", ".join(word for word in (city, address) if word)


def maps(city: str, address: str | None, latitude: float | None, longitude: float | None) -> dict[str, str]:
    """`{two_gis, google}`: ways to a place, or to an address in words when no place is known; empty without either."""
    place = None if latitude is None or longitude is None else (latitude, longitude)
    if place is None and not address:
        return {"two_gis": "", "google": ""}
    words = in_city(city, address)
    return {"two_gis": two_gis(words, place), "google": google_map(words, place)}


def google_map(address: str, place: Place | None) -> str:
    """The way there by Google Maps."""
    target = f"{place[0]},{place[1]}" if place else address
    return "https://www.google.com/maps/dir/?" + urlencode({"api": 1, "destination": target, "travelmode": "driving"})


def two_gis(address: str, place: Place | None) -> str:
    """The place on 2GIS, which people in Kazakhstan use."""
    if place:
        return f"https://2gis.kz/directions/points/%7C{place[1]}%2C{place[0]}"
    return f"https://2gis.kz/search/{quote(address, safe='')}"
