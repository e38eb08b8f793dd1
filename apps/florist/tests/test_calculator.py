"""Materials, margins and quotes: the server does the sums (contract florist 1.4, 3.13)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.florist.actions import categories
from apps.florist.models import CalculatorSettings, Employee, Material, Product, Shop
from apps.florist.queries.stock import today_of
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller
from apps.florist.tests.test_products import ok, refused

MATERIAL = {
    *("id", "shop_id", "name", "category", "price", "unit"),
    *("is_active", "in_stock", "created_at", "updated_at"),
}


@pytest.fixture
def ribbon(rosa: Shop) -> Material:
    """150 a metre."""
    return Material.objects.create(shop=rosa, name="Ribbon", price=Decimal(150), unit="m", category="ribbon")


# ── Materials ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_materials_are_kept(rosa: Shop, bek: Employee, aida: Employee) -> None:
    call = Caller(bek)
    made = ok(
        call("POST", "/api/calculator/materials", {"name": "Paper", "price": "99.5", "category": "packaging"}), 201
    )
    assert set(made) == MATERIAL
    assert (made["price"], made["unit"], made["shop_id"], made["in_stock"]) == (99.5, "шт", rosa.pk, True)
    path = f"/api/calculator/materials/{made['id']}"
    assert ok(call("PATCH", path, {"price": 120, "category": None, "is_active": False}))["category"] is None
    ok(call("POST", "/api/calculator/materials", {"name": "Card", "price": 0}), 201)
    listed = ok(Caller(aida)("GET", "/api/calculator/materials?limit=1000"))
    assert ([row["name"] for row in listed["items"]], listed["total"]) == (["Card", "Paper"], 2)
    assert ok(call("GET", "/api/calculator/materials?is_active=true"))["total"] == 1
    assert ok(Caller(aida)("GET", path))["price"] == 120
    assert ok(call("DELETE", path), 204) is None
    refused(call("GET", path), 404, "material_not_found")
    for wrong in ({"name": "x"}, {"name": "", "price": 1}, {"name": "x", "price": -1}):
        assert call("POST", "/api/calculator/materials", wrong).status_code == 422


def test_materials_refuse_florists_couriers_and_strangers(
    ribbon: Material, aida: Employee, ruslan: Employee, dana: Employee
) -> None:
    path = f"/api/calculator/materials/{ribbon.pk}"
    refused(Caller(aida)("POST", "/api/calculator/materials", {"name": "x", "price": 1}), 403, "not_enough_permissions")
    refused(Caller(aida)("PATCH", path, {"price": 1}), 403, "not_enough_permissions")
    refused(Caller(aida)("DELETE", path), 403, "not_enough_permissions")
    refused(Caller(ruslan)("GET", path), 403, "not_enough_permissions")
    for method in ("GET", "PATCH", "DELETE"):
        refused(Caller(dana)(method, path, {}), 404, "material_not_found")
    assert Material.objects.get().price == 150


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_figures_are_made_on_first_reading(rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee) -> None:
    first = ok(Caller(aida)("GET", "/api/calculator/settings"))
    assert set(first) == {
        *("id", "shop_id", "default_labor_cost", "min_margin_percent", "recommended_margin_percent"),
        *("premium_margin_percent", "created_at", "updated_at"),
    }
    assert [first[name] for name in list(first)[2:6]] == [2000, 30, 50, 100]
    assert ok(Caller(bek)("PATCH", "/api/calculator/settings", {"min_margin_percent": 40}))["min_margin_percent"] == 40
    assert CalculatorSettings.objects.get().shop == rosa
    for wrong in ({"min_margin_percent": 1001}, {"default_labor_cost": -1}):
        assert Caller(bek)("PATCH", "/api/calculator/settings", wrong).status_code == 422
    refused(Caller(aida)("PATCH", "/api/calculator/settings", {"min_margin_percent": 1}), 403, "not_enough_permissions")
    refused(Caller(ruslan)("GET", "/api/calculator/settings"), 403, "not_enough_permissions")


# ── Quotes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_quote_adds_up_with_the_rate(rosa: Shop, aida: Employee, ribbon: Material) -> None:
    roses = cast.batch(rosa, qty=10, cost=Decimal("0.80"), rate=Decimal(475), currency="USD", price=Decimal(760))
    body = {"flowers": [{"warehouse_item_id": roses.pk, "qty": 11}], "materials": [{"id": ribbon.pk, "qty": 1.5}]}
    quote = ok(Caller(aida)("POST", "/api/calculator/quote", body))
    # 11 × 0.80 × 475 = 4180, + 225 of ribbon, + 2000 of labour
    assert (quote["cost"], quote["price"], quote["margin"]) == (6405, 10585, 4180)
    assert (quote["margin_percentage"], quote["level"], quote["below_minimum"]) == (65.26, "recommended", False)
    assert quote["suggested_price"] == 9610  # 6405 + 50 %, half up to ten
    assert (quote["is_available"], quote["flowers"][0]["available_qty"]) == (False, 10)
    assert set(quote) == {
        *("name", "description", "flowers", "materials", "labor_cost", "cost", "price", "margin", "level"),
        *("margin_percentage", "suggested_price", "below_minimum", "is_available"),
    }


@pytest.mark.parametrize(
    ("price", "level"), [(389, "below_minimum"), (390, "minimum"), (450, "recommended"), (600, "premium")]
)
def test_levels_of_margin(rosa: Shop, aida: Employee, price: int, level: str) -> None:
    batch = cast.batch(rosa, cost=Decimal(300), price=Decimal(price))
    body = {"flowers": [{"warehouse_item_id": batch.pk, "qty": 1}], "labor_cost": 0}
    assert ok(Caller(aida)("POST", "/api/calculator/quote", body))["level"] == level


def test_flowers_by_name_and_category_take_what_is_sold_first(rosa: Shop, aida: Employee) -> None:
    known = categories.ensure(rosa)
    today = today_of(rosa)
    late = cast.batch(rosa, category=known[0], expires_on=today + timedelta(days=5))
    soon = cast.batch(rosa, category=known[0], expires_on=today, cost=Decimal(100))
    cast.batch(rosa, category=known[0], expires_on=today - timedelta(days=1))
    call = Caller(aida)

    def chosen(flower: dict[str, Any]) -> int:
        return int(ok(call("POST", "/api/calculator/quote", {"flowers": [flower]}))["flowers"][0]["warehouse_item_id"])

    assert chosen({"category": known[0].name, "qty": 1}) == chosen({"category": str(known[0].pk), "qty": 1}) == soon.pk
    assert chosen({"name": "Red Naomi", "qty": 3}) == soon.pk
    late.on_showcase = True
    late.save()
    assert chosen({"name": "Red Naomi", "height_cm": 60, "qty": 3}) == late.pk
    for nothing in (
        {"name": "Tulip", "qty": 1},
        {"category": "Nothing", "qty": 1},
        {"name": "Red Naomi", "height_cm": 9, "qty": 1},
    ):
        refused(call("POST", "/api/calculator/quote", {"flowers": [nothing]}), 404, "warehouse_item_not_found")


def test_a_calculation_becomes_a_product_with_its_recipe(rosa: Shop, aida: Employee, ribbon: Material) -> None:
    cast.batch(rosa, "Red Naomi", cost=Decimal(300), price=Decimal(600))
    cast.batch(rosa, "Eucalyptus", cost=Decimal(100), price=Decimal(250))
    calculation = {
        "flowers": [
            {"name": "Red Naomi", "quantity": 11, "price": 1},
            {"name": "Eucalyptus", "quantity": 3, "price": 1},
        ],
        "materials": [{"name": "Ribbon", "quantity": 2, "price": 1}],
        "labor_cost": 1500,
        "margin_percentage": 60,
        "total_cost": 1,
        "final_price": 2,
    }
    body = ok(Caller(aida)("POST", "/api/calculator/create-product", {"calculation": calculation}), 201)
    assert (body["name"], body["category"]) == ("Red Naomi + Eucalyptus", "bouquet")
    assert body["description"] == "Red Naomi × 11, Eucalyptus × 3, Ribbon"
    assert (body["cost_price"], body["retail_price"]) == (5400, 8640)  # 3300 + 300 + 300 + 1500; + 60 %
    assert [(row["component_type"], row["quantity"], row["unit_cost"]) for row in body["components"]] == [
        ("flower", 11, 300),
        ("flower", 3, 100),
        ("material", 2, 150),
        ("service", 1, 1500),
    ]
    lines = Product.objects.get().components.order_by("pk")
    assert list(lines.values_list("variety", "height_cm", "material_id", "warehouse_item_id"))[:3] == [
        ("Red Naomi", 60, None, None),
        ("Eucalyptus", 60, None, None),
        ("", None, ribbon.pk, None),
    ]


def test_a_third_flower_is_counted_in_the_name(rosa: Shop, aida: Employee) -> None:
    for name in ("Rose", "Tulip", "Iris"):
        cast.batch(rosa, name)
    flowers = [{"name": name, "quantity": 1} for name in ("Rose", "Tulip", "Iris")]
    body = ok(Caller(aida)("POST", "/api/calculator/create-product", {"calculation": {"flowers": flowers}}), 201)
    assert body["name"] == "Rose and 2 more"


def test_calculations_refuse_strangers_nothing_and_the_impossible(
    rosa: Shop, aida: Employee, ruslan: Employee, dana: Employee, ribbon: Material
) -> None:
    batch = cast.batch(rosa)
    quote = {"flowers": [{"warehouse_item_id": batch.pk, "qty": 1}]}
    refused(Caller(ruslan)("POST", "/api/calculator/quote", quote), 403, "not_enough_permissions")
    refused(Caller(dana)("POST", "/api/calculator/quote", quote), 404, "warehouse_item_not_found")
    stolen = {"materials": [{"id": ribbon.pk, "qty": 1}]}
    refused(Caller(dana)("POST", "/api/calculator/quote", stolen), 404, "material_not_found")
    call = Caller(aida)
    nothing = {"calculation": {"flowers": [], "labor_cost": 0}}
    refused(call("POST", "/api/calculator/create-product", nothing), 422, "nothing_calculated")
    ribbon.price = Decimal(9_999_999_999)
    ribbon.save()
    refused(call("POST", "/api/calculator/quote", {"materials": [{"id": ribbon.pk, "qty": 2}]}), 422, "price_too_large")
    assert not Product.objects.exists()
