"""By the clock: unpaid storefront orders end, delivered ones are completed (contract florist 3.5, 3.18)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.core.money import Money
from apps.core.testing import assert_refused, outcomes, race
from apps.florist import errors
from apps.florist.actions import expiry, lifecycle, orders, payments
from apps.florist.conf import PAYMENT_PURPOSE
from apps.florist.models import Batch, Employee, Order, Product, Shop
from apps.florist.tasks.orders import complete_delivered_orders, release_unpaid_orders
from apps.florist.tests import cast, taking
from apps.integrations.conf import FAKE_PORTS
from apps.payments import actions as gateway

START = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _set_up(settings: Any) -> None:
    settings.PORTS = FAKE_PORTS


def bought(shop: Shop, source: str = "storefront", **more: Any) -> Order:
    roses = Product.objects.filter(shop=shop).first() or taking.roses(shop, stems=1000)
    what = taking.draft(roses, 1, **more)
    return orders.create(by=None, shop=shop, draft=what, source=source, now=START)


def test_an_unpaid_storefront_order_ends_after_half_an_hour(rosa: Shop) -> None:
    order = bought(rosa)
    assert expiry.release_unpaid(now=START + timedelta(minutes=29, seconds=59)) == 0
    assert taking.stock_of(rosa) == (1000, 11)
    assert expiry.release_unpaid(now=START + timedelta(minutes=30)) == 1
    found = taking.fresh(order)
    assert (found.status, found.cancel_reason, taking.stock_of(rosa)) == ("cancelled", "not paid in time", (1000, 0))
    line = order.history.order_by("-id")[0]
    assert (line.old_status, line.new_status, line.by, line.by_text) == ("new", "cancelled", None, "system")
    assert expiry.release_unpaid(now=START + timedelta(days=1)) == 0


def test_what_is_paid_or_taken_at_the_desk_stays(rosa: Shop, bek: Employee) -> None:
    paid, desk, cash = bought(rosa), bought(rosa, source="crm"), bought(rosa, source="crm", payment_method="cash")
    lifecycle.move(by=bek, order_id=paid.pk, to="paid")
    assert expiry.release_unpaid(now=START + timedelta(days=2)) == 0
    assert [taking.fresh(order).status for order in (paid, desk, cash)] == ["paid", "new", "new"]
    assert taking.stock_of(rosa) == (1000, 33)


def test_an_order_for_cash_waits_for_the_desk_without_stems(rosa: Shop, bek: Employee) -> None:
    """It cannot be paid before the door, and a stranger must not hold the shelf."""
    order = bought(rosa, payment_method="cash")
    assert expiry.release_unpaid(now=START + timedelta(minutes=29, seconds=59)) == 0
    assert taking.stock_of(rosa) == (1000, 11)
    assert expiry.release_unpaid(now=START + timedelta(minutes=30)) == 1
    found = taking.fresh(order)
    assert (found.status, found.reserved_until, taking.stock_of(rosa)) == ("new", None, (1000, 0))
    line = order.history.order_by("-id")[0]
    assert (line.event_type, line.by_text) == ("edited", "system")
    assert expiry.release_unpaid(now=START + timedelta(days=2)) == 0
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    assert taking.stock_of(rosa) == (1000, 11)


def test_an_accepted_order_for_cash_keeps_its_stems(rosa: Shop, bek: Employee) -> None:
    order = bought(rosa, payment_method="cash")
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    assert expiry.release_unpaid(now=START + timedelta(days=2)) == 0
    assert (taking.fresh(order).status, taking.stock_of(rosa)) == ("paid", (1000, 11))


def test_stems_that_somebody_else_took_meanwhile_are_the_desks_decision(rosa: Shop, bek: Employee) -> None:
    order = bought(rosa, payment_method="cash")
    expiry.release_unpaid(now=START + timedelta(minutes=30))
    Batch.objects.update(qty=10)
    accept = lambda **more: lifecycle.move(by=bek, order_id=order.pk, to="paid", **more)  # noqa: E731
    assert_refused(errors.StockShort, accept, unchanged=[Order.objects.all(), Batch.objects.all()])
    assert accept(allow_short=True).is_backorder


def test_where_stems_are_held_from_payment_on_there_are_none_to_let_go(rosa: Shop) -> None:
    Shop.objects.filter(pk=rosa.pk).update(reserve_at="paid")
    order = bought(rosa, payment_method="cash")
    assert expiry.release_unpaid(now=START + timedelta(hours=1)) == 0
    assert (taking.fresh(order).reserved_until, order.history.count()) == (None, 1)


def test_an_order_with_money_in_it_is_peoples(rosa: Shop, bek: Employee) -> None:
    partly, back = bought(rosa), bought(rosa)
    payments.take_cash(by=bek, order_id=partly.pk, amount=Decimal(1))
    lifecycle.move(by=bek, order_id=back.pk, to="paid")
    Order.objects.filter(pk=back.pk).update(reserved_until=START)
    lifecycle.rollback(by=bek, order_id=back.pk, to="new", reason="pressed by mistake")
    assert expiry.release_unpaid(now=START + timedelta(days=2)) == 0
    for order in (partly, back):
        assert (taking.fresh(order).status, taking.fresh(order).reserved_until) == ("new", None)
    assert taking.stock_of(rosa) == (1000, 22)


def test_an_order_that_is_being_paid_waits(rosa: Shop) -> None:
    order = bought(rosa)
    payment = gateway.start(
        by=None, payer=None, purpose=PAYMENT_PURPOSE, reference=str(order.pk), amount=Money(order.total, "UZS"),
        method="octo", description="x", key="k", return_url="https://example.com",
    )  # fmt: skip
    moment = START + timedelta(minutes=31)
    assert expiry.release_unpaid(now=moment) == 0
    assert taking.fresh(order).reserved_until == moment + expiry.LOOK_AGAIN_AFTER
    gateway.fail(payment_id=payment.pk, status="failed", reason="no money")
    assert expiry.release_unpaid(now=moment + timedelta(minutes=6)) == 1


def test_delivered_orders_are_completed_after_three_days(rosa: Shop) -> None:
    young, old = taking.standing_at(rosa, "delivered"), taking.standing_at(rosa, "delivered", pieces=1)
    Order.objects.filter(pk=young.pk).update(delivered_at=START - timedelta(days=3) + timedelta(seconds=1))
    Order.objects.filter(pk=old.pk).update(delivered_at=START - timedelta(days=3))
    assert lifecycle.complete_delivered(now=START) == 1
    assert [taking.fresh(order).status for order in (young, old)] == ["delivered", "completed"]
    assert lifecycle.complete_delivered(now=START) == 0
    line = old.history.order_by("-id")[0]
    assert (line.old_status, line.new_status, line.by_text) == ("delivered", "completed", "system")


def test_jobs_are_shells(rosa: Shop) -> None:
    bought(rosa)
    Order.objects.update(reserved_until=timezone.now() - timedelta(minutes=1))
    assert (release_unpaid_orders(), release_unpaid_orders()) == (1, 0)
    assert complete_delivered_orders() == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_sweeps_and_a_payment_at_once_decide_once() -> None:
    shop = cast.shop()
    bek = cast.employee(shop, cast.Role.MANAGER, "Bek")
    made = [bought(shop, payment_method="cash" if number % 2 else None) for number in range(6)]
    later = START + timedelta(hours=1)

    def deed(number: int) -> Any:
        if number < 3:
            return expiry.release_unpaid(now=later)
        return lifecycle.move(by=bek, order_id=made[number - 3].pk, to="paid")

    found = outcomes(race(6, deed))
    assert set(found) <= {"ok", "IllegalTransition"}
    left = [taking.fresh(order) for order in made]
    for order in left:
        waits_for_the_desk = (order.status, order.payment_method) == ("new", "cash")
        assert len(taking.steps_of(order)) == (0 if waits_for_the_desk else 1), taking.steps_of(order)
    paid = sum(order.status == "paid" for order in left)
    assert taking.stock_of(shop) == (1000, paid * taking.STEMS)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_button_pressed_by_ten_managers_moves_once() -> None:
    shop = cast.shop()
    bek = cast.employee(shop, cast.Role.MANAGER, "Bek")
    order = taking.taken(shop)
    found = outcomes(race(10, lambda _number: lifecycle.move(by=bek, order_id=order.pk, to="paid")))
    assert found == {"ok": 1, "IllegalTransition": 9}
    assert (taking.steps_of(order), taking.stock_of(shop)) == ([("new", "paid")], (100, 22))
    assert order.history.filter(event_type="status_changed").count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_form_sent_ten_times_at_once_is_one_order() -> None:
    shop = cast.shop()
    roses = taking.roses(shop)
    bek = cast.employee(shop, cast.Role.MANAGER, "Bek")

    def press(_number: int) -> int:
        return orders.create(by=bek, shop=shop, draft=taking.draft(roses), key="form").pk

    assert len(set(race(10, press))) == 1
    assert (Order.objects.count(), taking.stock_of(shop)) == (1, (100, 22))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_thirty_orders_at_once_do_not_oversell() -> None:
    shop = cast.shop()
    roses = taking.roses(shop, stems=100)  # nine bouquets

    def buy(number: int) -> Order:
        what = taking.draft(roses, 1, customer_phone=f"+7701555{number % 3:04d}")
        return orders.create(by=None, shop=shop, draft=what)

    assert outcomes(race(30, buy)) == {"ok": 9, "StockShort": 21}
    assert taking.stock_of(shop) == (100, 99)
