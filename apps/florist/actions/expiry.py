"""Unpaid storefront orders let their stems go when their time is over (contract florist 3.18).

The end is a due moment in the row. An order that somebody is just paying waits for its payment. One for cash cannot be
paid yet: it waits for the desk, but without stems, and takes some again when it is accepted.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from apps.core import events
from apps.florist.actions import lifecycle, records, stock
from apps.florist.conf import PAYMENT_PURPOSE
from apps.florist.events import OrderEdited
from apps.florist.models import Order, OrderHistory, StockReservation
from apps.payments import queries as payments
from apps.payments.models import Payment

log = logging.getLogger(__name__)

LOOK_AGAIN_AFTER = timedelta(minutes=5)
"""An order with an open payment is looked at again after this long."""
AT_ONCE = 500
"""Orders of one sweep."""


def release_unpaid(*, now: datetime | None = None) -> int:
    """Free the stems of due orders, oldest first; returns how many it were. All but those for cash are cancelled.

    Each is a transaction of its own, safe side by side.
    """
    moment = now or timezone.now()
    due = Order.objects.filter(status=Order.Status.NEW, reserved_until__lte=moment)
    ids = list(due.order_by("reserved_until", "id").values_list("id", flat=True)[:AT_ONCE])
    ended = sum(_end(order_id, moment) for order_id in ids)
    if ended:
        log.info("unpaid orders let their stems go", extra={"count": ended})
    return ended


def _end(order_id: int, now: datetime) -> bool:
    skip = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        rows = Order.objects.filter(pk=order_id, status=Order.Status.NEW, reserved_until__lte=now)
        order = rows.select_related("shop").select_for_update(of=("self",), skip_locked=skip).first()
        if order is None:
            return False
        if order.paid_amount > 0:
            # Money is in it: people decide.
            records.save(order, reserved_until=None)
            return False
        if order.payment_method == Order.PaymentMethod.CASH:
            return _waits_without_stems(order)
        if _is_being_paid(order):
            records.save(order, reserved_until=now + LOOK_AGAIN_AFTER)
            return False
        lifecycle.cancel(by=None, order_id=order.pk, reason="not paid in time")
    return True


def _waits_without_stems(order: Order) -> bool:
    """Whether there were any to let go."""
    held = StockReservation.State.HELD
    had_stems = StockReservation.objects.filter(order_item__order=order, state=held).exists()
    records.save(order, reserved_until=None)
    if had_stems:
        stock.release(order, by=None)
        records.write(order, OrderHistory.Event.EDITED, by=None, comment="not accepted in time: its stems are free")
        events.publish(OrderEdited(order.pk, order.shop_id, ("stock",)))
    return had_stems


def _is_being_paid(order: Order) -> bool:
    """Money may still come, or has come and is about to move the order on."""
    known = payments.latest_of(PAYMENT_PURPOSE, [str(order.pk)]).get(str(order.pk))
    alive = (*Payment.OPEN, Payment.Status.PAID)
    return known is not None and known.status in alive
