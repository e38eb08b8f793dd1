"""What came in and went back for an order: rows that only add up, and two sums on the order (contract florist 3.6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from apps.core import events
from apps.florist.access import employee_of
from apps.florist.actions import records
from apps.florist.events import OrderEdited
from apps.florist.models import Order, OrderHistory, OrderPayment

Source = OrderPayment.Source


def enter(order: Order, *, source: str, method: str, amount: Decimal, key: str, by: Any) -> bool:
    """Money of a locked order, below zero when it goes back; False for a key that was there before.

    Money beyond the total, or for a cancelled order, is to be paid back.
    """
    if order.payments.filter(key=key).exists():
        return False
    row = OrderPayment(order=order, source=source, method=method, amount=amount, key=key, by=employee_of(by))
    row.save(force_insert=True)
    paid = order.paid_amount + amount
    changes: dict[str, Any] = {"paid_amount": paid, "refund_due": due_back(order, paid)}
    if amount > 0:
        changes["payment_date"] = order.payment_date or timezone.now()
    records.save(order, **changes)
    words = f"{amount:+} {order.shop.currency}, {method}"
    records.write(order, OrderHistory.Event.PAYMENT_RECEIVED, by=by, comment=words)
    events.publish(OrderEdited(order_id=order.pk, shop_id=order.shop_id, what=("paid_amount",)))
    return True


def due_back(order: Order, paid: Decimal) -> Decimal:
    """What the shop owes the buyer of so much that he paid."""
    wanted = Decimal(0) if order.status == Order.Status.CANCELLED else order.total
    return max(paid - wanted, Decimal(0))


def by_hand(order: Order) -> Decimal:
    """What managers have written down by pressing "paid", without what was taken back."""
    rows = order.payments.filter(source=Source.HAND, key__startswith="paid:").values_list("amount", flat=True)
    return sum(rows, Decimal(0))
