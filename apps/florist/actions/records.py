"""An order's row, locked for whoever may see it, and the history that every change leaves (contract florist 3.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.florist import errors
from apps.florist.access import employee_of
from apps.florist.models import Order, OrderHistory

LONGEST_WORDS = 1000
SEARCHED = frozenset({"customer_phone", "recipient_phone", "recipient_name"})
"""Fields that people search by: with them goes the column that is searched."""
SYSTEM, OFFICE, BUYER = "system", "back office", "buyer"
"""Who did it, when it is nobody of the shop."""


def lock(by: Any, order_id: int) -> Order:
    """The order, fresh and locked until the end of the transaction; the system sees every one.

    Raises `OrderNotFound`, also for another shop's and for what the role does not show.
    """
    rows = Order.objects.all() if by is None else Order.objects.visible_to(by)
    order: Order = rows.select_related("shop").lock(errors.OrderNotFound, pk=order_id)
    return order


def ensure_version(order: Order, version: int | None) -> None:
    """For callers that say which version they have seen. Raises `ChangedMeanwhile`."""
    if version is not None and version != order.version:
        raise errors.ChangedMeanwhile()


def save(order: Order, *, now: datetime | None = None, **changes: Any) -> None:
    """Write these fields of a locked order and count its version up."""
    changes |= {"version": order.version + 1, "updated_at": now or timezone.now()}
    for name, value in changes.items():
        setattr(order, name, value)
    is_found_by = SEARCHED & changes.keys()
    order.save(update_fields=[*changes, *(("search_text",) if is_found_by else ())])


def write(
    order: Order,
    event: OrderHistory.Event,
    *,
    by: Any,
    old: str | None = None,
    new: str | None = None,
    comment: str = "",
    by_text: str = "",
) -> OrderHistory:
    """One line of history: what, by whom, from which status to which, with words."""
    return OrderHistory.objects.create(
        order=order,
        event_type=event,
        old_status=old,
        new_status=new,
        comment=comment[:LONGEST_WORDS] or None,
        by=employee_of(by),
        by_text=by_text or _name_of(by),
    )


def _name_of(by: Any) -> str:
    if employee_of(by) is not None:
        return ""
    return SYSTEM if by is None else OFFICE
