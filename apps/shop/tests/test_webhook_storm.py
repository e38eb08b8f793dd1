"""A thousand notices about a hundred orders: half of them repeats, a tenth forged, shuffled, from several callers.

`make bench` walks ten times as many over HTTP servers and reports how long answers take.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import deliver, race
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.vendor import Notice
from apps.payments import actions as gateway
from apps.payments import queries as money
from apps.payments.models import Payment, PaymentEvent
from apps.shop.actions import payments
from apps.shop.actions.payments import ToPay
from apps.shop.actions.placing import Wish
from apps.shop.models import Customer, Order
from apps.shop.queries import finance
from apps.shop.tests import cast, paying

ORDERS, CALLERS = 100, 6
FATES = ("succeeded", "canceled", "created", "failed")
ENDS = {
    "succeeded": ("paid", "confirmed"),
    "canceled": ("cancelled", "pending"),
    "created": ("pending", "pending"),
    "failed": ("failed", "pending"),
}
PRICE, LEFT = Decimal(1000), 10_000


def notices_of(payment: Payment, fate: str) -> list[Notice]:
    """Ten: three true words, five repeats of the last, a replay that lies about the sums, and a forgery."""
    bank, charge = vendors.octo, vendors.octo.find(payment.shop_transaction_id)
    early = [bank.notice(charge, status="created"), bank.notice(charge, status="wait_user_action")]
    charge.status = fate
    charge.captured = charge.amount if fate == "succeeded" else Decimal(0)
    truth = bank.notice(charge)
    lie = json.loads(truth.body) | {"total_sum": 1, "refunded_sum": 5}
    bank.break_signatures()
    forged = bank.notice(charge, status="succeeded")
    return [*early, *[truth] * 6, replace(truth, body=json.dumps(lie).encode()), forged]


@pytest.mark.race
@pytest.mark.slow
def test_every_order_ends_where_the_bank_says(bobur: Customer) -> None:
    product = cast.slipper(price=str(PRICE), quantity=LEFT)
    begun = [payments.begin(by=bobur, what=ToPay(wishes=(Wish(product.pk, n),), key=f"{n}")) for n in range(1, 101)]
    luck = random.Random(20261121)  # noqa: S311 - a repeatable shuffle
    notices = [notice for n, payment in enumerate(begun) for notice in notices_of(payment, FATES[n % 4])]
    luck.shuffle(notices)
    assert len(notices) == 10 * ORDERS

    def post(caller: int) -> Counter[int]:
        return Counter(paying.tell(notice).status_code for notice in notices[caller::CALLERS])

    answers: list[Any] = race(CALLERS, post, seconds=240)
    assert sum(answers, Counter()) == {200: 9 * ORDERS, 403: ORDERS}
    Payment.objects.exclude(check_at=None).update(check_at=begun[0].created_at)
    gateway.reconcile()  # what was asked too often a second is asked again by the clock
    deliver()
    statuses = dict(Order.objects.values_list("pk", "status"))
    for n, payment in enumerate(begun):
        seen = paying.fresh(payment)
        assert (seen.status, statuses[int(payment.reference)]) == ENDS[FATES[n % 4]], n
    paid = sum(int(payment.amount) for payment in begun[::4])
    assert sum(row.captured_amount for row in Payment.objects.all()) == paid
    assert PaymentEvent.objects.filter(result="forged").count() == ORDERS
    assert paying.fresh(product).quantity == LEFT - sum(range(1, 101))
    assert (finance.mismatches(), money.audit().faults) == ([], [])
