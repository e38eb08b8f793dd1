"""`kill -9` at each marked point of a payment, in a process of its own, against the sandbox over HTTP (issue 3).

What is left must be healed by reconciliation without double money. Runs on PostgreSQL, where a dead process's locks go.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.octo import Charge
from apps.payments import actions, queries
from apps.payments.models import Payment, PaymentEvent, Refund
from apps.payments.tests import cast

pytestmark = [pytest.mark.race, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]

CHILD = """
import json, os, signal, sys
import django
django.setup()
from decimal import Decimal
from apps.core import events
from apps.core.money import Money
from apps.integrations import http
from apps.integrations.ports import port
from apps.payments import actions
from apps.payments.events import PaymentSettled, RefundSettled
from apps.payments.models import Payment

def die(*_args, **_named):
    os.kill(os.getpid(), signal.SIGKILL)

def after(call):
    http.send(call)
    die()

point, deed, given = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
if point == "before the call":
    port("octo")._send = die
if point == "after the call":
    port("octo")._send = after
if point == "before commit":
    events.on(PaymentSettled)(die)
    events.on(RefundSettled)(die)
if deed == "start":
    actions.start(by=None, payer=None, purpose="test.bill", reference="41", amount=Money(Decimal(150000), "UZS"),
                  method="octo", description="Order", key="first", return_url="")
if deed == "notice":
    actions.receive_notice(raw=given["raw"].encode())
if deed == "refund":
    actions.refund(by=None, payment=Payment.objects.get(), amount=Decimal(50000), key="k", reason="returned")
if deed == "capture":
    actions.capture(by=None, payment=Payment.objects.get(), amount=Decimal(90000))
print("survived")
"""


@pytest.fixture
def dies(live_server: Any, settings: Any) -> Any:
    """Run a deed in another process and kill it at a point; the sandbox is this process, over HTTP."""
    settings.SANDBOX_ENABLED = True

    def run(point: str, deed: str, **given: Any) -> None:
        base = connection.settings_dict
        address = f"postgres://{base['USER']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TEST_", "PYTEST"))}
        env = {
            **clean,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "EMBEDDED": "1",
            "DATABASE_URL": address,
            "SANDBOX_URL": live_server.url,
            "PYTHONPATH": str(ROOT),
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-c", CHILD, point, deed, json.dumps(given)]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == -9, done.stderr[-2000:]

    return run


def charge() -> Charge:
    """The one charge of the bank."""
    (only,) = vendors.octo.charges.values()
    return only


def later(minutes: int = 4) -> Any:
    return timezone.now() + timedelta(minutes=minutes)


def start_here() -> Payment:
    return cast.start(None)


@pytest.mark.parametrize("point", ["before the call", "after the call"])
def test_a_start_that_dies(dies: Any, told: list[Any], point: str) -> None:
    dies(point, "start")
    assert Payment.objects.get().status == "created"
    assert len(vendors.octo.charges) == (0 if point == "before the call" else 1)
    payment = start_here()
    assert (payment.status, len(vendors.octo.charges), Payment.objects.count()) == ("pending", 1, 1)
    vendors.octo.pay(charge().uuid)
    actions.reconcile(now=later())
    assert (cast.fresh(payment).status, [type(fact).__name__ for fact in told]) == ("paid", ["PaymentSettled"])


def test_a_start_that_died_and_was_paid_all_the_same(dies: Any, told: list[Any]) -> None:
    dies("after the call", "start")
    vendors.octo.pay(charge().uuid)
    actions.reconcile(now=later())
    payment = Payment.objects.get()
    assert (payment.status, payment.captured_amount, payment.vendor_id) == ("paid", Decimal(150_000), charge().uuid)
    assert len(told) == 1


@pytest.mark.parametrize("point", ["before the call", "after the call", "before commit"])
def test_a_notice_that_dies(dies: Any, told: list[Any], point: str) -> None:
    """Before the call is after the notice: its receipt is kept, nothing has been asked yet."""
    payment = start_here()
    notice = vendors.octo.pay(payment.shop_transaction_id)
    dies(point, "notice", raw=notice.body.decode())
    assert cast.fresh(payment).status == "pending"
    assert PaymentEvent.objects.get().processed_at is None
    actions.reconcile(now=timezone.now())
    seen = cast.fresh(payment)
    assert (seen.status, seen.captured_amount, len(told)) == ("paid", Decimal(150_000), 1)
    actions.receive_notice(raw=notice.body)
    assert (len(told), queries.audit().faults) == (1, [])


@pytest.mark.parametrize("point", ["before the call", "after the call", "before commit"])
def test_a_refund_that_dies(dies: Any, told: list[Any], point: str) -> None:
    payment = start_here()
    vendors.octo.pay(payment.shop_transaction_id)
    actions.ask_gateway(payment)
    dies(point, "refund")
    refund = Refund.objects.get()
    assert (refund.status, cast.fresh(payment).refunding_amount) == ("new", Decimal(50_000))
    actions.reconcile(now=later())
    seen = cast.fresh(payment)
    assert (Refund.objects.get().status, seen.status, seen.refunded_amount) == ("succeeded", "paid", Decimal(50_000))
    assert charge().refunded == Decimal(50_000)
    assert queries.audit().faults == []


@pytest.mark.parametrize("point", ["before the call", "after the call", "before commit"])
def test_a_capture_that_dies(dies: Any, told: list[Any], point: str) -> None:
    payment = cast.start(None, two_stage=True)
    vendors.octo.pay(payment.shop_transaction_id)
    assert actions.ask_gateway(payment).status == "held"
    dies(point, "capture")
    assert (cast.fresh(payment).status, cast.fresh(payment).wish) == ("held", "capture")
    actions.reconcile(now=later())
    seen = cast.fresh(payment)
    assert (seen.status, seen.captured_amount, charge().captured) == ("paid", Decimal(90_000), Decimal(90_000))
    assert queries.audit().faults == []
