"""Kaspi's signed notice, cash, transfers, gateways, and the way back (contract florist 1.2, 3.6; defect 3)."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client

from apps.core.errors import Invalid
from apps.core.models import WebhookReceipt
from apps.core.testing import assert_refused, deliver, outcomes, race
from apps.florist import errors
from apps.florist.actions import items, lifecycle, payments, runs
from apps.florist.actions.runs import StopWish
from apps.florist.conf import PAYMENT_PURPOSE
from apps.florist.models import Employee, Order, OrderPayment, Shop
from apps.florist.tests import cast, taking, workshop
from apps.florist.tests.cast import Caller
from apps.integrations.conf import FAKE_PORTS
from apps.integrations.sandbox import vendors
from apps.payments import actions as gateway
from apps.payments import queries as money
from apps.payments.models import Payment, Refund

SECRET = "a-secret-of-the-shops"  # noqa: S105


@pytest.fixture(autouse=True)
def _set_up(settings: Any) -> None:
    settings.PORTS = FAKE_PORTS
    settings.FLORIST = dataclasses.replace(settings.FLORIST, webhook_secret=SECRET)


def notice(order: Order | int, secret: str = SECRET, **more: Any) -> Any:
    """What Kaspi posts."""
    pk, total = (order, 0) if isinstance(order, int) else (order.pk, int(order.total))
    raw = json.dumps(
        {"payment_method": "kaspi", "payment_id": "K-1", "amount": total, "status": "success", **more}
    ).encode()
    signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return Client().post(
        f"/florist/api/orders/{pk}/payment-webhook",
        raw,
        content_type="application/json",
        headers={"X-Signature": signature},
    )


def books(order: Order) -> tuple[Any, ...]:
    """Paid, outstanding, due back; and the journal adds up."""
    found = taking.fresh(order)
    total = order.payments.aggregate(total=Sum("amount"))["total"] or 0
    assert found.paid_amount == total
    return found.paid_amount, found.outstanding, found.refund_due


def moved() -> list[Any]:
    return [Order.objects.all(), OrderPayment.objects.all(), WebhookReceipt.objects.all()]


# ── Kaspi ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_signed_notice_pays_the_order_once(rosa: Shop) -> None:
    order = taking.taken(rosa)
    for _ in range(2):
        answer = notice(order)
        assert answer.status_code == 200, answer.content
        assert json.loads(answer.content) == {
            "status": "success",
            "order_id": order.pk,
            "payment_status": "confirmed",
            "order_status": "paid",
        }
    assert books(order) == (20_000, 0, 0)
    found = taking.fresh(order)
    assert (found.payment_method, found.payment_date is not None) == ("kaspi", True)
    assert [row.event_type for row in order.history.all()] == ["created", "payment_received", "status_changed"]


@pytest.mark.parametrize(
    ("more", "secret", "status"),
    [
        ({}, "another", 403),
        ({"amount": 1}, SECRET, 400),
        ({"amount": 19_999.99}, SECRET, 400),
        ({"status": "failed"}, SECRET, 400),
        ({"payment_method": "bitcoin"}, SECRET, 422),
        ({"payment_id": ""}, SECRET, 422),
        ({"amount": -20_000}, SECRET, 422),
        ({"amount": "much"}, SECRET, 422),
    ],
)
def test_what_is_forged_or_different_moves_nothing(rosa: Shop, more: dict[str, Any], secret: str, status: int) -> None:
    """The original took anybody's word, and an unknown method made the order unreadable."""
    order = taking.taken(rosa)
    before = [list(rows.values()) for rows in moved()]
    assert notice(order, secret, **more).status_code == status
    assert [list(rows.values()) for rows in moved()] == before


def test_without_a_secret_no_notice_is_genuine(rosa: Shop, settings: Any) -> None:
    settings.FLORIST = dataclasses.replace(settings.FLORIST, webhook_secret="")
    assert notice(taking.taken(rosa), "").status_code == 403


def test_a_notice_without_signature_or_order(rosa: Shop) -> None:
    order = taking.taken(rosa)
    bare = Caller()("POST", f"/api/orders/{order.pk}/payment-webhook", {"payment_id": "K", "amount": 1})
    assert (bare.status_code, notice(999_999, amount=1).status_code) == (403, 404)


def test_one_payment_is_for_one_order(rosa: Shop) -> None:
    """A notice that is replayed for another order."""
    first, second = taking.taken(rosa), taking.taken(rosa)
    assert (notice(first).status_code, notice(second).status_code) == (200, 400)
    assert (books(first), books(second)) == ((20_000, 0, 0), (0, 20_000, 0))


def test_late_money_for_a_cancelled_order_is_due_back(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    lifecycle.cancel(by=bek, order_id=order.pk, reason="not paid")
    assert json.loads(notice(order).content)["order_status"] == "cancelled"
    assert books(order) == (20_000, 0, 20_000)
    payments.pay_back(by=bek, order_id=order.pk, key="b1")
    payments.pay_back(by=bek, order_id=order.pk, key="b1")
    assert books(order) == (0, 0, 0)
    assert_refused(errors.NothingToPayBack, lambda: payments.pay_back(by=bek, order_id=order.pk))


def test_a_second_payment_is_due_back(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    assert (notice(order).status_code, notice(order, payment_id="K-2").status_code) == (200, 200)
    assert books(order) == (40_000, 0, 20_000)


def test_a_repeated_notice_is_answered_as_the_first_though_the_total_has_changed(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    assert notice(order).status_code == 200
    items.change(by=bek, order_id=order.pk, item_id=order.items.get().pk, quantity=3)
    before = [list(rows.values()) for rows in moved()]
    assert [notice(order, amount=amount).status_code for amount in (20_000, 30_000, 10_000)] == [200, 400, 400]
    assert [list(rows.values()) for rows in moved()] == before
    assert notice(order, payment_id="K-2", amount=10_000).status_code == 200  # what was outstanding
    assert books(order) == (30_000, 0, 0)


# ── In hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_cash_counts_once_per_key_and_pays_a_new_order_when_it_is_all(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    for key, amount in (("a", 5_000), ("a", 5_000), ("b", 15_000)):
        payments.take_cash(by=bek, order_id=order.pk, amount=Decimal(amount), key=key)
        expected = "paid" if key == "b" else "new"
        assert taking.fresh(order).status == expected
    assert books(order) == (20_000, 0, 0)
    assert_refused(
        errors.NothingToPay,
        lambda: payments.take_cash(by=bek, order_id=order.pk, amount=Decimal(1), key="c"),
        unchanged=moved(),
    )


@pytest.mark.parametrize("amount", [0, -1, 20_001])
def test_cash_is_above_nothing_and_at_most_the_rest(rosa: Shop, bek: Employee, amount: int) -> None:
    order = taking.taken(rosa)
    deed = lambda: payments.take_cash(by=bek, order_id=order.pk, amount=Decimal(amount))  # noqa: E731
    assert_refused(Invalid, deed, unchanged=moved())


def test_couriers_take_cash_for_their_own_orders_only(rosa: Shop, ruslan: Employee, dana: Employee) -> None:
    mine, other = taking.standing_at(rosa, "delivery", courier_id=ruslan.pk), taking.standing_at(rosa, "paid")
    payments.take_cash(by=ruslan, order_id=mine.pk, amount=Decimal(20_000), key="stop-1")
    assert (taking.fresh(mine).status, books(mine)) == ("delivery", (20_000, 0, 0))
    for by in (ruslan, dana):
        deed = lambda by=by: payments.take_cash(by=by, order_id=other.pk, amount=Decimal(1))  # noqa: E731
        assert_refused(errors.OrderNotFound, deed, unchanged=moved())
    for name, call in (
        ("transfer", lambda: payments.write_down(by=ruslan, order_id=mine.pk, method="transfer", amount=Decimal(1))),
        ("back", lambda: payments.pay_back(by=ruslan, order_id=mine.pk)),
    ):
        assert_refused(errors.NotEnoughPermissions, call, unchanged=moved())
        assert name


def test_cash_over_http_is_of_whoever_took_it(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = workshop.assembled(rosa)
    where, cash = f"/api/orders/{order.pk}/payments", {"method": "cash", "amount": 4000}
    lifecycle.assign_courier(by=bek, order_id=order.pk, courier_id=ruslan.pk)
    refused = Caller(ruslan)("POST", where, cash)
    assert (refused.status_code, json.loads(refused.content)["code"]) == (409, "cash_without_stop")
    run = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(order.pk)])
    for _ in range(2):
        made = Caller(ruslan)("POST", where, cash, **{"Idempotency-Key": "k"})
        assert (made.status_code, json.loads(made.content)["paid_amount"]) == (201, 4000)
    assert Caller(bek)("POST", where, cash).status_code == 201
    assert (run.stops.get().cash_received, books(order)[0]) == (4000, 8000)


def test_money_over_http(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    call, where = Caller(bek), f"/api/orders/{order.pk}/payments"
    made = call("POST", where, {"method": "transfer", "amount": 20_000}, **{"Idempotency-Key": "k"})
    again = call("POST", where, {"method": "transfer", "amount": 20_000}, **{"Idempotency-Key": "k"})
    assert (made.status_code, json.loads(made.content)) == (201, json.loads(again.content))
    found = json.loads(call("GET", where).content)
    assert {name: found[name] for name in ("total", "paid_amount", "outstanding", "refund_due", "methods")} == {
        "total": 20_000, "paid_amount": 20_000, "outstanding": 0, "refund_due": 0, "methods": [],
    }  # fmt: skip
    [row] = found["items"]
    assert (row["source"], row["method"], row["amount"], row["user"]) == ("hand", "transfer", 20_000, "Bek")
    refused = call("POST", f"/api/orders/{order.pk}/refund", {})
    assert refused.status_code == 409
    lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")
    back = call("POST", f"/api/orders/{order.pk}/refund", {"amount": 5_000})
    assert (back.status_code, json.loads(back.content)["refund_due"]) == (200, 15_000)


# ── Gateways ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def soum(rosa: Shop) -> Shop:
    """A shop that sells in soum, which gateways take."""
    Shop.objects.filter(pk=rosa.pk).update(currency="UZS")
    return Shop.objects.get(pk=rosa.pk)


def begun(order: Order, by: Any = None, key: str = "") -> Payment:
    return payments.begin(by=by, order_id=order.pk, method="octo", key=key)


def settled(payment: Payment) -> None:
    """The buyer pays on the gateway's page, and the gateway tells."""
    told = vendors.octo.pay(payment.shop_transaction_id)
    answer = Client().post("/shop/payments/octo/notify", told.body, content_type="application/json")
    assert answer.status_code == 200, answer.content


def test_a_tenge_shop_is_told_that_gateways_take_soum(rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    assert payments.offered(order.shop) == []
    answer = Caller(bek)("POST", f"/api/orders/{order.pk}/pay", {"method": "payme"})
    assert (answer.status_code, json.loads(answer.content)["code"]) == (409, "currency_not_taken")
    assert not Payment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_payment_by_card_moves_the_order_on() -> None:
    soum = cast.shop(currency="UZS")
    bek, order = cast.employee(soum, cast.Role.MANAGER, "Bek"), taking.taken(soum)
    answer = Caller(bek)("POST", f"/api/orders/{order.pk}/pay", {"method": "octo", "return_url": "https://rosa.kz/ok"})
    shown = json.loads(answer.content)
    assert (answer.status_code, shown["amount"], shown["currency"]) == (200, 20_000, "UZS")
    assert shown["pay_url"]
    payment = money.one(shown["payment_id"])
    assert (payment.purpose, payment.reference) == (PAYMENT_PURPOSE, str(order.pk))
    settled(payment)
    settled(payment)
    assert (taking.fresh(order).status, books(order)) == ("paid", (20_000, 0, 0))
    assert_refused(errors.NothingToPay, lambda: begun(order), unchanged=moved())


@pytest.mark.django_db(transaction=True)
def test_cancelling_sends_the_gateways_money_back() -> None:
    soum = cast.shop(currency="UZS")
    bek, order = cast.employee(soum, cast.Role.MANAGER, "Bek"), taking.taken(soum)
    settled(begun(order))
    lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")
    deliver()
    refund = Refund.objects.get()
    assert (refund.status, refund.amount) == ("succeeded", 20_000)
    deliver()
    assert (books(order), Refund.objects.count()) == ((0, 0, 0), 1)


@pytest.mark.django_db(transaction=True)
def test_late_money_on_a_cancelled_order_goes_back() -> None:
    soum = cast.shop(currency="UZS")
    bek, order = cast.employee(soum, cast.Role.MANAGER, "Bek"), taking.taken(soum)
    payment = begun(order)
    lifecycle.cancel(by=bek, order_id=order.pk, reason="waited too long")
    settled(payment)
    deliver()
    assert (taking.fresh(order).status, books(order)) == ("cancelled", (0, 0, 0))
    assert Refund.objects.get().amount == 20_000


@pytest.mark.django_db(transaction=True)
def test_what_a_smaller_order_paid_too_much_goes_back_by_the_desk() -> None:
    soum = cast.shop(currency="UZS")
    bek, order = cast.employee(soum, cast.Role.MANAGER, "Bek"), taking.taken(soum)
    settled(begun(order))
    items.change(by=bek, order_id=order.pk, item_id=order.items.get().pk, quantity=1)
    assert books(order) == (20_000, 0, 10_000)
    payments.pay_back(by=bek, order_id=order.pk, key="once")
    deliver()
    assert books(order) == (10_000, 0, 0)
    assert Refund.objects.get().amount == 10_000


@pytest.mark.django_db(transaction=True)
def test_what_is_on_its_way_is_not_paid_back_again() -> None:
    """The gateway takes the wish and pays days later: neither the desk nor a cancellation pays a second time."""
    soum = cast.shop(currency="UZS")
    bek, order = cast.employee(soum, cast.Role.MANAGER, "Bek"), taking.taken(soum)
    settled(begun(order))
    items.change(by=bek, order_id=order.pk, item_id=order.items.get().pk, quantity=1)
    vendors.octo.refund_word = "pending"
    payments.pay_back(by=bek, order_id=order.pk, amount=Decimal(4_000), key="a")
    payments.pay_back(by=bek, order_id=order.pk, amount=Decimal(4_000), key="a")
    for by_hand in (False, True):
        more = lambda by_hand=by_hand: payments.pay_back(  # noqa: E731
            by=bek, order_id=order.pk, amount=Decimal(6_001), by_hand=by_hand
        )
        assert_refused(Invalid, more, unchanged=[*moved(), Refund.objects.all()])
    payments.pay_back(by=bek, order_id=order.pk, key="b")
    assert books(order) == (20_000, 0, 10_000)
    for by_hand in (False, True):
        again = lambda by_hand=by_hand: payments.pay_back(by=bek, order_id=order.pk, by_hand=by_hand)  # noqa: E731
        assert_refused(errors.NothingToPayBack, again, unchanged=[*moved(), Refund.objects.all()])
    lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")
    deliver()
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [4_000, 6_000, 10_000]
    assert_refused(errors.NothingToPayBack, lambda: payments.pay_back(by=bek, order_id=order.pk))


@pytest.mark.django_db(transaction=True)
def test_a_part_that_the_gateway_cannot_pay_back_is_handed_over() -> None:
    soum = cast.shop(currency="UZS")
    bek, order = cast.employee(soum, cast.Role.MANAGER, "Bek"), taking.taken(soum)
    payment = begun(order)
    settled(payment)
    Payment.objects.filter(pk=payment.pk).update(method="payme")
    items.change(by=bek, order_id=order.pk, item_id=order.items.get().pk, quantity=1)
    call, where = Caller(bek), f"/api/orders/{order.pk}/refund"
    assert json.loads(call("POST", where, {}).content)["code"] == gateway.RefundOnlyWhole.code
    for _ in range(2):
        back = call("POST", where, {"by_hand": True}, **{"Idempotency-Key": "k"})
        assert (back.status_code, json.loads(back.content)["refund_due"]) == (200, 0)
    assert (books(order), Refund.objects.count()) == ((10_000, 0, 0), 0)


@pytest.mark.django_db(transaction=True)
def test_cash_in_the_meantime_sends_the_card_money_back() -> None:
    soum = cast.shop(currency="UZS")
    bek, order = cast.employee(soum, cast.Role.MANAGER, "Bek"), taking.taken(soum)
    payment = begun(order)
    payments.take_cash(by=bek, order_id=order.pk, amount=Decimal(20_000))
    settled(payment)
    deliver()
    assert books(order) == (20_000, 0, 0)
    assert Refund.objects.get().status == "succeeded"


def test_ways_to_pay_that_are_none(soum: Shop, dana: Employee) -> None:
    order = taking.taken(soum)
    for method in ("cash", "telegram_stars", "nonsense"):
        refused = lambda method=method: payments.begin(by=None, order_id=order.pk, method=method)  # noqa: E731
        assert_refused(gateway.MethodNotOffered, refused, unchanged=moved())
    assert_refused(errors.OrderNotFound, lambda: begun(order, dana), unchanged=moved())


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_notice_at_once_from_eight_sides_pays_once() -> None:
    order = taking.taken(cast.shop())
    results = race(8, lambda _number: notice(order).status_code)
    assert set(results) == {200}
    assert books(order) == (20_000, 0, 0)
    assert taking.steps_of(order) == [("new", "paid")]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_money_and_cancelling_at_once_end_with_nothing_lost() -> None:
    shop = cast.shop()
    bek = cast.employee(shop, cast.Role.MANAGER, "Bek")
    taking.roses(shop, stems=1000)
    for _round in range(5):
        order = taking.taken(shop)

        def deed(number: int, order: Order = order) -> Any:
            if number:
                return lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")
            return payments.receive_notice(
                order_id=order.pk, payment_id=f"K-{order.pk}", amount=order.total, succeeded=True
            )

        assert outcomes(race(2, deed)) == {"ok": 2}
        assert (taking.fresh(order).status, books(order)) == ("cancelled", (20_000, 0, 20_000))
        assert taking.stock_of(shop) == (1000, 0)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_hand", [(False, False), (True, False), (True, True)])
def test_pay_backs_at_once_give_no_more_than_is_due(by_hand: tuple[bool, bool]) -> None:
    """Each of them alone fits into what the buyer paid; together they would be more than he is owed."""
    soum = cast.shop(currency="UZS")
    bek = cast.employee(soum, cast.Role.MANAGER, "Bek")
    for _round in range(3):
        order = taking.taken(soum)
        settled(begun(order))
        items.change(by=bek, order_id=order.pk, item_id=order.items.get().pk, quantity=1)

        def press(number: int, pk: int = order.pk) -> Order:
            return payments.pay_back(by=bek, order_id=pk, key=f"k{number}", by_hand=by_hand[number % 2])

        assert outcomes(race(4, press)) == {"ok": 1, "NothingToPayBack": 3}
        deliver()
        assert books(order) == (10_000, 0, 0)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_desk_and_the_cancellation_pay_back_once_between_them() -> None:
    soum = cast.shop(currency="UZS")
    bek = cast.employee(soum, cast.Role.MANAGER, "Bek")
    for _round in range(3):
        order = taking.taken(soum)
        settled(begun(order))
        lifecycle.cancel(by=bek, order_id=order.pk, reason="changed his mind")

        def deed(number: int, pk: int = order.pk) -> Any:
            if number:
                return payments.pay_back(by=bek, order_id=pk, by_hand=True)
            return payments.refund_cancelled(order_id=pk)

        assert set(outcomes(race(2, deed))) <= {"ok", "NothingToPayBack"}
        deliver()
        assert books(order) == (0, 0, 0)
