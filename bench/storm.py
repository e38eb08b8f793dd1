"""10,000 notices about 1,000 payments: half repeats, a tenth forged, shuffled; all end where the bank says."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from apps.payments import actions as gateway
from apps.payments import queries as money
from apps.payments.models import Payment, PaymentEvent
from apps.portal.tests.processes import OCTO_UNIQUE_KEY
from apps.shop.actions import payments, placing
from apps.shop.actions.payments import ToPay
from apps.shop.actions.placing import Wish
from apps.shop.models import Customer, Order
from bench import buyers, clients
from bench.stage import Stage

PAYMENTS, PAYERS, CLIENTS = 1_000, 50, 16
REPEATS = 5
"""Of ten notices of a payment; four are different, one is forged."""

LONGEST_SECONDS = 900
PATH = "/shop/payments/octo/notify"


@dataclass(frozen=True)
class Fate:
    """What the bank did with a payment: by which call, in which word, and how payment and order must end."""

    call: str
    word: str
    lie: str
    payment: str
    order: str


FATES = (
    Fate("pay", "succeeded", "canceled", Payment.Status.PAID, Order.Status.CONFIRMED),
    Fate("cancel", "canceled", "succeeded", Payment.Status.CANCELLED, Order.Status.PENDING),
    Fate("", "waiting_user_action", "succeeded", Payment.Status.PENDING, Order.Status.PENDING),
)


def run(at: Stage) -> None:
    """Begin to pay, let the bank act in silence, then let all notices loose at once."""
    at.title(f"Storm: {10 * PAYMENTS} notices about {PAYMENTS} payments, {CLIENTS} clients, 2 web workers")
    at.house.start("sandbox")
    at.house.wait_for("sandbox", f"{at.house.sandbox}/__sandbox/messages")
    begun = _begun(buyers.bring("Payer", PAYERS))
    _act(at, begun)
    notices = [notice for number, payment in enumerate(begun) for notice in _notices(payment, _fate(number))]
    random.shuffle(notices)
    heard = clients.run(at.house.ports["web"], _dealt(notices), seconds=LONGEST_SECONDS)
    at.say("answers", f"{dict(heard.statuses)}")
    at.say("rate (notices/s, median / p99 ms)", _figures(heard))
    if heard.statuses != {200: 9 * PAYMENTS, 403: PAYMENTS}:
        raise SystemExit("the storm was answered otherwise")
    at.say("open questions asked afterwards", f"{_settled()}")
    _assert_ends(begun)
    at.say("every payment and order where the bank says, nothing on a forged or unconfirmed notice, audit clean", "ok")
    at.house.kill("sandbox")


def _figures(heard: clients.Heard) -> str:
    return f"{heard.rate:.0f}, {heard.percentile(0.5):.0f} / {heard.percentile(0.99):.0f}"


def _fate(number: int) -> Fate:
    return FATES[number % len(FATES)]


def _begun(payers: list[Customer]) -> list[Payment]:
    """Orders of one piece each, waiting on the bank's page."""
    [product] = buyers.stock("Storm", 1, PAYMENTS)
    found = []
    for number in range(PAYMENTS):
        payer = payers[number % PAYERS]
        order = placing.place(by=payer, wishes=[Wish(product, 1)])
        found.append(payments.begin(by=payer, what=ToPay(order_id=order.pk)))
    return found


def _act(at: Stage, begun: list[Payment]) -> None:
    with httpx.Client(base_url=f"{at.house.sandbox}/__sandbox/octo/control", timeout=30) as bank:
        for number, payment in enumerate(begun):
            if call := _fate(number).call:
                told = {"shop_transaction_id": payment.shop_transaction_id, "silent": True}
                bank.post(f"/{call}", json=told).raise_for_status()


def _notices(payment: Payment, fate: Fate) -> list[bytes]:
    """Four different ones, signed, of which one is not true; repeats of them; one with a signature of nobody."""
    words = ["created", "wait_user_action", fate.word, fate.lie]
    words += random.choices(words, k=REPEATS)
    return [*(_notice(payment, word) for word in words), _notice(payment, "succeeded", key="of-nobody")]


def _notice(payment: Payment, word: str, key: str = OCTO_UNIQUE_KEY) -> bytes:
    signed = hashlib.sha1(f"{key}{payment.vendor_id}{word}".encode()).hexdigest()  # noqa: S324 - OCTO's own
    body = {
        "shop_transaction_id": payment.shop_transaction_id,
        "octo_payment_UUID": payment.vendor_id,
        "status": word,
        "signature": signed.upper(),
        "hash_key": "bench",
    }
    return clients.request("POST", PATH, body=json.dumps(body).encode())


def _dealt(notices: list[bytes]) -> list[Iterator[bytes]]:
    return [iter(notices[number::CLIENTS]) for number in range(CLIENTS)]


def _settled() -> int:
    """The schedule's part: ask about payments whose notices came too soon after one another. How many were asked."""
    asked = 0
    for _round in range(20):
        time.sleep(1.2)
        found = gateway.reconcile()["payments"]
        asked += found
        if not found:
            break
    return asked


def _assert_ends(begun: list[Payment]) -> None:
    ended = dict(Payment.objects.filter(pk__in=[payment.pk for payment in begun]).values_list("pk", "status"))
    orders = dict(Order.objects.values_list("pk", "status"))
    wrong = [
        payment.pk
        for number, payment in enumerate(begun)
        if (ended[payment.pk], orders[int(payment.reference)]) != (_fate(number).payment, _fate(number).order)
    ]
    taken = Counter(Payment.objects.filter(captured_amount__gt=0).values_list("status", flat=True))
    forged = PaymentEvent.objects.filter(result="forged").count()
    paid = len(range(0, PAYMENTS, len(FATES)))
    if wrong or taken != {"paid": paid} or forged != PAYMENTS or money.audit().faults:
        raise SystemExit(f"wrong: {wrong[:10]} {dict(taken)} {forged} {money.audit().faults[:5]}")
