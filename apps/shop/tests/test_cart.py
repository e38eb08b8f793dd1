"""The cart (contract shop 1.5, D13, D14)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import QuerySet

from apps.core.errors import Invalid
from apps.core.testing import assert_refused, query_budget
from apps.shop import errors
from apps.shop.actions import cart, catalogue
from apps.shop.models import Cart, CartItem, Customer
from apps.shop.queries import cart as questions
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller


def world() -> list[QuerySet[Any]]:
    return [Cart.objects.all(), CartItem.objects.all()]


def lines(customer: Customer) -> dict[int, int]:
    return dict(CartItem.objects.filter(cart__customer=customer).values_list("slipper_id", "quantity"))


def test_the_cart_is_made_on_first_use_and_there_is_one(bobur: Customer) -> None:
    call = Caller(bobur)
    answer = call.get("cart").json()
    assert answer == {"id": answer["id"], "items": [], "total_items": 0, "total_quantity": 0, "total_amount": 0}
    assert call.get("cart/").json() == answer
    assert Cart.objects.get().customer == bobur


def test_every_change_answers_the_cart_after_it(bobur: Customer) -> None:
    soft, hard = cast.slipper("Soft", price="50000.50"), cast.slipper("Hard", price="70000")
    call = Caller(bobur)
    one = call.post("cart/items", {"slipper_id": soft.pk, "quantity": 2}).json()
    line = one["items"][0]
    assert line == {
        "id": line["id"],
        "slipper_id": soft.pk,
        "quantity": 2,
        "name": "Soft",
        "price": 50000.5,
        "total_price": 100001,
    }
    two = call.post("cart/items", {"slipper_id": hard.pk}).json()
    assert [row["slipper_id"] for row in two["items"]] == [soft.pk, hard.pk]
    assert (two["total_items"], two["total_quantity"], two["total_amount"]) == (2, 3, 170001)
    assert call.get("cart/total").json() == {"total_items": 2, "total_quantity": 3, "total_amount": 170001}
    changed = call.put(f"cart/items/{line['id']}", {"quantity": 5}).json()
    assert (changed["total_quantity"], changed["total_amount"]) == (6, 320002.5)
    gone = call.put(f"cart/items/{line['id']}", {"quantity": 0}).json()
    assert [row["slipper_id"] for row in gone["items"]] == [hard.pk]
    empty = call.delete(f"cart/items/{gone['items'][0]['id']}").json()
    assert (empty["items"], empty["total_amount"]) == ([], 0)


def test_the_same_product_adds_up(bobur: Customer) -> None:
    soft = cast.slipper(quantity=10)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=4)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=6)
    assert lines(bobur) == {soft.pk: 10}
    refused = assert_refused(
        errors.NotEnoughStock, lambda: cart.add(by=bobur, slipper_id=soft.pk), unchanged=[CartItem.objects.all()]
    )
    assert refused.short == [errors.Shortage(soft.pk, soft.name, "42", requested=11, available=10)]


def test_a_line_never_passes_999(bobur: Customer) -> None:
    soft = cast.slipper(quantity=5000)
    cart.add(by=bobur, slipper_id=soft.pk, quantity=999)
    assert_refused(Invalid, lambda: cart.add(by=bobur, slipper_id=soft.pk), unchanged=[CartItem.objects.all()])
    line = CartItem.objects.get()
    call = Caller(bobur)
    assert call.put(f"cart/items/{line.pk}", {"quantity": 1000}).status_code == 422
    assert call.post("cart/items", {"slipper_id": soft.pk, "quantity": 1}).status_code == 422
    assert lines(bobur) == {soft.pk: 999}


def test_a_cart_has_no_more_lines_than_an_order_takes(bobur: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cart, "MOST_LINES", 2)
    first, second, third = (cast.slipper(f"S{number}") for number in range(3))
    for product in (first, second):
        cart.add(by=bobur, slipper_id=product.pk)
    assert_refused(Invalid, lambda: cart.add(by=bobur, slipper_id=third.pk), unchanged=[CartItem.objects.all()])
    cart.add(by=bobur, slipper_id=second.pk)


def test_above_the_stock_is_409_and_changes_nothing(bobur: Customer) -> None:
    soft = cast.slipper("Soft", quantity=3)
    call = Caller(bobur)
    answer = call.post("cart/items", {"slipper_id": soft.pk, "quantity": 4})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_enough_stock")
    assert answer.json()["short"] == [
        {"slipper_id": soft.pk, "name": "Soft", "size": "42", "requested": 4, "available": 3}
    ]
    line = call.post("cart/items", {"slipper_id": soft.pk, "quantity": 3}).json()["items"][0]
    assert call.put(f"cart/items/{line['id']}", {"quantity": 4}).status_code == 409
    assert lines(bobur) == {soft.pk: 3}


def test_what_is_not_for_sale_cannot_be_put_in(bobur: Customer, anora: Customer) -> None:
    soft = cast.slipper()
    catalogue.take_out(by=anora, slipper_id=soft.pk)
    for slipper_id in (soft.pk, 999_999):
        assert Caller(bobur).post("cart/items", {"slipper_id": slipper_id}).json()["code"] == "slipper_not_found"
    assert lines(bobur) == {}


@pytest.mark.parametrize(
    "body",
    [{}, {"slipper_id": 0}, {"slipper_id": 1, "quantity": 0}, {"slipper_id": 1, "quantity": 1000}, {"quantity": 1}],
)
def test_malformed_lines_are_422(bobur: Customer, body: dict[str, int]) -> None:
    assert Caller(bobur).post("cart/items", body).status_code == 422


def test_another_s_line_does_not_exist(bobur: Customer, farid: Customer) -> None:
    soft = cast.slipper()
    cart.add(by=bobur, slipper_id=soft.pk)
    cart.of(farid)
    line = CartItem.objects.get()
    for deed in (
        lambda: cart.set_quantity(by=farid, item_id=line.pk, quantity=5),
        lambda: cart.set_quantity(by=farid, item_id=line.pk, quantity=0),
        lambda: cart.remove(by=farid, item_id=line.pk),
    ):
        assert_refused(errors.CartItemNotFound, deed, unchanged=[CartItem.objects.all()])
    assert Caller(farid).put(f"cart/items/{line.pk}", {"quantity": 5}).status_code == 404
    assert Caller(farid).delete(f"cart/items/{line.pk}").status_code == 404


def test_clearing_empties_one_s_own_cart_only(bobur: Customer, dilya: Customer) -> None:
    soft = cast.slipper()
    for who in (bobur, dilya):
        cart.add(by=who, slipper_id=soft.pk)
    answer = Caller(bobur).delete("cart/clear")
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert (lines(bobur), lines(dilya)) == ({}, {soft.pk: 1})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "cart"),
        ("GET", "cart/total"),
        ("POST", "cart/items"),
        ("PUT", "cart/items/1"),
        ("DELETE", "cart/items/1"),
        ("DELETE", "cart/clear"),
    ],
)
@pytest.mark.django_db
def test_nobody_without_a_sign_in(method: str, path: str) -> None:
    assert Caller()(method, path, {"slipper_id": 1, "quantity": 1}).status_code == 401
    assert Cart.objects.count() == 0


def test_prices_are_today_s(bobur: Customer, anora: Customer) -> None:
    soft = cast.slipper(price="50000")
    cart.add(by=bobur, slipper_id=soft.pk, quantity=2)
    catalogue.change(by=anora, slipper_id=soft.pk, changes={"price": "60000"})
    assert Caller(bobur).get("cart/total").json()["total_amount"] == 120000


def test_reading_is_one_query_however_long(bobur: Customer) -> None:
    for number in range(5):
        cart.add(by=bobur, slipper_id=cast.slipper(f"S{number}").pk)
    mine = cart.of(bobur)
    with query_budget(1):
        assert len(questions.shown(mine)["items"]) == 5
