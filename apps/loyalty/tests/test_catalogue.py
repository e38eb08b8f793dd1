"""The catalogue that managers keep, and the menu written over it (contract loyalty 1.5, rows 47 to 54)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.core.testing import outcomes, query_budget, race
from apps.integrations.sandbox import vendors
from apps.loyalty.actions import catalogue
from apps.loyalty.models import Category, Product
from apps.loyalty.tests.cast import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(malika) -> Caller:
    return Caller(malika)


@pytest.fixture
def soups(db) -> Category:
    return Category.objects.create(name="Soups")


def shown(path: str) -> list[dict]:
    return Caller().get(path).json()


class TestCategories:
    def test_by_name_with_the_first_dishs_picture(self, soups):
        other = Category.objects.create(name="Bread", image_url="b.jpg")
        for name, image in (("Shurpa", "s.jpg"), ("Mastava", "m.jpg"), ("Aaa", None)):
            Product.objects.create(category=soups, name=name, price=1, image_url=image)
        assert shown("catalog/categories") == [
            {"id": other.pk, "name": "Bread", "image_url": "b.jpg"},
            {"id": soups.pk, "name": "Soups", "image_url": "m.jpg"},
        ]

    def test_one_query_however_many(self, soups):
        for number in range(30):
            Product.objects.create(category=Category.objects.create(name=f"c{number}"), name="p", price=1)
        with query_budget(1):
            assert len(shown("catalog/categories")) == 31
        with query_budget(0):
            shown("catalog/categories")

    @pytest.mark.parametrize("verb", ["put", "patch"])
    def test_change(self, boss, soups, verb):
        answer = getattr(boss, verb)(f"catalog/categories/{soups.pk}", {"name": "Hot", "image_url": "h.jpg"})
        assert (answer.status_code, answer.json()) == (200, {"id": soups.pk, "name": "Hot", "image_url": "h.jpg"})
        answer = getattr(boss, verb)(f"catalog/categories/{soups.pk}", {"name": None, "image_url": ""})
        assert answer.json() == {"id": soups.pk, "name": "Hot", "image_url": None}

    def test_a_name_that_is_taken(self, boss, soups):
        other = Category.objects.create(name="Bread")
        for answer in (
            boss.post("catalog/categories", {"name": "Soups"}),
            boss.put(f"catalog/categories/{other.pk}", {"name": "Soups"}),
        ):
            assert (answer.status_code, set(answer.json()["detail"])) == (409, {"ru", "uz"})
        assert sorted(Category.objects.values_list("name", flat=True)) == ["Bread", "Soups"]

    def test_one_with_dishes_stays(self, boss, soups):
        Product.objects.create(category=soups, name="Shurpa", price=1)
        assert boss.delete(f"catalog/categories/{soups.pk}").status_code == 409
        Product.objects.all().delete()
        assert boss.delete(f"catalog/categories/{soups.pk}").status_code == 204
        assert boss.delete(f"catalog/categories/{soups.pk}").status_code == 404

    @pytest.mark.parametrize(
        "body", [{}, {"name": ""}, {"name": "  "}, {"name": "x" * 151}, {"name": "x", "image_url": "u" * 501}]
    )
    def test_malformed(self, boss, body):
        assert boss.post("catalog/categories", body).status_code == 422
        assert Category.objects.count() == 0


class TestProducts:
    def test_by_name_all_or_of_one_shelf(self, soups):
        bread = Category.objects.create(name="Bread")
        one = Product.objects.create(category=soups, name="Shurpa", price=Decimal("25000.50"))
        two = Product.objects.create(category=bread, name="Non", price=5000)
        rows = [
            {"id": two.pk, "category_id": bread.pk, "name": "Non", "price": 5000.0, "image_url": None},
            {"id": one.pk, "category_id": soups.pk, "name": "Shurpa", "price": 25000.5, "image_url": None},
        ]
        with query_budget(1):
            assert shown("catalog/products?page=1&page_size=1") == rows
        assert shown(f"catalog/products?category_id={soups.pk}") == rows[1:]
        assert Caller().get("catalog/products?category_id=x").status_code == 422

    def test_add_change_remove(self, boss, soups):
        made = boss.post("catalog/products", {"category_id": soups.pk, "name": "Shurpa", "price": "25000.5"}).json()
        assert made == {**made, "category_id": soups.pk, "name": "Shurpa", "price": 25000.5, "image_url": None}
        path = f"catalog/products/{made['id']}"
        assert boss.patch(path, {"price": 26000, "image_url": "s.jpg"}).json() == {
            **made,
            "price": 26000.0,
            "image_url": "s.jpg",
        }
        assert boss.put(path, {"image_url": ""}).json()["image_url"] is None
        assert boss.delete(path).status_code == 204
        assert [boss.delete(path).status_code, boss.put(path, {"price": 1}).status_code] == [404, 404]

    @pytest.mark.parametrize(
        "changes",
        [
            {"price": 0},
            {"price": -1},
            {"price": "x"},
            {"price": 10**8},
            {"name": ""},
            {"name": "x" * 256},
            {"name": None},
        ],
    )
    def test_malformed(self, boss, soups, changes):
        body = {"category_id": soups.pk, "name": "Shurpa", "price": 1, **changes}
        assert boss.post("catalog/products", body).status_code == 422
        assert Product.objects.count() == 0

    def test_no_such_shelf(self, boss, soups):
        product = Product.objects.create(category=soups, name="Shurpa", price=1)
        assert boss.post("catalog/products", {"category_id": 999, "name": "x", "price": 1}).status_code == 404
        assert boss.put(f"catalog/products/{product.pk}", {"category_id": 999}).status_code == 404
        product.refresh_from_db()
        assert product.category == soups


class TestSync:
    def test_the_menu_comes_in_and_again_changes_nothing(self, boss):
        first = boss.post("catalog/sync").json()
        assert first == {
            "status": "ok",
            "categories_created": 3,
            "categories_updated": 0,
            "products_created": 6,
            "products_updated": 0,
            "products_removed": 0,
        }
        lamb = Product.objects.get(name="Шашлык из баранины")
        assert (lamb.price, lamb.image_url, lamb.category.name) == (
            22000,
            "https://cdn.example/menu/lamb.webp",
            "Шашлык",
        )
        again = boss.post("catalog/sync").json()
        assert set(again.values()) == {"ok", 0}

    def test_prices_and_names_follow(self, boss):
        boss.post("catalog/sync")
        vendors.myresto.raise_prices("main", 1000)
        vendors.myresto.menus["main"][1]["items"][0]["name"] = "Баранина"
        vendors.myresto.menus["gijduvon"][1]["items"][0]["name"] = "Баранина"
        told = boss.post("catalog/sync").json()
        assert (told["products_created"], told["products_updated"], told["products_removed"]) == (0, 6, 0)
        assert Product.objects.get(name="Баранина").price == 23000

    def test_what_left_the_menu_goes_and_ours_stays(self, boss, soups):
        own = Product.objects.create(category=soups, name="Shurpa", price=1)
        boss.post("catalog/sync")
        for site in ("main", "gijduvon"):
            del vendors.myresto.menus[site][2]
        told = boss.post("catalog/sync").json()
        assert told["products_removed"] == 2
        assert Category.objects.filter(name="Напитки").exists()
        assert Product.objects.filter(pk=own.pk).exists()

    def test_a_dish_of_ours_with_the_menus_name_becomes_the_menus(self, boss):
        shelf = Category.objects.create(name="Шашлык")
        own = Product.objects.create(category=shelf, name="Шашлык из баранины", price=1)
        told = boss.post("catalog/sync").json()
        assert (told["categories_created"], told["categories_updated"], told["products_updated"]) == (2, 1, 1)
        own.refresh_from_db()
        assert own.price == 22000

    def test_nothing_goes_while_a_site_is_down(self, boss):
        boss.post("catalog/sync")
        vendors.myresto.menus["gijduvon"] = vendors.myresto.menus["gijduvon"][:1]
        vendors.myresto.dropped = {"main"}
        vendors.myresto.menus["main"] = []
        assert boss.post("catalog/sync").json()["products_removed"] == 0
        assert Product.objects.count() == 6

    @pytest.mark.parametrize("trouble", ["down", "empty"])
    def test_no_menu_changes_nothing(self, boss, trouble):
        boss.post("catalog/sync")
        if trouble == "down":
            vendors.myresto.dropped = {"main", "gijduvon"}
            catalogue.menu.cache.clear()
        else:
            vendors.myresto.menus = {"main": [], "gijduvon": []}
        answer = boss.post("catalog/sync")
        assert (answer.status_code, set(answer.json()["detail"])) == (502, {"ru", "uz"})
        assert Product.objects.count() == 6

    def test_a_few_statements_however_long_the_menu(self, boss):
        for site in ("main", "gijduvon"):
            shelf = vendors.myresto.menus[site][0]
            item = shelf["items"][0]
            shelf["items"] += [{**item, "itemId": f"i-{n}", "slug": f"s-{n}", "name": f"n{n}"} for n in range(200)]
        with query_budget(30):
            assert boss.post("catalog/sync").json()["products_created"] == 206


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("post", "catalog/categories"),
        ("put", "catalog/categories/1"),
        ("patch", "catalog/categories/1"),
        ("delete", "catalog/categories/1"),
        ("post", "catalog/products"),
        ("put", "catalog/products/1"),
        ("delete", "catalog/products/1"),
        ("post", "catalog/sync"),
    ],
)
def test_managers_only(verb, path, vali, gulnora):
    for caller, status in ((Caller(), 401), (Caller(vali), 403), (Caller(gulnora), 403)):
        assert caller(verb.upper(), path, {"name": "x", "category_id": 1, "price": 1}).status_code == status
    assert not Category.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_write_is_seen_at_once(malika):
    boss = Caller(malika)
    assert shown("catalog/categories") == shown("catalog/products") == []
    shelf = boss.post("catalog/categories", {"name": " Salads ", "image_url": "x.jpg"}).json()
    assert shown("catalog/categories") == [{"id": shelf["id"], "name": "Salads", "image_url": "x.jpg"}]
    dish = boss.post("catalog/products", {"category_id": shelf["id"], "name": "Achichuk", "price": 9000}).json()
    assert [row["name"] for row in shown("catalog/products")] == ["Achichuk"]
    boss.put(f"catalog/products/{dish['id']}", {"name": "Achchiq"})
    assert [row["name"] for row in shown("catalog/products")] == ["Achchiq"]
    boss.delete(f"catalog/products/{dish['id']}")
    boss.delete(f"catalog/categories/{shelf['id']}")
    assert shown("catalog/categories") == shown("catalog/products") == []


@pytest.mark.race
def test_two_managers_name_a_shelf_alike(malika):
    results = race(6, lambda number: catalogue.add_category(by=malika, name="Soups"))
    assert outcomes(results) == {"ok": 1, "CategoryTaken": 5}


@pytest.mark.race
def test_a_shelf_goes_while_a_dish_comes(malika):
    shelf = catalogue.add_category(by=malika, name="Soups")

    def deed(number: int) -> None:
        if number % 2:
            catalogue.remove_category(by=malika, category_id=shelf.pk)
        else:
            catalogue.add_product(by=malika, category_id=shelf.pk, name=f"p{number}", price=Decimal(1))

    ended = outcomes(race(6, deed))
    assert set(ended) <= {"ok", "CategoryNotEmpty", "CategoryNotFound"}
    assert Category.objects.exists() or not Product.objects.exists()
