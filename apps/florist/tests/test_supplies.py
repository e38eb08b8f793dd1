"""Supplies, deliveries, categories, and what to buy (contract florist 1.5, 3.12, 6; defects 14, 15)."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from apps.core.testing import outcomes, query_budget, race
from apps.florist.actions import stock, supplies, waste
from apps.florist.actions.supplies import NewSupply, Row
from apps.florist.models import Batch, Employee, FlowerCategory, Movement, Shop, Supply, SupplyItem
from apps.florist.queries import supplies as questions
from apps.florist.queries import supply_text
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller
from apps.florist.tests.seats import seated
from apps.florist.tests.test_products import ok, refused
from apps.florist.tests.test_reserve_stock import books_agree, order_of

ROWS = [
    {"flower_name": "Роза Freedom", "height_cm": 60, "purchase_price": 0.8, "quantity": 100},
    {"flower_name": "Gypsophila", "height_cm": 70, "purchase_price": 1.25, "quantity": 40},
]
NEW = {"supplier": "Ecuador", "currency": "USD", "rate": 475, "items": ROWS, "delivery_date": "2026-11-20"}
SUPPLY = {
    *("id", "supplier", "farm", "delivery_date", "currency", "rate", "notes", "comment", "status", "total_cost"),
    *("created_at", "created_by", "items"),
}
ITEM = {
    *("id", "supply_id", "flower_name", "height_cm", "purchase_price", "quantity", "category_id"),
    *("remaining_quantity", "retail_price", "total_cost", "created_at", "category"),
}
CATEGORY = {"id", "name", "markup_percentage", "keywords", "created_at", "updated_at"}
DELIVERY = {
    "supplier": "Ecuador",
    "farm": "Rosaprima",
    "delivery_date": "2026-11-20",
    "currency": "KZT",
    "rate": 1,
    "positions": [{"variety": "Red Naomi", "height_cm": 5, "qty": 25, "cost_per_stem": 300}],
}


# ── Reading a list ──────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Freedom 60 450 100", ("Freedom", 60, "450", 100)),
        ("Роза Red Naomi 60 0.80 200", ("Роза Red Naomi", 60, "0.80", 200)),
        ("Роза Red Naomi  60\t0,8   200", ("Роза Red Naomi", 60, "0.8", 200)),
        ("Freedom 60 450x100", ("Freedom", 60, "450", 100)),
        ("Freedom 60 450 х 100", ("Freedom", 60, "450", 100)),
        ("Freedom 60см 450 × 100шт.", ("Freedom", 60, "450", 100)),
        ("Rose 3 pink 60 1 2", ("Rose 3 pink", 60, "1", 2)),
    ],
)
def test_lines_are_read(line: str, expected: tuple[str, int, str, int]) -> None:
    [row] = supply_text.read(line)
    assert row == supply_text.Row(expected[0], expected[1], Decimal(expected[2]), expected[3])


def test_bad_lines_are_told_by_number(bek: Employee) -> None:
    text = "\n".join(
        [
            "Роза Freedom 60 0,80 100",
            "",
            "garbage",
            "Tulip 9 1 1",
            "Tulip 201 1 1",
            "Tulip 50 0 1",
            "Tulip 50 1 0",
            "x" * 400,
        ]
    )
    body = ok(
        Caller(bek)("POST", "/api/supplies/parse", {"text": text, "supplier": "E", "currency": "USD", "rate": 475})
    )
    [item] = body["items"]
    assert (item["flower_name"], item["category_name"], item["retail_price"]) == ("Роза Freedom", "Розы", 760)
    assert set(body) == {"supplier", "items", "total_cost", "errors"} and body["total_cost"] == 80
    assert set(item) == {
        *("flower_name", "height_cm", "purchase_price", "quantity"),
        *("category_id", "category_name", "retail_price"),
    }
    assert [message.split(":")[0] for message in body["errors"]] == [f"Line {number}" for number in range(3, 9)]
    assert not Supply.objects.exists()
    assert Caller(bek)("POST", "/api/supplies/parse", {"text": ""}).status_code == 422


# ── Bringing in ─────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("own", "given", "rate", "prices"),
    [
        ("KZT", {"currency": "UZS", "rate": 0.042}, 0.042, [760, 2100]),
        ("UZS", {"currency": "UZS", "rate": 7}, 1, [18_000, 50_000]),
        ("UZS", {}, 1, [18_000, 50_000]),
        ("UZS", {"currency": "USD", "rate": 12_000}, 12_000, [216_000_000, 600_000_000]),
    ],
)
def test_suppliers_are_paid_in_soum_too(
    bek: Employee, rosa: Shop, own: str, given: dict[str, Any], rate: float, prices: list[int]
) -> None:
    """9 000 soum at 0.042 tenge with 100 % are 756, half up to ten 760; a shop's own money costs one, always."""
    Shop.objects.filter(pk=rosa.pk).update(currency=own)
    rows = [{**ROWS[0], "purchase_price": 9000}, {**ROWS[1], "purchase_price": 25_000}]
    wanted = {"supplier": "Tashkent", "items": rows, **given}
    body = ok(Caller(bek)("POST", "/api/supplies/import", wanted), 201)
    assert (body["currency"], body["rate"]) == (given.get("currency", own), rate)
    assert [row["retail_price"] for row in body["items"]] == prices
    assert list(Batch.objects.order_by("pk").values_list("price", flat=True)) == prices


def test_a_shop_with_soum_receives_at_the_desk_in_soum(bek: Employee, rosa: Shop) -> None:
    Shop.objects.filter(pk=rosa.pk).update(currency="UZS")
    text = "Freedom 60 9000 100"
    [found], problems = supplies.parse(by=bek, shop=Shop.objects.get(pk=rosa.pk), text=text)
    assert (found.retail_price, problems) == (18_000, [])
    form = {"supplier": "T", "text": text, "key": "k", "bring": "yes"}
    assert seated(bek).post("/desk/florist/stock/receive", form).status_code == 302
    supply, batch = Supply.objects.get(), Batch.objects.get()
    assert (supply.currency, supply.rate, batch.currency, batch.price) == ("UZS", 1, "UZS", 18_000)


def test_an_import_makes_a_supply_and_a_batch_a_line(bek: Employee) -> None:
    body = ok(Caller(bek)("POST", "/api/supplies/import", NEW), 201)
    assert set(body) == SUPPLY and set(body["items"][0]) == ITEM and set(body["items"][0]["category"]) == CATEGORY
    assert (body["status"], body["total_cost"], body["created_by"], body["rate"]) == ("active", 130, "Bek", 475)
    # 0.80 × 475 × 2 = 760 for a rose (100 %), 1.25 × 475 × 2 = 1187.5 for what nobody knows
    assert [(row["retail_price"], row["remaining_quantity"]) for row in body["items"]] == [(760, 100), (1190, 40)]
    assert (body["items"][0]["category"]["name"], body["items"][1]["category"]) == ("Розы", None)
    batches = Batch.objects.order_by("pk")
    assert [(batch.sku, batch.qty, batch.price, batch.stem_cost) for batch in batches] == [
        (f"S{body['id']}-20261120-001", 100, Decimal(760), Decimal(380)),
        (f"S{body['id']}-20261120-002", 40, Decimal(1190), Decimal("593.75")),
    ]
    moves = Movement.objects.order_by("pk")
    assert [(move.reason, move.quantity, move.reference_type, move.reference_id) for move in moves] == [
        ("receipt", 100, "supply", body["id"]),
        ("receipt", 40, "supply", body["id"]),
    ]
    books_agree()


def test_what_remains_follows_the_batch(rosa: Shop, bek: Employee) -> None:
    made = ok(Caller(bek)("POST", "/api/supplies/import", NEW), 201)
    waste.write_off(by=bek, batch_id=Batch.objects.order_by("pk")[0].pk, qty=30)
    seen = ok(Caller(bek)("GET", f"/api/supplies/{made['id']}"))
    assert [(row["quantity"], row["remaining_quantity"]) for row in seen["items"]] == [(100, 70), (40, 40)]


def test_a_form_sent_twice_is_one_supply(bek: Employee) -> None:
    call = Caller(bek)
    first = ok(call("POST", "/api/supplies/import", NEW, **{"Idempotency-Key": "k"}), 201)
    assert ok(call("POST", "/api/supplies/import", NEW, **{"X-Idempotency-Key": "k"}), 201) == first
    other = {**NEW, "supplier": "Holland"}
    refused(call("POST", "/api/supplies/import", other, **{"Idempotency-Key": "k"}), 409, "idempotency_key_reused")
    ok(call("POST", "/api/supplies/import", NEW), 201)
    assert Supply.objects.count() == 2 and Batch.objects.count() == 4


def test_a_receipt_posts_its_own_lines_only(rosa: Shop, bek: Employee) -> None:
    before = cast.batch(rosa, qty=77)
    body = ok(Caller(bek)("POST", "/api/warehouse/deliveries", DELIVERY), 201)
    assert set(body) == {
        *("id", "supplier", "farm", "delivery_date", "currency", "rate", "comment", "cost_total"),
        *("created_at", "created_by", "positions"),
    }
    assert body["positions"] == [
        {
            "id": SupplyItem.objects.get().pk,
            "delivery_id": body["id"],
            "variety": "Red Naomi",
            "height_cm": 5,
            "qty": 25,
            "cost_per_stem": 300,
            "total_cost": 7500,
        }
    ]
    before.refresh_from_db()
    assert before.qty == 77 and Batch.objects.count() == 2
    listed = ok(Caller(bek)("GET", "/api/warehouse/deliveries"))
    assert (listed["total"], listed["items"]) == (1, [body])
    assert ok(Caller(bek)("GET", f"/api/supplies/{body['id']}"))["items"][0]["flower_name"] == "Red Naomi"
    books_agree()


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "XXX"},
        {"rate": -1},
        {"rate": 0},
        {"supplier": ""},
        {"items": [{**ROWS[0], "height_cm": 9}]},
        {"items": [{**ROWS[0], "purchase_price": 0}]},
        {"items": [{**ROWS[0], "quantity": 0}]},
        {"items": [{**ROWS[0], "price": 1}]},
        {"delivery_date": "1999-01-01"},
    ],
    ids=["currency", "rate-negative", "rate-zero", "supplier", "height", "price", "quantity", "unknown", "day"],
)
def test_a_malformed_import_is_refused(bek: Employee, change: dict[str, Any]) -> None:
    assert Caller(bek)("POST", "/api/supplies/import", {**NEW, **change}).status_code == 422
    assert not Supply.objects.exists() and not Batch.objects.exists()


def test_imports_refuse_nothing_foreign_categories_and_giant_prices(bek: Employee, tulip: Shop) -> None:
    call = Caller(bek)
    foreign = FlowerCategory.objects.create(shop=tulip, name="Theirs")
    refused(call("POST", "/api/supplies/import", {**NEW, "items": []}), 400, "empty_supply")
    refused(
        call("POST", "/api/supplies/import", {**NEW, "items": [{**ROWS[0], "category_id": foreign.pk}]}),
        404,
        "category_not_found",
    )
    giant = {**NEW, "rate": 10**6, "items": [{**ROWS[0], "purchase_price": 10**9}]}
    refused(call("POST", "/api/supplies/import", giant), 422, "price_too_large")
    many = {**NEW, "currency": "KZT", "items": [{**ROWS[0], "purchase_price": 4 * 10**9, "quantity": 10**6}]}
    refused(call("POST", "/api/supplies/import", many), 422, "price_too_large")
    assert call("POST", "/api/warehouse/deliveries", {**DELIVERY, "positions": []}).status_code == 422
    assert not Supply.objects.exists() and not Batch.objects.exists()


# ── Drafts, archive, invoice ────────────────────────────────────────────────────────────────────────────────────────
def test_a_draft_has_no_stems_until_it_is_received(bek: Employee) -> None:
    call = Caller(bek)
    draft = ok(call("POST", "/api/supplies/import", {**NEW, "is_draft": True}), 201)
    assert (draft["status"], draft["items"][0]["remaining_quantity"]) == ("draft", 100)
    assert not Batch.objects.exists()
    path = f"/api/supplies/{draft['id']}"
    assert ok(call("PUT", f"{path}/receive"))["status"] == "received"
    refused(call("PUT", f"{path}/receive"), 409, "illegal_supply_step")
    assert Batch.objects.count() == 2
    assert [row["id"] for row in ok(call("GET", "/api/supplies/?status=active"))["items"]] == [draft["id"]]
    assert ok(call("PUT", f"{path}/archive"))["status"] == "archived"
    assert ok(call("PUT", f"{path}/archive"))["status"] == "archived"
    refused(call("PUT", f"{path}/receive"), 409, "illegal_supply_step")
    totals = [
        ok(call("GET", f"/api/supplies/?status={word}"))["total"] for word in ("active", "archived", "draft", "all")
    ]
    assert totals == [0, 1, 0, 1]
    assert call("GET", "/api/supplies/?status=lost").status_code == 422
    books_agree()


def test_an_invoice_is_kept_privately(bek: Employee, aida: Employee) -> None:
    supply_id = ok(Caller(bek)("POST", "/api/supplies/import", NEW), 201)["id"]
    raw = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(raw, "PNG")

    def send(who: Employee, content: bytes) -> Any:
        call, file = Caller(who), SimpleUploadedFile("invoice.png", content, "image/png")
        return call.client.post(f"/florist/api/supplies/{supply_id}/invoice", {"file": file}, headers=call.headers)

    url = ok(send(bek, raw.getvalue()), 201)["invoice_url"]
    assert url.startswith("/uploads/") and "sig=" in url
    assert Supply.objects.get().invoice_url == url.partition("?")[0]
    assert send(bek, b"<script>").status_code == 400
    refused(send(aida, raw.getvalue()), 403, "not_enough_permissions")


def test_lists_cost_a_constant_number_of_queries(rosa: Shop, bek: Employee) -> None:
    for _ in range(4):
        ok(Caller(bek)("POST", "/api/supplies/import", NEW), 201)
    with query_budget(3):
        rows, total = questions.page(bek, status=None, skip=0, limit=100)
        assert [len(questions.as_supply(row)["items"]) for row in rows] == [2] * 4
    assert total == 4


# ── Categories ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_new_shop_has_six_categories(bek: Employee) -> None:
    call = Caller(bek)
    listed = ok(call("GET", "/api/supplies/categories"))
    assert [(row["name"], row["markup_percentage"]) for row in listed] == [
        ("Альстромерии", 90),
        ("Зелень", 70),
        ("Розы", 100),
        ("Тюльпаны", 120),
        ("Хризантемы", 80),
        ("Экзотика", 150),
    ]
    assert set(listed[0]) == CATEGORY
    made = ok(
        call("POST", "/api/supplies/categories", {"name": "Пионы", "markup_percentage": 110, "keywords": "пион"}), 201
    )
    refused(
        call("POST", "/api/supplies/categories", {"name": "Пионы", "markup_percentage": 1}), 400, "category_name_taken"
    )
    path = f"/api/supplies/categories/{made['id']}"
    assert ok(call("PUT", path, {"markup_percentage": 60}))["keywords"] == "пион"
    refused(call("PUT", path, {"name": "Розы"}), 400, "category_name_taken")
    parsed = ok(call("POST", "/api/supplies/parse", {"text": "ПИОН Сара 50 1000 10"}))["items"][0]
    assert (parsed["category_id"], parsed["retail_price"]) == (made["id"], 1600)
    for wrong in ({"markup_percentage": 501}, {"name": ""}):
        assert call("PUT", path, wrong).status_code == 422
    refused(call("PUT", "/api/supplies/categories/999999", {}), 404, "category_not_found")


# ── Figures for buying ──────────────────────────────────────────────────────────────────────────────────────────────
def test_prices_and_waste_by_supplier(rosa: Shop, tulip: Shop, bek: Employee, dana: Employee) -> None:
    call = Caller(bek)
    ok(call("POST", "/api/supplies/import", {**NEW, "supplier": "Bad", "delivery_date": "2026-11-18"}), 201)
    ok(call("POST", "/api/supplies/import", {**NEW, "supplier": "Good"}), 201)
    ok(call("POST", "/api/supplies/import", {**NEW, "supplier": "Draft", "is_draft": True}), 201)
    ok(Caller(dana)("POST", "/api/supplies/import", NEW), 201)
    waste.write_off(by=bek, batch_id=Batch.objects.get(supplier="Bad", height_cm=60).pk, qty=21)
    prices = ok(call("GET", "/api/supplies/prices?flower=Freedom"))
    assert [(row["supplier"], row["purchase_price"], row["rate"]) for row in prices] == [
        ("Good", 0.8, 475),
        ("Bad", 0.8, 475),
    ]
    assert [row["supplier"] for row in ok(call("GET", "/api/supplies/prices?supplier=bad&flower=Gyps"))] == ["Bad"]
    Supply.objects.filter(supplier="Bad").update(supplier="Плохой")
    assert [row["supplier"] for row in ok(call("GET", "/api/supplies/prices?supplier=ПЛОХ&flower=РОЗА"))] == ["Плохой"]
    Supply.objects.filter(supplier="Плохой").update(supplier="Bad")
    assert ok(call("GET", "/api/supplies/quality")) == [
        {"supplier": "Bad", "received": 140, "wasted": 21, "waste_percentage": 15, "waste_cost": 7980},
        {"supplier": "Good", "received": 140, "wasted": 0, "waste_percentage": 0, "waste_cost": 0},
    ]


def test_a_plan_adds_what_orders_lack_and_what_is_used(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa)
    cast.recipe(product, "Red Naomi", 14)
    cast.batch(rosa, "Red Naomi", qty=30, delivery_date=timezone.now().date())
    sold, waiting = order_of(rosa, (product, 2)), order_of(rosa, (product, 5))
    stock.reserve(sold, by=bek)
    stock.write_off(sold, by=bek)
    stock.reserve(waiting, by=bek, allow_short=True)
    # 28 stems in 14 days are 2 a day; two are left and held for the order, which lacks 68; the least stock is 15
    with query_budget(6):
        [row] = questions.plan(rosa, days=10)
    assert (row.available, row.lacking, row.used_per_day, row.to_buy) == (0, 68, Decimal(2), 68 + 20)
    assert ok(Caller(bek)("GET", "/api/supplies/plan?days=1"))[0]["to_buy"] == 68 + 15


# ── Strangers and roles ─────────────────────────────────────────────────────────────────────────────────────────────
def test_the_shop_next_door_sees_no_supply(bek: Employee, dana: Employee, aida: Employee, ruslan: Employee) -> None:
    supply_id = ok(Caller(bek)("POST", "/api/supplies/import", {**NEW, "is_draft": True}), 201)["id"]
    category_id = FlowerCategory.objects.filter(shop=bek.shop)[0].pk
    call = Caller(dana)
    for method, tail in (("GET", ""), ("PUT", "/archive"), ("PUT", "/receive")):
        refused(call(method, f"/api/supplies/{supply_id}{tail}"), 404, "supply_not_found")
    refused(call("PUT", f"/api/supplies/categories/{category_id}", {"name": "x"}), 404, "category_not_found")
    assert ok(call("GET", "/api/supplies/"))["total"] == ok(call("GET", "/api/warehouse/deliveries"))["total"] == 0
    assert ok(call("GET", "/api/supplies/prices")) == ok(call("GET", "/api/supplies/quality")) == []
    assert Supply.objects.get().status == "draft"
    for who in (aida, ruslan):
        for method, path, body in (
            ("GET", "/api/supplies/", None),
            ("POST", "/api/supplies/parse", {"text": "x"}),
            ("POST", "/api/supplies/import", NEW),
            ("GET", "/api/supplies/categories", None),
            ("PUT", f"/api/supplies/{supply_id}/archive", None),
            ("GET", "/api/warehouse/deliveries", None),
            ("POST", "/api/warehouse/deliveries", DELIVERY),
            ("GET", "/api/supplies/plan", None),
        ):
            refused(Caller(who)(method, path, body), 403, "not_enough_permissions")
    assert Caller()("GET", "/api/supplies/").status_code == 401


@pytest.mark.race
def test_the_same_form_at_once_is_one_supply(rosa: Shop, bek: Employee) -> None:
    wanted = NewSupply(supplier="E", rows=[Row("Rose", 60, Decimal(300), 10)])
    results = race(8, lambda _n: supplies.bring(by=bek, shop=rosa, wanted=wanted, key="k"))
    assert outcomes(results) == {"ok": 8}
    assert {made.pk for made in results} == {Supply.objects.get().pk}
    assert Batch.objects.get().qty == 10
    books_agree()


@pytest.mark.race
def test_a_draft_is_received_once(rosa: Shop, bek: Employee) -> None:
    wanted = NewSupply(supplier="E", rows=[Row("Rose", 60, Decimal(300), 10)], is_draft=True)
    draft = supplies.bring(by=bek, shop=rosa, wanted=wanted)
    results = race(8, lambda _n: supplies.receive(by=bek, supply_id=draft.pk))
    assert outcomes(results) == {"ok": 1, "IllegalSupplyStep": 7}
    assert Batch.objects.get().qty == 10
