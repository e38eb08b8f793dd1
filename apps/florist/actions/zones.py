"""Delivery zones, slots, and special days of a shop (contract florist 3.6, 3.7)."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.errors import Invalid
from apps.florist import access, errors
from apps.florist.models import DeliverySlot, DeliveryZone, SpecialDay

Row = TypeVar("Row", DeliveryZone, DeliverySlot, SpecialDay)

WHAT: dict[type[Any], str] = {DeliveryZone: "Zone", DeliverySlot: "Slot", SpecialDay: "Day"}
MOST = 200
"""Rows of each kind that a shop may have: every list of them is whole."""


def add(kind: type[Row], /, *, by: Any, **values: Any) -> Row:
    """One more for the shop of `by`; a zone that went out of use comes back with its new values.

    Raises `NotEnoughPermissions`, `NameTaken`, `Invalid` past the limit.
    """
    access.ensure_may(by, "settings")
    with transaction.atomic():
        rows: Any = kind.objects.filter(shop_id=by.shop_id)
        if kind is DeliveryZone:
            old: Row | None = rows.filter(name=values["name"], is_active=False).first()
            if old is not None:
                return _write(old, values)
        if rows.count() >= MOST:
            raise Invalid.field("name", f"at most {MOST}")
        return _write(kind(shop_id=by.shop_id), values)


def change(kind: type[Row], /, *, by: Any, row_id: int, **values: Any) -> Row:
    """New values. Raises `NotEnoughPermissions`, `RowNotFound`, `NameTaken`, `Invalid` for a slot that ends first."""
    access.ensure_may(by, "settings")
    with transaction.atomic():
        return _write(_locked(kind, by, row_id), values)


def remove(kind: type[Row], /, *, by: Any, row_id: int) -> None:
    """A zone goes out of use, because orders name it; slots and days go. Raises as `change`."""
    access.ensure_may(by, "settings")
    with transaction.atomic():
        row = _locked(kind, by, row_id)
        if isinstance(row, DeliveryZone):
            _write(row, {"is_active": False})
        else:
            row.delete()


def _locked(kind: type[Row], by: Any, row_id: int) -> Row:
    found = kind.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=row_id).first()
    if found is None:
        raise errors.RowNotFound()
    return found


def _write(row: Row, values: dict[str, Any]) -> Row:
    for name, value in {**values, "updated_at": timezone.now()}.items():
        setattr(row, name, value)
    if isinstance(row, DeliveryZone) and "is_active" not in values and row.pk and not row.is_active:
        row.is_active = True
    if isinstance(row, DeliverySlot) and row.ends_at <= row.starts_at:
        raise Invalid.field("ends_at", "must be after starts_at")
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise errors.NameTaken(what=WHAT[type(row)]) from None
    return row
