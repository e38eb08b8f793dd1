"""The live menu: fetched from its sources, merged, kept as bytes (contract loyalty 3.12, 3.13).

Three lives stand behind each other: a source's menu, a store's stop-list, the merged answer. Whatever is past its life
stays readable until something newer has come: a source that is down serves what it served last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import orjson
from django.conf import settings
from django.core.cache import cache

from apps.core.kept import Kept, sealed
from apps.integrations.dishes import MenuSection
from apps.integrations.ports import VendorError, port
from apps.loyalty.conf import MAIN_MENU

ANSWER, LOCK = "loyalty:menu:answer", "loyalty:menu:lock"
STALE_SECONDS = 7 * 86_400
"""How long something old may still stand in for a source that is down."""

LOCK_SECONDS = 60
AHEAD_SECONDS = 25
"""The job makes an answer anew that has less than this to live: its own pace (config/schedule.py) and some delay."""
FETCHERS = 6
"""Calls to the sources at the same time."""

NOTHING = sealed(b'{"success":false,"categories":[]}')
"""What clients read as "try again later" (contract loyalty 1.5, row 53)."""

Merged = list[dict[str, Any]]
"""Shelves as the clients get them."""


_at_hand: tuple[Kept, float] | None = None
"""This process's own copy and the moment until which it is fresh: tens of kilobytes that Redis need not carry."""


def live() -> Kept:
    """The menu as bytes: fresh, else the last there was, else `NOTHING`.

    The job is ahead of the callers. Where it is not (no worker, a slow source), one caller fetches and waits; whoever
    comes meanwhile gets the last there was.
    """
    if _at_hand is not None and time.time() < _at_hand[1]:
        return _at_hand[0]
    kept = cache.get(ANSWER)
    if kept is None or time.time() >= kept[2]:
        refresh()
        kept = cache.get(ANSWER) or kept
    return _take_to_hand(*kept) if kept else NOTHING


def _take_to_hand(body: bytes, etag: str, until: float) -> Kept:
    global _at_hand
    _at_hand = (Kept(body, etag), until)
    return _at_hand[0]


def put_away() -> None:
    """Drop this process's copy, so that the next caller looks into the shared cache."""
    global _at_hand
    _at_hand = None


def refresh(*, ahead: float = 0) -> bool:
    """Make the answer anew if it is past its life in `ahead` seconds, by one caller at a time; whether there is one."""
    kept = cache.get(ANSWER)
    if kept is not None and time.time() + ahead < kept[2]:
        return True
    if not cache.add(LOCK, 1, timeout=LOCK_SECONDS):
        return kept is not None
    try:
        return _make()
    finally:
        cache.delete(LOCK)


def _make() -> bool:
    shelves, _ = merged()
    if not shelves:
        return False
    made = sealed(orjson.dumps({"success": True, "categories": shelves}))
    until = time.time() + settings.LOYALTY.menu_response_cache_seconds
    cache.set(ANSWER, (made.body, made.etag, until), timeout=STALE_SECONDS)
    return True


def merged(*, is_forced: bool = False) -> tuple[Merged, bool]:
    """All sources in one list, and whether every one of them answered. `is_forced` asks even where ours is fresh."""
    system = port("menu")
    sources = list(system.sources())
    life = 0 if is_forced else settings.LOYALTY.menu_cache_seconds
    with ThreadPoolExecutor(max_workers=FETCHERS) as pool:
        menus = list(
            pool.map(lambda source: _fetched(f"menu:{source}", life, lambda: _plain(system.menu(source))), sources)
        )
        shelves = _merge([menu for menu, _ in menus if menu])
        stops = dict(pool.map(lambda store: (store, _stops(store)), _stores(shelves)))
    _mark_stopped(shelves, stops)
    return shelves, bool(sources) and all(is_told for _, is_told in menus)


def _stops(store: int) -> Mapping[str, str]:
    source = settings.LOYALTY.stores[store].source if store in settings.LOYALTY.stores else MAIN_MENU
    life = settings.LOYALTY.stop_list_cache_seconds
    found, _ = _fetched(f"stops:{store}", life, lambda: _as_texts(port("menu").stop_list(source, store)))
    return found or {}


def _as_texts(left: Mapping[str, Decimal]) -> dict[str, str]:
    return {item: str(number) for item, number in left.items()}


def _fetched(name: str, life: int, fetch: Callable[[], Any]) -> tuple[Any, bool]:
    """What we know under that name, and whether it is what the source says now (or said within `life`).

    A source that fails leaves the old; asking again waits half a life, so that a dead source is not hammered.
    """
    key = f"loyalty:menu:{name}"
    kept = cache.get(key)
    if kept is not None and time.time() < kept[1] and life:
        return kept[0], kept[2]
    try:
        found, is_told = fetch(), True
    except VendorError:
        found, is_told = kept[0] if kept else None, False
    cache.set(key, (found, time.time() + (life if is_told else life / 2), is_told), timeout=STALE_SECONDS)
    return found, is_told


def _plain(sections: Sequence[MenuSection]) -> list[dict[str, Any]]:
    """JSON-able: the shared cache holds no classes of ours."""
    return [
        {
            "key": section.key,
            "id": section.section_id,
            "name": section.name,
            "slug": section.slug,
            "items": [
                {
                    "key": dish.key,
                    "id": dish.item_id,
                    "name": dish.name,
                    "prices": dict(dish.prices),
                    "images": list(dish.images),
                }
                for dish in section.dishes
            ],
        }
        for section in sections
    ]


def _merge(menus: Sequence[Sequence[Mapping[str, Any]]]) -> Merged:
    """Shelves by slug, dishes by id, prices by store, a later source wins; the order is that of first appearance."""
    shelves: dict[str, dict[str, Any]] = {}
    for section in (section for menu in menus for section in menu):
        blank = {"id": section["id"], "name": section["name"], "slug": section["slug"], "items": {}}
        items = shelves.setdefault(section["key"], blank)["items"]
        for dish in section["items"]:
            known = items.setdefault(
                dish["key"], {"id": dish["id"] or dish["key"], "name": dish["name"], "prices": {}, "images": []}
            )
            known["prices"].update({int(store): price for store, price in dish["prices"].items()})
            known["images"] = known["images"] or dish["images"]
    return [{**shelf, "items": [_shown(item) for item in shelf["items"].values()]} for shelf in shelves.values()]


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    prices = [
        {"storeId": store, "storeName": _name_of(store), "price": price, "disabled": False}
        for store, price in sorted(item["prices"].items())
    ]
    return {**item, "prices": prices}


def _name_of(store: int) -> str:
    known = settings.LOYALTY.stores.get(store)
    return known.name if known else f"Store {store}"


def _stores(shelves: Merged) -> list[int]:
    """Stores whose stop-lists matter: the configured ones and those that the menus name."""
    told = {price["storeId"] for shelf in shelves for item in shelf["items"] for price in item["prices"]}
    return sorted(told | set(settings.LOYALTY.stores)) if shelves else []


def _mark_stopped(shelves: Merged, stops: Mapping[int, Mapping[str, str]]) -> None:
    for item in (item for shelf in shelves for item in shelf["items"]):
        for price in item["prices"]:
            left = stops.get(price["storeId"], {}).get(item["id"])
            price["disabled"] = left is not None and Decimal(left) <= 0
