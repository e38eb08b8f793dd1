"""Orders in the back office: found, read in a constant number of queries, moved by buttons that are actions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.core.models import StepLog
from apps.payments.models import Payment, Refund
from apps.shop.actions import orders
from apps.shop.models import Customer, Order
from apps.shop.tests import cast, paying

LIST = "admin:shop_order_changelist"
BUTTONS = ("take_cash", "cancel", "refund", "confirm_by_hand")
RIGHTS = {
    "take_cash": "payments.handle_payment",
    "cancel": "shop.advance_order",
    "refund": "payments.refund_payment",
    "confirm_by_hand": "shop.override_order",
}


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def boss(db: None) -> User:
    return cast.staff()


@pytest.fixture
def desk(boss: User) -> Client:
    return at_work(boss)


@pytest.fixture
def pending(bobur: Customer) -> Order:
    """Three pieces of a product of which there were ten, not paid."""
    return paying.ordered(bobur)


@pytest.fixture
def paid(bobur: Customer) -> Order:
    """The same, paid by card."""
    order = paying.ordered(bobur)
    paying.paid(bobur, order)
    return paying.fresh(order)


def at_work(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def clerk(*rights: str) -> Client:
    """Somebody who sees orders and has these rights."""
    person = User.objects.create_user(username=f"clerk{User.objects.count()}", password="irrelevant", is_staff=True)
    wanted = Q()
    for right in ("shop.view_order", *rights):
        app, codename = right.split(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    person.user_permissions.set(Permission.objects.filter(wanted))
    return at_work(person)


def page(order: Order) -> str:
    return reverse("admin:shop_order_change", args=[order.pk])


def button(name: str, order: Order) -> str:
    return reverse(f"admin:shop_order_{name}", args=[order.pk])


def move(desk: Client, order: Order, to: str) -> str:
    """One click on a step; what the page says afterwards."""
    return desk.post(button("step", order), {"to": to}, follow=True).content.decode()


def cost(desk: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert desk.get(url).status_code == 200
    return len(seen)


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_list_costs_a_constant_number_of_queries(desk: Client, bobur: Customer, paid: Order) -> None:
    cost(desk, reverse(LIST))
    few = cost(desk, reverse(LIST))
    for number in range(12):
        order = paying.ordered(cast.customer(f"Buyer{number}"))
        if number % 3 == 0:
            paying.paid(order.customer, order)
    assert cost(desk, reverse(LIST)) == few


def test_the_list_shows_customer_total_status_and_money(desk: Client, pending: Order, paid: Order) -> None:
    text = desk.get(reverse(LIST)).content.decode()
    assert "Bobur Karimov" in text and "150\u202f000.00 UZS" in text
    assert f"#{pending.pk}" in text and f"#{paid.pk}" in text


@pytest.mark.parametrize("words", ["number", "Bob", "karim", "2222"])
def test_orders_are_found_by_number_name_and_phone(desk: Client, pending: Order, words: str) -> None:
    paying.ordered(cast.customer("Zulfiya", surname="Ergasheva"))
    found = desk.get(reverse(LIST), {"q": str(pending.pk) if words == "number" else words}).context["cl"].result_list
    assert [order.pk for order in found] == [pending.pk]


@pytest.mark.parametrize("words", ["abc", "99999999999999999999999", "0x1", "-1", "'; drop", "#5"])
def test_odd_words_find_nothing(desk: Client, pending: Order, words: str) -> None:
    answer = desk.get(reverse(LIST), {"q": words})
    assert answer.status_code == 200
    assert list(answer.context["cl"].result_list) == []


def test_the_filter_by_money(desk: Client, bobur: Customer, boss: User, pending: Order, paid: Order) -> None:
    part, back = paying.ordered(bobur), paying.ordered(bobur)
    for order, amount in ((part, "1000"), (back, "")):
        paying.paid(bobur, order)
        desk.post(button("refund", order), {"amount": amount, "reason": "too small"})
    found = {
        name: [order.pk for order in desk.get(reverse(LIST), {"money": name}).context["cl"].result_list]
        for name in ("unpaid", "paid", "part", "back", "rubbish")
    }
    everything = [back.pk, part.pk, paid.pk, pending.pk]
    assert found == {
        "unpaid": [pending.pk], "paid": [paid.pk], "part": [part.pk], "back": [back.pk], "rubbish": everything
    }  # fmt: skip


def test_filters_by_status_and_day(desk: Client, pending: Order, paid: Order) -> None:
    found = desk.get(reverse(LIST), {"status__exact": "confirmed", "created_at_from_0": "2020-01-01"})
    assert [order.pk for order in found.context["cl"].result_list] == [paid.pk]


def test_the_table_for_the_accountant(desk: Client, paid: Order) -> None:
    answer = desk.post(reverse(LIST), {"action": "export_admin_action", "_selected_action": [paid.pk]})
    assert answer.status_code == 200
    form = {"format": "0", "resource": "", "export_items": [paid.pk]}
    form |= {f"orderresource_{name}": "on" for name in ("id", "customer", "status", "total_amount", "currency")}
    table = desk.post(reverse("admin:shop_order_export"), form).content.decode()
    assert f"{paid.pk},Bobur Karimov,confirmed,150000.00,UZS" in table
    assert "+998" not in table


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_page_shows_goods_payments_and_history(desk: Client, paid: Order) -> None:
    orders.set_status(by=None, order_id=paid.pk, status="preparing", reason="packing <b>now</b>")
    payment = paying.payment_of(paid)
    text = desk.get(page(paid)).content.decode()
    assert "Тапочки" in text and "50000" in text
    assert reverse("admin:payments_payment_change", args=[payment.pk]) in text
    assert "pending → confirmed" in text and "pending → paid" in text
    assert "packing &lt;b&gt;now&lt;/b&gt;" in text and "<b>now</b>" not in text


def test_a_longer_history_costs_no_more(desk: Client, paid: Order) -> None:
    cost(desk, page(paid))
    few = cost(desk, page(paid))
    for status in ("preparing", "ready", "delivered"):
        orders.set_status(by=None, order_id=paid.pk, status=status)
    assert cost(desk, page(paid)) <= few


def test_only_fitting_buttons_are_shown(desk: Client, pending: Order, paid: Order) -> None:
    def shown(order: Order) -> set[str]:
        text = desk.get(page(order)).content.decode()
        return {name for name in BUTTONS if f'"{button(name, order)}"' in text}

    assert shown(pending) == {"take_cash", "cancel", "confirm_by_hand"}
    assert shown(paid) == {"refund"}
    orders.cancel(by=None, order_id=pending.pk)
    assert shown(pending) == set()


@pytest.mark.parametrize("number", ["987654", "99999999999999999999", "abc"])
def test_an_order_that_is_not_there(desk: Client, db: None, number: str) -> None:
    assert desk.get(f"/admin/shop/order/{number}/change/").status_code in (302, 404)
    assert desk.get(f"/admin/shop/order/{number}/cancel/").status_code in (302, 404)


def test_nobody_edits_an_order(desk: Client, pending: Order) -> None:
    before = paying.books()
    assert desk.post(page(pending), {"status": "confirmed", "total_amount": "1"}).status_code == 403
    assert desk.post(reverse("admin:shop_order_delete", args=[pending.pk])).status_code == 403
    assert paying.books() == before


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_steps_of_one_click(desk: Client, boss: User, paid: Order) -> None:
    for status in ("preparing", "ready", "delivered"):
        assert f'value="{status}"' in desk.get(page(paid)).content.decode()
        move(desk, paid, status)
        assert paying.fresh(paid).status == status
    steps = StepLog.objects.filter(model="shop.Order", object_id=str(paid.pk)).order_by("id")
    assert [step.by for step in steps][1:] == [f"accounts.user:{boss.pk}"] * 3


@pytest.mark.parametrize("to", ["delivered", "confirmed", "refunded", "pending", "rubbish", "", "x" * 5000])
def test_steps_that_the_table_or_money_forbid(desk: Client, paid: Order, to: str) -> None:
    orders.set_status(by=None, order_id=paid.pk, status="preparing")
    before = paying.books()
    desk.post(button("step", paid), {"to": to})
    assert paying.books() == before


def test_a_click_is_a_post_with_the_right(paid: Order, desk: Client) -> None:
    before = paying.books()
    assert desk.get(button("step", paid)).status_code == 403
    assert clerk().post(button("step", paid), {"to": "preparing"}).status_code == 403
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.get(is_superuser=True))
    assert careful.post(button("step", paid), {"to": "preparing"}).status_code == 403
    assert paying.books() == before
    clerk("shop.advance_order").post(button("step", paid), {"to": "preparing"})
    assert paying.fresh(paid).status == "preparing"


def test_many_orders_move_on_at_once(desk: Client, bobur: Customer, paid: Order, pending: Order) -> None:
    ready = paying.ordered(bobur)
    paying.paid(bobur, ready)
    for status in ("preparing", "ready"):
        orders.set_status(by=None, order_id=ready.pk, status=status)
    desk.post(reverse(LIST), {"action": "move_on", "_selected_action": [paid.pk, pending.pk, ready.pk]})
    assert [paying.fresh(order).status for order in (paid, pending, ready)] == ["preparing", "pending", "delivered"]


# ── Reasons and money ───────────────────────────────────────────────────────────────────────────────────────────────
def test_cancelling_asks_why_and_returns_the_goods(desk: Client, pending: Order) -> None:
    assert desk.get(button("cancel", pending)).status_code == 200
    assert desk.post(button("cancel", pending), {"reason": ""}).status_code == 200
    assert (paying.fresh(pending).status, paying.left(pending)) == ("pending", 7)
    assert desk.post(button("cancel", pending), {"reason": "no courier"}).status_code == 302
    order = paying.fresh(pending)
    assert (order.status, order.cancelled_by, paying.left(order)) == ("cancelled", "staff", 10)
    assert StepLog.objects.get(model="shop.Order", to_status="cancelled").reason == "no courier"


def test_a_part_goes_back_once_however_often_the_form_is_sent(desk: Client, boss: User, paid: Order) -> None:
    sent = {"amount": "1000", "reason": "a scratch", "key": "staff:1"}
    for _time in range(2):
        assert desk.post(button("refund", paid), sent).status_code == 302
    refund = Refund.objects.get()
    assert (refund.amount, refund.status, refund.reason, refund.asked_by) == (
        Decimal(1000), "succeeded", "a scratch", boss
    )  # fmt: skip
    assert (paying.fresh(paid).status, paying.left(paid)) == ("confirmed", 7)


def test_all_money_back_ends_the_order_and_returns_the_goods(desk: Client, boss: User, paid: Order) -> None:
    desk.post(button("refund", paid), {"amount": "", "reason": "wrong size"})
    assert (paying.fresh(paid).status, paying.left(paid)) == ("refunded", 10)
    step = StepLog.objects.get(model="shop.Order", to_status="refunded")
    assert (step.reason, step.by) == ("wrong size", f"accounts.user:{boss.pk}")


def test_more_than_was_paid_is_refused(desk: Client, paid: Order) -> None:
    before = paying.books()
    desk.post(button("refund", paid), {"amount": "150001", "reason": "too generous"})
    assert paying.books() == before


def test_cash_confirms_the_order(desk: Client, boss: User, pending: Order) -> None:
    assert desk.post(button("take_cash", pending), {"confirm": "yes"}).status_code == 302
    payment = Payment.objects.get()
    assert (payment.method, payment.status, payment.captured_amount) == ("cash", "paid", Decimal(150_000))
    assert paying.fresh(pending).status == "confirmed"


def test_paid_by_hand_keeps_who_and_why(desk: Client, boss: User, pending: Order) -> None:
    desk.post(button("confirm_by_hand", pending), {"reason": "bank transfer 77"})
    assert paying.fresh(pending).status == "confirmed"
    step = StepLog.objects.get(model="shop.Order")
    assert (step.reason, step.by) == ("bank transfer 77", f"accounts.user:{boss.pk}")
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("name", BUTTONS)
def test_each_button_needs_its_own_right(pending: Order, paid: Order, name: str) -> None:
    others = [right for button_name, right in RIGHTS.items() if button_name != name]
    before = paying.books()
    for order in (pending, paid):
        answer = clerk(*others).post(button(name, order), {"reason": "just because", "amount": "1"})
        assert answer.status_code == 403
    assert paying.books() == before


def test_strangers_see_no_orders(pending: Order) -> None:
    nobody = User.objects.create_user(username="nobody", password="irrelevant", is_staff=True)
    assert at_work(nobody).get(reverse(LIST)).status_code == 403
    assert at_work(nobody).get(page(pending)).status_code == 403


# ── Customers ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_customer_shows_his_orders_and_what_he_bought(
    desk: Client, bobur: Customer, pending: Order, paid: Order
) -> None:
    text = desk.get(reverse("admin:shop_customer_change", args=[bobur.pk])).content.decode()
    assert page(pending) in text and page(paid) in text
    row = desk.get(reverse("admin:shop_customer_changelist")).context["cl"].result_list[0]
    assert (row.placed_count, row.bought_for) == (2, Decimal(150_000))


def test_customers_cost_a_constant_number_of_queries(desk: Client, paid: Order) -> None:
    url = reverse("admin:shop_customer_changelist")
    cost(desk, url)
    few = cost(desk, url)
    for number in range(8):
        paying.ordered(cast.customer(f"Buyer{number}"))
    assert cost(desk, url) == few


def test_running_low_is_a_filter_of_the_products(desk: Client, db: None) -> None:
    cast.slipper("Plenty", quantity=50)
    low = cast.slipper("Few", quantity=1)
    type(low).objects.filter(pk=low.pk).update(low_stock_at="2026-01-01T00:00:00Z")
    found: Any = desk.get(reverse("admin:shop_slipper_changelist"), {"stock": "low"}).context["cl"].result_list
    assert [slipper.name for slipper in found] == ["Few"]
