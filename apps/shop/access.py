"""Who may do what in the shop: customers, its administrators, staff of the back office."""

from __future__ import annotations

from typing import Any

from apps.core.access import ensure
from apps.shop import errors
from apps.shop.models import Customer, Order


def is_admin(by: Any) -> bool:
    """An administrator of the shop: by membership, or staff with the catalogue's right. `None` is the system."""
    if by is None:
        return True
    if isinstance(by, Customer):
        return by.is_admin and by.user.is_active
    return False


def ensure_admin(by: Any) -> None:
    """For the admin's paths. Raises `NotAnAdmin`."""
    ensure(is_admin(by), errors.NotAnAdmin)


def ensure_can_edit_catalogue(by: Any, right: str = "shop.change_slipper") -> None:
    """Administrators of the shop, and staff with `right`. Raises `NotAnAdmin`, `MayNotEditCatalogue`."""
    if by is not None and not isinstance(by, Customer):
        ensure(by.is_active and by.has_perm(right), errors.MayNotEditCatalogue)
        return
    ensure_admin(by)


def person_of(by: Any) -> Any:
    """The accounts.User behind a customer, a staff member, or None for the system."""
    return None if by is None else by.user


# ── Cart, orders, money ─────────────────────────────────────────────────────────────────────────────────────────────
ADVANCE, OVERRIDE = "shop.advance_order", "shop.override_order"
REFUND, HANDLE_MONEY = "payments.refund_payment", "payments.handle_payment"


def can_handle_orders(by: Any, right: str = ADVANCE) -> bool:
    """Administrators of the shop, staff with `right`, and the system."""
    if by is None or isinstance(by, Customer):
        return is_admin(by)
    return bool(by.is_active and by.has_perm(right))


def ensure_can_handle_orders(by: Any, right: str = ADVANCE) -> None:
    """Raises `MayNotHandleOrders`."""
    ensure(can_handle_orders(by, right), errors.MayNotHandleOrders)


def ensure_own(by: Any, order: Order) -> None:
    """The buyer himself, or whoever handles orders. Raises `OrderOfAnother`, for staff `MayNotHandleOrders`."""
    if isinstance(by, Customer):
        ensure(order.customer_id == by.pk or is_admin(by), errors.OrderOfAnother)
    else:
        ensure_can_handle_orders(by)
