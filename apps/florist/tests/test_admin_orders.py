"""Orders across shops in the back office: found, read in a constant number of queries, moved by actions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.florist.actions import payments
from apps.florist.models import Employee, Order, Shop
from apps.florist.tests import cast, taking

LIST, FIGURES = "admin:florist_order_changelist", "admin:florist_figures"


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Any) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


def staff(*rights: str) -> User:
    """Somebody of the platform with these rights."""
    user = User.objects.create_user(username=f"staff-{len(rights)}-{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="florist", codename__in=rights))
    return User.objects.get(pk=user.pk)


def at_work(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(db: None) -> Client:
    """May see and handle orders."""
    return at_work(staff("view_order", "handle_order", "view_orderitem"))


@pytest.fixture
def reader(db: None) -> Client:
    """May only look."""
    return at_work(staff("view_order"))


def page(order: Order) -> str:
    return reverse("admin:florist_order_change", args=[order.pk])


def press(desk: Client, order: Order, button: str, **form: Any) -> Any:
    return desk.post(reverse(f"admin:florist_order_{button}", args=[order.pk]), form)


def test_orders_of_all_shops_are_found(desk: Client, rosa: Shop, tulip: Shop) -> None:
    mine, theirs = taking.taken(rosa), taking.taken(tulip)
    for query, wanted in (
        ("", {mine, theirs}),
        (f"?shop__id__exact={tulip.pk}", {theirs}),
        ("?q=Tulip", {theirs}),
        (f"?q={mine.order_number}", {mine}),
        (f"?q={mine.customer_phone[-4:]}", {mine, theirs}),
        ("?status__exact=paid", set()),
    ):
        answer = desk.get(reverse(LIST) + query)
        assert answer.status_code == 200
        assert set(answer.context["cl"].result_list) == wanted, query


def test_the_list_takes_the_same_queries_for_more_orders(desk: Client, rosa: Shop) -> None:
    counts: list[int] = []
    desk.get(reverse(LIST))  # rights and content types are read once
    for _round in range(2):
        for _ in range(3):
            taking.taken(rosa, pieces=1)
        with CaptureQueriesContext(connection) as seen:
            desk.get(reverse(LIST))
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_page_shows_lines_money_and_timeline(desk: Client, rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    payments.take_cash(by=bek, order_id=order.pk, amount=Decimal(20_000))
    shown = desk.get(page(order)).content.decode()
    for word in ("Red roses", "20\u202f000.00 KZT", "new → paid", "Bek", "It is assembled"):
        assert word in shown, word
    assert order.customer_phone not in shown


def test_steps_of_one_click(desk: Client, reader: Client, rosa: Shop) -> None:
    order = taking.taken(rosa)
    where = reverse("admin:florist_order_step", args=[order.pk])
    assert desk.get(where).status_code == 403
    assert reader.post(where, {"to": "paid"}).status_code == 403
    assert desk.post(where, {"to": "cancelled"}).status_code == 403
    assert taking.fresh(order).status == "new"
    assert desk.post(where, {"to": "paid"}).status_code == 302
    assert taking.fresh(order).status == "paid"
    desk.post(where, {"to": "delivered"})
    assert taking.fresh(order).status == "paid"
    line = order.history.order_by("-id")[0]
    assert (line.by, line.by_text) == (None, "back office")


def test_back_aside_and_out_ask_for_a_reason(desk: Client, rosa: Shop) -> None:
    order = taking.standing_at(rosa, "paid")
    press(desk, order, "roll_back", target="new", reason="")
    assert taking.fresh(order).status == "paid"
    press(desk, order, "roll_back", target="new", reason="pressed by mistake")
    assert taking.fresh(order).status == "new"
    press(desk, order, "report_issue", kind="wrong_address", reason="no such house")
    assert (taking.fresh(order).status, taking.fresh(order).issue_type) == ("issue", "wrong_address")
    press(desk, order, "cancel", reason="changed his mind")
    assert (taking.fresh(order).status, taking.fresh(order).cancel_reason) == ("cancelled", "changed his mind")


def test_money_that_is_due_is_paid_back_once(desk: Client, rosa: Shop, bek: Employee) -> None:
    order = taking.taken(rosa)
    payments.take_cash(by=bek, order_id=order.pk, amount=Decimal(20_000))
    assert "Pay back" not in desk.get(page(order)).content.decode()
    press(desk, order, "cancel", reason="changed his mind")
    assert "Pay back" in desk.get(page(order)).content.decode()
    for _ in range(2):
        press(desk, order, "pay_back", amount="", reason="handed over", key="form-1")
    assert (taking.fresh(order).paid_amount, order.payments.count()) == (0, 2)


@pytest.mark.parametrize("button", ["roll_back", "report_issue", "cancel", "pay_back"])
def test_buttons_need_their_right(reader: Client, rosa: Shop, button: str) -> None:
    order = taking.standing_at(rosa, "paid")
    press(reader, order, button, reason="because", target="new", kind="other", key="k")
    assert taking.fresh(order).status == "paid"
    assert at_work(staff()).get(page(order)).status_code == 403


def test_nothing_is_edited_or_deleted(desk: Client, rosa: Shop) -> None:
    order = taking.taken(rosa)
    desk.post(page(order), {"status": "completed"})
    assert desk.post(reverse("admin:florist_order_delete", args=[order.pk]), {"post": "yes"}).status_code == 403
    assert taking.fresh(order).status == "new"


def test_figures_of_one_shop_and_of_all(desk: Client, reader: Client, rosa: Shop, tulip: Shop) -> None:
    for shop in (rosa, tulip):
        taking.standing_at(shop, "paid")
    assert reader.get(reverse(FIGURES)).status_code == 403
    for query, wanted in (
        ("", "40\u202f000.00 KZT"),
        (f"?shop={rosa.pk}", "20\u202f000.00 KZT"),
        ("?days=x", "40\u202f000.00 KZT"),
    ):
        answer = desk.get(reverse(FIGURES) + query)
        assert answer.status_code == 200
        assert dict((str(name), value) for name, value in answer.context["cards"])["Turnover"] == wanted


def test_sums_of_several_currencies_are_not_added(desk: Client, rosa: Shop, tulip: Shop) -> None:
    Shop.objects.filter(pk=tulip.pk).update(currency="UZS")
    for shop in (rosa, rosa, tulip):
        taking.standing_at(shop, "paid")
    seen = desk.get(reverse(FIGURES)).context
    cards = {str(name): value for name, value in seen["cards"]}
    assert cards["Turnover"] == "40\u202f000.00 KZT · 20\u202f000.00 UZS"
    assert cards["Average order"] == "20\u202f000.00 KZT · 20\u202f000.00 UZS"
    assert (cards["Orders"], cards["To be paid back"]) == ("3", "0.00 KZT · 0.00 UZS")
    assert [str(one["title"]).rpartition(", ")[2] for one in seen["charts"][:2]] == ["KZT", "UZS"]
    goods, days = seen["tables"][1][1]["rows"], seen["tables"][2][1]["rows"]
    assert {row[-1] for row in goods} == {row[-1] for row in days} == {"40\u202f000.00 KZT", "20\u202f000.00 UZS"}


def test_a_currency_costs_a_constant_number_of_queries(desk: Client, rosa: Shop, tulip: Shop) -> None:
    counts = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as seen:
            desk.get(reverse(FIGURES) + "?days=90")
        counts.append(len(seen))
        taking.standing_at(rosa, "paid")
        cast.shop()
    assert counts[1] == counts[2]
