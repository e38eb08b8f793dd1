"""What the roof says about each product, on the home page and in documents. The mounts: `config/urls.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Product:
    """One product as visitors see it. `admin` is the list that staff open first; `sockets` are WebSocket paths."""

    base: str
    title: str | Promise
    about: str | Promise
    icon: str
    sockets: tuple[str, ...] = ()
    front_door: str = ""
    """A greeting and health of its own, where the contract asks for them: dotted path of a function of the prefix."""
    admin: str = ""
    page: str = ""
    """Name of the page that visitors open first."""

    @property
    def name(self) -> str:
        """The service's own name in greetings and documents."""
        return f"Mahalla {self.base}"

    @property
    def urlconf(self) -> str:
        """Dotted path of the module with the product's complete API paths."""
        return mounted_urlconfs()[self.base]


PRODUCTS: tuple[Product, ...] = (
    Product(
        "shop",
        _("Online shop"),
        _("Catalogue, cart, orders and delivery."),
        "icons/shop.svg",
        front_door="apps.shop.api.system.front_door",
        admin="shop_slipper",
    ),
    Product(
        "urgent",
        _("Urgent services"),
        _("Post a job, and up to three neighbours buy your contact and come at once."),
        "icons/urgent.svg",
        sockets=("/ws/orders/",),
        admin="urgent_order",
    ),
    Product(
        "loyalty",
        _("Restaurant cashback"),
        _("Points, menu and news for the guests of a restaurant."),
        "icons/loyalty.svg",
        sockets=("/api/v1/notifications/ws",),
        admin="loyalty_client",
    ),
    Product(
        "tickets",
        _("Neighbourhood issues"),
        _("Report what is broken in the street and follow its repair."),
        "icons/tickets.svg",
        sockets=("/ws/tickets/",),
        front_door="apps.tickets.api.system.front_door",
        admin="tickets_ticket",
        page="tickets-pages:city",
    ),
    Product(
        "florist",
        _("Flower shops"),
        _("Orders, stock, production and couriers of a flower shop."),
        "icons/florist.svg",
        sockets=("/ws", "/ws/track/<token>"),
        front_door="apps.florist.api.system.front_door",
        admin="florist_order",
    ),
)
"""Every product that the house may hold, in the order in which the root answers (design 3.12)."""


def mounted_urlconfs() -> dict[str, str]:
    """Product base → urlconf, as the site's table of contents says."""
    found: dict[str, str] = import_string(f"{settings.ROOT_URLCONF}.PRODUCTS")
    return found


def mounted() -> list[Product]:
    """The products that answer here, in the table's order."""
    bases = mounted_urlconfs()
    return [product for product in PRODUCTS if product.base in bases]


def get(base: str) -> Product:
    """The product of this base. Raises `KeyError` for an unknown one."""
    return {product.base: product for product in PRODUCTS}[base]


def greeting(name: str) -> dict[str, Any]:
    """What programs get at `/` (contract urgent 1.1, row 26)."""
    return {"service": name, "version": settings.VERSION, "status": "operational", "docs": "/docs"}
