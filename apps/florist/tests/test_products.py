"""The catalogue over HTTP (contract florist 1.0, 1.4, 3.6, 3.19; defects 17, 21, 27)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import query_budget
from apps.florist.models import Employee, Order, Product, ProductComponent, ProductImage, Shop
from apps.florist.queries import products as questions
from apps.florist.queries.products import Wanted
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller
from apps.florist.tests.test_reserve_stock import order_of

NEW = {"name": "Peonies", "category": "bouquet", "cost_price": 5000, "retail_price": 12000}
PRODUCT = {
    *("id", "name", "category", "description", "image_url", "cost_price", "retail_price", "sale_price"),
    *("is_active", "is_popular", "is_new", "created_at", "updated_at", "images", "ingredients", "components"),
    *("current_price", "discount_percentage"),
}
COMPONENT = {
    *("id", "product_id", "component_type", "name", "description"),
    *("quantity", "unit", "unit_cost", "unit_price"),
}
INGREDIENT = {
    *("id", "product_id", "warehouse_item_id", "quantity", "notes", "variety", "height_cm"),
    *("supplier", "farm", "available_qty", "price"),
}


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)


# ── Products ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_manager_adds_a_product(bek: Employee) -> None:
    body = ok(Caller(bek)("POST", "/api/products/", {**NEW, "sale_price": 9999.5}), 201)
    assert set(body) == PRODUCT
    assert (body["retail_price"], body["sale_price"], body["current_price"]) == (12000, 9999.5, 9999.5)
    assert (body["discount_percentage"], body["is_active"], body["images"]) == (17, True, [])
    assert Product.objects.get().shop_id == bek.shop_id


@pytest.mark.parametrize(
    "change",
    [
        {"cost_price": 0},
        {"retail_price": -1},
        {"sale_price": 0},
        {"category": "tree"},
        {"name": " "},
        {"image_url": "blob:http://localhost/1"},
        {"retail_price": "1e30"},
        {"retailPrice": 1},
    ],
    ids=lambda change: "-".join(f"{name}-{value}" for name, value in change.items()),
)
def test_a_malformed_product_is_refused(bek: Employee, change: dict[str, Any]) -> None:
    assert Caller(bek)("POST", "/api/products/", {**NEW, **change}).status_code == 422
    assert not Product.objects.exists()


def test_a_sale_price_above_the_usual_one_is_refused(bek: Employee, rosa: Shop) -> None:
    call = Caller(bek)
    refused(call("POST", "/api/products/", {**NEW, "sale_price": 12000}), 422, "sale_above_retail")
    product = cast.product(rosa, sale_price=Decimal(9000))
    refused(call("PUT", f"/api/products/{product.pk}", {"retail_price": 8000}), 422, "sale_above_retail")
    product.refresh_from_db()
    assert product.retail_price == 10_000


@pytest.mark.parametrize(
    ("retail", "sale", "expected"), [(500, 400, 20), (300, 200, 33), (800, 500, 38), (200, None, 0)]
)
def test_discounts_are_rounded_half_up(rosa: Shop, bek: Employee, retail: int, sale: int | None, expected: int) -> None:
    product = cast.product(rosa, price=retail, sale_price=sale and Decimal(sale))
    assert ok(Caller(bek)("GET", f"/api/products/{product.pk}"))["discount_percentage"] == expected


def test_lists_filter_and_count(rosa: Shop, tulip: Shop, bek: Employee) -> None:
    cast.product(tulip, "Foreign")
    cast.product(rosa, "Розы Красные", 9000, is_popular=True)
    cast.product(rosa, "Orchid", 20_000, category="potted", sale_price=Decimal(15_000), description="В горшке 50%_")
    cast.product(rosa, "Sleeping", is_active=False)
    gone = cast.product(rosa, "Gone")
    call = Caller(bek)
    ok(call("DELETE", f"/api/products/{gone.pk}"))

    def names(query: str) -> list[str]:
        body = ok(call("GET", f"/api/products/?{query}"))
        assert body["total"] == len(body["items"])
        return [item["name"] for item in body["items"]]

    assert names("") == ["Orchid", "Розы Красные"]
    assert names("is_active=false") == ["Sleeping"]
    assert names("search=красн") == names("is_popular=true") == names("max_price=9000") == ["Розы Красные"]
    assert names("search=ГОРШ") == names("category=potted") == names("on_sale=true") == ["Orchid"]
    assert names("min_price=15000&max_price=15000") == names("search=50%25_") == ["Orchid"]
    assert names("search=%25") == ["Orchid"]
    paged = ok(call("GET", "/api/products?skip=1&limit=1"))
    assert (len(paged["items"]), paged["total"]) == (1, 2)
    for wrong in ("limit=0", "limit=101", "skip=-1", "category=tree", "min_price=-1"):
        assert call("GET", f"/api/products/?{wrong}").status_code == 422


def test_a_page_costs_a_constant_number_of_queries(rosa: Shop, bek: Employee) -> None:
    batch = cast.batch(rosa)
    for number in range(8):
        product = cast.product(rosa, f"P{number}")
        cast.recipe(product)
        ProductImage.objects.create(product=product, image_url="/uploads/a.jpg")
        ProductComponent.objects.create(
            product=product, component_type="flower", name="x", warehouse_item=batch, is_ingredient=True
        )
    with query_budget(4):
        items, total = questions.page(bek, Wanted())
    assert (len(items), total) == (8, 8)
    assert {len(item["ingredients"]) for item in items} == {len(item["components"]) for item in items} == {1}


def test_stats_count_paid_orders_only(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa)
    paid, unpaid = order_of(rosa, (product, 2), (product, 1)), order_of(rosa, (product, 5))
    Order.objects.filter(pk=paid.pk).update(status="delivered")
    body = ok(Caller(bek)("GET", f"/api/products/{product.pk}"))
    assert set(body) == PRODUCT | {"total_orders", "total_revenue"}
    assert (body["total_orders"], body["total_revenue"]) == (1, 30_000)
    assert unpaid.status == "new"


def test_changes_are_partial_and_null_empties(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa, sale_price=Decimal(9000), description="Old")
    call = Caller(bek)
    body = ok(call("PUT", f"/api/products/{product.pk}", {"name": "New", "sale_price": None, "is_new": None}))
    assert (body["name"], body["sale_price"], body["description"], body["is_new"]) == ("New", None, "Old", False)


def test_a_deleted_product_with_orders_leaves_the_catalogue_only(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa)
    order = order_of(rosa, (product, 1))
    call = Caller(bek)
    body = ok(call("DELETE", f"/api/products/{product.pk}"))
    assert set(body) == PRODUCT and (body["id"], body["is_active"]) == (product.pk, False)
    assert order.items.get().product_name == product.name
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/toggle-active")):
        refused(call(method, f"/api/products/{product.pk}{path}", {}), 404, "product_not_found")


def test_florists_take_off_sale_but_not_back_on(rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee) -> None:
    product = cast.product(rosa)
    path = f"/api/products/{product.pk}/toggle-active"
    assert ok(Caller(aida)("POST", path), 201)["is_active"] is False
    refused(Caller(aida)("POST", path), 403, "not_enough_permissions")
    assert ok(Caller(bek)("POST", path), 201)["is_active"] is True
    refused(Caller(ruslan)("POST", path), 403, "not_enough_permissions")
    product.refresh_from_db()
    assert product.is_active


def test_couriers_see_no_costs(rosa: Shop, ruslan: Employee, aida: Employee) -> None:
    product = cast.product(rosa)
    cast.recipe(product)
    seen = ok(Caller(ruslan)("GET", "/api/products/"))["items"][0]
    assert set(seen) == PRODUCT
    assert (seen["cost_price"], seen["components"]) == (None, [])
    assert ok(Caller(aida)("GET", f"/api/products/{product.pk}"))["cost_price"] == 5000
    refused(Caller(ruslan)("GET", f"/api/products/{product.pk}/components"), 403, "not_enough_permissions")


def test_pictures_are_replaced_and_the_first_is_primary(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa)
    call, path = Caller(bek), f"/api/products/{product.pk}/images"
    ok(call("PUT", path, ["/uploads/old.jpg"]))
    body = ok(call("PUT", path, ["/uploads/a.jpg", "https://cdn.example/b.png"]))
    assert set(body["images"][0]) == {"id", "product_id", "image_url", "is_primary", "sort_order", "created_at"}
    assert [(image["image_url"], image["is_primary"]) for image in body["images"]] == [
        ("/uploads/a.jpg", True),
        ("https://cdn.example/b.png", False),
    ]
    assert body["image_url"] == "/uploads/a.jpg"
    for wrong in (["blob:http://x/1"], ["javascript:alert(1)"], "a", [1], ["/a"] * 21):
        assert call("PUT", path, wrong).status_code == 422
    assert ProductImage.objects.count() == 2
    assert ok(call("PUT", path, []))["image_url"] is None


def test_sizes_are_priced_by_the_server(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa, price=9_999, sale_price=Decimal(8_999))
    call, path = Caller(bek), f"/api/products/{product.pk}/variants"
    first = ok(
        call("PUT", path, [{"name": "mini", "factor": 0.7}, {"name": "premium", "factor": 1.4, "is_default": True}])
    )
    assert [(row["name"], row["factor"], row["price"], row["is_default"]) for row in first] == [
        ("mini", 0.7, 6299, False),
        ("premium", 1.4, 12599, True),
    ]
    second = ok(call("PUT", path, [{"name": "premium", "factor": 1.5}]))
    assert [(row["id"], row["factor"]) for row in second] == [(first[1]["id"], 1.5)] and ok(call("GET", path)) == second
    same = {"name": "a", "factor": 1, "is_default": True}
    for wrong in ([same, same], [same, {**same, "name": "b"}]):
        refused(call("PUT", path, wrong), 422, "bad_sizes")
    assert call("PUT", path, [{"name": "a", "factor": 0}]).status_code == 422
    assert ok(call("GET", path)) == second


# ── Recipes ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_ingredients_mean_a_batchs_flower(rosa: Shop, bek: Employee) -> None:
    product, batch, other = cast.product(rosa), cast.batch(rosa), cast.batch(rosa, "Eucalyptus")
    call, path = Caller(bek), f"/api/products/{product.pk}/ingredients"
    made = ok(call("POST", path, {"warehouse_item_id": batch.pk, "quantity": 11, "notes": "open"}), 201)
    assert set(made) == INGREDIENT
    assert (made["variety"], made["height_cm"], made["quantity"], made["available_qty"]) == ("Red Naomi", 60, 11, 100)
    refused(call("POST", path, {"warehouse_item_id": batch.pk}), 400, "ingredient_exists")
    second = ok(call("POST", path, {"warehouse_item_id": other.pk}), 201)
    refused(call("PUT", f"{path}/{second['id']}", {"warehouse_item_id": batch.pk}), 400, "ingredient_exists")
    changed = ok(call("PUT", f"{path}/{made['id']}", {"quantity": 7, "notes": None}))
    assert (changed["quantity"], changed["notes"], changed["warehouse_item_id"]) == (7, None, batch.pk)
    assert [row["quantity"] for row in ok(call("GET", path))] == [7, 1]
    assert len(ok(call("GET", f"/api/products/{product.pk}"))["ingredients"]) == 2
    assert ok(call("DELETE", f"{path}/{made['id']}")) == {"message": "Ingredient deleted"}
    refused(call("DELETE", f"{path}/{made['id']}"), 404, "ingredient_not_found")
    assert call("POST", path, {"warehouse_item_id": batch.pk, "quantity": 0}).status_code == 422


def test_components_are_validated_and_linked_to_the_stock(rosa: Shop, bek: Employee) -> None:
    product = cast.product(rosa)
    cast.batch(rosa, "Eucalyptus")
    call, path = Caller(bek), f"/api/products/{product.pk}/components"
    flower = {"component_type": "flower", "name": "Eucalyptus", "quantity": 1.5, "unit_cost": 100, "unit_price": 250}
    made = ok(call("POST", path, flower), 201)
    assert set(made) == COMPONENT | {"total_cost", "total_price"}
    assert (made["total_cost"], made["total_price"], made["unit"]) == (150, 375, "шт")
    assert ProductComponent.objects.get().variety == "Eucalyptus"
    ribbon = ok(call("POST", path, {"component_type": "material", "name": "Eucalyptus", "quantity": 2}), 201)
    assert ProductComponent.objects.get(pk=ribbon["id"]).variety == ""
    changed = ok(call("PUT", f"{path}/{made['id']}", {"unitPrice": 300, "quantity": 2, "componentType": "flower"}))
    assert (changed["unit_price"], changed["total_price"]) == (300, 600)
    renamed = ok(call("PUT", f"{path}/{made['id']}", {"name": "Unknown"}))
    assert renamed["name"] == "Unknown" and ProductComponent.objects.get(pk=made["id"]).variety == ""
    inside = ok(call("GET", f"/api/products/{product.pk}"))["components"]
    assert set(inside[0]) == COMPONENT | {"warehouse_item_id", "material_id"}
    assert ok(call("DELETE", f"{path}/{ribbon['id']}")) == {"message": "Component deleted"}
    assert [row["id"] for row in ok(call("GET", path))] == [made["id"]]


@pytest.mark.parametrize(
    "change",
    [{"quantity": -5}, {"quantity": 0}, {"component_type": "tree"}, {"unit_cost": -1}, {"name": ""}, {"name": None}],
    ids=lambda change: "-".join(f"{name}-{value}" for name, value in change.items()),
)
def test_a_bad_component_is_refused_and_the_catalogue_goes_on(
    rosa: Shop, bek: Employee, change: dict[str, Any]
) -> None:
    product = cast.product(rosa)
    call = Caller(bek)
    body = {"component_type": "flower", "name": "Rose", "quantity": 1, **change}
    assert call("POST", f"/api/products/{product.pk}/components", body).status_code == 422
    assert call("POST", f"/api/products/{product.pk}/components", {"name": "Rose"}).status_code == 422
    assert ok(call("GET", "/api/products/"))["items"][0]["components"] == []


# ── Strangers and roles ─────────────────────────────────────────────────────────────────────────────────────────────
def test_the_shop_next_door_sees_and_touches_nothing(rosa: Shop, tulip: Shop, bek: Employee, dana: Employee) -> None:
    product, own = cast.product(rosa), cast.product(tulip)
    batch = cast.batch(rosa)
    line = cast.recipe(product)
    call, path = Caller(dana), f"/api/products/{product.pk}"
    before = list(Product.objects.order_by("pk").values())
    component = {"component_type": "flower", "name": "Rose", "quantity": 1}
    for method, tail, body in (
        ("GET", "", None),
        ("PUT", "", {"retail_price": 1}),
        ("DELETE", "", None),
        ("POST", "/toggle-active", None),
        ("PUT", "/images", ["/a.jpg"]),
        ("GET", "/variants", None),
        ("PUT", "/variants", []),
        ("GET", "/components", None),
        ("POST", "/components", component),
        ("PUT", f"/components/{line.pk}", {"quantity": 2}),
        ("DELETE", f"/components/{line.pk}", None),
        ("GET", "/ingredients", None),
        ("POST", "/ingredients", {"warehouse_item_id": batch.pk}),
    ):
        refused(call(method, f"{path}{tail}", body), 404, "product_not_found")
    theirs = f"/api/products/{own.pk}"
    refused(call("POST", f"{theirs}/ingredients", {"warehouse_item_id": batch.pk}), 404, "warehouse_item_not_found")
    refused(
        call("POST", f"{theirs}/components", {**component, "warehouse_item_id": batch.pk}),
        404,
        "warehouse_item_not_found",
    )
    refused(call("PUT", f"{theirs}/components/{line.pk}", {"quantity": 2}), 404, "component_not_found")
    assert list(Product.objects.order_by("pk").values()) == before
    assert [item["id"] for item in ok(call("GET", "/api/products/"))["items"]] == [own.pk]


@pytest.mark.parametrize("who", ["aida", "ruslan"])
def test_only_managers_write(request: pytest.FixtureRequest, rosa: Shop, who: str) -> None:
    product, call = cast.product(rosa), Caller(request.getfixturevalue(who))
    path = f"/api/products/{product.pk}"
    for method, address, body in (
        ("POST", "/api/products/", NEW),
        ("PUT", path, {"name": "x"}),
        ("DELETE", path, None),
        ("PUT", f"{path}/images", []),
        ("PUT", f"{path}/variants", []),
        ("POST", f"{path}/components", {"component_type": "service", "name": "x", "quantity": 1}),
        ("POST", f"{path}/ingredients", {"warehouse_item_id": 1}),
    ):
        refused(call(method, address, body), 403, "not_enough_permissions")
    assert Caller()("GET", "/api/products/").status_code == 401
