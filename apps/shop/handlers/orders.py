"""Buyers hear how their orders move on."""

from __future__ import annotations

from apps.core import events
from apps.shop.actions import talk
from apps.shop.events import OrderCancelled, OrderConfirmed, OrderMovedOn, OrderRefunded
from apps.shop.models import Order

talk.register()


@events.after(OrderConfirmed)
def tell_of_the_money(event: OrderConfirmed) -> None:
    """It is here."""
    talk.tell_of_step(order_id=event.order_id, status=Order.Status.CONFIRMED)


@events.after(OrderMovedOn)
def tell_of_the_work(event: OrderMovedOn) -> None:
    """Packed, ready, delivered."""
    talk.tell_of_step(order_id=event.order_id, status=event.status)


@events.after(OrderCancelled)
def tell_of_the_end(event: OrderCancelled) -> None:
    """Buyers know what they did themselves."""
    if event.cancelled_by != Order.CancelledBy.BUYER:
        talk.tell_of_step(order_id=event.order_id, status=Order.Status.CANCELLED)


@events.after(OrderRefunded)
def tell_of_the_way_back(event: OrderRefunded) -> None:
    """All of the money went back."""
    talk.tell_of_step(order_id=event.order_id, status=Order.Status.REFUNDED)
