"""Questions about towns: the picker's list, whether a name is known, what lies within some kilometres."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache

from apps.core.geo import distance_metres
from apps.urgent.models.cities import City

CACHE_KEY = "urgent:cities:v1"
CACHE_SECONDS = 600
NEAREST_DISTANCE_SHOWN_KM = 1
"""A shorter distance is shown as this: it must not tell where inside a town somebody lives (contract urgent 10)."""


@dataclass(frozen=True)
class Town:
    """One row of the read model."""

    name: str
    latitude: float | None
    longitude: float | None


def towns() -> list[Town]:
    """All towns on offer in their order; cached, because the picker of every visitor reads them."""
    stored = cache.get(CACHE_KEY)
    if stored is None:
        stored = list(City.objects.active().order_by("position", "name").values_list("name", "latitude", "longitude"))
        cache.set(CACHE_KEY, stored, CACHE_SECONDS)
    return [Town(*row) for row in stored]


def forget() -> None:
    """Drop the cached list; called after staff changed a town."""
    cache.delete(CACHE_KEY)


def names(search: str = "") -> list[str]:
    """Names for the picker; `search` is a substring in any case. Compared here: SQLite folds only ASCII letters."""
    wanted = fold(search)
    return [town.name for town in towns() if wanted in fold(town.name)]


def unknown(asked: list[str]) -> list[tuple[int, str]]:
    """The names in `asked` that are no towns on offer, with their places in the list."""
    known = {town.name for town in towns()}
    return [(place, name) for place, name in enumerate(asked) if name not in known]


def fold(name: str) -> str:
    """Upper and lower case, е and ё are the same to somebody who types a name."""
    return name.casefold().replace("ё", "е")


def within(*, latitude: float, longitude: float, radius_km: float) -> dict[str, float]:
    """Towns whose centre lies within `radius_km` of the point: name → whole kilometres, nearest first."""
    found = [
        (distance_metres(latitude, longitude, town.latitude, town.longitude) / 1000, town.name)
        for town in towns()
        if town.latitude is not None and town.longitude is not None
    ]
    near = sorted((km, name) for km, name in found if km <= radius_km)
    return {name: float(max(NEAREST_DISTANCE_SHOWN_KM, round(km))) for km, name in near}
