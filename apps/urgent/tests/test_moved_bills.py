"""Bills and stray payments that were made before payments took them over."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from apps.accounts.models import User
from apps.core.models import StepLog
from apps.core.money import Money
from apps.integrations.ports import port
from apps.integrations.sandbox import vendors
from apps.ledger import actions as ledger
from apps.payments import actions as payments
from apps.payments import queries as money
from apps.payments.models import Payment, Refund
from apps.urgent.actions import invoices
from apps.urgent.conf import BOOK
from apps.urgent.models import Invoice
from apps.urgent.queries import balance as queries

BEFORE, AFTER = [("urgent", "0002_cities"), ("payments", "0002_wallets")], [("urgent", "0004_only_wishes")]
NOW = timezone.now()

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def migrate(to: list[tuple[str, str]]) -> Any:
    executor = MigrationExecutor(connection)
    executor.migrate(to)
    return MigrationExecutor(connection).loader.project_state(to).apps


@pytest.fixture
def old() -> Any:
    """The tables as they were, with the person 7001 and no bills."""
    apps = migrate(BEFORE)
    user = apps.get_model("accounts", "User").objects.create(telegram_id=7001, first_name="Бек")
    apps.get_model("urgent", "Member").objects.create(pk=7001, user=user)
    yield apps
    migrate(AFTER)


def bill(old: Any, provider: str, **words: Any) -> Any:
    """A bill of 100 roubles that waits for its money."""
    asked = {"member_id": 7001, "provider": provider, "amount": 100, "expires_at": NOW + timedelta(minutes=30), **words}
    return old.get_model("urgent", "Invoice").objects.create(**asked)


def entry(number: int) -> int:
    """A line of the books, whatever it says: a paid bill must have one."""
    person = User.objects.get(telegram_id=7001)
    return ledger.post(
        by=None,
        holder=person,
        book=BOOK,
        amount=Money(Decimal(100), "RUB"),
        key=f"invoice:{number}",
        reason="recharge",
        house="urgent:topup:stars",
    ).pk


def payment(invoice: Any) -> Payment:
    return queries.payment_of(Invoice.objects.get(pk=invoice.pk))


def test_states_numbers_and_times_come_along(old: Any) -> None:
    paid_at = NOW - timedelta(days=1)
    open_one = bill(old, "crypto_bot", mark="m1", provider_invoice_id=11, pay_url="https://t.me/x", check_at=NOW)
    lost = bill(old, "yukassa", mark="m2", check_at=NOW)
    expired = bill(old, "crypto_bot", mark="m3", provider_invoice_id=12, status="expired", expires_at=paid_at)
    refused = bill(old, "yukassa", mark="m4", status="refused")
    stars = {"stars": 67, "charge_id": "stx1", "payer_id": 7001, "pay_url": "https://t.me/$1"}
    paid = bill(old, "telegram_stars", mark="m5", status="paid", paid_at=paid_at, entry_id=entry(1), **stars)
    stars |= {"charge_id": "stx2", "refunded_at": NOW, "needs_attention": True, "note": "odd"}
    back = bill(old, "telegram_stars", mark="m6", status="refunded", paid_at=paid_at, entry_id=entry(2), **stars)
    StepLog.objects.create(model="urgent.Invoice", object_id=str(paid.pk), from_status="pending", to_status="paid")
    migrate(AFTER)

    found = {row.reference: row for row in Payment.objects.all()}
    bills = (open_one, lost, expired, refused, paid, back)
    assert [found[str(row.pk)].status for row in bills] == [
        *("pending", "created", "cancelled", "failed", "paid", "refunded"),
    ]
    assert [found[str(row.pk)].vendor_id for row in bills] == ["11", None, "12", None, "stx1", "stx2"]
    assert [found[str(row.pk)].shop_transaction_id for row in bills] == ["m1", "m2", "m3", "m4", "m5", "m6"]
    assert [str(found[str(row.pk)].money) for row in bills[3:]] == ["100.00 RUB", "67 XTR", "67 XTR"]
    assert (payment(paid).paid_at, payment(paid).vendor_payer) == (paid_at, "7001")
    assert (payment(back).needs_attention, payment(back).note, payment(back).refunded_amount) == (True, "odd", 67)
    assert [row.amount for row in Refund.objects.all()] == [67]
    assert StepLog.objects.get().object_id == str(payment(paid).pk)
    assert [queries.wire_status(row) for row in Invoice.objects.order_by("pk")] == [
        *("pending", "pending", "expired", "expired", "paid", "paid"),
    ]
    assert [str(fault) for fault in money.audit().faults] == []


def test_late_money_finds_a_bill_that_was_moved(old: Any) -> None:
    asked = {"fiat": "RUB", "description": "Balance top-up", "payload": "m1", "lifetime_seconds": 1800}
    issued = port("crypto").create_invoice(amount=Decimal(100), **asked).invoice_id
    moved = bill(old, "crypto_bot", mark="m1", provider_invoice_id=issued, status="expired", expires_at=NOW)
    migrate(AFTER)
    notice = vendors.cryptobot.pay(issued)
    invoices.receive_notice(raw=notice.body, signature=notice.headers["crypto-pay-api-signature"])
    assert payment(moved).status == "paid"
    assert queries.balance(Invoice.objects.get().member) == 100


def test_strays_are_payments_that_go_back(old: Any) -> None:
    named = bill(old, "telegram_stars", mark="m1", stars=67, pay_url="https://t.me/$1", check_at=NOW)
    strays = old.get_model("urgent", "StrayPayment").objects
    words = {"provider": "telegram_stars", "telegram_id": 7001, "amount": 67}
    strays.create(charge_id="gone", returned_at=NOW, **words)
    strays.create(charge_id="waits", invoice=named, **words)
    migrate(AFTER)
    gone, waits = (Payment.objects.get(vendor_id=name) for name in ("gone", "waits"))
    assert (gone.status, gone.purpose, gone.is_surplus) == ("refunded", "stray", True)
    assert (waits.status, waits.reference, waits.currency) == ("paid", str(named.pk), "XTR")
    assert payment(named).status == "pending"
    vendors.telegram.transactions.append(
        {
            "id": "waits",
            "amount": 67,
            "date": int(NOW.timestamp()),
            "source": {"type": "user", "user": {"id": 7001}, "invoice_payload": "m1"},
        }
    )
    payments.reconcile(now=timezone.now() + timedelta(seconds=30))
    waits.refresh_from_db()
    assert waits.status == "refunded"
    assert (payment(named).status, payment(named).needs_attention) == ("pending", False)
