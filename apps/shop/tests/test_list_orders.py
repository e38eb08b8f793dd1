"""Orders as clients read them (contract shop 1.6, D17, D20)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.core.testing import query_budget
from apps.shop.actions import catalogue, orders
from apps.shop.models import Customer
from apps.shop.queries import orders as questions
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

NOON = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)


def test_the_list_is_a_bare_array_in_the_contract_s_words(bobur: Customer) -> None:
    soft = cast.slipper("Soft", price="50000.50", image="/static/images/a.jpg")
    order = cast.order(bobur, (soft, 2), notes="ring", now=NOON)
    orders.change(by=bobur, order_id=order.pk, changes={"notes": "ring"})
    assert Caller(bobur).get("orders/").json() == [
        {
            "id": order.pk,
            "order_id": str(order.pk),
            "user_id": bobur.pk,
            "user_name": "Bobur Karimov",
            "status": "pending",
            "total_amount": 100001,
            "created_at": "2026-11-21 17:00",
            "updated_at": "2026-11-21 17:00",
            "items": [
                {
                    "slipper_id": soft.pk,
                    "quantity": 2,
                    "unit_price": 50000.5,
                    "total_price": 100001,
                    "name": "Soft",
                    "size": "42",
                    "image": "/static/images/a.jpg",
                }
            ],
        }
    ]


def test_one_order_has_notes_and_numbers_of_lines(bobur: Customer, anora: Customer) -> None:
    order = cast.order(bobur, (cast.slipper("Soft"), 2), notes="ring", now=NOON)
    shown = Caller(bobur).get(f"orders/{order.pk}/").json()
    line = order.items.get()
    assert shown["notes"] == "ring"
    assert (shown["items"][0]["id"], shown["items"][0]["notes"]) == (line.pk, None)
    listed = Caller(bobur).get("orders").json()[0]
    assert {name: shown[name] for name in listed if name != "items"} == {
        name: listed[name] for name in listed if name != "items"
    }
    assert Caller(anora).get(f"orders/{order.pk}").json() == shown


def test_times_are_tashkent_s_whatever_the_server_keeps(bobur: Customer, settings: object) -> None:
    settings.TIME_ZONE = "America/New_York"  # type: ignore[attr-defined]
    cast.order(bobur, (cast.slipper(), 1), now=datetime(2026, 12, 31, 19, 59, tzinfo=UTC))
    assert Caller(bobur).get("orders/").json()[0]["created_at"] == "2027-01-01 00:59"


def test_a_buyer_sees_his_own_and_an_administrator_all_newest_first(
    bobur: Customer, dilya: Customer, anora: Customer
) -> None:
    soft = cast.slipper(quantity=100)
    placed = [
        cast.order(who, (soft, 1), now=NOON - timedelta(minutes=minutes))
        for who, minutes in ((bobur, 3), (dilya, 1), (bobur, 2), (bobur, 2))
    ]
    ids = [order.pk for order in placed]
    read = lambda who, query="": [row["id"] for row in Caller(who).get(f"orders/{query}").json()]  # noqa: E731
    assert read(bobur) == [ids[3], ids[2], ids[0]]
    assert read(dilya) == [ids[1]]
    assert read(anora) == [ids[1], ids[3], ids[2], ids[0]]
    assert read(anora, "?limit=2") == [ids[1], ids[3]]
    assert read(anora, "?skip=3&limit=2") == [ids[0]]
    assert read(bobur, "?skip=3") == []
    assert read(bobur, "?finance=") == read(bobur, "?finance=unknown") == [ids[3], ids[2], ids[0]]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "skip=-1", "limit=x", "skip=99999999999"])
def test_pages_are_bounded(bobur: Customer, query: str) -> None:
    assert Caller(bobur).get(f"orders/?{query}").status_code == 422


@pytest.mark.django_db
def test_nobody_lists_without_a_sign_in() -> None:
    assert Caller().get("orders/").status_code == 401


def test_a_withdrawn_product_stays_in_past_orders(bobur: Customer, anora: Customer) -> None:
    """D17: the original erased it from them."""
    soft = cast.slipper("Soft")
    order = cast.order(bobur, (soft, 1))
    shelf = cast.category()
    catalogue.change(by=anora, slipper_id=soft.pk, changes={"category_id": shelf.pk})
    catalogue.delete_category(by=anora, category_id=shelf.pk)
    catalogue.take_out(by=anora, slipper_id=soft.pk)
    items = Caller(bobur).get(f"orders/{order.pk}").json()["items"]
    assert [(row["name"], row["quantity"], row["slipper_id"]) for row in items] == [("Soft", 1, soft.pk)]


def test_any_list_is_one_query(bobur: Customer, dilya: Customer, anora: Customer) -> None:
    for who in (bobur, dilya, bobur):
        cast.order(who, (cast.slipper(), 1), (cast.slipper(), 2))
    for who, many in ((bobur, 2), (anora, 3)):
        with query_budget(1):
            found = questions.listed(by=who)
        assert (len(found), {len(row["items"]) for row in found}) == (many, {2})
