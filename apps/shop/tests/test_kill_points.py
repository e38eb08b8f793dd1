"""`kill -9` of a web or worker process at each marked point between order and money, against the sandbox over HTTP.

What is left is healed by the schedule alone: no order without its money, no money without its order, no piece sold
twice.
Runs on PostgreSQL, where a dead process's locks go.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.core.testing import deliver
from apps.integrations.sandbox import vendors
from apps.payments import actions as gateway
from apps.payments import queries as money
from apps.payments.models import Payment, PaymentEvent, Refund
from apps.shop.actions import expiry, orders, payments
from apps.shop.actions.payments import ToPay
from apps.shop.models import Customer, Order, Slipper
from apps.shop.queries import finance
from apps.shop.tests import cast, paying

pytestmark = [pytest.mark.race, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]

CHILD = """
import json, os, signal, sys
import django
django.setup()
from django.utils import timezone
from apps.core import events
from apps.integrations import http
from apps.integrations.ports import port
from apps.payments import actions as gateway
from apps.payments.events import PaymentSettled, RefundSettled
from apps.shop.actions import expiry, payments, placing
from apps.shop.actions.payments import ToPay
from apps.shop.actions.placing import Wish
from apps.shop.events import OrderCancelled, OrderConfirmed, OrderPlaced, OrderRefunded
from apps.shop.models import Customer

def die(*_args, **_named):
    os.kill(os.getpid(), signal.SIGKILL)

def after(call):
    http.send(call)
    die()

point, deed, given = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
by = Customer.objects.select_related("user").get(pk=given["by"]) if "by" in given else None
if point == "before the call":
    port("octo")._send = die
if point == "after the call":
    port("octo")._send = after
if point == "before commit":
    for fact in (OrderPlaced, OrderConfirmed, OrderCancelled, OrderRefunded):
        events.on(fact)(die)
if point == "between money and order":
    for fact in (PaymentSettled, RefundSettled):
        events._now[fact.label()].insert(0, die)
if deed == "pay the cart":
    payments.begin(by=by, what=ToPay())
if deed == "notice":
    gateway.receive_notice(raw=given["raw"].encode())
if deed == "refund":
    payments.refund(by=by, order_id=given["order"], key="k")
if deed == "reconcile":
    gateway.reconcile(now=timezone.datetime.fromisoformat(given["now"]))
if deed == "expire":
    expiry.expire_unpaid(now=timezone.datetime.fromisoformat(given["now"]))
if point == "after the notice":
    die()
print("survived")
"""


@pytest.fixture
def dies(live_server: Any, settings: Any) -> Any:
    """Run a deed in another process and kill it at a point; the bank is this process, over HTTP."""
    settings.SANDBOX_ENABLED = True

    def run(point: str, deed: str, **given: Any) -> None:
        base = connection.settings_dict
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TEST_", "PYTEST"))}
        env = {
            **clean,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "EMBEDDED": "1",
            "DATABASE_URL": f"postgres://{base['USER']}@{base['HOST']}:{base['PORT']}/{base['NAME']}",
            "SANDBOX_URL": live_server.url,
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-c", CHILD, point, deed, json.dumps(given)]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == -9, done.stdout + done.stderr[-2000:]

    return run


@pytest.fixture
def product(db: None) -> Slipper:
    """Ten pieces at 50 000 soum."""
    return cast.slipper(quantity=10)


@pytest.fixture
def order(bobur: Customer, product: Slipper) -> Order:
    """Three of the ten are in the cart; the bank's page is open."""
    paying.fill_cart(bobur, (product, 3))
    payments.begin(by=bobur, what=ToPay())
    return Order.objects.get()


def later(minutes: int = 4) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)


def schedule(now: datetime) -> None:
    """What the clock starts by itself."""
    gateway.reconcile(now=now)
    deliver()
    gateway.reconcile(now=now + timedelta(minutes=4))
    expiry.expire_unpaid(now=now)


def as_they_should_be(order: Order, *, paid: bool, left: int, cart: dict[int, int]) -> None:
    """Order, shelf, cart, bank and books agree."""
    (charge,) = vendors.octo.charges.values()
    assert (paying.left(order), paying.cart_of(order.customer)) == (left, cart)
    assert charge.captured - charge.refunded == (150_000 if paid else 0)
    assert (finance.mismatches(), money.audit().faults) == ([], [])


@pytest.mark.parametrize("point", ["before commit", "before the call", "after the call"])
def test_paying_that_dies_is_begun_again_with_the_same_order(
    dies: Any, bobur: Customer, product: Slipper, point: str
) -> None:
    paying.fill_cart(bobur, (product, 3))
    dies(point, "pay the cart", by=bobur.pk)
    survived = point != "before commit"
    assert (Order.objects.count(), paying.fresh(product).quantity) == ((1, 7) if survived else (0, 10))
    payment = payments.begin(by=bobur, what=ToPay())
    assert (Order.objects.count(), Payment.objects.count(), len(vendors.octo.charges)) == (1, 1, 1)
    paying.tell(vendors.octo.pay(payment.shop_transaction_id))
    order = Order.objects.get()
    assert order.status == "confirmed"
    as_they_should_be(order, paid=True, left=7, cart={})


@pytest.mark.parametrize("point", ["before the call", "after the call"])
def test_paying_that_dies_and_is_left_alone_frees_the_goods(
    dies: Any, bobur: Customer, product: Slipper, point: str
) -> None:
    paying.fill_cart(bobur, (product, 3))
    dies(point, "pay the cart", by=bobur.pk)
    for minutes in (25, 32, 60):
        schedule(later(minutes))
    assert (Order.objects.get().status, Payment.objects.get().status) == ("cancelled", "cancelled")
    assert (paying.fresh(product).quantity, paying.cart_of(bobur)) == (10, {product.pk: 3})


def test_paying_that_died_and_was_paid_all_the_same(dies: Any, bobur: Customer, product: Slipper) -> None:
    paying.fill_cart(bobur, (product, 3))
    dies("after the call", "pay the cart", by=bobur.pk)
    (charge,) = vendors.octo.charges.values()
    vendors.octo.pay(charge.uuid)
    schedule(later())
    order = Order.objects.get()
    assert order.status == "confirmed"
    as_they_should_be(order, paid=True, left=7, cart={})


@pytest.mark.parametrize(
    "point", ["before the call", "after the call", "between money and order", "before commit", "after the notice"]
)
def test_a_notice_that_dies_confirms_once(dies: Any, order: Order, product: Slipper, point: str) -> None:
    notice = vendors.octo.pay(paying.payment_of(order).shop_transaction_id)
    dies(point, "notice", raw=notice.body.decode())
    is_done = point == "after the notice"
    assert paying.fresh(order).status == ("confirmed" if is_done else "pending")
    assert (PaymentEvent.objects.get().processed_at is not None) == is_done
    schedule(timezone.now())
    assert paying.fresh(order).status == "confirmed"
    paying.fill_cart(order.customer, (product, 2))
    paying.may_ask_again()
    assert paying.tell(notice).status_code == 200
    as_they_should_be(order, paid=True, left=7, cart={product.pk: 2})


@pytest.mark.parametrize("point", ["before the call", "after the call", "between money and order", "before commit"])
def test_a_worker_that_dies_while_asking_confirms_in_the_next_round(dies: Any, order: Order, point: str) -> None:
    vendors.octo.pay(paying.payment_of(order).shop_transaction_id)
    dies(point, "reconcile", now=later().isoformat())
    assert paying.fresh(order).status == "pending"
    schedule(later(10))
    assert paying.fresh(order).status == "confirmed"
    as_they_should_be(order, paid=True, left=7, cart={})


@pytest.mark.parametrize("point", ["before the call", "after the call", "between money and order", "before commit"])
def test_a_refund_that_dies_gives_back_once(dies: Any, anora: Customer, order: Order, point: str) -> None:
    paying.tell(vendors.octo.pay(paying.payment_of(order).shop_transaction_id))
    dies(point, "refund", by=anora.pk, order=order.pk)
    assert (Refund.objects.get().status, paying.fresh(order).status) == ("new", "confirmed")
    schedule(later())
    assert (Refund.objects.get().status, paying.fresh(order).status) == ("succeeded", "refunded")
    assert payments.refund(by=anora, order_id=order.pk, key="k").status == "succeeded"
    as_they_should_be(order, paid=False, left=10, cart={})


def test_late_money_that_nobody_wants_goes_back_although_the_worker_died(dies: Any, order: Order) -> None:
    orders.cancel(by=order.customer, order_id=order.pk)
    notice = vendors.octo.pay(paying.payment_of(order).shop_transaction_id)
    dies("after the notice", "notice", raw=notice.body.decode())
    schedule(later())
    assert (paying.payment_of(order).status, paying.fresh(order).status) == ("refunded", "cancelled")
    assert paying.left(order) == 10
    assert vendors.octo.find(paying.payment_of(order).shop_transaction_id).refunded == 150_000


def test_a_sweep_that_dies_frees_the_goods_once(dies: Any, order: Order) -> None:
    gateway.fail(payment_id=paying.payment_of(order).pk, status="cancelled", reason="expired")
    dies("before commit", "expire", now=later(31).isoformat())
    assert (paying.fresh(order).status, paying.left(order)) == ("pending", 7)
    for _ in range(2):
        expiry.expire_unpaid(now=later(31))
    assert (paying.fresh(order).status, paying.left(order)) == ("cancelled", 10)
