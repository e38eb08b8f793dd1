"""Unpaid orders end when their goods were kept long enough (contract shop 4.4.6, `ORDER_RESERVE_MINUTES`).

The end is a due moment in the row, swept in batches. An order that somebody is just paying waits for its payment, whose
own time runs out by itself; so cash on delivery keeps its goods as well.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from apps.core import states
from apps.payments import queries as payments
from apps.payments.models import Payment
from apps.shop.actions import orders, stock
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Order

log = logging.getLogger(__name__)

BATCH = 100
"""Orders that end in one transaction."""

LOOK_AGAIN_AFTER = timedelta(minutes=1)
"""An order with an open payment is looked at again after this long."""


def expire_unpaid(*, now: datetime | None = None, limit: int = 5000) -> int:
    """Cancel due orders, oldest first, and put their goods back; returns how many. Safe side by side."""
    moment = now or timezone.now()
    cancelled = seen = 0
    while seen < limit:
        batch, ended = _expire_batch(moment, min(BATCH, limit - seen))
        seen, cancelled = seen + batch, cancelled + ended
        if batch < BATCH:
            break
    if cancelled:
        log.info("unpaid orders ended", extra={"count": cancelled})
    return cancelled


def _expire_batch(now: datetime, size: int) -> tuple[int, int]:
    """How many due orders were looked at, and how many of them ended."""
    with transaction.atomic():
        due = _locked(now, size)
        paying = _references_being_paid(due)
        waiting = [order.pk for order in due if str(order.pk) in paying]
        Order.objects.filter(pk__in=waiting).update(stock_reserved_until=now + LOOK_AGAIN_AFTER)
        ending = [order for order in due if order.pk not in waiting]
        _end(ending)
    return len(due), len(ending)


def _locked(now: datetime, size: int) -> Sequence[Order]:
    """Due orders that nobody holds at the moment; the others are met by the next sweep."""
    skip = connection.features.has_select_for_update_skip_locked
    rows = Order.objects.due(now).select_for_update(of=("self",), skip_locked=skip)
    return list(rows.order_by("stock_reserved_until", "id")[:size])


def _references_being_paid(due: Sequence[Order]) -> set[str]:
    """Those whose money may still come, or has come and is about to confirm them."""
    counting = payments.latest_of(PAYMENT_PURPOSE, [str(order.pk) for order in due])
    alive = (*Payment.OPEN, Payment.Status.PAID)
    return {reference for reference, payment in counting.items() if payment.status in alive}


def _end(ending: Sequence[Order]) -> None:
    if not ending:
        return
    timer = Order.CancelledBy.TIMER
    Order.objects.filter(pk__in=[order.pk for order in ending]).update(cancelled_by=timer)
    for order in ending:
        order.cancelled_by = timer
    states.step_all(ending, Order.Status.CANCELLED, by=None, reason="not paid in time")
    stock.give_back(orders.pieces_of(*ending))
