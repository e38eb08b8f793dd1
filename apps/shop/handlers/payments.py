"""What money does to orders, inside the transaction in which the money moved; and what orders do to held money."""

from __future__ import annotations

from apps.core import events
from apps.payments.events import PaymentHeld, PaymentSettled, RefundSettled
from apps.shop.actions import payments
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.events import OrderCancelled
from apps.shop.models import Order


@events.on(PaymentSettled)
def confirm_the_order(event: PaymentSettled) -> None:
    """Or send the money back."""
    if event.purpose == PAYMENT_PURPOSE:
        payments.money_came(order_id=int(event.reference), payment_id=event.payment_id)


@events.on(PaymentHeld)
def let_the_money_go(event: PaymentHeld) -> None:
    """Unless its order waits for it. A failed payment asks for nothing: its order waits for the next one."""
    if event.purpose == PAYMENT_PURPOSE:
        payments.money_is_held(order_id=int(event.reference), payment_id=event.payment_id)


@events.on(RefundSettled)
def take_the_goods_back(event: RefundSettled) -> None:
    """Only a full refund ends an order."""
    if event.purpose == PAYMENT_PURPOSE and event.is_full:
        payments.money_went(order_id=int(event.reference), payment_id=event.payment_id, refund_id=event.refund_id)


@events.after(OrderCancelled)
def let_held_money_go(event: OrderCancelled) -> None:
    """The clock ends no order whose money is held, so people did."""
    if event.cancelled_by != Order.CancelledBy.TIMER:
        payments.let_held_money_go(order_id=event.order_id)
