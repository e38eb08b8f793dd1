"""What money does to orders, inside the transaction in which it moved; and what given-up orders do to money."""

from __future__ import annotations

from decimal import Decimal

from apps.core import events
from apps.florist.actions import payments
from apps.florist.conf import PAYMENT_PURPOSE
from apps.florist.events import OrderMoved
from apps.florist.models import Order
from apps.payments.events import PaymentSettled, RefundSettled


@events.on(PaymentSettled)
def take_the_money(event: PaymentSettled) -> None:
    """A new order that is paid in full moves on; what no order takes goes back."""
    if event.purpose == PAYMENT_PURPOSE:
        payments.money_came(
            order_id=int(event.reference),
            payment_id=event.payment_id,
            amount=Decimal(event.amount),
            method=event.method,
        )


@events.on(RefundSettled)
def write_the_refund_down(event: RefundSettled) -> None:
    """What was paid is less now; a surplus never was the order's."""
    if event.purpose == PAYMENT_PURPOSE and not event.is_surplus:
        payments.money_went(
            order_id=int(event.reference),
            refund_id=event.refund_id,
            amount=Decimal(event.amount),
            method="refund",
        )


@events.after(OrderMoved)
def give_money_back(event: OrderMoved) -> None:
    """Of an order that was given up."""
    if event.new_status == Order.Status.CANCELLED:
        payments.refund_cancelled(order_id=event.order_id)
