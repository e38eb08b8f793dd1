"""Zones, slots and special days of a shop, whole lists: a shop has at most two hundred of each."""

from __future__ import annotations

from typing import Any

from apps.florist.models import DeliverySlot, DeliveryZone, Shop, SpecialDay


def zones(shop: Shop, *, all_of_them: bool = False) -> list[DeliveryZone]:
    """Those in use in the shop's order; with `all_of_them` also the others."""
    rows = DeliveryZone.objects.filter(shop=shop)
    return list(rows if all_of_them else rows.filter(is_active=True))


def slots(shop: Shop) -> list[DeliverySlot]:
    """By time, also those out of use."""
    return list(DeliverySlot.objects.filter(shop=shop))


def special_days(shop: Shop) -> list[SpecialDay]:
    """By date."""
    return list(SpecialDay.objects.filter(shop=shop))


def figures(shop: Shop) -> dict[str, Any]:
    """The company's card (contract florist 1.6)."""
    return {
        "id": shop.pk,
        "name": shop.name,
        "address": shop.address,
        "email": shop.email,
        "phones": shop.phones,
        "working_hours": {"from": f"{shop.opens_at:%H:%M}", "to": f"{shop.closes_at:%H:%M}"},
        "delivery_zones": [{"name": zone.name, "price": zone.price} for zone in zones(shop)],
        "created_at": shop.created_at,
        "updated_at": shop.updated_at,
    }
