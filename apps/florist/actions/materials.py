"""Ribbon, paper, cards: what bouquets have beside flowers (contract florist 1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.florist import access, errors
from apps.florist.models import Material, Shop


def create(*, by: Any, shop: Shop, values: Mapping[str, Any]) -> Material:
    """Raises `NotEnoughPermissions`."""
    access.ensure_may(by, "warehouse")
    return Material.objects.create(shop=shop, **values)


def change(*, by: Any, material_id: int, values: Mapping[str, Any]) -> Material:
    """Raises `NotEnoughPermissions`, `MaterialNotFound`."""
    access.ensure_may(by, "warehouse")
    with transaction.atomic():
        material = Material.objects.visible_to(by).lock(errors.MaterialNotFound, pk=material_id)
        for name, value in values.items():
            setattr(material, name, value)
        material.updated_at = timezone.now()
        material.save()
        return material


def remove(*, by: Any, material_id: int) -> None:
    """Recipes keep the name and the prices of that day. Raises `NotEnoughPermissions`, `MaterialNotFound`."""
    access.ensure_may(by, "warehouse")
    with transaction.atomic():
        Material.objects.visible_to(by).lock(errors.MaterialNotFound, pk=material_id).delete()
