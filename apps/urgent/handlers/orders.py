"""Screens follow orders and balances. Frames are built from fresh rows after commit; a repeated frame does no harm."""

from __future__ import annotations

from decimal import Decimal

from apps.core import events
from apps.ledger.events import BalanceChanged
from apps.urgent import conf, live
from apps.urgent.events import OrderCreated, OrderFinished, OrderResponded, OrderTaken, OrderUpdated
from apps.urgent.models import Order, Take
from apps.urgent.queries import orders as questions


@events.after(OrderCreated)
def show_the_new_order(event: OrderCreated) -> None:
    """To everybody who listens to its town or category; one that has already ended is not new."""
    if order := Order.objects.filter(pk=event.order_id, status=Order.Status.ACTIVE).first():
        live.send_order("order.created", order, questions.shown(order, by=None))


@events.after(OrderUpdated)
def show_the_new_words(event: OrderUpdated) -> None:
    """To everybody who listens to its town or category."""
    _show_the_change(event.order_id)


@events.after(OrderResponded)
def show_the_answer(event: OrderResponded) -> None:
    """Takers' screens say that the client has answered."""
    _show_the_change(event.order_id)


def _show_the_change(order_id: str) -> None:
    if order := Order.objects.filter(pk=order_id, status=Order.Status.ACTIVE).first():
        live.send_order("order.updated", order, questions.shown(order, by=None))


@events.after(OrderTaken)
def show_the_take(event: OrderTaken) -> None:
    """The number to everybody, the contact to its payer; nobody who was forgotten meanwhile."""
    takes = Take.objects.select_related("order", "executor")
    if take := takes.filter(order_id=event.order_id, executor_id=event.executor_id).first():
        live.send_note("order.taken", take.order, executor_count=take.order.takes_count)
        live.send_contact(take.executor.user_id, take.order)


@events.after(OrderFinished)
def show_the_end(event: OrderFinished) -> None:
    """It leaves everybody's list."""
    order = Order.objects.get(pk=event.order_id)
    live.send_note("order.closed", order, status=event.status)


@events.after(BalanceChanged)
def show_the_balance(event: BalanceChanged) -> None:
    """To the person alone, whatever moved the money."""
    if event.book == conf.BOOK:
        live.send_balance(event.holder_id, int(Decimal(event.balance)))
