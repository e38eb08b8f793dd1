"""What becomes of an order after it was placed: words, statuses, money that came and went (contract shop 1.6, 3.4).

`begin_payment`, `confirm` and `mark_refunded` are for the payment side: the payments of an order are locked before the
order, so they may run inside a handler of a payment's fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from apps.core import states
from apps.core.access import ensure
from apps.payments import queries as payments
from apps.payments.models import Payment
from apps.shop import access, errors
from apps.shop.actions import cart, stock
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Customer, Order, OrderItem
from apps.shop.states import SET_BY_PAYMENT

Status = Order.Status

PAYMENT_GRACE = timedelta(minutes=2)
"""An order whose payment has just begun is not given up before the payment's own row can be seen."""


def change(*, by: Any, order_id: int, changes: Mapping[str, Any], reason: str = "") -> Order:
    """Notes and status, what of them is given. A buyer may do so while the order is pending, and only cancel.

    Raises `OrderNotFound`, `OrderOfAnother`, `OrderNotPending`; what `set_status` raises.
    """
    with transaction.atomic():
        order = _lock_for(by, order_id)
        if "notes" in changes and changes["notes"] != order.notes:
            is_open = order.status == Status.PENDING or access.can_handle_orders(by)
            ensure(is_open, errors.OrderNotPending, status=order.status)
            order.notes, order.updated_at = changes["notes"], timezone.now()
            order.save(update_fields=["notes", "updated_at"])
        if changes.get("status"):
            order = set_status(by=by, order_id=order_id, status=changes["status"], reason=reason)
    return order


def set_status(*, by: Any, order_id: int, status: str, reason: str = "") -> Order:
    """One step of the table; the status it has already changes nothing.

    A buyer may only cancel. Confirmed and refunded follow from money: people set them with a `reason`, and with the
    right to. Raises `OrderNotFound`, `OrderOfAnother`, `MayNotHandleOrders`, `OnlyPaymentSetsStatus`,
    `IllegalOrderStep`.
    """
    with transaction.atomic():
        order = _lock_for(by, order_id)
        if order.status == status:
            return order
        if status == Status.CANCELLED:
            return _cancel(order, by, reason)
        access.ensure_can_handle_orders(by)
        if status in SET_BY_PAYMENT:
            return _override(order, status, by, reason.strip())
        return states.step(order, status, by=by, reason=reason)


def cancel(*, by: Any, order_id: int, reason: str = "") -> Order:
    """Give up an unpaid order; its goods return. Raises `OrderNotFound`, `OrderOfAnother`, `IllegalOrderStep`."""
    return set_status(by=by, order_id=order_id, status=Status.CANCELLED, reason=reason)


def delete(*, by: Any, order_id: int) -> None:
    """Out of every list, goods back on the shelf; only without money, past or possible (D7).

    Raises `OrderNotFound`, `OrderOfAnother`, `OrderNotPending`, `OrderHasPayment`.
    """
    with transaction.atomic():
        order = _lock_for(by, order_id)
        ensure(order.status in (Status.PENDING, Status.CANCELLED), errors.OrderNotPending, status=order.status)
        living = payments.of(PAYMENT_PURPOSE, str(order.pk)).exclude(status__in=Payment.ENDED)
        ensure(not living.exists(), errors.OrderHasPayment)
        if order.status == Status.PENDING:
            order = _cancel(order, by, "deleted")
        order.deleted_at = timezone.now()
        order.save(update_fields=["deleted_at"])


# ── For the payment side ────────────────────────────────────────────────────────────────────────────────────────────
def begin_payment(*, by: Customer, order_id: int, now: datetime | None = None) -> Order:
    """Close the order to additions and return it: what it costs now is what is asked for. Call it, in a transaction of
    its own, before `payments.start`; repeating is free.

    Only the buyer pays (contract shop 1.7). Raises `OrderNotFound`, `OrderOfAnother`, `OrderNotPending`.
    """
    moment = now or timezone.now()
    with transaction.atomic():
        order = _lock(order_id)
        ensure(order.customer_id == by.pk, errors.OrderOfAnother)
        ensure(order.status == Status.PENDING, errors.OrderNotPending, status=order.status)
        order.payment_begun_at = order.payment_begun_at or moment
        order.stock_reserved_until = max(order.stock_reserved_until, moment + PAYMENT_GRACE)
        order.save(update_fields=["payment_begun_at", "stock_reserved_until"])
    return order


def confirm(*, order_id: int, by: Any = None, reason: str = "") -> bool:
    """The money of an order is here. False: nobody wants it, give it back (`payments.refund`); nothing has changed.

    Money for what the clock ended takes the goods again, if they are still there. What a person cancelled, what was
    paid back, and what was deleted stays so. Repeating is free.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).filter(pk=order_id, deleted_at=None).first()
        if order is None:
            return False
        if order.status == Status.PENDING:
            _pay(order, by, reason)
        elif order.status == Status.CANCELLED:
            return _revive(order, by, reason)
        return order.status != Status.REFUNDED


def mark_refunded(*, order_id: int, by: Any = None, reason: str = "") -> Order:
    """All money of a paid order went back; its goods return unless they were delivered (`REFUND_RESTOCKS`).

    An order that never took the money, or is paid back already, stays what it is. Raises `OrderNotFound`.
    """
    with transaction.atomic():
        order = _lock(order_id, deleted_too=True)
        return _refund(order, by, reason) if order.is_paid else order


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _pay(order: Order, by: Any, reason: str) -> Order:
    """The step itself, and the ordered pieces leave the cart."""
    paid = states.step(order, Status.CONFIRMED, by=by, reason=reason)
    cart.lock(paid.customer_id)
    cart.take_out_ordered(paid)
    return paid


def _revive(order: Order, by: Any, reason: str) -> bool:
    """Late money for an order that the clock had ended: the goods again, or nothing."""
    if order.cancelled_by != Order.CancelledBy.TIMER:
        return False
    try:
        with transaction.atomic():
            cart.lock(order.customer_id)
            stock.reserve(pieces_of(order))
            order.cancelled_by, order.cancelled_at = "", None
            order.save(update_fields=["cancelled_by", "cancelled_at"])
            _pay(order, by, reason)
    except (errors.NotEnoughStock, errors.SlipperNotFound):
        return False
    return True


def _override(order: Order, status: str, by: Any, reason: str) -> Order:
    """By hand what money decides otherwise; the step's history keeps who and why."""
    ensure(bool(reason), errors.OnlyPaymentSetsStatus, to_status=status)
    access.ensure_can_handle_orders(by, access.OVERRIDE)
    if status == Status.REFUNDED:
        return _refund(order, by, reason)
    ensure(order.status == Status.PENDING, errors.IllegalOrderStep, from_status=order.status, to_status=status)
    return _pay(order, by, reason)


def _refund(order: Order, by: Any, reason: str) -> Order:
    returns = order.status != Status.DELIVERED and settings.SHOP.refund_restocks
    refunded = states.step(order, Status.REFUNDED, by=by, reason=reason)
    if returns:
        stock.give_back(pieces_of(order))
    return refunded


def _cancel(order: Order, by: Any, reason: str) -> Order:
    is_buyer = isinstance(by, Customer) and order.customer_id == by.pk
    order.cancelled_by = Order.CancelledBy.BUYER if is_buyer else Order.CancelledBy.STAFF
    order.save(update_fields=["cancelled_by"])
    cancelled = states.step(order, Status.CANCELLED, by=by, reason=reason)
    stock.give_back(pieces_of(order))
    return cancelled


def pieces_of(*orders: Order) -> dict[int, int]:
    """Product → pieces of all lines, for the shelf."""
    lines = OrderItem.objects.filter(order__in=orders, slipper__isnull=False).order_by()
    return dict(lines.values_list("slipper_id").annotate(Sum("quantity")))


def _lock(order_id: int, *, deleted_too: bool = False) -> Order:
    where = {"pk": order_id} if deleted_too else {"pk": order_id, "deleted_at": None}
    return Order.objects.lock(errors.OrderNotFound, **where)


def _lock_for(by: Any, order_id: int) -> Order:
    order = _lock(order_id)
    access.ensure_own(by, order)
    return order
