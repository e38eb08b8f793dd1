"""The workshop follows the orders: tasks appear with the payment and go when nobody needs them (contract 3.9)."""

from __future__ import annotations

from apps.core import events
from apps.florist.actions import production
from apps.florist.events import OrderEdited, OrderMoved, TaskAssigned
from apps.florist.models import Order

Status = Order.Status
NOT_TO_BE_MADE = (Status.NEW, Status.CANCELLED)


@events.on(OrderMoved)
def make_or_drop_tasks(event: OrderMoved) -> None:
    if event.new_status in production.MAKEABLE:
        production.undo(order_id=event.order_id, came_from=event.old_status)
    if event.new_status == Status.PAID:
        production.create_from_order(order_id=event.order_id)
    elif event.new_status in NOT_TO_BE_MADE:
        production.drop(order_id=event.order_id, reason=f"order is {event.new_status}")
    elif event.new_status in Order.WRITTEN_OFF:
        production.drop(order_id=event.order_id, reason="order was assembled by hand")


@events.after(OrderMoved)
def assemble_what_is_made(event: OrderMoved) -> None:
    """Afterwards, because the step to paid still has to set stems aside that this one takes."""
    if event.new_status == Status.PAID:
        production.settle(order_id=event.order_id, came_from=event.old_status)


@events.on(OrderEdited)
def follow_the_order(event: OrderEdited) -> None:
    production.follow_order(order_id=event.order_id, what=event.what)


@events.after(TaskAssigned)
def name_the_orders_florist(event: TaskAssigned) -> None:
    production.name_the_florist(task_id=event.task_id)
