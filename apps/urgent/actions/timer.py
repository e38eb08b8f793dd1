"""What time does to orders: running out, and closing when the client does not answer (contract urgent 3.3, 5).

The due moment is a column with a partial index, so a sweep reads due rows only. Every order that was taken is settled
in a transaction of its own, the untaken ones of a page in one: a killed sweep has done what it has done, and the next
one goes on. The same `settle` runs when somebody reads, takes or changes a due order before the sweep comes by.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from apps.urgent.actions import finish
from apps.urgent.models import Order
from apps.urgent.models.orders import OrderQuerySet
from apps.urgent.queries import orders as questions

log = logging.getLogger(__name__)

BATCH = 200
"""Due ids read at a time; lists are told of the change once per batch."""


def settle(*, order_id: str, now: datetime | None = None) -> Order | None:
    """Expire or close one due order, refund where it is owed, and return it; `None` when nothing was due."""
    with transaction.atomic():
        order = _settle(order_id, now or timezone.now(), wait=True)
        if order is not None:
            transaction.on_commit(questions.forget)
    return order


def _settle(order_id: str, now: datetime, *, wait: bool) -> Order | None:
    """One order in one transaction. Without `wait` an order that somebody holds is left for the next sweep."""
    with transaction.atomic():
        order = _lock_due(order_id, now, wait)
        return _close(order, now) if order else None


def _lock_due(order_id: str, now: datetime, wait: bool) -> Order | None:
    return _held(Order.objects.due(now).filter(pk=order_id), wait=wait).first()


def _held(orders: OrderQuerySet, *, wait: bool) -> OrderQuerySet:
    skip = not wait and connection.features.has_select_for_update_skip_locked
    return orders.select_for_update(of=("self",), skip_locked=skip)


def _close(order: Order, now: datetime) -> Order:
    """Expiry goes before the missing answer (contract urgent 3.3, D7)."""
    if order.is_past_lifetime(now):
        return finish.expire(order)
    return finish.close_unanswered(order)


def settle_for(*, member_id: int, now: datetime | None = None) -> None:
    """Settle the due orders that a member has posted or taken, before he looks at his lists."""
    moment = now or timezone.now()
    for order_id in questions.due_ids_of(member_id, moment):
        settle(order_id=order_id, now=moment)


def sweep(*, now: datetime | None = None, limit: int | None = None) -> int:
    """Settle everything that is due, oldest first; returns how many were. Linear in due orders; safe side by side."""
    moment = now or timezone.now()
    done = 0
    for page in _due_pages(moment, limit):
        done += _settle_page(page, moment)
        questions.forget()
    if done:
        log.info("urgent orders settled", extra={"count": done})
    return done


def _settle_page(order_ids: list[str], now: datetime) -> int:
    untaken = _expire_untaken(order_ids, now)
    taken = [order_id for order_id in order_ids if order_id not in untaken]
    return len(untaken) + sum(_settle(order_id, now, wait=False) is not None for order_id in taken)


def _expire_untaken(order_ids: list[str], now: datetime) -> set[str]:
    """Nobody is owed anything for these: one transaction for all that nobody holds at the moment."""
    with transaction.atomic():
        due = Order.objects.due(now).filter(pk__in=order_ids, takes_count=0)
        orders = list(_held(due.order_by("pk"), wait=False))
        if orders:
            finish.expire_untaken(orders)
    return {order.pk for order in orders}


def _due_pages(now: datetime, limit: int | None) -> Iterator[list[str]]:
    """Pages of due ids after the last one seen, so that a row which is held elsewhere is not met twice in one sweep."""
    after: tuple[datetime, str] | None = None
    left = limit
    while left is None or left > 0:
        size = BATCH if left is None else min(BATCH, left)
        page = questions.due_page(now, after=after, size=size)
        if page:
            yield [order_id for _, order_id in page]
        if len(page) < size:
            return
        after, left = page[-1], None if left is None else left - size
