"""What orders do to figures that hang on them."""

from __future__ import annotations

from apps.core import events
from apps.florist.actions import customers
from apps.florist.events import OrderEdited, OrderMoved
from apps.florist.models import Order


@events.after(OrderMoved)
def recount_the_buyer(event: OrderMoved) -> None:
    """Paid orders count, others do not (contract 3.14)."""
    _recount(event.order_id)


@events.after(OrderEdited)
def recount_after_an_edit(event: OrderEdited) -> None:
    """Another sum or another buyer."""
    _recount(event.order_id)


def _recount(order_id: int) -> None:
    customers.recount(Order.objects.filter(pk=order_id).values_list("customer_id", flat=True).first())
