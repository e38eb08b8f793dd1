"""Goods leave the shelf and come back to it (contract shop 3.3).

A few fixed statements (design 3.25), the same text on both databases. Rows are taken in the order of their ids, so that
buyers of the same goods wait for each other and never in a circle. Lock order of the shop: an order, its buyer's cart,
products by id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from apps.core.errors import Conflict
from apps.shop import errors
from apps.shop.errors import Shortage
from apps.shop.models import Slipper
from apps.shop.queries import cached

TIYIN = Decimal("0.01")

_TAKE = """
UPDATE shop_slipper SET quantity = quantity - %s WHERE id = %s AND quantity >= %s AND NOT is_deleted
RETURNING price, name, size, image
"""
_GIVE_BACK = """
UPDATE shop_slipper SET quantity = CASE WHEN quantity < %s THEN quantity + %s ELSE %s END WHERE id = %s
"""
MOST_PIECES = 2_147_483_647
"""What the column holds: a shelf that staff filled up meanwhile must not keep an order from ending."""


@dataclass(frozen=True)
class Goods:
    """A product as it was at the moment of the sale."""

    price: Decimal
    name: str
    size: str
    image: str


def reserve(wanted: Mapping[int, int]) -> dict[int, Goods]:
    """Take so many pieces of each product (id → pieces) off the shelf, all or none.

    Call inside the transaction that writes the order: its rollback is what undoes a half. Raises `SlipperNotFound`,
    `NotEnoughStock` with every short product.
    """
    taken: dict[int, Goods] = {}
    with connection.cursor() as cursor:
        for slipper_id in sorted(wanted):
            cursor.execute(_TAKE, [wanted[slipper_id], slipper_id, wanted[slipper_id]])
            row = cursor.fetchone()
            if row is None:
                raise _why_not(wanted, taken)
            taken[slipper_id] = Goods(_exact(row[0]), *row[1:])
    cached.SLIPPERS.forget()
    return taken


def give_back(pieces: Mapping[int, int]) -> None:
    """Put so many pieces of each product (id → pieces) on the shelf again, also of what left the catalogue."""
    if not pieces:
        return
    rows = [(MOST_PIECES - more, more, MOST_PIECES, slipper_id) for slipper_id, more in sorted(pieces.items())]
    with connection.cursor() as cursor:
        cursor.executemany(_GIVE_BACK, rows)
    cached.SLIPPERS.forget()


def ensure_enough(wanted: Mapping[int, int]) -> None:
    """Look without taking, for carts. Raises `SlipperNotFound`, `NotEnoughStock`."""
    if short := _short(wanted, {}):
        raise errors.NotEnoughStock(short)


def _why_not(wanted: Mapping[int, int], taken: Mapping[int, Goods]) -> Exception:
    short = _short(wanted, taken)
    return errors.NotEnoughStock(short) if short else Conflict()


def _short(wanted: Mapping[int, int], taken: Mapping[int, Any]) -> list[Shortage]:
    """Every product of which less is left than wanted; what this transaction has `taken` already counts as left."""
    rows = Slipper.objects.alive().filter(pk__in=list(wanted)).order_by("pk")
    found = list(rows.values_list("pk", "name", "size", "quantity"))
    if len(found) < len(wanted):
        raise errors.SlipperNotFound()
    return [
        Shortage(pk, name, size, requested=wanted[pk], available=left)
        for pk, name, size, left in found
        if pk not in taken and left < wanted[pk]
    ]


def _exact(price: Any) -> Decimal:
    """SQLite hands decimals out as floats, exact for two places."""
    return Decimal(str(price)).quantize(TIYIN)
