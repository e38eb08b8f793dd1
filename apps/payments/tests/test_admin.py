"""The back office: lists in a constant number of queries, every button one action, rights and reasons."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.integrations.sandbox.octo import FakeOctoBank
from apps.payments import actions
from apps.payments.models import Payment, PaymentEvent, Refund
from apps.payments.tests import cast

LISTS = ("payment", "refund", "paymentevent")


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Any) -> None:
    """The second factor has tests of its own."""
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


def at_work(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def desk(db: None) -> Client:
    return at_work(User.objects.create_superuser(username="boss", password="a-long-password-1"))


def cost(desk: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert desk.get(url).status_code == 200
    return len(seen)


@pytest.mark.parametrize("name", LISTS)
def test_lists_cost_a_constant_number_of_queries(
    client: Client, desk: Client, aida: User, bank: FakeOctoBank, name: str
) -> None:
    def fill(numbers: range) -> None:
        for number in numbers:
            payment = cast.pay(client, cast.start(aida, reference=str(number)))
            actions.refund(by=aida, payment=payment, amount=Decimal(5), key="k", reason="returned")

    url = reverse(f"admin:payments_{name}_changelist")
    fill(range(2))
    cost(desk, url)
    few = cost(desk, url)
    fill(range(2, 12))
    assert cost(desk, url) == few


def test_a_payment_shows_its_timeline(client: Client, desk: Client, paid: Payment) -> None:
    actions.refund(by=None, payment=paid, amount=Decimal(5), key="k", reason="too <b>small</b>")
    page = desk.get(reverse("admin:payments_payment_change", args=[paid.pk])).content.decode()
    assert "pending → paid notice" in page
    assert "too &lt;b&gt;small&lt;/b&gt;" in page and "<b>small</b>" not in page


@pytest.mark.parametrize("name", LISTS[1:])
def test_the_other_pages_open(client: Client, desk: Client, paid: Payment, name: str) -> None:
    actions.refund(by=None, payment=paid, amount=Decimal(5), key="k", reason="returned")
    row = {"refund": Refund, "paymentevent": PaymentEvent}[name].objects.get()
    assert desk.get(reverse(f"admin:payments_{name}_change", args=[row.pk])).status_code == 200


def button(name: str, payment: Payment) -> str:
    return reverse(f"admin:payments_payment_{name}", args=[payment.pk])


def test_the_gateway_is_asked_by_a_button(desk: Client, payment: Payment, bank: FakeOctoBank) -> None:
    bank.pay(payment.shop_transaction_id)
    desk.post(button("ask_now", payment))
    assert cast.fresh(payment).status == "paid"


def test_money_goes_back_by_a_button_with_a_reason(desk: Client, paid: Payment) -> None:
    url = button("refund", paid)
    assert desk.get(url).status_code == 200
    assert desk.post(url, {"amount": "1000", "reason": ""}).status_code == 200
    assert Refund.objects.count() == 0
    form = {"amount": "1000", "reason": "too small", "key": "staff:1"}
    for _time in range(2):
        assert desk.post(url, form).status_code == 302
    refund = Refund.objects.get()
    assert (refund.status, refund.amount, refund.reason) == ("succeeded", Decimal(1000), "too small")
    assert refund.asked_by == User.objects.get(username="boss")


def test_a_refusal_is_shown(desk: Client, payment: Payment) -> None:
    answer = desk.post(button("refund", payment), {"reason": "returned"}, follow=True)
    assert "This payment has not been paid" in answer.content.decode()


def test_held_money_is_decided_about(client: Client, desk: Client, aida: User) -> None:
    first = cast.pay(client, cast.start(aida, two_stage=True))
    assert desk.post(button("capture", first), {"amount": "100", "reason": "all there"}).status_code == 302
    assert cast.fresh(first).captured_amount == Decimal(100)
    second = cast.pay(client, cast.start(aida, two_stage=True, reference="42"))
    desk.post(button("let_go", second), {"reason": "sold out"})
    assert cast.fresh(second).status == "cancelled"


def test_cash_is_taken_in(desk: Client, aida: User) -> None:
    payment = cast.start(aida, method="cash")
    assert desk.get(button("take_in_cash", payment)).status_code == 200
    assert cast.fresh(payment).status == "pending"
    desk.post(button("take_in_cash", payment), {"confirm": "yes"})
    assert cast.fresh(payment).status == "paid"


def test_a_look_is_taken(desk: Client, payment: Payment) -> None:
    Payment.objects.update(needs_attention=True, note="odd")
    desk.post(button("looked_at", payment))
    assert (cast.fresh(payment).needs_attention, cast.fresh(payment).note) == (False, "odd")


@pytest.mark.parametrize("name", ["ask_now", "looked_at"])
def test_a_link_does_not_press_a_button_of_one_click(
    desk: Client, payment: Payment, bank: FakeOctoBank, name: str
) -> None:
    bank.pay(payment.shop_transaction_id)
    Payment.objects.update(needs_attention=True)
    before = Payment.objects.values().get()
    assert desk.get(button(name, payment)).status_code == 405
    assert Payment.objects.values().get() == before


def test_the_inbox_asks(client: Client, desk: Client, payment: Payment, bank: FakeOctoBank) -> None:
    notice = bank.pay(payment.shop_transaction_id)
    bank.fail_next(1, 503)
    cast.post_notice(client, notice)
    event = PaymentEvent.objects.get()
    desk.post(reverse("admin:payments_paymentevent_ask_now", args=[event.pk]))
    assert cast.fresh(payment).status == "paid"


@pytest.mark.parametrize("name", ["ask_now", "refund", "capture", "let_go", "take_in_cash", "looked_at"])
def test_buttons_need_their_right(client: Client, paid: Payment, name: str) -> None:
    reader = at_work(cast.staff("reader", "view_payment"))
    before = Payment.objects.values().get()
    assert reader.post(button(name, paid), {"reason": "returned"}).status_code == 403
    assert Payment.objects.values().get() == before
    assert Refund.objects.count() == 0


def test_nobody_edits_a_payment(desk: Client, paid: Payment) -> None:
    url = reverse("admin:payments_payment_change", args=[paid.pk])
    assert desk.post(url, {"amount": "1"}).status_code == 403
    assert desk.post(reverse("admin:payments_payment_delete", args=[paid.pk])).status_code == 403


def test_the_report(client: Client, desk: Client, paid: Payment) -> None:
    actions.refund(by=None, payment=paid, amount=Decimal(5), key="k", reason="returned")
    page = desk.get(reverse("admin:payments_report"), {"days": "rubbish", "currency": "XXX"}).content.decode()
    assert "150\u202f000.00 UZS" in page
    assert "5.00 UZS" in page
    reader = at_work(cast.staff("nobody"))
    assert reader.get(reverse("admin:payments_report")).status_code == 403


@pytest.mark.parametrize("row", ["999", "abc", "9" * 30, "%00"])
@pytest.mark.parametrize(
    "button_of", ["payment/{}/ask_now/", "payment/{}/refund/", "paymentevent/{}/ask_now/", "refund/{}/went_back/"]
)
def test_buttons_of_rows_that_do_not_exist_are_404(desk: Client, button_of: str, row: str) -> None:
    assert desk.get(f"/admin/payments/{button_of.format(row)}").status_code == 404


@pytest.mark.parametrize(("name", "status"), [("went_back", "succeeded"), ("did_not_go", "failed")])
def test_a_refund_on_its_way_is_concluded_by_a_button(
    desk: Client, paid: Payment, bank: FakeOctoBank, name: str, status: str
) -> None:
    bank.refund_word = "pending"
    refund = actions.refund(by=None, payment=paid, amount=Decimal(5), key="k", reason="returned")
    url = reverse(f"admin:payments_refund_{name}", args=[refund.pk])
    assert at_work(cast.staff("reader", "view_refund")).post(url, {"reason": "seen"}).status_code == 403
    assert Refund.objects.get().status == "pending"
    assert desk.get(url).status_code == 200
    desk.post(url, {"reason": "seen in the cabinet"})
    assert Refund.objects.get().status == status
