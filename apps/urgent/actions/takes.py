"""Buying the contact of an order (contract urgent 3.4), and paying it back by decision of staff.

The purchase is a few fixed statements (design 3.25): the scarce place first, then the take, the wallet, the counter.
The text is the same on PostgreSQL and SQLite. Constraints stand behind every condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.core import events, throttle
from apps.core.access import ensure
from apps.core.errors import Conflict
from apps.core.money import Money
from apps.core.throttle import Limit
from apps.ledger import actions as ledger
from apps.urgent import access, conf, errors
from apps.urgent.actions import finish, timer
from apps.urgent.events import OrderTaken
from apps.urgent.models import Member, Order, Take
from apps.urgent.models.orders import payment_key
from apps.urgent.queries import members as people
from apps.urgent.queries import orders as questions

MINUTE_SECONDS = 60
TRIES = 3
"""How often a take looks again when the world changed between its attempt and the search for the reason."""

_CLAIM_A_PLACE = """
UPDATE urgent_order
SET takes_count = takes_count + 1,
    first_taken_at = COALESCE(first_taken_at, %(now)s),
    due_at = CASE WHEN takes_count = 0 AND %(answer_by)s < expires_at THEN %(answer_by)s ELSE due_at END,
    updated_at = %(now)s
WHERE id = %(order)s AND status = 'active' AND due_at > %(now)s AND takes_count < max_executors
  AND client_id <> %(member)s
  AND NOT EXISTS (SELECT 1 FROM urgent_take WHERE order_id = %(order)s AND executor_id = %(member)s)
RETURNING takes_count, contact, client_id
"""
_WRITE_THE_TAKE = """
INSERT INTO urgent_take (order_id, executor_id, slot, price, taken_at, refund_reason)
VALUES (%(order)s, %(member)s, %(slot)s, %(price)s, %(now)s, '')
"""
_COUNT_IT = "UPDATE urgent_member SET active_orders_count = active_orders_count + 1 WHERE id = %(member)s"


@dataclass(frozen=True)
class Taken:
    """What the taker gets. `contact` is the paid secret and stays out of the representation."""

    contact: str
    executor_count: int
    new_balance: int
    is_repeat: bool = False

    def __repr__(self) -> str:
        return f"Taken(executor_count={self.executor_count}, is_repeat={self.is_repeat})"


def take(*, by: Member, order_id: str, now: datetime | None = None) -> Taken:
    """Reveal the contact to `by` for the price of one take. Repeating is free, in every status of the order (D8).

    Raises, in this order: TooManyTakes, OrderNotFound, OrderNotActive, OrderExpired, OwnOrder, OrderFull,
    NotEnoughBalance; MemberBlocked for a blocked member who has not taken it before.
    """
    limit = Limit(settings.URGENT.takes_per_minute, MINUTE_SECONDS)
    throttle.hit("urgent.takes", by.pk, limit, refusal=errors.TooManyTakes)
    moment = now or timezone.now()
    for _ in range(TRIES):
        taken = _buy(by, order_id, moment) or _look_again(by, order_id, moment)
        if taken:
            return taken
    raise Conflict()


def _buy(by: Member, order_id: str, now: datetime) -> Taken | None:
    """The purchase, or `None` when a condition did not hold and nothing was written."""
    if by.is_blocked:
        return None
    try:
        with transaction.atomic():
            return _claim(by, order_id, now)
    except ledger.NotEnoughBalance:
        raise errors.NotEnoughBalance(price=settings.URGENT.order_take_cost) from None
    except IntegrityError:
        # The same executor at once: the second waited for the row, saw the old takes, and met the unique constraint.
        if not Take.objects.filter(order_id=order_id, executor=by).exists():
            raise
        return None


def _claim(by: Member, order_id: str, now: datetime) -> Taken | None:
    figures = settings.URGENT
    answer_by = now + timedelta(minutes=figures.no_response_close_minutes)
    as_stored = connection.ops.adapt_datetimefield_value
    values: dict[str, Any] = {
        "order": order_id,
        "member": by.pk,
        "now": as_stored(now),
        "answer_by": as_stored(answer_by),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_A_PLACE, values)
        row = cursor.fetchone()
        if row is None:
            return None
        slot, contact, client_id = row
        cursor.execute(_WRITE_THE_TAKE, {**values, "slot": slot, "price": figures.order_take_cost})
        balance = _pay(by, order_id, slot, figures.order_take_cost)
        cursor.execute(_COUNT_IT, {"member": by.pk})
    _announce(order_id, client_id, by.pk, slot)
    return Taken(contact=contact, executor_count=slot, new_balance=balance)


def _pay(by: Member, order_id: str, slot: int, price: int) -> int:
    """Debit the price and return the balance after it, in whole roubles."""
    if not price:
        return people.roubles(by)
    entry = ledger.post(
        by=by,
        holder=by.user,
        book=conf.BOOK,
        amount=Money(Decimal(-price), conf.CURRENCY),
        key=payment_key(order_id, slot),
        reason="order_take",
        house=conf.HOUSE_REVENUE,
        reference=order_id,
    )
    return int(entry.balance_after or 0)


def _announce(order_id: str, client_id: int, executor_id: int, count: int) -> None:
    events.publish(OrderTaken(order_id=order_id, client_id=client_id, executor_id=executor_id, executor_count=count))
    transaction.on_commit(questions.forget_rows)


def _look_again(by: Member, order_id: str, now: datetime) -> Taken | None:
    """Why the purchase did not happen: a repeat is answered, a reason is raised, `None` means try once more."""
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise errors.OrderNotFound()
    if Take.objects.filter(order=order, executor=by).exists():
        return Taken(order.contact, order.takes_count, people.roubles(by), is_repeat=True)
    access.ensure_not_blocked(by)
    if order.is_due(now):
        ran_out = timer.settle(order_id=order_id, now=now)
        ensure(ran_out is None or ran_out.status != Order.Status.EXPIRED, errors.OrderExpired)
        order.refresh_from_db()
    ensure(order.status == Order.Status.ACTIVE, errors.OrderNotActive)
    ensure(order.client_id != by.pk, errors.OwnOrder)
    ensure(order.takes_count < order.max_executors, errors.OrderFull, places=order.max_executors)
    return None


def refund(*, by: Any, take_id: int, reason: str) -> Take:
    """Staff give an executor his money back, whatever became of the order.

    Raises NotAModerator, ReasonNeeded, AlreadyRefunded.
    """
    access.ensure_can_refund(by)
    access.ensure_reason(reason)
    with transaction.atomic():
        take = Take.objects.select_related("executor__user").get(pk=take_id)
        Order.objects.lock(errors.OrderNotFound, pk=take.order_id)
        paid = finish.give_back([take], reason=reason.strip(), by=by)
        ensure(bool(paid), errors.AlreadyRefunded)
    return take
