"""Looking at payments, cash, receipts, and the round of questions (contract shop 1.7, 4.3, 4.4.6)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.core import events
from apps.core.errors import Refused
from apps.core.testing import deliver, query_budget
from apps.integrations.sandbox import vendors
from apps.payments import actions as gateway
from apps.payments.models import Payment
from apps.shop.actions import expiry, payments
from apps.shop.events import OrdersAndMoneyDisagree
from apps.shop.models import Customer, Order, Slipper
from apps.shop.tasks.payments import compare_orders_with_money
from apps.shop.tests import paying
from apps.shop.tests.cast import Caller


@pytest.fixture
def order(bobur: Customer) -> Order:
    """150 000 soum, unpaid."""
    return paying.ordered(bobur)


def test_buyer_and_administrator_see_a_payment_strangers_do_not(
    anora: Customer, bobur: Customer, farid: Customer, order: Order
) -> None:
    payment = paying.paid(bobur, order)
    path = f"payments/octo/{payment.vendor_id}"
    body = Caller(bobur).get(path).json()
    assert Caller(anora).get(path).json() == body
    moments = {name: body.pop(name) for name in ("created_at", "expires_at", "paid_at")}
    assert all(moment.endswith("Z") for moment in moments.values())
    assert body == {
        "order_id": order.pk,
        "payment_uuid": payment.vendor_id,
        "shop_transaction_id": payment.shop_transaction_id,
        "method": "octo",
        "status": "paid",
        "amount": 150000,
        "currency": "UZS",
        "captured_amount": 150000,
        "refunded_amount": 0,
        "needs_attention": False,
        "refunded_at": None,
    }
    assert paying.detail(Caller(farid).get(path)) == (404, "Payment not found")
    assert paying.detail(Caller(anora).get(path[:-1] + "x")) == (404, "Payment not found")
    assert Caller().get(path).status_code == 401


@pytest.mark.parametrize("number", ["%00", "x" * 65])
def test_odd_numbers_are_422(anora: Customer, number: str) -> None:
    assert Caller(anora).get(f"payments/octo/{number}").status_code == 422


def test_the_list_is_paged_filtered_and_for_administrators(anora: Customer, bobur: Customer) -> None:
    orders = [paying.ordered(bobur) for _ in range(3)]
    for order in orders:
        paying.begun(bobur, order)
    paying.tell(vendors.octo.pay(paying.payment_of(orders[1]).shop_transaction_id))
    page = Caller(anora).get("payments/?limit=2").json()
    assert [row["order_id"] for row in page.pop("items")] == [orders[2].pk, orders[1].pk]
    assert page == {"total": 3, "page": 1, "pages": 2, "has_next": True, "has_prev": False}
    for query, expected in (
        ("status=paid", [orders[1].pk]),
        (f"order_id={orders[0].pk}", [orders[0].pk]),
        ("skip=2", [orders[0].pk]),
        ("status=held", []),
    ):
        rows = Caller(anora).get(f"payments?{query}").json()["items"]
        assert [row["order_id"] for row in rows] == expected, query
    assert (Caller(bobur).get("payments/").status_code, Caller().get("payments/").status_code) == (403, 401)


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "skip=-1", "status=odd", "order_id=0"])
def test_odd_filters_are_422(anora: Customer, query: str) -> None:
    assert Caller(anora).get(f"payments/?{query}").status_code == 422


def test_the_list_costs_the_same_for_few_and_many(anora: Customer, bobur: Customer) -> None:
    caller = Caller(anora)
    for count in (1, 6):
        for _ in range(count):
            paying.begun(bobur, paying.ordered(bobur))
        with query_budget(5):  # the person, the customer, two of the list and one to spare for the token
            assert caller.get("payments/").status_code == 200


def test_other_products_payments_are_not_listed(anora: Customer, bobur: Customer, order: Order) -> None:
    paying.begun(bobur, order)
    Payment.objects.update(purpose="urgent.topup")
    assert Caller(anora).get("payments/").json()["total"] == 0


def test_the_round_of_questions_finds_money_whose_notice_was_lost(
    anora: Customer, bobur: Customer, order: Order
) -> None:
    payment = paying.begun(bobur, order)
    vendors.octo.pay(payment.shop_transaction_id)
    assert Caller(anora).post("payments/octo/reconcile").json() == {"payments": 0, "refunds": 0}  # not its turn yet
    Payment.objects.update(check_at=timezone.now())
    assert Caller(anora).post("payments/octo/reconcile").json() == {"payments": 1, "refunds": 0}
    assert (paying.fresh(payment).status, paying.fresh(order).status) == ("paid", "confirmed")
    assert Caller(bobur).post("payments/octo/reconcile").status_code == 403
    assert Caller().post("payments/octo/reconcile").status_code == 401


def test_cash_in_hand_confirms_and_may_go_back(anora: Customer, bobur: Customer, order: Order) -> None:
    open_page = paying.begun(bobur, order)
    payment = payments.take_cash(by=anora, order_id=order.pk)
    assert (payment.method, payment.status, payment.payer_id) == ("cash", "paid", bobur.user_id)
    assert paying.fresh(order).status == "confirmed"
    paying.tell(vendors.octo.pay(open_page.shop_transaction_id))  # and the buyer pays on his old page as well
    deliver()
    assert (paying.charge_of(open_page).refunded, paying.fresh(open_page).is_surplus) == (150_000, True)
    assert Caller(anora).post(paying.REFUND, {"order_id": order.pk}).json()["status"] == "REFUNDED"


def test_cash_is_for_whom_it_may_concern(anora: Customer, bobur: Customer, order: Order) -> None:
    before = paying.books()
    for by, number, status in ((bobur, order.pk, 403), (anora, order.pk + 9, 404)):
        with pytest.raises(Refused) as refused:
            payments.take_cash(by=by, order_id=number)
        assert refused.value.status == status
    assert paying.books() == before
    paying.paid(bobur, order)
    before = paying.books()
    with pytest.raises(Refused) as refused:
        payments.take_cash(by=anora, order_id=order.pk)
    assert (refused.value.status, paying.books()) == (409, before)


def test_receipts_carry_the_goods_when_every_line_has_its_codes(
    bobur: Customer, order: Order, settings: Settings
) -> None:
    settings.SHOP = replace(settings.SHOP, fiscal_inn="301234567", fiscal_vat_percent=12)
    Slipper.objects.update(spic="06401001001000000", package_code="1508021")
    paying.begun(bobur, order)
    body = asked()
    assert body["basket"] == [
        {
            "position_desc": "Тапочки, 42",
            "count": 3,
            "price": 50000,
            "spic": "06401001001000000",
            "inn": "301234567",
            "package_code": "1508021",
            "nds": 12,
        }
    ]
    assert body["user_data"] == {"user_id": str(bobur.user_id), "phone": "998902222222", "email": ""}


@pytest.mark.parametrize("lack", ["inn", "spic", "package_code"])
def test_half_a_receipt_is_none(bobur: Customer, order: Order, settings: Settings, lack: str) -> None:
    """An unregistered line makes OCTO refuse the whole payment with 403."""
    settings.SHOP = replace(settings.SHOP, fiscal_inn="" if lack == "inn" else "301234567")
    Slipper.objects.update(spic="06401001001000000", package_code="1508021")
    if lack != "inn":
        Slipper.objects.update(**{lack: ""})
    paying.begun(bobur, order)
    assert {"basket", "user_data"} & asked().keys() == set()


def asked() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(vendors.octo.requests[-1]["body"])
    return body


def test_extra_fields_of_the_operator_cannot_change_who_pays_what(
    bobur: Customer, order: Order, settings: Settings
) -> None:
    extra = {"total_sum": 1, "octo_secret": "x", "test": False, "notify_url": "http://evil", "currency": "USD"}
    settings.INTEGRATIONS = replace(settings.INTEGRATIONS, octo_extra_params=json.dumps(extra | {"tsp_id": 18}))
    paying.begun(bobur, order)
    body = asked()
    assert (body["total_sum"], body["currency"], body["test"], body["tsp_id"]) == (150000, "UZS", True, 18)
    assert body["octo_secret"] == settings.INTEGRATIONS.octo_secret


def test_an_unpaid_payment_ends_and_its_order_after_it(bobur: Customer, order: Order) -> None:
    payment = paying.begun(bobur, order)
    late = timezone.now() + timedelta(minutes=31)
    assert expiry.expire_unpaid(now=late) == 0  # somebody may be typing the code of the SMS
    gateway.reconcile(now=late)
    assert paying.fresh(payment).status == "cancelled"
    assert expiry.expire_unpaid(now=late + timedelta(minutes=2)) == 1
    assert (paying.fresh(order).status, paying.left(order)) == ("cancelled", 10)


def test_orders_and_money_that_disagree_are_shouted_about(bobur: Customer, caplog: pytest.LogCaptureFixture) -> None:
    """Money without its order, an order without its money (contract shop 4.4.6)."""
    good, lost, given = (paying.ordered(bobur) for _ in range(3))
    for order in (good, lost):
        paying.paid(bobur, order)
    assert compare_orders_with_money() == 0
    Order.objects.filter(pk=lost.pk).update(status="cancelled")
    Order.objects.filter(pk=given.pk).update(status="delivered")
    heard: list[Any] = []
    events.on(OrdersAndMoneyDisagree)(heard.append)
    try:
        assert compare_orders_with_money() == 2
    finally:
        events._now[OrdersAndMoneyDisagree.label()].remove(heard.append)
    assert heard == [OrdersAndMoneyDisagree(count=2, order_ids=[given.pk, lost.pk])]
    assert caplog.text.count("an order and its money disagree") == 2
