"""The ways in which an order leaves `active`, with what each owes to clients and takers (contract urgent 3.3, D6, D7).

Callers hold the order's row. Locks follow in one direction: order, then wallets, then members, each by ascending id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from apps.core import events, states
from apps.core.money import Money
from apps.ledger import actions as ledger
from apps.urgent import conf
from apps.urgent.actions import members
from apps.urgent.events import TakeRefunded
from apps.urgent.models import Order, Take
from apps.urgent.queries import members as people

UNANSWERED = "The client did not answer"


def expire(order: Order) -> Order:
    """The lifetime is over. Takers who never got an answer have their money back, if the operator wants it so (D7)."""
    owed = settings.URGENT.refund_on_expiry and order.customer_responded_at is None
    return _leave(order, Order.Status.EXPIRED, by=None, refund=owed)


def expire_untaken(orders: Sequence[Order]) -> None:
    """Many orders that nobody took have run out: no money moves, so they may end together."""
    states.step_all(orders, Order.Status.EXPIRED, by=None)
    members.release(ended=Counter(order.client_id for order in orders))


def close_unanswered(order: Order) -> Order:
    """The time to answer is over: every taker has his money back."""
    return _leave(order, Order.Status.CLOSED_NO_RESPONSE, by=None, refund=True)


def close(order: Order, by: Any) -> Order:
    """The client gives up. Without an answer the takers have their money back, so closing early saves nothing (D6)."""
    return _leave(order, Order.Status.CLOSED_NO_RESPONSE, by=by, refund=order.customer_responded_at is None)


def complete(order: Order, by: Any) -> Order:
    """The work is done: one more completed order for the client and for every taker."""
    return _leave(order, Order.Status.COMPLETED, by=by, refund=False, completed=1)


def _leave(order: Order, to: str, *, by: Any, refund: bool, completed: int = 0) -> Order:
    takes = _takes_of(order) if order.takes_count else []
    if refund:
        give_back(takes, reason=UNANSWERED)
    finished = states.step(order, to, by=by)
    members.shift(ids=[order.client_id, *(take.executor_id for take in takes)], active=-1, completed=completed)
    return finished


def _takes_of(order: Order) -> list[Take]:
    """By ascending executor: wallets are locked in one order whichever orders end at the same time."""
    return list(Take.objects.filter(order=order).select_related("executor__user").order_by("executor_id"))


def give_back(takes: Sequence[Take], *, reason: str, by: Any = None) -> list[Take]:
    """Pay takes back, each at most once, at the price that was paid for it. Returns those that were paid now."""
    return [take for take in takes if _give_back_one(take, reason, by)]


def _give_back_one(take: Take, reason: str, by: Any) -> bool:
    now = timezone.now()
    if not Take.objects.filter(pk=take.pk, refunded_at=None).update(refunded_at=now, refund_reason=reason):
        return False
    if take.price:
        ledger.post(
            by=by,
            holder=people.holder_of(take.executor),
            book=conf.BOOK,
            amount=Money(Decimal(take.price), conf.CURRENCY),
            key=take.refund_key,
            reason="refund",
            house=conf.HOUSE_REVENUE,
            reference=take.order_id,
        )
    take.refunded_at, take.refund_reason = now, reason
    events.publish(TakeRefunded(order_id=take.order_id, executor_id=take.executor_id, amount=take.price, reason=reason))
    return True
