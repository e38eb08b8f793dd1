"""MyResto, the public menu of the restaurant's branches (contract loyalty 3.13; integrations 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings

from apps.integrations import http
from apps.integrations.dishes import Dish, MenuSection
from apps.integrations.iiko import money
from apps.integrations.ports import VendorRefused
from apps.integrations.sandbox import vendors

MAIN, GIJDUVON = "main", "gijduvon"
LARGEST_PRICE = 10**9


class MyResto:
    """The `MenuSystem` port over MyResto."""

    def __init__(self, send: http.Send = http.send) -> None:
        self._send = send

    def sources(self) -> Sequence[str]:
        conf = settings.INTEGRATIONS
        addresses = {MAIN: conf.menu_api_url, GIJDUVON: conf.menu_gijduvon_api_url}
        first_with = {address: name for name, address in reversed(addresses.items()) if address}
        return [name for name, address in addresses.items() if first_with.get(address) == name]

    def menu(self, source: str) -> Sequence[MenuSection]:
        conf = settings.INTEGRATIONS
        told = self._get(conf.menu_gijduvon_api_url if source == GIJDUVON else conf.menu_api_url)
        sections = [_section(row) for row in _rows(told.get("itemCategories")) if row.get("isHidden") is not True]
        return [section for section in sections if section.key and section.name]

    def stop_list(self, source: str, store_id: int) -> Mapping[str, Decimal]:
        conf = settings.INTEGRATIONS
        base = conf.stop_list_gijduvon_api_url if source == GIJDUVON else conf.stop_list_api_url
        told = {str(item): money(left) for item, left in self._get(f"{base}/{store_id}").items()}
        return {item: left for item, left in told.items() if left is not None}

    def _get(self, url: str) -> dict[str, Any]:
        if not url.startswith("http"):
            raise VendorRefused("myresto is not configured")
        call = http.Call(
            vendor="myresto",
            method="GET",
            url=url,
            is_idempotent=True,
            attempts=1,
            read_timeout_s=settings.INTEGRATIONS.menu_timeout_s,
        )
        answer = http.refuse_trouble(self._send(call))
        told = answer.fields().get("result")
        if answer.status != 200 or not isinstance(told, dict):
            raise VendorRefused(f"myresto: status {answer.status} without a result")
        return told


class FakeMyResto(MyResto):
    """The same client, talking to the fake MyResto in this process."""

    def __init__(self) -> None:
        self.vendor = vendors.myresto
        super().__init__(http.to_fake(lambda asked: self.vendor.handle(asked)))


def _section(row: Mapping[str, Any]) -> MenuSection:
    dishes = [_dish(item) for item in _rows(row.get("items")) if item.get("isHidden") is not True]
    return MenuSection(
        _text(row.get("id")), _text(row.get("name")), _text(row.get("slug")), tuple(dish for dish in dishes if dish)
    )


def _dish(row: Mapping[str, Any]) -> Dish | None:
    """None for what cannot be sold: no size, no price, no name."""
    sizes = list(_rows(row.get("itemSizes")))
    size = next((found for found in sizes if found.get("isDefault") is True), sizes[0] if sizes else {})
    prices = {
        store: price
        for store, price in ((_store(told), _price(told.get("price"))) for told in _rows(size.get("prices")))
        if store is not None and price is not None
    }
    images = _images(size.get("buttonImage")) or _images(row.get("buttonImage"))
    dish = Dish(_text(row.get("itemId")), _text(row.get("name")), _text(row.get("slug")), prices, images)
    return dish if dish.key and dish.name and prices else None


def _store(row: Mapping[str, Any]) -> int | None:
    told = row.get("storeId")
    text = str(told) if isinstance(told, int | str) and not isinstance(told, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _price(given: Any) -> int | None:
    told = money(given)
    return int(told) if told is not None and 0 <= told < LARGEST_PRICE else None


def _images(given: Any) -> tuple[str, ...]:
    """A text, or a dict of texts by size; each address once."""
    told = given.values() if isinstance(given, dict) else [given]
    return tuple(dict.fromkeys(text.strip() for text in told if isinstance(text, str) and text.strip()))


def _rows(given: Any) -> Iterable[Mapping[str, Any]]:
    return [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []


def _text(given: Any) -> str:
    return str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else ""
