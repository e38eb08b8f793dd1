"""A storm of notices: half repeats, a tenth forged, shuffled; nothing is granted on a forged or unconfirmed one."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import outcomes, race
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.integrations.sandbox.vendor import Notice
from apps.payments import actions, queries
from apps.payments.models import Payment, PaymentEvent
from apps.payments.tests import cast

PAYMENTS, CALLERS = 60, 6
FATES = ("succeeded", "canceled", "created")


def notices_of(bank: FakeOctoBank, payments: list[Payment], luck: random.Random) -> list[Notice]:
    """Ten notices per payment: the truth and its repeats, and one forgery that claims success."""
    found: list[Notice] = []
    for number, payment in enumerate(payments):
        fate, key = FATES[number % 3], payment.shop_transaction_id
        if fate == "succeeded":
            truth = bank.pay(key)
        elif fate == "canceled":
            truth = bank.cancel(key)
        else:
            truth = bank.notice(bank.find(key))
        found += [truth] * 8
        bank.break_signatures()
        found.append(bank.notice(bank.find(key), status="succeeded"))
        # Signed and untrue, as a replay would be.
        lie = json.loads(truth.body) | {"total_sum": 1, "refunded_sum": 5}
        found.append(replace(truth, body=json.dumps(lie).encode()))
    luck.shuffle(found)
    return found


@pytest.mark.race
def test_every_payment_ends_where_the_bank_says(bank: FakeOctoBank, told: list[Any]) -> None:
    aida = cast.person("aida")
    payments = [cast.start(aida, 1000 + number, reference=str(number)) for number in range(PAYMENTS)]
    notices = notices_of(bank, payments, random.Random(7))  # noqa: S311 - a repeatable shuffle

    def post(caller: int) -> Counter[str]:
        answers: Counter[str] = Counter()
        for notice in notices[caller::CALLERS]:
            try:
                actions.receive_notice(raw=notice.body)
                answers["ok"] += 1
            except actions.NoticeForged:
                answers["forged"] += 1
        return answers

    results = race(CALLERS, post, seconds=120)
    assert outcomes(results) == {"ok": CALLERS}
    assert sum(results, Counter()) == {"ok": PAYMENTS * 9, "forged": PAYMENTS}
    ends = {"succeeded": "paid", "canceled": "cancelled", "created": "pending"}
    for number, payment in enumerate(payments):
        assert cast.fresh(payment).status == ends[FATES[number % 3]], number
    assert Counter(type(fact).__name__ for fact in told) == {"PaymentSettled": 20, "PaymentFailed": 20}
    assert sum((row.captured_amount for row in Payment.objects.all()), Decimal(0)) == sum(
        row.amount for row in payments[::3]
    )
    assert PaymentEvent.objects.filter(result="forged").count() == PAYMENTS
    assert queries.audit().faults == []
