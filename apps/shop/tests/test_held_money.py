"""Two stages (contract shop 1.7 capture and cancel, 4.4 `waiting_for_capture`; D11): held, then taken or let go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core.testing import deliver, race
from apps.integrations.sandbox import vendors
from apps.payments.models import Payment
from apps.shop.actions import expiry, orders
from apps.shop.models import Customer, Order
from apps.shop.tests import paying
from apps.shop.tests.cast import Caller


@pytest.fixture(autouse=True)
def _two_stages(settings: Settings) -> None:
    settings.PAYMENTS = replace(settings.PAYMENTS, octo_auto_capture=False)


@pytest.fixture
def order(bobur: Customer) -> Order:
    """Three of ten pieces, 150 000 soum, unpaid."""
    return paying.ordered(bobur)


@pytest.fixture
def held(bobur: Customer, order: Order) -> Payment:
    """The money is set aside at the bank."""
    payment = paying.begun(bobur, order)
    answer = paying.tell(vendors.octo.pay(payment.shop_transaction_id))
    assert (answer.status_code, answer.json()) == (200, {"ok": True})  # nobody has decided yet
    return paying.fresh(payment)


def deed(anora: Customer, payment: Payment, verb: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    answer = Caller(anora).post(f"payments/octo/{payment.vendor_id}/{verb}", body)
    return answer.status_code, answer.json()


def test_held_money_confirms_nothing_and_keeps_the_goods(order: Order, held: Payment) -> None:
    assert (held.status, paying.fresh(order).status, paying.left(order)) == ("held", "pending", 7)
    hour = timezone.now() + timedelta(hours=1)
    assert expiry.expire_unpaid(now=hour) == 0
    assert paying.fresh(order).status == "pending"


def test_all_of_it_is_taken(anora: Customer, order: Order, held: Payment) -> None:
    status, body = deed(anora, held, "capture")
    told = {name: body[name] for name in ("order_id", "status", "amount", "captured_amount", "currency")}
    assert (status, told) == (
        200,
        {"order_id": order.pk, "status": "paid", "amount": 150000, "captured_amount": 150000, "currency": "UZS"},
    )
    assert (paying.fresh(order).status, paying.charge_of(held).captured) == ("confirmed", 150_000)


def test_a_part_is_taken_and_only_that_can_go_back(anora: Customer, order: Order, held: Payment) -> None:
    status, body = deed(anora, held, "capture", {"amount": 90000})
    assert (status, body["captured_amount"], paying.charge_of(held).captured) == (200, 90000, 90_000)
    assert paying.fresh(order).status == "confirmed"
    assert Caller(anora).post(paying.REFUND, {"order_id": order.pk, "amount": 90001}).status_code == 422
    assert Caller(anora).post(paying.REFUND, {"order_id": order.pk}).json()["refunded_amount"] == 90000
    assert paying.fresh(order).status == "refunded"


def test_taking_twice_is_free_another_amount_is_409(anora: Customer, held: Payment) -> None:
    assert deed(anora, held, "capture", {"amount": 90000})[0] == 200
    calls = len(vendors.octo.requests)
    assert deed(anora, held, "capture", {"amount": 90000})[0] == 200
    assert deed(anora, held, "capture")[0] == 409
    assert (len(vendors.octo.requests), paying.charge_of(held).captured) == (calls, 90_000)


def test_it_is_let_go_and_the_order_waits(anora: Customer, bobur: Customer, order: Order, held: Payment) -> None:
    status, body = deed(anora, held, "cancel")
    assert (status, body["status"], paying.charge_of(held).status) == (200, "cancelled", "canceled")
    assert paying.fresh(order).status == "pending"
    assert paying.begun(bobur, order).pk != held.pk


@pytest.mark.parametrize("amount", [0, -1, 150_000.01, 0.001, "x"])
def test_impossible_amounts_are_422(anora: Customer, held: Payment, amount: Any) -> None:
    before = paying.books()
    assert deed(anora, held, "capture", {"amount": amount})[0] == 422
    assert paying.books() == before


@pytest.mark.parametrize("verb", ["capture", "cancel"])
def test_who_may_not_and_what_cannot(
    anora: Customer, bobur: Customer, farid: Customer, order: Order, held: Payment, verb: str
) -> None:
    other = paying.begun(bobur, paying.ordered(bobur))
    before = paying.books()
    assert (deed(bobur, held, verb)[0], deed(farid, held, verb)[0]) == (403, 403)
    assert Caller().post(f"payments/octo/{held.vendor_id}/{verb}").status_code == 401
    assert Caller(anora).post(f"payments/octo/no-such/{verb}").status_code == 404
    status, body = deed(anora, other, verb)
    assert (status, body["detail"]) == (409, "The payment is not held")
    assert paying.books() == before


def test_d12_an_order_with_held_money_is_not_paid_twice(bobur: Customer, order: Order, held: Payment) -> None:
    before = paying.books()
    told = paying.detail(Caller(bobur).post(paying.CREATE, {"order_id": order.pk}))
    assert told == (409, "Already paid")
    assert paying.books()[0] == before[0]


def test_money_held_for_an_order_that_is_over_is_let_go_at_once(bobur: Customer, order: Order) -> None:
    payment = paying.begun(bobur, order)
    orders.cancel(by=bobur, order_id=order.pk)
    answer = paying.tell(vendors.octo.pay(payment.shop_transaction_id))
    deliver()
    assert answer.json() == {"accept_status": "cancel"}
    assert (paying.charge_of(payment).status, paying.fresh(payment).status) == ("canceled", "cancelled")
    assert paying.fresh(order).status == "cancelled"


@pytest.mark.parametrize("who", ["bobur", "anora"])
def test_money_held_for_an_order_that_a_person_gives_up_is_let_go(
    request: pytest.FixtureRequest, who: str, order: Order, held: Payment
) -> None:
    orders.cancel(by=request.getfixturevalue(who), order_id=order.pk)
    deliver()
    assert (paying.charge_of(held).status, paying.fresh(held).status) == ("canceled", "cancelled")
    assert (paying.fresh(order).status, paying.left(order)) == ("cancelled", 10)


@pytest.mark.race
def test_money_that_is_held_while_its_order_is_given_up_never_stays_held(bobur: Customer) -> None:
    for _time in range(6):
        order = paying.ordered(bobur)
        payment = paying.begun(bobur, order)
        notice = vendors.octo.pay(payment.shop_transaction_id)
        deeds: list[Callable[[], Any]] = [
            partial(paying.tell, notice),
            partial(orders.cancel, by=bobur, order_id=order.pk),
        ]
        race(2, lambda number, deeds=deeds: deeds[number]())  # type: ignore[misc]
        deliver()
        assert (paying.fresh(order).status, paying.left(order)) == ("cancelled", 10)
        assert (paying.charge_of(payment).status, paying.fresh(payment).status) == ("canceled", "cancelled")


def test_money_that_is_being_taken_when_its_order_is_given_up_comes_back(
    anora: Customer, bobur: Customer, order: Order, held: Payment
) -> None:
    vendors.octo.fail_next(1, 503)
    deed(anora, held, "capture")  # decided; the bank does not know yet
    orders.cancel(by=bobur, order_id=order.pk)
    deliver()
    assert paying.fresh(held).wish == "capture"
    paying.may_ask_again()
    answer = paying.tell(vendors.octo.notice(paying.charge_of(held)))
    assert answer.json()["accept_status"] == "capture"
    vendors.octo.capture(paying.charge_of(held), paying.som(150000))
    paying.may_ask_again()
    paying.tell(vendors.octo.notice(paying.charge_of(held)))
    deliver()
    assert (paying.fresh(held).status, paying.fresh(held).refunded_amount) == ("refunded", paying.som(150000))


def test_the_bank_s_answer_names_what_was_decided(anora: Customer, held: Payment) -> None:
    vendors.octo.fail_next(1, 503)
    assert deed(anora, held, "capture", {"amount": 90000})[1]["status"] == "held"  # decided; the bank does not know yet
    paying.may_ask_again()
    answer = paying.tell(vendors.octo.notice(paying.charge_of(held)))
    assert answer.json() == {"accept_status": "capture", "final_amount": 90000}


def test_d11_one_stage_money_that_is_held_all_the_same_is_taken(
    bobur: Customer, order: Order, settings: Settings
) -> None:
    settings.PAYMENTS = replace(settings.PAYMENTS, octo_auto_capture=True)
    payment = paying.begun(bobur, order)
    paying.charge_of(payment).status = "waiting_for_capture"
    answer = paying.tell(vendors.octo.notice(paying.charge_of(payment)))
    assert answer.json() == {"accept_status": "capture", "final_amount": 150000}
    assert (paying.fresh(payment).status, paying.fresh(order).status) == ("paid", "confirmed")
