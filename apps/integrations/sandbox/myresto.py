"""A MyResto with two sites, each with a menu and stop-lists, whose kitchens run out of things on request."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any, ClassVar

from apps.integrations.http import Asked, Reply
from apps.integrations.sandbox.vendor import Body, Control, ControlRefused, Vendor, whole, word

STORES = {"main": (139235, 139350, 139458), "gijduvon": (157757,)}
PATHS = re.compile(r"/(?P<site>main|gijduvon)/api/v1/menu(?:/stop-lists/(?P<store>\d{1,9}))?/?$")
CATALOGUE = (
    ("pilaf", "Плов", (("wedding-pilaf", "Плов свадебный", 45000), ("tea-pilaf", "Плов чайханский", 38000))),
    ("grill", "Шашлык", (("lamb", "Шашлык из баранины", 22000), ("liver", "Шашлык из печени", 18000))),
    ("drinks", "Напитки", (("green-tea", "Чай зелёный", 5000), ("compote", "Компот", 8000))),
)


class FakeMyRestoSite(Vendor):
    """Two tenants of MyResto. `drop` takes one of them down, `stop` and `unstop` write its stop-lists."""

    name: ClassVar[str] = "myresto"

    def forget(self) -> None:
        self.menus: dict[str, list[dict[str, Any]]] = {site: _menu(site) for site in STORES}
        self.stops: dict[int, dict[str, float]] = {}
        self.dropped: set[str] = set()

    def answer(self, asked: Asked) -> Reply:
        found = PATHS.search(asked.path)
        if not found or (found["store"] and int(found["store"]) not in STORES[found["site"]]):
            return Reply.json({"message": "Not found"}, 404)
        if found["site"] in self.dropped:
            return self.failure(502, None)
        if found["store"]:
            return Reply.json({"result": self.stops.get(int(found["store"]), {})})
        return Reply.json({"result": {"itemCategories": deepcopy(self.menus[found["site"]])}})

    def controls(self) -> dict[str, Control]:
        return {
            **super().controls(),
            "stop": self._control_stop,
            "unstop": self._control_unstop,
            "drop": self._control_drop,
            "raise": self._control_raise,
        }

    def state(self) -> dict[str, Any]:
        return {"menus": self.menus, "stops": self.stops, "dropped": sorted(self.dropped)}

    def _control_stop(self, body: Body) -> dict[str, Any]:
        self.stops.setdefault(whole(body, "store"), {})[word(body, "item")] = float(whole(body, "left", 0))
        return {"ok": True}

    def _control_unstop(self, body: Body) -> dict[str, Any]:
        self.stops.get(whole(body, "store"), {}).pop(word(body, "item"), None)
        return {"ok": True}

    def _control_drop(self, body: Body) -> dict[str, Any]:
        site = word(body, "site", "main")
        if site not in STORES:
            raise ControlRefused(f"site must be one of {', '.join(STORES)}")
        self.dropped ^= {site}
        return {"ok": True, "dropped": sorted(self.dropped)}

    def _control_raise(self, body: Body) -> dict[str, Any]:
        self.raise_prices(word(body, "site", "main"), whole(body, "by", 1000))
        return {"ok": True}

    def raise_prices(self, site: str, by: int) -> None:
        """Every price of a site goes up."""
        for section in self.menus.get(site, []):
            for item in section["items"]:
                for price in item["itemSizes"][0]["prices"]:
                    price["price"] += by


def _menu(site: str) -> list[dict[str, Any]]:
    sections = [
        {"id": f"c-{slug}", "name": name, "slug": slug, "isHidden": False, "items": [_item(site, *row) for row in rows]}
        for slug, name, rows in CATALOGUE
    ]
    return [*sections, {"id": "c-staff", "name": "Для персонала", "slug": "staff", "isHidden": True, "items": []}]


def _item(site: str, slug: str, name: str, price: int) -> dict[str, Any]:
    picture = f"https://cdn.example/menu/{slug}.webp"
    prices = [{"storeId": store, "price": price + 500 * number} for number, store in enumerate(STORES[site])]
    return {
        "itemId": f"i-{slug}",
        "name": name,
        "slug": slug,
        "isHidden": False,
        "buttonImage": picture,
        "itemSizes": [{"isDefault": True, "buttonImage": {"small": picture, "large": picture}, "prices": prices}],
    }
