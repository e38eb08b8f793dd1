"""Looking at materials (contract florist 1.4)."""

from __future__ import annotations

from typing import Any

from apps.florist import errors
from apps.florist.models import Material

FIELDS = (
    *("id", "shop_id", "name", "category", "price", "unit"),
    *("is_active", "in_stock", "created_at", "updated_at"),
)


def page(
    by: Any, *, skip: int, limit: int, category: str | None = None, is_active: bool | None = None
) -> tuple[list[dict[str, Any]], int]:
    """Materials by name, and how many. Two queries."""
    rows = Material.objects.visible_to(by)
    if category is not None:
        rows = rows.filter(category=category)
    if is_active is not None:
        rows = rows.filter(is_active=is_active)
    return [as_row(row) for row in rows.order_by("name", "pk")[skip : skip + limit]], rows.count()


def one(by: Any, material_id: int) -> dict[str, Any]:
    """One material. Raises `MaterialNotFound`."""
    found = Material.objects.visible_to(by).filter(pk=material_id).first()
    if found is None:
        raise errors.MaterialNotFound()
    return as_row(found)


def as_row(material: Material) -> dict[str, Any]:
    """A material as it stands on the wire."""
    return {name: getattr(material, name) for name in FIELDS}
