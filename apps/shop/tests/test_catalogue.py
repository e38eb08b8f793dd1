"""Categories and products through the API (contract shop 1.3, 1.4, 3.5, D17, D18, D25)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import assert_refused, deliver, query_budget
from apps.notifications.models import Notification
from apps.shop import errors
from apps.shop.actions import catalogue, stock_watch
from apps.shop.models import CartItem, Category, Customer, PriceChange, Slipper, SlipperImage
from apps.shop.tests import cast
from apps.shop.tests.cast import Caller

pytestmark = pytest.mark.django_db(transaction=True)
"""Caches are renewed on commit, so commits have to happen."""

ITEM = {"id", "name", "size", "price", "quantity", "category_id", "category_name", "image", "is_available"}
PICTURES = {"images", "image_gallery", "primary_image"}
WRITES = [
    ("POST", "categories", {"name": "New"}),
    ("PUT", "categories/1", {"name": "New"}),
    ("DELETE", "categories/1", None),
    ("POST", "slippers", {"name": "New", "size": "40", "price": 1, "quantity": 1}),
    ("PUT", "slippers/1", {"name": "New"}),
    ("DELETE", "slippers/1", None),
    ("POST", "slippers/1/upload-images", None),
    ("DELETE", "slippers/1/images/1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_only_an_admin_writes(bobur: Customer, method: str, path: str, body: object) -> None:
    cast.slipper(category=cast.category())
    before = [list(model.objects.values()) for model in (Category, Slipper)]
    assert Caller()(method, path, body).status_code == 401
    assert Caller(bobur)(method, path, body).status_code == 403
    assert [list(model.objects.values()) for model in (Category, Slipper)] == before


# ── Categories ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_category_lives(anora: Customer) -> None:
    caller = Caller(anora)
    made = caller.post("categories/", {"name": "  Домашние ", "description": "тёплые"}).json()
    assert set(made) == {"id", "name", "description", "is_active", "created_at", "updated_at"}
    assert (made["name"], made["description"], made["is_active"]) == ("Домашние", "тёплые", True)
    assert Caller().get("categories").json() == [made]
    changed = caller.put(f"categories/{made['id']}", {"is_active": False, "description": None}).json()
    assert (changed["name"], changed["description"], changed["is_active"]) == ("Домашние", None, False)
    assert Caller().get(f"categories/{made['id']}/").json() == changed
    assert Caller().get("categories").json() == [changed]
    assert caller.delete(f"categories/{made['id']}").status_code == 200
    assert Caller().get("categories").json() == []
    assert Caller().get(f"categories/{made['id']}").status_code == 404


def test_a_taken_category_name_is_400(anora: Customer) -> None:
    cast.category("A")
    other = cast.category("B")
    for answer in (
        Caller(anora).post("categories", {"name": "A"}),
        Caller(anora).put(f"categories/{other.pk}", {"name": "A"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "category_name_taken")
    assert sorted(Category.objects.values_list("name", flat=True)) == ["A", "B"]


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": None}, {"name": "a", "description": "x" * 256}]
)
def test_a_bad_category_is_422(anora: Customer, body: dict[str, object]) -> None:
    assert Caller(anora).post("categories", body).status_code == 422
    assert not Category.objects.exists()


@pytest.mark.parametrize("body", [{"name": None}, {"is_active": None}])
def test_null_is_not_a_value(anora: Customer, body: dict[str, object]) -> None:
    assert Caller(anora).put(f"categories/{cast.category().pk}", body).status_code == 422


def test_products_outlive_their_category(anora: Customer) -> None:
    shelf = cast.category()
    slipper = cast.slipper(category=shelf)
    assert Caller().get(f"slippers/{slipper.pk}").json()["category_name"] == shelf.name
    Caller(anora).put(f"categories/{shelf.pk}", {"name": "Renamed"})
    assert Caller().get(f"slippers/{slipper.pk}").json()["category_name"] == "Renamed"
    assert Caller().get("slippers").json()["items"][0]["category_name"] == "Renamed"
    Caller(anora).delete(f"categories/{shelf.pk}")
    found = Caller().get(f"slippers/{slipper.pk}").json()
    assert (found["category_id"], found["category_name"]) == (None, None)


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────
def stocked() -> list[Slipper]:
    shelf = cast.category("Пляжные")
    return [
        cast.slipper("Море", price="300", quantity=0, size="40", category=shelf),
        cast.slipper("арбуз", price="100.50", quantity=2, size="41"),
        cast.slipper("Берег 100%", price="200", quantity=3, size="42-43", category=shelf),
    ]


@pytest.mark.parametrize("base", ["/shop", ""])
def test_a_page(base: str) -> None:
    stocked()
    body = Caller(base=base).get("slippers/?limit=2").json()
    assert [item["name"] for item in body["items"]] == ["Берег 100%", "арбуз"]
    assert set(body["items"][0]) == ITEM | PICTURES
    first = body["items"][1]
    assert (first["price"], first["quantity"], first["is_available"], first["category_name"]) == (100.5, 2, True, None)
    assert (first["images"], first["image_gallery"], first["primary_image"]) == ([], [], None)
    rest = {key: value for key, value in body.items() if key != "items"}
    assert rest == {"total": 3, "page": 1, "pages": 2, "has_next": True, "has_prev": False, "sort": "id_desc"}
    beyond = Caller(base=base).get("slippers?skip=60&limit=20").json()
    assert (beyond["items"], beyond["total"], beyond["page"], beyond["has_next"]) == ([], 3, 4, False)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sort=id_asc", ["Море", "арбуз", "Берег 100%"]),
        ("sort=price_asc", ["арбуз", "Берег 100%", "Море"]),
        ("sort=price_desc", ["Море", "Берег 100%", "арбуз"]),
        ("sort=created_asc", ["Море", "арбуз", "Берег 100%"]),
        ("sort=created_desc", ["Берег 100%", "арбуз", "Море"]),
        ("search=БЕРЕГ", ["Берег 100%"]),
        ("search=42-4", ["Берег 100%"]),
        ("search=%25", ["Берег 100%"]),
        ("search=_", []),
        ("search=!", []),
        ("search=nothing", []),
        ("search=", ["Берег 100%", "арбуз", "Море"]),
        ("search=море&sort=id_asc", ["Море"]),
    ],
)
def test_sort_and_search(query: str, names: list[str]) -> None:
    stocked()
    body = Caller().get(f"slippers?{query}").json()
    assert [item["name"] for item in body["items"]] == names
    assert body["total"] == len(names)


def test_by_category_and_by_name_both_ways() -> None:
    shelf = stocked()[0].category_id
    assert [item["name"] for item in Caller().get(f"slippers?category_id={shelf}").json()["items"]] == [
        "Берег 100%",
        "Море",
    ]
    up = [item["name"] for item in Caller().get("slippers?sort=name_asc").json()["items"]]
    unknown = Caller().get("slippers?sort=nonsense").json()
    assert [item["name"] for item in unknown["items"]] == up
    down = [item["name"] for item in Caller().get("slippers?sort=name_desc").json()["items"]]
    assert down == up[::-1]


@pytest.mark.parametrize(
    "query",
    ["limit=101", "limit=0", "skip=-1", "category_id=x", "category_id=99999999999999999999", "include_images=perhaps"],
)
def test_bad_questions_are_422(query: str) -> None:
    assert Caller().get(f"slippers?{query}").status_code == 422


def test_without_pictures_their_keys_are_absent() -> None:
    slipper = cast.slipper()
    assert set(Caller().get("slippers?include_images=false").json()["items"][0]) == ITEM
    stamps = {"created_at", "updated_at"}
    assert set(Caller().get(f"slippers/{slipper.pk}?include_images=false").json()) == ITEM | stamps
    assert set(Caller().get(f"slippers/{slipper.pk}").json()) == ITEM | PICTURES | stamps


@pytest.mark.parametrize("products", [3, 30])
def test_three_queries_and_then_none(products: int) -> None:
    for number in range(products):
        slipper = cast.slipper(f"number {number}")
        SlipperImage.objects.create(slipper=slipper, image_path=f"/static/images/{number}.jpg", is_primary=True)
    with query_budget(3):
        first = Caller().get("slippers?limit=20")
    with query_budget(0):
        second = Caller().get("slippers?limit=20")
    assert first.content == second.content
    with query_budget(0):
        third = Caller().get("slippers?limit=20", **{"If-None-Match": first["ETag"]})
    assert (third.status_code, third.content, third["ETag"]) == (304, b"", first["ETag"])


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────
NEW = {"name": "Тапочки", "size": "42", "price": 50000, "quantity": 10}


def test_a_product_lives(anora: Customer) -> None:
    caller = Caller(anora)
    shelf = cast.category()
    assert Caller().get("slippers").json()["total"] == 0
    made = caller.post("slippers/", {**NEW, "category_id": shelf.pk}).json()
    assert made == {**NEW, "id": made["id"], "category_id": shelf.pk, "image": ""}
    assert Caller().get("slippers").json()["total"] == 1
    changed = caller.put(f"slippers/{made['id']}", {"price": "60000.50", "category_id": None, "image": "/x.jpg"}).json()
    assert changed == {**made, "price": 60000.5, "category_id": None, "image": "/x.jpg"}
    assert Caller().get(f"slippers/{made['id']}").json()["price"] == 60000.5
    history = PriceChange.objects.order_by("id").values_list("old_price", "new_price", "by_id")
    assert list(history) == [
        (None, Decimal("50000.00"), anora.user_id),
        (Decimal("50000.00"), Decimal("60000.50"), anora.user_id),
    ]
    assert caller.delete(f"slippers/{made['id']}").status_code == 200
    assert Caller().get(f"slippers/{made['id']}").status_code == 404
    assert Caller().get("slippers").json()["total"] == 0
    assert Slipper.objects.get().is_deleted is True


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": None},
        {"name": "x" * 101},
        {"size": ""},
        {"size": "x" * 21},
        {"size": 42},
        {"price": 0},
        {"price": -1},
        {"price": "NaN"},
        {"price": "1.001"},
        {"price": 10**12},
        {"quantity": -1},
        {"quantity": 1.5},
        {"quantity": 2**40},
        {"category_id": 0},
        {"category_id": 2**70},
        {"name": "nul\u0000"},
    ],
)
def test_a_bad_product_is_422(anora: Customer, changes: dict[str, Any]) -> None:
    slipper = cast.slipper()
    before = list(Slipper.objects.values())
    assert Caller(anora).post("slippers", {**NEW, **changes}).status_code == 422
    assert Caller(anora).put(f"slippers/{slipper.pk}", changes).status_code == 422
    assert list(Slipper.objects.values()) == before


def test_unknown_category_and_product_are_404(anora: Customer) -> None:
    caller = Caller(anora)
    assert caller.post("slippers", {**NEW, "category_id": 999}).json()["detail"] == "Category not found"
    slipper = cast.slipper()
    assert caller.put(f"slippers/{slipper.pk}", {"category_id": 999}).status_code == 404
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/images")):
        answer = caller(method, f"slippers/999{path}", {} if method == "PUT" else None)
        assert (answer.status_code, answer.json()["detail"]) == (404, "Slipper not found")


def test_what_is_taken_out_leaves_the_carts(anora: Customer, bobur: Customer) -> None:
    from apps.shop.models import Cart

    slipper = cast.slipper()
    CartItem.objects.create(cart=Cart.objects.create(customer=bobur), slipper=slipper, quantity=1)
    catalogue.take_out(by=anora, slipper_id=slipper.pk)
    assert not CartItem.objects.exists()
    catalogue.bring_back(by=anora, slipper_id=slipper.pk)
    assert Caller().get(f"slippers/{slipper.pk}").status_code == 200


def test_a_refused_write_leaves_the_cache_alone(anora: Customer) -> None:
    cast.slipper()
    mark = Caller().get("slippers")["ETag"]
    Caller(anora).post("slippers", {**NEW, "category_id": 999})
    with query_budget(0):
        assert Caller().get("slippers")["ETag"] == mark


def test_nothing_that_is_missing_is_kept(anora: Customer) -> None:
    assert Caller().get("slippers/1").status_code == 404
    made = Caller(anora).post("slippers", NEW).json()
    assert Caller().get(f"slippers/{made['id']}").status_code == 200


# ── In bulk, and running low ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("edit", "price", "quantity"),
    [
        (catalogue.BulkEdit(percent=Decimal(10)), "1111.00", 10),
        (catalogue.BulkEdit(percent=Decimal(-100)), "0.01", 10),
        (catalogue.BulkEdit(percent=Decimal("12.5")), "1136.25", 10),
        (catalogue.BulkEdit(price=Decimal(7), percent=Decimal(50)), "7.00", 10),
        (catalogue.BulkEdit(add_stock=5), "1010.00", 15),
        (catalogue.BulkEdit(add_stock=-50), "1010.00", 0),
        (catalogue.BulkEdit(stock=3, add_stock=9), "1010.00", 3),
    ],
)
def test_bulk_edit(anora: Customer, edit: catalogue.BulkEdit, price: str, quantity: int) -> None:
    slipper, other = cast.slipper(price="1010"), cast.slipper(price="5")
    assert catalogue.edit_many(by=anora, ids=[slipper.pk], edit=edit) == 1
    slipper.refresh_from_db()
    other.refresh_from_db()
    assert (slipper.price, slipper.quantity) == (Decimal(price), quantity)
    assert (other.price, other.quantity) == (Decimal(5), 10)
    assert PriceChange.objects.count() == (price != "1010.00")


def test_running_low_is_told_once_per_fall(anora: Customer, bobur: Customer) -> None:
    slipper = cast.slipper(quantity=4)
    assert stock_watch.look() == 0
    Slipper.objects.update(quantity=3)
    assert [stock_watch.look(), stock_watch.look()] == [1, 0]
    deliver()
    told = Notification.objects.get()
    assert (told.user_id, told.payload) == (anora.user_id, {"slipper_id": slipper.pk, "quantity": 3})
    Slipper.objects.update(quantity=9)
    assert stock_watch.look() == 0
    catalogue.change(by=anora, slipper_id=slipper.pk, changes={"quantity": 0})
    deliver()
    assert Notification.objects.count() == 2


def test_stock_does_not_run_over(anora: Customer) -> None:
    slipper = cast.slipper(quantity=2_147_483_000)
    catalogue.edit_many(by=anora, ids=[slipper.pk], edit=catalogue.BulkEdit(add_stock=1_000_000))
    slipper.refresh_from_db()
    assert slipper.quantity == 2_147_483_647
    assert_refused(
        errors.StockChanged,
        lambda: catalogue.restock(by=anora, slipper_id=slipper.pk, delta=1),
        unchanged=[Slipper.objects.all()],
    )
