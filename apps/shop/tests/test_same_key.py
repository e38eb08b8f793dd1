"""Asking twice, and adding to a young order (contract shop 1.6 headers, 3.3, D22)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from apps.core.errors import Invalid
from apps.core.idempotency import KeyReused
from apps.core.testing import assert_refused
from apps.shop.actions import cart, catalogue, orders, placing
from apps.shop.actions.placing import Wish
from apps.shop.models import Customer, Order, OrderItem, OrderRequest, Slipper
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller


def world() -> list[QuerySet[Any]]:
    return [rows.objects.all() for rows in (Slipper, Order, OrderItem, OrderRequest)]


def test_the_same_key_and_body_give_the_same_order(bobur: Customer) -> None:
    soft, call = cast.slipper(quantity=10), Caller(bobur)
    body = {"items": [{"slipper_id": soft.pk, "quantity": 2}], "notes": "x"}
    first = call.post("orders/", body, **{"X-Idempotency-Key": "k-1"})
    again = call.post("orders/", body, **{"X-Idempotency-Key": "k-1"})
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert (Order.objects.count(), cast.left(soft)) == (1, [8])
    call.post("orders/", body, **{"X-Idempotency-Key": "k-2"})
    call.post("orders/", body)
    assert (Order.objects.count(), cast.left(soft)) == (3, [4])


def test_the_repeat_is_answered_even_when_the_goods_are_gone_or_the_order_has_moved_on(bobur: Customer) -> None:
    soft = cast.slipper(quantity=2)
    first = cast.order(bobur, (soft, 2), key="k")
    assert cast.order(bobur, (soft, 2), key="k") == first
    orders.cancel(by=bobur, order_id=first.pk)
    assert (cast.order(bobur, (soft, 2), key="k"), cast.left(soft)) == (first, [2])


@pytest.mark.parametrize(
    "other", [{"wishes": [Wish(1, 3)]}, {"notes": "other"}, {"merge": True}, {"wishes": [Wish(1, 2, "note")]}]
)
def test_the_same_key_with_other_content_is_409(bobur: Customer, other: dict[str, Any]) -> None:
    soft = cast.slipper()
    given: dict[str, Any] = {"wishes": [Wish(soft.pk, 2)], "notes": None}
    placing.place(by=bobur, key="k", **given)
    if "wishes" in other:
        other = {"wishes": [Wish(soft.pk, wish.quantity, wish.notes) for wish in other["wishes"]]}
    assert_refused(KeyReused, lambda: placing.place(by=bobur, key="k", **{**given, **other}), unchanged=world())


def test_keys_belong_to_their_customer(bobur: Customer, dilya: Customer) -> None:
    """D22: the original's keys were unique over all users."""
    soft = cast.slipper()
    assert cast.order(bobur, (soft, 1), key="k") != cast.order(dilya, (soft, 1), key="k")
    assert set(Order.objects.values_list("customer_id", flat=True)) == {bobur.pk, dilya.pk}


def test_a_refusal_does_not_use_the_key_up(bobur: Customer) -> None:
    soft = cast.slipper(quantity=1)
    body = {"items": [{"slipper_id": soft.pk, "quantity": 2}]}
    call, headers = Caller(bobur), {"X-Idempotency-Key": "k"}
    assert call.post("orders/", body, **headers).status_code == 409
    catalogue.restock(by=None, slipper_id=soft.pk, delta=5)
    assert call.post("orders/", body, **headers).status_code == 200


def test_a_key_that_cannot_be_kept_is_422(bobur: Customer) -> None:
    soft = cast.slipper()
    body = {"items": [{"slipper_id": soft.pk, "quantity": 1}]}
    call = Caller(bobur)
    long = call.post("orders/", body, **{"X-Idempotency-Key": "k" * 65})
    assert (long.status_code, long.json()["detail"][0]["loc"]) == (422, ["header", "X-Idempotency-Key"])
    assert call.post("orders/", body, **{"X-Idempotency-Key": "a\x01b"}).status_code == 422
    assert Order.objects.count() == 0
    assert call.post("orders/", body, **{"X-Idempotency-Key": "k" * 64}).status_code == 200


def test_the_cart_under_a_key_is_ordered_once(bobur: Customer) -> None:
    soft, call = cast.slipper(), Caller(bobur)
    cart.add(by=bobur, slipper_id=soft.pk)
    first = call.post("orders/from-cart?clear_cart=true", **{"X-Idempotency-Key": "k"})
    again = call.post("orders/from-cart?clear_cart=true", **{"X-Idempotency-Key": "k"})
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    other = call.post("orders/from-cart", **{"X-Idempotency-Key": "k"})
    assert (other.status_code, Order.objects.count()) == (409, 1)


# ── Merging ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("word", ["1", "true", "YES", " True "])
def test_merging_adds_to_the_newest_pending_order(bobur: Customer, word: str) -> None:
    soft, hard, call = cast.slipper(price="100"), cast.slipper(price="10"), Caller(bobur)
    old = cast.order(bobur, (soft, 1))
    new = cast.order(bobur, (soft, 2), notes="mine")
    body = {
        "items": [{"slipper_id": hard.pk, "quantity": 4}, {"slipper_id": soft.pk, "quantity": 1, "notes": "red"}],
        "notes": "not read",
    }
    answer = call.post("orders/", body, **{"X-Merge-With-Latest": word}).json()
    assert (answer["id"], answer["total_amount"], answer["notes"]) == (new.pk, 340, "mine")
    assert [(row["slipper_id"], row["quantity"], row["total_price"], row["notes"]) for row in answer["items"]] == [
        (soft.pk, 3, 300, "red"),
        (hard.pk, 4, 40, None),
    ]
    old.refresh_from_db()
    assert (old.total_amount, Order.objects.count(), cast.left(soft, hard)) == (100, 2, [6, 6])


@pytest.mark.parametrize("word", ["", "0", "no", "false", "2"])
def test_other_words_do_not_merge(bobur: Customer, word: str) -> None:
    soft = cast.slipper()
    cast.order(bobur, (soft, 1))
    body = {"items": [{"slipper_id": soft.pk, "quantity": 1}]}
    Caller(bobur).post("orders/", body, **{"X-Merge-With-Latest": word})
    assert Order.objects.count() == 2


def test_merging_makes_an_order_when_there_is_none_to_add_to(bobur: Customer, dilya: Customer) -> None:
    soft, now = cast.slipper(quantity=100), timezone.now()
    cast.order(dilya, (soft, 1))
    cast.order(bobur, (soft, 1), now=now - timedelta(minutes=5, seconds=1))
    cancelled = cast.order(bobur, (soft, 1))
    orders.cancel(by=bobur, order_id=cancelled.pk)
    paying = cast.order(bobur, (soft, 1))
    orders.begin_payment(by=bobur, order_id=paying.pk)
    before = Order.objects.count()
    made = cast.order(bobur, (soft, 1), merge=True, now=now)
    assert (Order.objects.count(), made.total_amount) == (before + 1, 50_000)


def test_five_minutes_are_young_enough(bobur: Customer) -> None:
    soft, now = cast.slipper(), timezone.now()
    young = cast.order(bobur, (soft, 1), now=now - timedelta(minutes=5))
    assert cast.order(bobur, (soft, 1), merge=True, now=now) == young


def test_merging_under_a_key_adds_once(bobur: Customer) -> None:
    soft = cast.slipper()
    first = cast.order(bobur, (soft, 1), key="first")
    for _ in range(3):
        assert cast.order(bobur, (soft, 2), key="second", merge=True) == first
    first.refresh_from_db()
    assert (first.total_amount, cast.left(soft)) == (150_000, [7])
    assert cast.order(bobur, (soft, 1), key="first") == first


def test_a_merged_line_keeps_the_price_it_was_ordered_at(bobur: Customer, anora: Customer) -> None:
    soft = cast.slipper(price="100")
    order = cast.order(bobur, (soft, 1))
    catalogue.change(by=anora, slipper_id=soft.pk, changes={"price": Decimal(500)})
    assert cast.order(bobur, (soft, 2), merge=True).total_amount == 300
    line = OrderItem.objects.get(order=order)
    assert (line.quantity, line.unit_price, line.total_price) == (3, 100, 300)


def test_merging_keeps_the_limits(bobur: Customer) -> None:
    soft = cast.slipper(quantity=1000)
    cast.order(bobur, (soft, 400))
    assert_refused(Invalid, lambda: cast.order(bobur, (soft, 101), merge=True), unchanged=world())
    assert cast.order(bobur, (soft, 100), merge=True).total_amount == 25_000_000


def test_a_line_that_no_column_holds_is_refused_when_merging(bobur: Customer) -> None:
    dear = cast.slipper(price="9999999999.99", quantity=500)
    cast.order(bobur, (dear, 90))
    assert_refused(Invalid, lambda: cast.order(bobur, (dear, 11), merge=True), unchanged=world())
    assert cast.order(bobur, (dear, 10), merge=True).total_amount == Decimal("999999999999.00")


def test_merging_keeps_the_number_of_lines(bobur: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "MOST_LINES", 3)
    one, two, three, four = (cast.slipper(f"S{number}") for number in range(4))
    order = cast.order(bobur, (one, 1), (two, 1))
    assert_refused(Invalid, lambda: cast.order(bobur, (three, 1), (four, 1), merge=True), unchanged=world())
    assert cast.order(bobur, (two, 1), (three, 1), merge=True) == order
