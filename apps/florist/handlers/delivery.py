"""Runs follow the orders: what was delivered, given up, given to another courier or is fetched leaves its run."""

from __future__ import annotations

from apps.core import events
from apps.florist.actions import stops
from apps.florist.events import OrderEdited, OrderMoved
from apps.florist.models import Order

Status = Order.Status
CLOSING = (Status.DELIVERED, Status.COMPLETED, Status.CANCELLED)


@events.on(OrderMoved)
def close_the_stop(event: OrderMoved) -> None:
    if event.new_status in CLOSING:
        stops.close_for_order(order_id=event.order_id, status=event.new_status)


@events.on(OrderEdited)
def leave_the_run(event: OrderEdited) -> None:
    if "courier" in event.what:
        stops.leave_other_runs(order_id=event.order_id)
    if "delivery_method" in event.what:
        stops.leave_if_picked_up_by_the_buyer(order_id=event.order_id)


@events.on(OrderEdited)
def forget_the_old_place(event: OrderEdited) -> None:
    if "address" in event.what:
        stops.forget_the_place(order_id=event.order_id)
