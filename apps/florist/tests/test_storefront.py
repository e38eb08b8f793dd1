"""The storefront: the shop's prices, its stock, one order per key (contract 1.3, 3.6, 3.7; defects 11, 16, 20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from pytest_django.fixtures import Settings

from apps.core.testing import outcomes, query_budget, race
from apps.florist.models import (
    Batch,
    Customer,
    DeliveryZone,
    Material,
    Order,
    OrderHistory,
    Product,
    ProductComponent,
    ProductImage,
    ProductVariant,
    Shop,
)
from apps.florist.queries import storefront
from apps.florist.queries.storefront import Wanted
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller

NOON = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
"""Noon in Almaty."""
PHONE = "+77017770001"
SHOP_KEYS = {
    *("id", "name", "phone", "whatsapp_number", "address", "city", "description", "business_hours", "shop_logo_url"),
}
PRODUCT_KEYS = {
    *("id", "name", "category", "description", "image_url", "retail_price", "sale_price", "is_active", "is_popular"),
    *("is_new", "images", "variants"),
}
SHORT_KEYS = {"id", "name", "description", "price", "category", "image_url", "in_stock", "shop_id"}
ORDER_KEYS = {
    *("id", "created_at", "updated_at", "status", "customer_phone", "recipient_phone", "recipient_name", "address"),
    *("address_needs_clarification", "delivery_method", "delivery_window", "flower_sum", "delivery_fee", "total"),
    *("has_pre_delivery_photos", "has_issue", "issue_type", "issue_comment", "tracking_token", "payment_method"),
    *("payment_date", "card_text", "delivery_time_text", "source", "items"),
}
LINE_KEYS = {"id", "order_id", "product_id", "quantity", "price", "total", "product_name", "product_category"}


@pytest.fixture(autouse=True)
def noon() -> Any:
    """Lead times and slots speak of a clock."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def roses(rosa: Shop) -> Product:
    """Eleven red roses for 10 000, a hundred stems in stock, one zone for 1500."""
    DeliveryZone.objects.create(shop=rosa, name="Centre", price=1500)
    found = cast.product(rosa, "Red roses")
    cast.recipe(found)
    cast.batch(rosa, delivery_date="2026-11-19")
    return found


def order_body(product: Product, **more: Any) -> dict[str, Any]:
    """What the second storefront sends, with the prices that it should not decide."""
    return {
        "shop_id": product.shop_id,
        "customer_phone": "8 701 777 00 01",
        "delivery_method": "delivery",
        "items": [{"product_id": product.pk, "quantity": 2, "price": 1}],
        "address": "Abai 10, flat 5",
        "recipient_name": "Maria",
        "recipient_phone": "+77017770002",
        "delivery_window": {"from": "2026-11-21T10:00:00+05:00", "to": "2026-11-21T12:00:00+05:00"},
        "delivery_fee": 0,
        "flower_sum": 1,
        "total": 1,
        **more,
    }


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("root", ["/api/public", "/public"])
def test_a_shop_shows_its_card(rosa: Shop, root: str) -> None:
    answer = Caller()("GET", f"{root}/shops/{rosa.pk}")
    assert (answer.status_code, answer.json().keys()) == (200, SHOP_KEYS)


def test_a_closed_shop_is_not_there(rosa: Shop) -> None:
    Shop.objects.update(is_active=False)
    for path in ("", "/products", "/categories"):
        assert Caller()("GET", f"/api/public/shops/{rosa.pk}{path}").status_code == 404
    assert Caller()("GET", f"/api/public/products?shop_id={rosa.pk}").status_code == 404


def test_products_show_no_cost_and_only_what_is_on_sale(roses: Product, tulip: Shop) -> None:
    cast.product(roses.shop, "Hidden", is_active=False)
    cast.product(tulip, "Foreign")
    ProductImage.objects.create(product=roses, image_url="/uploads/a.jpg", is_primary=True)
    ProductVariant.objects.create(product=roses, name="VIP", factor=Decimal("2.5"))
    got = Caller()("GET", f"/api/public/products?shop_id={roses.shop_id}").json()
    assert got["total"] == 1
    [shown] = got["items"]
    assert shown.keys() == PRODUCT_KEYS
    assert shown["images"][0].keys() == {"id", "product_id", "image_url", "is_primary", "sort_order", "created_at"}
    assert [(size["name"], size["price"]) for size in shown["variants"]] == [("VIP", 25_000)]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("min_price=9000", ["Dear"]),
        ("max_price=9000", ["Cheap", "Sale"]),
        ("min_price=6000&max_price=8000", ["Sale"]),
        ("category=potted", ["Cheap"]),
        ("skip=1&limit=1", ["Cheap"]),
    ],
)
def test_filters_look_at_what_is_paid_now(rosa: Shop, query: str, names: list[str]) -> None:
    """Defect 20: price filters were 500."""
    cast.product(rosa, "Sale", 12_000, sale_price=7000)
    cast.product(rosa, "Cheap", 5000, category="potted")
    cast.product(rosa, "Dear", 10_000)
    got = Caller()("GET", f"/api/public/products?shop_id={rosa.pk}&{query}").json()
    assert sorted(row["name"] for row in got["items"]) == names
    short = Caller()("GET", f"/api/public/shops/{rosa.pk}/products?{query}").json()
    assert sorted(row["name"] for row in short["products"]) == names


@pytest.mark.parametrize("query", ["category=roses", "min_price=-1", "limit=101", "skip=-1", "min_price=x"])
def test_a_malformed_filter_is_422(rosa: Shop, query: str) -> None:
    assert Caller()("GET", f"/api/public/products?shop_id={rosa.pk}&{query}").status_code == 422


def test_in_stock_is_the_truth(roses: Product) -> None:
    """The original said yes always."""
    shop = roses.shop
    tall = cast.product(shop, "Tall")
    cast.recipe(tall, stems=1, height_cm=90)
    many = cast.product(shop, "Hundred and one")
    cast.recipe(many, stems=101, height_cm=None)
    cast.product(shop, "No recipe")
    ribbon = Material.objects.create(shop=shop, name="Ribbon", price=100, in_stock=False)
    wrapped = cast.product(shop, "Wrapped")
    ProductComponent.objects.create(product=wrapped, component_type="material", name="Ribbon", material=ribbon)
    got = Caller()("GET", f"/api/public/shops/{shop.pk}/products").json()
    assert got["products"][0].keys() == SHORT_KEYS
    there = {row["name"]: row["in_stock"] for row in got["products"]}
    assert there == {"Red roses": True, "Tall": False, "Hundred and one": False, "No recipe": True, "Wrapped": False}
    yes = Caller()("GET", f"/api/public/shops/{shop.pk}/products?in_stock=true").json()
    no = Caller()("GET", f"/api/public/shops/{shop.pk}/products?in_stock=false").json()
    assert (yes["total"], no["total"], yes["shop_id"]) == (2, 3, shop.pk)


@pytest.mark.parametrize(
    "change",
    [{"hidden": True}, {"to_write_off": True}, {"expires_on": "2026-11-19"}, {"reserved_qty": 90}, {"height_cm": 50}],
)
def test_stems_that_cannot_be_sold_do_not_count(roses: Product, change: dict[str, Any]) -> None:
    assert storefront.in_stock(roses.shop, [roses.pk]) == {roses.pk: True}
    Batch.objects.update(**change)
    assert storefront.in_stock(roses.shop, [roses.pk]) == {roses.pk: False}


def test_two_lines_of_a_recipe_share_the_stems(rosa: Shop) -> None:
    both = cast.product(rosa)
    cast.recipe(both, stems=6, height_cm=60)
    cast.recipe(both, stems=6, height_cm=None)
    cast.batch(rosa, qty=11, delivery_date="2026-11-19")
    assert storefront.in_stock(rosa, [both.pk]) == {both.pk: False}
    cast.batch(rosa, qty=1, height_cm=40, delivery_date="2026-11-19")
    assert storefront.in_stock(rosa, [both.pk]) == {both.pk: True}


def test_lists_cost_the_same_for_any_number(rosa: Shop) -> None:
    for number in range(20):
        made = cast.product(rosa, f"Product {number}")
        cast.recipe(made)
        ProductImage.objects.create(product=made, image_url="/uploads/a.jpg")
        ProductVariant.objects.create(product=made, name="mini", factor=Decimal("0.7"))
    with query_budget(4):
        assert len(storefront.products(rosa, Wanted())[0]) == 20
    with query_budget(7):
        assert len(storefront.short_products(rosa, Wanted(limit=100, in_stock=False))[0]) == 20


def test_categories_are_counted_and_an_empty_shop_has_none(rosa: Shop) -> None:
    """The original invented six."""
    path = f"/api/public/shops/{rosa.pk}/categories"
    assert Caller()("GET", path).json() == {"categories": [], "total": 0}
    for name, category in (("A", "bouquet"), ("B", "bouquet"), ("C", "potted")):
        cast.product(rosa, name, category=category)
    got = Caller()("GET", path).json()
    assert [(row["name"], row["count"]) for row in got["categories"]] == [("bouquet", 2), ("potted", 1)]
    assert got["total"] == 2


# ── ordering ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("root", ["/api/public", "/public"])
def test_prices_fee_and_total_are_ours(roses: Product, root: str) -> None:
    """Defect 11: a 500 tenge product was sold for 1."""
    answer = Caller()("POST", f"{root}/orders", order_body(roses))
    assert answer.status_code == 200, answer.content
    got = answer.json()
    assert got.keys() == ORDER_KEYS
    assert [line.keys() for line in got["items"]] == [LINE_KEYS]
    assert (got["flower_sum"], got["delivery_fee"], got["total"]) == (20_000, 1500, 21_500)
    assert (got["items"][0]["price"], got["source"], got["status"]) == (10_000, "storefront", "new")
    assert got["customer_phone"] == PHONE
    assert got["delivery_window"] == {"from": "2026-11-21T05:00:00Z", "to": "2026-11-21T07:00:00Z"}
    order = Order.objects.get()
    assert order.reserved_until is not None
    assert OrderHistory.objects.get(order=order).by_text == "buyer"


def test_an_order_never_touches_the_names_that_the_shop_knows(roses: Product) -> None:
    """Defect 11: the checkout overwrote the buyer's name, across shops."""
    Customer.objects.create(shop=roses.shop, phone=PHONE, name="Ivan")
    Caller()("POST", "/api/public/orders", order_body(roses, customer_name="Somebody"))
    known = Customer.objects.get()
    assert (known.name, known.addresses.get().address) == ("Ivan", "Abai 10, flat 5")


def test_pickup_and_card_are_old_words(roses: Product) -> None:
    """Both were refused or 500."""
    body = order_body(roses, delivery_method="pickup", payment_method="card")
    got = Caller()("POST", "/api/public/orders", body).json()
    assert (got["delivery_method"], got["payment_method"], got["delivery_fee"]) == ("self_pickup", "kaspi", 0)


@pytest.mark.parametrize(
    "window",
    [
        {"from_time": "2026-11-21T10:00:00+05:00", "to_time": "2026-11-21T12:00:00+05:00"},
        {"date": "2026-11-21", "time": "10:00-12:00"},
    ],
)
def test_all_forms_of_a_window(roses: Product, window: dict[str, str]) -> None:
    got = Caller()("POST", "/api/public/orders", order_body(roses, delivery_window=window)).json()
    assert got["delivery_window"] == {"from": "2026-11-21T05:00:00Z", "to": "2026-11-21T07:00:00Z"}


def test_a_size_has_its_price_from_the_server(roses: Product) -> None:
    vip = ProductVariant.objects.create(product=roses, name="VIP", factor=Decimal("2.5"))
    items = [{"product_id": roses.pk, "quantity": 1, "variant_id": vip.pk, "price": 5}]
    got = Caller()("POST", "/api/public/orders", order_body(roses, items=items)).json()
    assert (got["items"][0]["price"], got["flower_sum"]) == (25_000, 25_000)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"items": []}, 422, None),
        ({"items": [{"product_id": 1, "quantity": -3}]}, 422, None),
        ({"items": [{"product_id": 999_999, "quantity": 1}]}, 404, "product_not_found"),
        ({"shop_id": 999_999}, 404, "shop_not_found"),
        ({"customer_phone": "12"}, 422, None),
        ({"delivery_method": "drone"}, 422, None),
        ({"address": None}, 422, None),
        ({"card_text": "x" * 501}, 422, None),
        ({"zone_id": 999_999}, 404, "zone_not_found"),
        ({"delivery_window": {"from": "2026-11-20T12:30:00+05:00"}}, 409, "window_not_offered"),
        ({"delivery_window": {"from": "yesterday"}}, 422, None),
    ],
)
def test_refusals_leave_nothing(roses: Product, change: dict[str, Any], status: int, code: str | None) -> None:
    answer = Caller()("POST", "/api/public/orders", order_body(roses, **change))
    assert answer.status_code == status, answer.content
    assert code is None or answer.json()["code"] == code
    assert (Order.objects.count(), Customer.objects.count()) == (0, 0)


def test_a_product_of_another_shop_cannot_be_ordered(roses: Product, tulip: Shop) -> None:
    foreign = cast.product(tulip)
    items = [{"product_id": foreign.pk, "quantity": 1}]
    answer = Caller()("POST", "/api/public/orders", order_body(roses, items=items))
    assert (answer.status_code, answer.json()["code"]) == (404, "product_not_found")


def test_missing_stems_are_named(roses: Product) -> None:
    """Defect 16: a refusal is an error that the page can show, never an invented order."""
    items = [{"product_id": roses.pk, "quantity": 10}]
    answer = Caller()("POST", "/api/public/orders", order_body(roses, items=items))
    assert answer.status_code == 409
    assert answer.json()["shortages"] == [{"variety": "Red Naomi", "height_cm": 60, "needed": 110, "available": 100}]
    assert not Order.objects.exists()


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Idempotency-Key"])
def test_the_same_key_is_the_same_order(roses: Product, header: str) -> None:
    call, body = Caller(), order_body(roses)
    first = call("POST", "/api/public/orders", body, **{header: "tap-1"}).json()
    again = call("POST", "/api/public/orders", body, **{header: "tap-1"}).json()
    assert (again["id"], again["tracking_token"]) == (first["id"], first["tracking_token"])
    other = call("POST", "/api/public/orders", {**body, "address": "Elsewhere 1"}, **{header: "tap-1"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert call("POST", "/api/public/orders", body, **{header: "x" * 201}).status_code == 422
    assert Order.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_tap_ten_times_is_one_order(roses: Product) -> None:
    body = order_body(roses)
    ids = race(10, lambda _: Caller()("POST", "/api/public/orders", body, **{"Idempotency-Key": "tap"}).json()["id"])
    assert outcomes(ids) == {"ok": 10}
    assert set(ids) == {Order.objects.get().pk}


# ── the shop's own form ─────────────────────────────────────────────────────────────────────────────────────────────
def form(product: Product, **more: Any) -> dict[str, Any]:
    """What the form sends."""
    return {
        "customer_name": "Ivan",
        "customer_phone": "+7 701 777 00 01",
        "delivery_type": "delivery",
        "payment_method": "cash",
        "items": [{"product_id": product.pk, "quantity": 1, "price": 1, "product_name": "x"}],
        "total_amount": 1,
        "delivery_address": "Abai 10",
        "delivery_date": "2026-11-21",
        "delivery_time": "10:00-12:00",
        **more,
    }


def test_the_form_orders(roses: Product) -> None:
    answer = Caller()("POST", f"/api/public/shops/{roses.shop_id}/orders", form(roses, special_requests="ring twice"))
    assert answer.status_code == 200, answer.content
    got = answer.json()
    assert got.keys() == {
        *("id", "tracking_token", "status", "customer_name", "customer_phone", "total_amount", "created_at", "message"),
    }
    assert (got["total_amount"], got["customer_name"], got["customer_phone"]) == (11_500, "Ivan", PHONE)
    order = Order.objects.get()
    assert (order.comment, order.payment_method, order.reserved_until is None) == ("ring twice", "cash", False)
    assert order.delivery_from == datetime(2026, 11, 21, 5, tzinfo=UTC)
    assert Customer.objects.get().name == "Ivan"


@pytest.mark.parametrize(
    ("delivery", "payment", "ours"),
    [("pickup", "card", ("self_pickup", "kaspi")), ("self_pickup", "kaspi", ("self_pickup", "kaspi"))],
)
def test_the_form_takes_pickup_and_card(roses: Product, delivery: str, payment: str, ours: tuple[str, str]) -> None:
    """Defect 20: both were 500."""
    body = form(roses, delivery_type=delivery, payment_method=payment)
    answer = Caller()("POST", f"/api/public/shops/{roses.shop_id}/orders", body)
    assert answer.status_code == 200, answer.content
    order = Order.objects.get()
    assert (order.delivery_method, order.payment_method) == ours


def test_a_time_in_words_stays_words(roses: Product) -> None:
    body = form(roses, delivery_time="agree with the recipient", delivery_date=None)
    assert Caller()("POST", f"/api/public/shops/{roses.shop_id}/orders", body).status_code == 200
    order = Order.objects.get()
    assert (order.delivery_from, order.delivery_time_text) == (None, "agree with the recipient")


def test_the_day_is_kept_when_the_time_is_to_be_agreed(roses: Product) -> None:
    bodies: list[tuple[str, dict[str, Any], str]] = [
        (f"shops/{roses.shop_id}/orders", form(roses, delivery_time="any time"), "2026-11-21, any time"),
        (f"shops/{roses.shop_id}/orders", form(roses, delivery_time=None), "2026-11-21"),
        ("orders", order_body(roses, delivery_window={"date": "2026-11-21", "time": ""}), "2026-11-21"),
    ]
    for route, body, words in bodies:
        assert Caller()("POST", f"/api/public/{route}", body).status_code == 200
        order = Order.objects.latest("pk")
        assert (order.delivery_from, order.delivery_time_text) == (None, words)


@pytest.mark.parametrize(
    "change",
    [
        {"customer_name": ""},
        {"customer_name": "x" * 101},
        {"customer_phone": "123"},
        {"customer_phone": "not a phone"},
        {"payment_method": "qr"},
        {"delivery_type": "drone"},
        {"items": [{"product_id": 1, "quantity": 0}]},
        {"delivery_time": "25:99"},
    ],
)
def test_a_malformed_form_is_422(roses: Product, change: dict[str, Any]) -> None:
    answer = Caller()("POST", f"/api/public/shops/{roses.shop_id}/orders", form(roses, **change))
    assert answer.status_code == 422, answer.content
    assert not Order.objects.exists()


# ── how often ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_strangers_are_slowed_down_per_path(rosa: Shop, settings: Settings) -> None:
    settings.FLORIST = replace(settings.FLORIST, public_per_minute=2)
    call = Caller()
    statuses = [call("GET", f"/api/public/shops/{rosa.pk}").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert int(call("GET", f"/api/public/shops/{rosa.pk}")["Retry-After"]) > 0
    assert call("GET", f"/public/shops/{rosa.pk}").status_code == 429
    assert call("GET", f"/api/public/shops/{rosa.pk}/categories").status_code == 200
