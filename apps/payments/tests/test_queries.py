"""What products and staff ask: of one thing, of a day, and whether it all fits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.core.testing import query_budget
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.payments import actions, queries, tasks
from apps.payments.models import Payment, Refund
from apps.payments.tests import cast


def test_of_lists_the_newest_first(client: Client, aida: User, payment: Payment, bank: FakeOctoBank) -> None:
    cast.post_notice(client, bank.cancel(payment.shop_transaction_id))
    second = cast.start(aida, key="second")
    assert list(queries.of("test.bill", "41")) == [second, payment]
    assert list(queries.of("test.bill", "4")) == []
    assert queries.settled_of("test.bill", "41") is None
    cast.pay(client, second)
    assert queries.settled_of("test.bill", "41") == second


def test_a_later_failure_does_not_hide_the_paid_one(client: Client, aida: User, paid: Payment) -> None:
    """Contract shop 3.4, the finance view."""
    Payment.objects.create(
        **{name: getattr(paid, name) for name in ("purpose", "reference", "payer", "method", "amount", "currency")},
        key="later",
        fingerprint="x",
        status="failed",
        expires_at=timezone.now(),
    )
    other = cast.start(aida, reference="42")
    with query_budget(2):
        assert queries.latest_of("test.bill", ["41", "42", "43"]) == {"41": paid, "42": other}


def test_by_gateway_number(paid: Payment) -> None:
    assert queries.by_gateway_number("octo", paid.vendor_id or "") == paid
    assert queries.by_gateway_number("click", paid.vendor_id or "") is None
    assert queries.by_gateway_number("octo", "\x00") is None


def test_paid_references(client: Client, aida: User, paid: Payment) -> None:
    cast.start(aida, reference="42")
    assert list(queries.paid_references("test.bill")) == ["41"]


def test_settled_references_keep_what_went_back(client: Client, aida: User, paid: Payment) -> None:
    cast.start(aida, reference="42")
    actions.refund(by=None, payment=paid, amount=None, key="k", reason="returned")
    assert list(queries.paid_references("test.bill")) == []
    assert list(queries.settled_references("test.bill")) == ["41"]
    Payment.objects.filter(pk=paid.pk).update(is_surplus=True)
    assert list(queries.settled_references("test.bill")) == []


def test_the_days_add_up_to_the_tiyin(client: Client, aida: User, paid: Payment) -> None:
    cast.pay(client, cast.start(aida, "0.10", reference="42"))
    cast.pay(client, cast.start(aida, "0.20", reference="43"))
    actions.refund(by=None, payment=paid, amount=Decimal("0.01"), key="k", reason="returned")
    with query_budget(2):
        (row,) = queries.by_day()
    assert (row.method, row.paid_count, row.turnover) == ("octo", 3, Decimal("150000.30"))
    assert (row.refund_count, row.refunded) == (1, Decimal("0.01"))
    report = queries.daily_report()
    assert report.rows == [row]
    assert (report.open_count, report.held_count, report.waiting_refunds, report.faults) == (0, 0, 0, [])
    assert queries.by_day(currency="USD") == []
    assert queries.by_day(now=timezone.now() + timedelta(days=40)) == []


def test_a_timeline_tells_everything(client: Client, paid: Payment) -> None:
    actions.refund(by=None, payment=paid, amount=None, key="k", reason="returned")
    lines = [(row.kind, row.what) for row in queries.timeline(paid)]
    assert [kind for kind, _what in lines].count("refund") == 1
    assert ("step", "created → pending start") in lines
    assert ("step", "pending → paid notice") in lines
    assert ("step", "paid → refunded returned") in lines
    with query_budget(6):
        queries.timeline(paid)


def test_a_clean_house_has_no_faults(client: Client, paid: Payment) -> None:
    actions.refund(by=None, payment=paid, amount=Decimal(5), key="k", reason="returned")
    with query_budget(7):
        report = queries.audit()
    assert (report.checked, report.faults) == (1, [])
    assert tasks.audit_payments() == 0


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"refunding_amount": Decimal(7)}, "the refunds do not add up"),
    ({"refunded_amount": Decimal(4), "refunding_amount": Decimal(5)}, "the refunds do not add up"),
    ({"is_surplus": True}, "a second settled payment of the same thing keeps its money"),
    ({"vendor_id": None}, "settled without a gateway's number"),
    ({"status": "pending", "check_at": None}, "open, and nobody will ask about it"),
]


@pytest.mark.parametrize(("broken", "what"), FAULTS)
def test_the_audit_finds(paid: Payment, broken: dict[str, Any], what: str) -> None:
    actions.refund(by=None, payment=paid, amount=Decimal(5), key="k", reason="returned")
    Payment.objects.filter(pk=paid.pk).update(**broken)
    assert [str(fault) for fault in queries.audit().faults] == [f"payment {paid.pk}: {what}"]
    assert tasks.audit_payments() == 1


def test_the_audit_finds_a_refund_that_waits(paid: Payment, bank: FakeOctoBank) -> None:
    bank.refund_word = "pending"
    actions.refund(by=None, payment=paid, amount=Decimal(5), key="k", reason="returned")
    Refund.objects.update(created_at=timezone.now() - timedelta(days=4))
    assert [fault.what for fault in queries.audit().faults] == ["a refund waits for more than three days"]


def test_one_page_of_a_purpose(aida: User) -> None:
    made = [cast.start(aida, reference=str(number)) for number in range(3)]
    cast.start(aida, purpose="test.other", reference="0")
    with query_budget(2):
        rows, total = queries.listed(cast.PURPOSE, skip=1, limit=1)
    assert ([row.pk for row in rows], total) == ([made[1].pk], 3)
    assert [row.pk for row in queries.listed(cast.PURPOSE, reference="2")[0]] == [made[2].pk]
    assert queries.listed(cast.PURPOSE, status="paid") == ([], 0)
