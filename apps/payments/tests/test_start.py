"""Asking to be paid."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.core.testing import assert_refused, outcomes, race
from apps.integrations.sandbox import vendors
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.payments import actions
from apps.payments.models import Payment
from apps.payments.tests import cast


def test_the_buyer_is_sent_to_a_page(aida: User, bank: FakeOctoBank) -> None:
    payment = cast.start(aida)
    charge = cast.charge_of(payment)
    assert payment.status == "pending"
    assert payment.pay_url.endswith(f"/octo/pay/{charge.uuid}")
    assert payment.vendor_id == charge.uuid
    assert (charge.amount, charge.currency, charge.description) == (Decimal(150_000), "UZS", "Order #41")
    assert charge.is_two_stage is False


def test_the_same_key_gives_the_same_payment(aida: User, payment: Payment, bank: FakeOctoBank) -> None:
    assert cast.start(aida).pk == payment.pk
    assert len(bank.charges) == 1


def test_the_receipt_goes_where_the_buyer_said_or_to_his_proved_address(aida: User, bank: FakeOctoBank) -> None:
    User.objects.filter(pk=aida.pk).update(email="aida@example.com")
    aida.refresh_from_db()
    told = []
    for number, contact in enumerate((None, actions.Contact(phone="+998 90 123-45-67"), actions.Contact())):
        cast.start(aida, reference=str(number), contact=contact)
        told.append(json.loads(bank.requests[-1]["body"]).get("user_data"))
    assert told == [
        {"user_id": str(aida.pk), "phone": "", "email": "aida@example.com"},
        {"user_id": str(aida.pk), "phone": "998901234567", "email": ""},
        None,
    ]


def test_another_key_uses_the_open_payment_again(aida: User, payment: Payment, bank: FakeOctoBank) -> None:
    again = cast.start(aida, key="second")
    assert (again.pk, again.pay_url) == (payment.pk, payment.pay_url)
    assert len(bank.charges) == 1


def test_another_amount_supersedes_the_open_payment(aida: User, payment: Payment) -> None:
    newer = cast.start(aida, 99_000, key="second")
    assert newer.pk != payment.pk
    assert cast.fresh(payment).is_superseded
    assert cast.fresh(payment).status == "pending"


def test_the_same_key_with_another_amount_is_refused(aida: User, payment: Payment) -> None:
    assert_refused(actions.KeyReused, lambda: cast.start(aida, 1), unchanged=cast.books())


def test_what_is_paid_is_not_paid_again(aida: User, paid: Payment) -> None:
    refused = assert_refused(actions.AlreadyPaid, lambda: cast.start(aida, key="second"), unchanged=cast.books())
    assert (refused.status, refused.code) == (409, "already_paid")


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "1000000000000"])
def test_impossible_amounts_are_refused(aida: User, amount: str) -> None:
    assert_refused(actions.WrongAmount, lambda: cast.start(aida, amount), unchanged=cast.books())


@pytest.mark.parametrize("method", ["bitcoin", "", "OCTO"])
def test_unknown_methods_are_refused(aida: User, method: str) -> None:
    assert_refused(actions.MethodNotOffered, lambda: cast.start(aida, method=method), unchanged=cast.books())


def test_a_method_without_keys_is_not_offered(aida: User, settings: Any) -> None:
    settings.INTEGRATIONS = type(settings.INTEGRATIONS)(**{**vars(settings.INTEGRATIONS), "octo_secret": ""})
    assert_refused(actions.MethodNotOffered, lambda: cast.start(aida), unchanged=cast.books())
    assert actions.offered_methods() == ["payme", "click", "cash"]


def test_a_refusal_of_the_gateway_ends_the_payment_and_stays(aida: User, told: list[Any]) -> None:
    def deed() -> Payment:
        return cast.start(aida, description="")

    for _time in ("first", "again"):
        refused = pytest.raises(actions.GatewayRefused, deed).value
        assert (refused.status, str(refused)) == (400, "Format error: description")
    payment = Payment.objects.get()
    assert (payment.status, payment.note) == ("failed", "Format error: description")
    assert [type(fact).__name__ for fact in told] == ["PaymentFailed"]


def test_a_lost_answer_leaves_the_row_and_the_same_key_finds_the_same_charge(aida: User, bank: FakeOctoBank) -> None:
    bank.lose_next()
    refused = pytest.raises(actions.GatewaySilent, lambda: cast.start(aida)).value
    assert refused.status == 504
    assert Payment.objects.get().status == "created"
    payment = cast.start(aida)
    assert payment.status == "pending"
    assert len(bank.charges) == 1
    assert payment.vendor_id == next(iter(bank.charges))


def test_a_gateway_that_is_down_leaves_the_row(aida: User, bank: FakeOctoBank) -> None:
    bank.fail_next(1, 503)
    assert pytest.raises(actions.GatewayDown, lambda: cast.start(aida)).value.status == 502
    assert Payment.objects.get().status == "created"
    assert bank.charges == {}
    assert cast.start(aida).status == "pending"


def test_two_stages_are_asked_for(aida: User) -> None:
    assert cast.charge_of(cast.start(aida, two_stage=True)).is_two_stage is True


def test_the_fiscal_basket_reaches_octo(aida: User, bank: FakeOctoBank) -> None:
    line = actions.BasketLine("Slipper", 2, Decimal("75000"), spic="06401", package_code="123", vat_percent=12)
    payment = cast.start(aida, basket=[line])
    assert payment.basket == [
        {
            "title": "Slipper",
            "count": 2,
            "price": "75000",
            "spic": "06401",
            "package_code": "123",
            "vat_percent": 12,
            "inn": "",
        }
    ]
    (row,) = json.loads(bank.requests[-1]["body"])["basket"]
    assert row == {
        "position_desc": "Slipper",
        "count": 2,
        "price": 75000,
        "spic": "06401",
        "package_code": "123",
        "nds": 12,
    }


def test_payme_and_click_give_links_and_call_nobody(aida: User) -> None:
    payme = cast.start(aida, method="payme")
    assert payme.status == "pending"
    link = vendors.payme.read_link(payme.pay_url.partition("/checkout/")[2])
    assert (link.account, link.amount) == (payme.shop_transaction_id, 15_000_000)
    click = cast.start(aida, method="click", key="c")
    assert "amount=150000.00" in click.pay_url
    assert f"transaction_param={click.shop_transaction_id}" in click.pay_url


def test_start_does_not_run_inside_a_transaction(transactional_db: None) -> None:
    from django.db import transaction

    aida = cast.person("aida")
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        cast.start(aida)


@pytest.mark.race
def test_twenty_starts_at_once_make_one_payment_and_one_charge(bank: FakeOctoBank) -> None:
    aida = cast.person("aida")
    results = race(20, lambda number: cast.start(aida, key=f"key {number}").pk)
    assert len(set(results)) == 1, outcomes(results)
    assert Payment.objects.count() == 1
    assert len(bank.charges) == 1


def test_the_late_money_of_a_superseded_payment_settles_it(client: Client, aida: User, payment: Payment) -> None:
    cast.start(aida, 99_000, key="second")
    assert cast.pay(client, payment).status == "paid"
