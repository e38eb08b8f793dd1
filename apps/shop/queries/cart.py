"""A cart as its owner reads it (contract shop 1.5)."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from apps.shop.models import Cart, CartItem


def shown(cart: Cart) -> dict[str, Any]:
    """Lines at today's prices, oldest first, with the totals. One query."""
    names = {"name": F("slipper__name"), "price": F("slipper__price")}
    lines: list[Any] = list(
        CartItem.objects.filter(cart=cart).order_by("id").values("id", "slipper_id", "quantity", **names)
    )
    for line in lines:
        line["total_price"] = line["price"] * line["quantity"]
    return {"id": cart.pk, "items": lines, **_totals(lines)}


def total(cart: Cart) -> dict[str, Any]:
    """The totals alone."""
    return {name: value for name, value in shown(cart).items() if name not in ("id", "items")}


def _totals(lines: list[Any]) -> dict[str, Any]:
    return {
        "total_items": len(lines),
        "total_quantity": sum(line["quantity"] for line in lines),
        "total_amount": sum(line["total_price"] for line in lines),
    }
