"""The life of an order (contract shop 3.4): the only table that says what may follow what."""

from __future__ import annotations

from typing import Any

from apps.core import states
from apps.core.states import Machine, Step
from apps.shop.errors import IllegalOrderStep
from apps.shop.events import OrderCancelled, OrderConfirmed, OrderMovedOn, OrderRefunded
from apps.shop.models import Order

Status = Order.Status


def _confirmed(order: Order, by: Any, reason: str) -> OrderConfirmed:
    return OrderConfirmed(order_id=order.pk, customer_id=order.customer_id)


def _cancelled(order: Order, by: Any, reason: str) -> OrderCancelled:
    return OrderCancelled(order_id=order.pk, customer_id=order.customer_id, cancelled_by=order.cancelled_by)


def _moved_on(order: Order, by: Any, reason: str) -> OrderMovedOn:
    return OrderMovedOn(order_id=order.pk, customer_id=order.customer_id, status=order.status)


def _refunded(order: Order, by: Any, reason: str) -> OrderRefunded:
    return OrderRefunded(order_id=order.pk, customer_id=order.customer_id)


REFUND_STEP = Step(
    stamp="refunded_at", event=_refunded, who="payment", note="all money went back; goods return unless delivered"
)

ORDER = Machine(
    steps={
        (Status.PENDING, Status.CONFIRMED): Step(
            stamp="paid_at", event=_confirmed, who="payment", note="paid; by hand with a reason"
        ),
        (Status.PENDING, Status.CANCELLED): Step(
            stamp="cancelled_at", event=_cancelled, who="buyer, admin, timer", note="goods return to the shelf"
        ),
        (Status.CANCELLED, Status.CONFIRMED): Step(
            stamp="paid_at",
            event=_confirmed,
            who="payment",
            note="late money for what the timer ended, if the goods can be taken again",
        ),
        (Status.CONFIRMED, Status.PREPARING): Step(event=_moved_on, who="admin", note="somebody packs it"),
        (Status.PREPARING, Status.READY): Step(event=_moved_on, who="admin", note="can be handed over"),
        (Status.READY, Status.DELIVERED): Step(
            stamp="delivered_at", event=_moved_on, who="admin", note="the buyer has it"
        ),
        (Status.CONFIRMED, Status.REFUNDED): REFUND_STEP,
        (Status.PREPARING, Status.REFUNDED): REFUND_STEP,
        (Status.READY, Status.REFUNDED): REFUND_STEP,
        (Status.DELIVERED, Status.REFUNDED): REFUND_STEP,
    },
    refusal=IllegalOrderStep,
)

SET_BY_PAYMENT = frozenset({Status.CONFIRMED, Status.REFUNDED})
"""What only money decides; people override it with a reason."""

states.register(Order, ORDER)
