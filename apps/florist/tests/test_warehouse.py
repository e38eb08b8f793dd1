"""Batches, movements, counts, waste, transfers, the showcase (contract florist 1.5, 3.11, 6; defects 12, 14, 25)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import outcomes, query_budget, race
from apps.florist.actions import batches, categories, showcase, stock, transfers, waste
from apps.florist.models import (
    Batch,
    Employee,
    Movement,
    Order,
    Product,
    Shop,
    ShowcaseBouquet,
    StockReservation,
    StockTransfer,
)
from apps.florist.queries import stock as shelves
from apps.florist.queries import warehouse as questions
from apps.florist.queries.warehouse import Wanted
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller
from apps.florist.tests.test_products import ok, refused
from apps.florist.tests.test_reserve_stock import books_agree, figures, order_of

NEW = {
    "sku": "RED-1",
    "batch_code": "B1",
    "variety": "Роза Freedom",
    "height_cm": 60,
    "farm": "Rosaprima",
    "supplier": "Ecuador",
    "delivery_date": "2026-11-20T00:00:00",
    "currency": "USD",
    "rate": 475,
    "cost": 0.8,
    "qty": 50,
}
BATCH = {
    *("id", "sku", "batch_code", "variety", "height_cm", "farm", "supplier", "delivery_date", "currency", "rate"),
    *("cost", "markup_pct", "qty", "price", "reserved_qty", "recommended_price", "on_showcase", "to_write_off"),
    *("hidden", "created_at", "updated_at", "updated_by", "available_qty", "is_critical_stock"),
}
LONG = "k" * 200
"""As long as a key may be."""
MOVE = {
    *("id", "warehouse_item_id", "type", "quantity", "description", "reference_type", "reference_id", "created_at"),
    *("created_by", "qty_before", "qty_after"),
}


# ── Prices ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("cost", "rate", "markup", "expected"),
    [
        ("62.5", "1", "100", 130),
        ("0.80", "475", "100", 760),
        ("2", "1", "0", 0),
        ("5", "1", "0", 10),
        ("300", "1", "33.3", 400),
    ],
)
def test_one_price_rule_half_up_to_ten(cost: str, rate: str, markup: str, expected: int) -> None:
    assert batches.stem_price(Decimal(cost), Decimal(rate), Decimal(markup)) == expected


# ── Batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_new_batch_comes_with_a_price_a_movement_and_a_last_day(bek: Employee) -> None:
    body = ok(Caller(bek)("POST", "/api/warehouse/", NEW), 201)
    assert set(body) == BATCH
    assert (body["recommended_price"], body["price"], body["markup_pct"], body["cost"]) == (760, 760, 100, 0.8)
    assert (body["delivery_date"], body["updated_by"], body["is_critical_stock"]) == ("2026-11-20", "Bek", False)
    batch = Batch.objects.get()
    assert batch.category is not None and str(batch.expires_on) == "2026-11-27"
    move = Movement.objects.get()
    assert (move.type, move.reason, move.quantity, move.unit_cost) == ("in", "receipt", 50, Decimal(380))
    books_agree()


def test_the_shops_own_money_has_no_rate_and_a_price_may_be_set(bek: Employee) -> None:
    body = ok(
        Caller(bek)("POST", "/api/warehouse/", {**NEW, "currency": "KZT", "cost": 300, "price": 999, "qty": 0}), 201
    )
    assert (body["rate"], body["price"], body["recommended_price"], body["qty"]) == (1, 999, 600, 0)
    assert not Movement.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"height_cm": 0},
        {"currency": "XXX"},
        {"rate": -1},
        {"rate": 0},
        {"cost": -1},
        {"qty": -1},
        {"qty": 10**9},
        {"delivery_date": "yesterday"},
        {"delivery_date": "9999-12-31"},
        {"sku": ""},
        {"quantity": 5},
    ],
    ids=lambda change: "-".join(f"{name}-{value}" for name, value in change.items()),
)
def test_a_malformed_batch_is_refused(bek: Employee, change: dict[str, Any]) -> None:
    assert Caller(bek)("POST", "/api/warehouse/", {**NEW, **change}).status_code == 422
    assert not Batch.objects.exists()


def test_a_sku_is_unique_in_its_shop_only(bek: Employee, dana: Employee) -> None:
    ok(Caller(bek)("POST", "/api/warehouse/", NEW), 201)
    refused(Caller(bek)("POST", "/api/warehouse/", NEW), 409, "sku_taken")
    ok(Caller(dana)("POST", "/api/warehouse/", NEW), 201)
    refused(Caller(dana)("POST", "/api/warehouse/", {**NEW, "rate": 10**6, "cost": 10**9}), 422, "price_too_large")
    almost = {**NEW, "currency": "KZT", "cost": 4_999_999_999}  # rounded to ten it is one digit longer
    refused(Caller(dana)("POST", "/api/warehouse/", almost), 422, "price_too_large")
    assert Batch.objects.count() == Movement.objects.count() == 2


def test_lists_filter_in_both_spellings(rosa: Shop, tulip: Shop, aida: Employee) -> None:
    cast.batch(tulip)
    first = cast.batch(rosa, "Роза Red", height_cm=50, supplier="ооо Сад")
    Batch.objects.filter(pk=first.pk).update(farm="Поляна")
    cast.batch(rosa, "Tulip", on_showcase=True)
    cast.batch(rosa, "Iris", to_write_off=True, qty=5)
    cast.batch(rosa, "Hidden", hidden=True)
    call = Caller(aida)

    def names(query: str) -> list[str]:
        body = ok(call("GET", f"/api/warehouse/?{query}"))
        assert body["total"] == len(body["items"])
        return [item["variety"] for item in body["items"]]

    assert names("") == ["Iris", "Tulip", "Роза Red"]
    assert names("heightCm=50") == names("height_cm=50") == names("search=РОЗА") == ["Роза Red"]
    assert names(f"search={first.sku.lower()}") == ["Роза Red"]
    assert names("onShowcase=true") == names("on_showcase=true") == names("variety=tuli") == ["Tulip"]
    assert names("toWriteOff=true") == ["Iris"]
    assert names("variety=РОЗА") == names("variety=роза r") == names("farm=ПОЛЯНА&supplier=ООО") == ["Роза Red"]
    assert names("variety=.") == names("variety=%2A") == []
    assert names("supplier=nobody") == []
    second = ok(call("GET", "/api/warehouse?page=2&limit=2"))
    assert ([item["variety"] for item in second["items"]], second["total"]) == (["Роза Red"], 3)
    for wrong in ("page=0", "limit=101", "heightCm=x"):
        assert call("GET", f"/api/warehouse/?{wrong}").status_code == 422


def test_a_page_costs_two_queries(rosa: Shop, aida: Employee) -> None:
    category = categories.ensure(rosa)[0]
    for _ in range(5):
        cast.batch(rosa, category=category, updated_by=aida)
    with query_budget(2):
        assert questions.page(aida, Wanted())[1] == 5


def test_critical_follows_the_categorys_minimum(rosa: Shop, aida: Employee) -> None:
    category = categories.ensure(rosa)[0]
    category.min_stock = 40
    category.save()
    own, usual, enough = cast.batch(rosa, qty=39, category=category), cast.batch(rosa, qty=14), cast.batch(rosa, qty=15)
    call = Caller(aida)
    seen = {item["id"]: item["is_critical_stock"] for item in ok(call("GET", "/api/warehouse/"))["items"]}
    assert seen == {own.pk: True, usual.pk: True, enough.pk: False}


def test_stats_leave_hidden_batches_out(rosa: Shop, tulip: Shop, bek: Employee, aida: Employee) -> None:
    cast.batch(tulip)
    cast.batch(rosa, qty=10, price=Decimal(600), on_showcase=True)
    cast.batch(rosa, "Tulip", qty=20, price=Decimal("99.5"), supplier="Holland")
    cast.batch(rosa, "Tulip", qty=3, price=Decimal(100), to_write_off=True)
    cast.batch(rosa, hidden=True, qty=1)
    assert ok(Caller(bek)("GET", "/api/warehouse/stats")) == {
        "total_items": 3,
        "total_value": 8290,
        "critical_items": 1,
        "showcase_items": 1,
        "writeoff_items": 1,
        "by_variety": {"Red Naomi": 10, "Tulip": 23},
        "by_supplier": {"Holland": 20, "Supplier": 13},
    }
    refused(Caller(aida)("GET", "/api/warehouse/stats"), 403, "not_enough_permissions")


def test_another_quantity_is_a_movement_and_reserved_stems_stay(rosa: Shop, bek: Employee) -> None:
    batch = cast.batch(rosa, qty=95, reserved_qty=0)
    product = cast.product(rosa)
    cast.recipe(product)
    stock.reserve(order_of(rosa, (product, 1)), by=bek)
    call, path = Caller(bek), f"/api/warehouse/{batch.pk}"
    body = ok(call("PATCH", path, {"quantity": 90, "price": 777, "updated_by": "somebody else", "farm": "Other"}))
    assert (body["qty"], body["price"], body["recommended_price"], body["updated_by"]) == (90, 777, 600, "Bek")
    move = Movement.objects.latest("pk")
    assert (move.type, move.quantity, move.qty_after, move.created_by) == ("adjustment", -5, 90, bek)
    refused(call("PATCH", path, {"reserved_qty": 500}), 409, "reserved_by_orders")
    refused(call("PATCH", path, {"qty": 10}), 400, "not_enough_stems")
    assert ok(call("PATCH", path, {"reserved_qty": 11}))["available_qty"] == 79
    assert figures(batch) == [(90, 11)]
    books_agree()


def test_florists_set_marks_only(rosa: Shop, aida: Employee, ruslan: Employee) -> None:
    batch = cast.batch(rosa)
    call, path = Caller(aida), f"/api/warehouse/{batch.pk}"
    body = ok(call("PATCH", path, {"on_showcase": True, "to_write_off": True}))
    assert (body["on_showcase"], body["to_write_off"], body["updated_by"]) == (True, True, "Aida")
    for body in ({"price": 1}, {"on_showcase": False, "qty": 1}, {"hidden": True}):
        refused(call("PATCH", path, body), 403, "not_enough_permissions")
    refused(call("POST", "/api/warehouse/", NEW), 403, "not_enough_permissions")
    refused(Caller(ruslan)("GET", "/api/warehouse/"), 403, "not_enough_permissions")
    assert figures(batch) == [(100, 0)]


# ── Corrections and counts ──────────────────────────────────────────────────────────────────────────────────────────
def test_corrections_are_movements_by_whoever_is_signed_in(rosa: Shop, aida: Employee) -> None:
    batch = cast.batch(rosa)
    call, path = Caller(aida), f"/api/warehouse/{batch.pk}"
    body = ok(call("POST", f"{path}/adjust-stock", {"adjustment": -20, "reason": "damage", "created_by": "system"}))
    assert set(body) == MOVE
    assert (body["quantity"], body["qty_before"], body["qty_after"], body["created_by"]) == (-20, 100, 80, "Aida")
    assert (body["type"], body["description"]) == ("adjustment", "damage")
    assert ok(call("POST", f"{path}/adjust-stock", {"adjustment": 0, "reason": "seen"}))["qty_after"] == 80
    refused(call("POST", f"{path}/adjust-stock", {"adjustment": -81, "reason": "x"}), 400, "not_enough_stems")
    for wrong in ({"adjustment": 1}, {"adjustment": 1, "reason": ""}, {"adjustment": 1, "reason": "x" * 256}):
        assert call("POST", f"{path}/adjust-stock", wrong).status_code == 422
    moves = ok(call("GET", f"{path}/movements?limit=2"))
    assert ([row["quantity"] for row in moves["items"]], moves["total"]) == ([0, -20], 3)
    assert set(moves["items"][0]) == MOVE
    assert ok(call("GET", f"{path}/movements?skip=2"))["items"][0]["created_by"] == "system"
    books_agree()


def test_a_correction_sent_twice_moves_once(rosa: Shop, aida: Employee) -> None:
    batch = cast.batch(rosa)
    call, path = Caller(aida), f"/api/warehouse/{batch.pk}/adjust-stock"
    body = {"adjustment": -5, "reason": "sale", "reason_code": "sale"}
    first = ok(call("POST", path, body, **{"Idempotency-Key": "k1"}))
    assert ok(call("POST", path, body, **{"Idempotency-Key": "k1"})) == first
    other = {**body, "adjustment": -6}
    refused(call("POST", path, other, **{"Idempotency-Key": "k1"}), 409, "idempotency_key_reused")
    assert figures(batch) == [(95, 0)] and Movement.objects.latest("pk").reason == "sale"


def test_a_count_posts_differences_once(rosa: Shop, tulip: Shop, aida: Employee) -> None:
    more, less, same = cast.batch(rosa, qty=10), cast.batch(rosa, qty=20), cast.batch(rosa, qty=30)
    items = [
        {"warehouse_item_id": batch.pk, "counted": counted} for batch, counted in ((more, 12), (less, 0), (same, 30))
    ]
    call, body = Caller(aida), {"items": items, "comment": "Friday"}
    posted = ok(call("POST", "/api/warehouse/inventory", body, **{"Idempotency-Key": LONG}), 201)
    assert [(row["quantity"], row["type"], row["description"]) for row in posted["items"]] == [
        (2, "adjustment", "Friday"),
        (-20, "adjustment", "Friday"),
    ]
    assert ok(call("POST", "/api/warehouse/inventory", body, **{"Idempotency-Key": LONG}), 201) == posted
    assert figures(more, less, same) == [(12, 0), (0, 0), (30, 0)]
    foreign = {"items": [*items, {"warehouse_item_id": cast.batch(tulip).pk, "counted": 0}]}
    refused(call("POST", "/api/warehouse/inventory", foreign), 404, "warehouse_item_not_found")
    assert figures(more, less, same) == [(12, 0), (0, 0), (30, 0)]
    assert call("POST", "/api/warehouse/inventory", {"items": []}).status_code == 422
    books_agree()


def test_a_count_moves_reserved_stems_into_what_was_counted(rosa: Shop, aida: Employee) -> None:
    gone, left = cast.batch(rosa, qty=10), cast.batch(rosa, qty=20, delivery_date="2026-11-10")
    ten, five = cast.product(rosa, "Ten"), cast.product(rosa, "Five")
    cast.recipe(ten, stems=10)
    cast.recipe(five, stems=5)
    first, second = order_of(rosa, (ten, 1)), order_of(rosa, (five, 1))
    for order in (first, second):
        stock.reserve(order, by=aida)
    assert figures(gone, left) == [(10, 10), (20, 5)]
    batches.count(by=aida, shop=rosa, counted={gone.pk: 0, left.pk: 10})
    assert figures(gone, left) == [(0, 0), (10, 10)]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_backorder, second.is_backorder) == (True, False)
    row = first.history.get()
    assert (row.event_type, row.comment, row.by) == ("edited", "− 5 × Red Naomi", aida)
    assert not second.history.exists()
    books_agree()


# ── Waste ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_waste_has_a_reason_a_cost_and_an_author(rosa: Shop, bek: Employee, aida: Employee) -> None:
    batch = cast.batch(rosa, cost=Decimal("0.8"), rate=Decimal(475))
    path = f"/api/warehouse/{batch.pk}/waste"
    body = {"qty": 7, "reason": "waste_damaged", "comment": "broken", "photo_url": "/uploads/p.jpg"}
    made = ok(Caller(aida)("POST", path, body, **{"Idempotency-Key": "k"}), 201)
    assert ok(Caller(aida)("POST", path, body, **{"Idempotency-Key": "k"}), 201) == made
    ok(Caller(aida)("POST", path, {"qty": 3}), 201)
    act = ok(Caller(bek)("GET", "/api/warehouse/waste"))
    assert (act["stems"], act["cost"], act["total"]) == (10, 3800, 2)
    assert act["by_reason"] == {"waste_damaged": 7, "waste_wilted": 3}
    row = act["items"][1]
    assert set(row) == MOVE | {"reason", "variety", "supplier", "cost", "photo_url"}
    assert (row["cost"], row["created_by"], row["photo_url"]) == (2660, "Aida", "/uploads/p.jpg")
    for reason, code in (("sale", "not_a_waste_reason"), ("waste_wilted", "not_enough_stems")):
        refused(Caller(aida)("POST", path, {"qty": 91, "reason": reason}), 400, code)
    refused(Caller(aida)("GET", "/api/warehouse/waste"), 403, "not_enough_permissions")
    assert figures(batch) == [(90, 0)]
    books_agree()


def test_the_act_of_waste_counts_the_shops_days(rosa: Shop, bek: Employee) -> None:
    made = waste.write_off(by=bek, batch_id=cast.batch(rosa).pk, qty=1)
    Movement.objects.filter(pk=made.pk).update(created_at=datetime(2026, 3, 9, 20, 30, tzinfo=UTC))  # 10 March, Almaty
    call = Caller(bek)
    assert ok(call("GET", "/api/warehouse/waste?dateFrom=2026-03-10&dateTo=2026-03-10"))["stems"] == 1
    assert ok(call("GET", "/api/warehouse/waste?date_to=2026-03-09"))["stems"] == 0
    assert call("GET", "/api/warehouse/waste?date_to=9999-12-31").status_code == 422


def test_wilted_reserved_stems_are_replaced_for_their_orders(rosa: Shop, bek: Employee, aida: Employee) -> None:
    product = cast.product(rosa)
    cast.recipe(product)
    wilted, fresh = cast.batch(rosa, qty=11), cast.batch(rosa, qty=20, delivery_date="2026-11-10")
    order = order_of(rosa, (product, 1))
    stock.reserve(order, by=bek)
    waste.write_off(by=aida, batch_id=wilted.pk, qty=8)
    assert figures(wilted, fresh) == [(3, 3), (20, 8)] and order.items.get().is_reserved
    stock.write_off(order, by=bek)
    assert figures(wilted, fresh) == [(0, 0), (12, 0)]
    books_agree()


# ── What gets old ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_what_gets_old_comes_first(rosa: Shop, tulip: Shop, aida: Employee) -> None:
    today = shelves.today_of(rosa)
    for days, qty in ((-1, 5), (0, 5), (1, 5), (2, 5), (0, 0)):
        cast.batch(rosa, f"in {days}", qty=qty, expires_on=today + timedelta(days=days), delivery_date=today)
    cast.batch(rosa, "flagged", to_write_off=True, delivery_date=today)
    cast.batch(tulip, expires_on=today)
    body = ok(Caller(aida)("GET", "/api/warehouse/expiring"))
    assert [(row["variety"], row["days_left"], row["age_days"]) for row in body["items"]] == [
        ("in -1", -1, 0),
        ("in 0", 0, 0),
        ("in 1", 1, 0),
        ("flagged", None, 0),
    ]
    assert ok(Caller(aida)("GET", "/api/warehouse/expiring?days=2"))["total"] == 5


# ── Transfers ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def sister(rosa: Shop, olga: Employee) -> Shop:
    """Another shop of Olga's."""
    Shop.objects.filter(pk=rosa.pk).update(owner=olga.user)
    return cast.shop("Rosa 2", owner=olga.user)


def test_stems_go_to_the_owners_other_shop_once(rosa: Shop, sister: Shop, bek: Employee) -> None:
    batch = cast.batch(rosa, cost=Decimal("0.8"), rate=Decimal(475), currency="USD", expires_on="2026-11-09")
    call = Caller(bek)
    body = {"warehouse_item_id": batch.pk, "to_shop_id": sister.pk, "qty": 30}
    made = ok(call("POST", "/api/warehouse/transfers", body, **{"Idempotency-Key": "k"}), 201)
    assert ok(call("POST", "/api/warehouse/transfers", body, **{"Idempotency-Key": "k"}), 201) == made
    ok(call("POST", "/api/warehouse/transfers", {**body, "qty": 1}), 201)
    there = Batch.objects.get(pk=made["to_batch_id"])
    assert (there.shop, there.qty, there.stem_cost, str(there.expires_on)) == (sister, 30, Decimal(380), "2026-11-09")
    assert figures(batch) == [(69, 0)]
    assert list(batch.movements.order_by("pk").values_list("reason", "quantity"))[1:] == [
        ("transfer", -30),
        ("transfer", -1),
    ]
    assert [row["qty"] for row in ok(call("GET", "/api/warehouse/transfers"))["items"]] == [1, 30]
    books_agree()


def test_transfers_refuse_others_shops_and_reserved_stems(
    rosa: Shop, tulip: Shop, sister: Shop, bek: Employee, aida: Employee, dana: Employee
) -> None:
    batch = cast.batch(rosa, qty=20)
    product = cast.product(rosa)
    cast.recipe(product)
    stock.reserve(order_of(rosa, (product, 1)), by=bek)
    body = {"warehouse_item_id": batch.pk, "to_shop_id": sister.pk, "qty": 10}
    refused(Caller(bek)("POST", "/api/warehouse/transfers", body), 400, "not_enough_stems")
    for to in (tulip.pk, rosa.pk, 10**9):
        refused(Caller(bek)("POST", "/api/warehouse/transfers", {**body, "to_shop_id": to}), 404, "shop_not_found")
    Shop.objects.filter(pk=sister.pk).update(currency="UZS")
    refused(Caller(bek)("POST", "/api/warehouse/transfers", {**body, "qty": 1}), 404, "shop_not_found")
    refused(Caller(dana)("POST", "/api/warehouse/transfers", body), 404, "warehouse_item_not_found")
    refused(Caller(aida)("POST", "/api/warehouse/transfers", body), 403, "not_enough_permissions")
    assert figures(batch) == [(20, 11)] and not StockTransfer.objects.exists()


def test_a_key_of_one_batch_is_refused_for_another(rosa: Shop, sister: Shop, bek: Employee) -> None:
    first, second = cast.batch(rosa), cast.batch(rosa)
    body = {"warehouse_item_id": first.pk, "to_shop_id": sister.pk, "qty": 10}
    call, key = Caller(bek), {"Idempotency-Key": "k"}
    ok(call("POST", "/api/warehouse/transfers", body, **key), 201)
    for other in ({"warehouse_item_id": second.pk}, {"qty": 11}):
        refused(call("POST", "/api/warehouse/transfers", {**body, **other}, **key), 409, "idempotency_key_reused")
    assert figures(first, second) == [(90, 0), (100, 0)]


# ── The showcase ────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def roses(rosa: Shop) -> Product:
    """Eleven Red Naomi."""
    product = cast.product(rosa)
    cast.recipe(product)
    return product


def test_a_bouquet_is_made_and_taken_apart(rosa: Shop, aida: Employee, roses: Product) -> None:
    old, new = cast.batch(rosa, qty=5), cast.batch(rosa, qty=20, delivery_date="2026-11-10")
    call = Caller(aida)
    made = ok(call("POST", "/api/warehouse/showcase", {"product_id": roses.pk}), 201)
    assert (made["state"], made["product_name"], made["made_by"]) == ("shown", "Red roses", "Aida")
    assert figures(old, new) == [(0, 0), (14, 0)]
    assert [row["id"] for row in ok(call("GET", "/api/warehouse/showcase"))["items"]] == [made["id"]]
    path = f"/api/warehouse/showcase/{made['id']}/take-apart"
    too_many = {"wilted": [{"warehouse_item_id": old.pk, "qty": 6}]}
    refused(call("POST", path, too_many), 400, "not_enough_stems")
    assert figures(old, new) == [(0, 0), (14, 0)]
    wilted = {"wilted": [{"warehouse_item_id": old.pk, "qty": 2}]}
    assert ok(call("POST", path, wilted))["state"] == "apart"
    assert figures(old, new) == [(3, 0), (20, 0)]
    refused(call("POST", path, None), 409, "illegal_bouquet_step")
    assert ok(call("GET", "/api/warehouse/showcase"))["total"] == 0
    assert Movement.objects.filter(reason="waste_wilted").get().quantity == -2
    books_agree()


def test_a_bouquet_is_made_once_per_key(rosa: Shop, aida: Employee, dana: Employee, roses: Product) -> None:
    batch, other = cast.batch(rosa, qty=22), cast.product(rosa, "Other")
    cast.recipe(other, stems=1)
    call, key, path = Caller(aida), {"Idempotency-Key": LONG}, "/api/warehouse/showcase"
    made = [ok(call("POST", path, {"product_id": roses.pk}, **key), 201)["id"] for _ in range(2)]
    assert (len(set(made)), figures(batch)) == (1, [(11, 0)])
    refused(call("POST", path, {"product_id": other.pk}, **key), 409, "idempotency_key_reused")
    assert call("POST", path, {"product_id": roses.pk}, **{"Idempotency-Key": "k" * 201}).status_code == 422
    next_door = cast.product(dana.shop)
    cast.recipe(next_door)
    cast.batch(dana.shop)
    assert ok(Caller(dana)("POST", path, {"product_id": next_door.pk}, **key), 201)["id"] not in made
    for _ in range(2):  # without a key each is another one, while stems last
        call("POST", path, {"product_id": roses.pk})
    assert (ShowcaseBouquet.objects.filter(shop=rosa).count(), figures(batch)) == (2, [(0, 0)])
    # Nothing is left, and the answer is the same.
    assert ok(call("POST", path, {"product_id": roses.pk}, **key), 201)["id"] == made[0]
    books_agree()


def test_a_bouquet_is_sold_as_a_line_which_lets_its_stems_go(
    rosa: Shop, bek: Employee, aida: Employee, roses: Product
) -> None:
    batch = cast.batch(rosa, qty=40)
    shown = showcase.assemble(by=aida, product_id=roses.pk)
    order, other = order_of(rosa, (roses, 2)), order_of(rosa, (cast.product(rosa, "Other"), 1))
    stock.reserve(order, by=bek)
    assert figures(batch) == [(29, 22)]
    call, path = Caller(bek), f"/api/warehouse/showcase/{shown.pk}/sell"
    refused(call("POST", path, {"order_item_id": other.items.get().pk}), 409, "bouquet_does_not_fit")
    refused(Caller(aida)("POST", path, {"order_item_id": order.items.get().pk}), 403, "not_enough_permissions")
    assert ok(call("POST", path, {"order_item_id": order.items.get().pk}))["state"] == "sold"
    assert figures(batch) == [(29, 11)]
    second = showcase.assemble(by=aida, product_id=roses.pk)
    path = f"/api/warehouse/showcase/{second.pk}/sell"
    refused(call("POST", path, {"order_item_id": order.items.get().pk}), 409, "bouquet_does_not_fit")
    stock.write_off(order, by=bek)
    assert figures(batch) == [(7, 0)]
    books_agree()


def test_a_bouquet_for_a_short_line_leaves_it_the_stems_it_held(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch = cast.batch(rosa, qty=26)
    shown = showcase.assemble(by=bek, product_id=roses.pk)
    order = order_of(rosa, (roses, 2))
    stock.reserve(order, by=bek, allow_short=True)
    assert figures(batch) == [(15, 15)] and not order.items.get().is_reserved
    showcase.sell(by=bek, bouquet_id=shown.pk, order_item_id=order.items.get().pk)
    assert figures(batch) == [(15, 11)] and order.items.get().is_reserved
    books_agree()


def test_a_bouquet_for_an_order_that_holds_nothing_reserves_nothing(rosa: Shop, bek: Employee, roses: Product) -> None:
    Shop.objects.filter(pk=rosa.pk).update(reserve_at=Shop.ReserveAt.PAID)
    batch = cast.batch(rosa, qty=40)
    shown = showcase.assemble(by=bek, product_id=roses.pk)
    order = order_of(rosa, (roses, 2))
    showcase.sell(by=bek, bouquet_id=shown.pk, order_item_id=order.items.get().pk)
    assert figures(batch) == [(29, 0)]


def test_the_showcase_refuses_strangers_and_what_cannot_be_made(
    rosa: Shop, aida: Employee, dana: Employee, ruslan: Employee, roses: Product
) -> None:
    path = "/api/warehouse/showcase"
    body = Caller(aida)("POST", path, {"product_id": roses.pk}).json()
    missing = {"variety": "Red Naomi", "height_cm": 60, "needed": 11, "available": 0}
    assert (body["code"], body["shortages"]) == ("stock_short", [missing])
    bare = cast.product(rosa, "Bare")
    refused(Caller(aida)("POST", path, {"product_id": bare.pk}), 409, "no_recipe")
    refused(Caller(dana)("POST", path, {"product_id": roses.pk}), 404, "product_not_found")
    refused(Caller(ruslan)("POST", path, {"product_id": roses.pk}), 403, "not_enough_permissions")
    assert not ShowcaseBouquet.objects.exists()
    cast.batch(rosa)
    shown = showcase.assemble(by=aida, product_id=roses.pk)
    refused(Caller(dana)("POST", f"{path}/{shown.pk}/take-apart"), 404, "bouquet_not_found")
    assert ok(Caller(dana)("GET", path))["total"] == 0


# ── Strangers ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_shop_next_door_sees_and_touches_no_batch(rosa: Shop, dana: Employee) -> None:
    batch = cast.batch(rosa)
    call, path = Caller(dana), f"/api/warehouse/{batch.pk}"
    for method, tail, body in (
        ("GET", "", None),
        ("PATCH", "", {"qty": 1}),
        ("GET", "/movements", None),
        ("POST", "/adjust-stock", {"adjustment": -1, "reason": "x"}),
        ("POST", "/waste", {"qty": 1}),
    ):
        refused(call(method, f"{path}{tail}", body), 404, "warehouse_item_not_found")
    for address in ("/api/warehouse/", "/api/warehouse/expiring?days=60", "/api/warehouse/waste"):
        assert ok(call("GET", address))["total"] == 0
    assert ok(call("GET", "/api/warehouse/stats"))["total_items"] == 0
    assert figures(batch) == [(100, 0)]
    for address in ("/api/warehouse/", "/api/warehouse/stats", path):
        assert Caller()("GET", address).status_code == 401


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.race
def test_corrections_waste_orders_and_counts_at_once_add_up(rosa: Shop, bek: Employee, roses: Product) -> None:
    batch, other = cast.batch(rosa, qty=200), cast.batch(rosa, qty=200, delivery_date="2026-11-10")
    orders = [order_of(rosa, (roses, 1)) for _ in range(8)]

    def work(number: int) -> Any:
        if number % 4 == 0:
            return batches.adjust(by=bek, batch_id=batch.pk, stems=-3, words="x")
        if number % 4 == 1:
            return waste.write_off(by=bek, batch_id=other.pk, qty=2)
        if number % 4 == 2:
            return stock.reserve(orders[number // 4], by=bek)
        return batches.adjust(by=bek, batch_id=other.pk, stems=1, words="x", key=f"k{number % 8}")

    assert outcomes(race(32, work)) == {"ok": 32}
    assert figures(batch, other) == [(200 - 24, 88), (200 - 16 + 2, 0)]
    books_agree()


@pytest.mark.race
def test_counts_of_two_batches_race_with_orders_and_do_not_deadlock(rosa: Shop, bek: Employee, roses: Product) -> None:
    one, two = cast.batch(rosa, qty=110), cast.batch(rosa, qty=400, delivery_date="2026-11-10")
    orders = [order_of(rosa, (roses, 1)) for _ in range(24)]
    for order in orders[:12]:
        stock.reserve(order, by=bek)

    def work(number: int) -> Any:
        if number % 2:
            return stock.reserve(orders[12 + number // 2], by=bek)
        pair = {one.pk: 100 - 4 * number, two.pk: 390}
        return batches.count(by=bek, shop=rosa, counted=pair if number % 4 else dict(reversed(pair.items())))

    found = outcomes(race(24, work))
    assert found.keys() <= {"ok", "ChangedMeanwhile", "NotEnoughStems"} and found["ok"] >= 12
    books_agree()


@pytest.mark.race
def test_waste_of_reserved_stems_races_with_orders(rosa: Shop, bek: Employee, roses: Product) -> None:
    first, second = cast.batch(rosa, qty=88), cast.batch(rosa, qty=200, delivery_date="2026-11-10")
    orders = [order_of(rosa, (roses, 1)) for _ in range(16)]
    for order in orders[:8]:
        stock.reserve(order, by=bek)

    def work(number: int) -> Any:
        if number % 3 == 0:
            return waste.write_off(by=bek, batch_id=first.pk, qty=4)
        if number % 3 == 1:
            return stock.write_off(orders[number // 3], by=bek)
        return stock.reserve(orders[8 + number // 3], by=bek)

    found = outcomes(race(24, work))
    assert found.keys() <= {"ok", "ChangedMeanwhile", "NotEnoughStems"}
    assert found["ok"] >= 16
    books_agree()
    assert not StockReservation.objects.filter(qty__lte=0).exists()
    assert Order.objects.count() == 16 and second.movements.count() >= 1


@pytest.mark.race
def test_one_bouquet_is_sold_once_while_orders_let_theirs_go(rosa: Shop, bek: Employee, roses: Product) -> None:
    cast.batch(rosa, qty=300)
    sold = showcase.assemble(by=bek, product_id=roses.pk)
    wanted = showcase.assemble(by=bek, product_id=roses.pk)
    orders = [order_of(rosa, (roses, 1)) for _ in range(9)]
    for order in orders:
        stock.reserve(order, by=bek)
    showcase.sell(by=bek, bouquet_id=sold.pk, order_item_id=orders[8].items.get().pk)

    def work(number: int) -> Any:
        if number == 8:
            return stock.release(orders[8], by=bek)
        if number == 9:
            return showcase.take_apart(by=bek, bouquet_id=wanted.pk)
        item = orders[number].items.get()
        return showcase.sell(by=bek, bouquet_id=(wanted if number % 2 else sold).pk, order_item_id=item.pk)

    found = outcomes(race(10, work))
    assert found.keys() == {"ok", "IllegalBouquetStep"} and 2 <= found["ok"] <= 3
    assert ShowcaseBouquet.objects.get(pk=wanted.pk).state in ("sold", "apart")
    books_agree()


@pytest.mark.race
def test_the_last_stems_are_handed_over_once(rosa: Shop, sister: Shop, bek: Employee) -> None:
    batch = cast.batch(rosa, qty=10)
    results = race(8, lambda _n: transfers.hand_over(by=bek, batch_id=batch.pk, to_shop_id=sister.pk, qty=4, key=""))
    assert outcomes(results) == {"ok": 2, "NotEnoughStems": 6}
    assert figures(batch) == [(2, 0)]
    assert sum(Batch.objects.filter(shop=sister).values_list("qty", flat=True)) == 8
    books_agree()


@pytest.mark.race
@pytest.mark.parametrize("qty", [50, 11])
def test_taps_at_once_make_one_bouquet(rosa: Shop, aida: Employee, roses: Product, qty: int) -> None:
    batch = cast.batch(rosa, qty=qty)
    results = race(8, lambda _n: showcase.assemble(by=aida, product_id=roses.pk, key="form"))
    assert outcomes(results) == {"ok": 8} and len({made.pk for made in results}) == 1
    assert figures(batch) == [(qty - 11, 0)]
    books_agree()


@pytest.mark.race
def test_a_key_for_two_bouquets_at_once_makes_one(rosa: Shop, aida: Employee, roses: Product) -> None:
    tulips = cast.product(rosa, "Tulips")
    cast.recipe(tulips, "Strong Gold", stems=5)
    cast.batch(rosa)
    cast.batch(rosa, "Strong Gold")
    ids = (roses.pk, tulips.pk)
    results = race(6, lambda number: showcase.assemble(by=aida, product_id=ids[number % 2], key="form"))
    assert outcomes(results) == {"ok": 3, "KeyReused": 3}
    assert ShowcaseBouquet.objects.count() == 1
    books_agree()


@pytest.mark.race
def test_a_key_for_two_batches_at_once_hands_over_one(rosa: Shop, sister: Shop, bek: Employee) -> None:
    lots = [cast.batch(rosa, qty=10) for _ in range(2)]

    def press(number: int) -> StockTransfer:
        return transfers.hand_over(by=bek, batch_id=lots[number % 2].pk, to_shop_id=sister.pk, qty=4, key="form")

    assert outcomes(race(6, press)) == {"ok": 3, "KeyReused": 3}
    assert sorted(figures(*lots)) == [(6, 0), (10, 0)]
    assert StockTransfer.objects.get().qty == Batch.objects.get(shop=sister).qty == 4
    books_agree()
