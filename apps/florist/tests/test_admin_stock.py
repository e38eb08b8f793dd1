"""The back office: catalogue and stock of all shops; history is read only (contract florist 3.11, deliverable 8)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.florist.actions import calculator, categories, showcase, stock, supplies
from apps.florist.actions.supplies import NewSupply, Row
from apps.florist.models import (
    Batch,
    CalculatorSettings,
    Employee,
    FlowerCategory,
    Material,
    Movement,
    Product,
    Shop,
)
from apps.florist.tests import cast
from apps.florist.tests.test_reserve_stock import books_agree, figures, order_of

LISTS = (
    *("product", "flowercategory", "material", "calculatorsettings", "batch", "movement"),
    *("supply", "stockreservation", "stocktransfer", "showcasebouquet"),
)


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def desk(db: None) -> Client:
    """A superuser at work."""
    return at_work(User.objects.create_superuser(username="root", password="irrelevant"))


def at_work(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def clerk(*rights: str) -> Client:
    """Staff with these rights of the product."""
    person = User.objects.create_user(username="clerk", password="irrelevant", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="florist", codename__in=rights))
    return at_work(person)


def page(name: str, *args: Any) -> str:
    return reverse(f"admin:florist_{name}", args=args)


def management(**rows: Any) -> dict[str, Any]:
    """Management forms of the product's page."""
    counts = {f"{prefix}-{key}": 0 for prefix in ("components", "variants", "images") for key in ("TOTAL_FORMS",)}
    counts |= {name.replace("TOTAL", "INITIAL"): 0 for name in counts}
    return {**counts, **rows}


def product_form(shop: Shop, **changes: Any) -> dict[str, Any]:
    given = {"shop": shop.pk, "name": "Пионы", "category": "bouquet", "description": "", "is_active": "on"}
    return {**given, "cost_price": "5000", "retail_price": "12000", "sale_price": "", **management(), **changes}


@pytest.mark.parametrize("name", LISTS)
def test_lists_open_in_a_constant_number_of_queries(desk: Client, rosa: Shop, bek: Employee, name: str) -> None:
    counts = []
    desk.get(page(f"{name}_changelist"))  # what is looked up once per process
    for round_ in range(2):
        for number in range(1 + 4 * round_):
            shop = cast.shop(f"S{round_}-{number}")
            product = cast.product(shop)
            cast.recipe(product)
            cast.batch(shop)
            stock.reserve(order_of(shop, (product, 1)), by=None)
            showcase.assemble(by=User.objects.get(username="root"), product_id=product.pk)
            calculator.figures_of(shop)
            Material.objects.create(shop=shop, name="Ribbon", price=1)
            categories.ensure(shop)
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(page(f"{name}_changelist")).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_product_is_made_with_its_recipe_and_sizes(desk: Client, rosa: Shop) -> None:
    rows = {
        "components-TOTAL_FORMS": 1,
        "components-0-component_type": "flower",
        "components-0-name": "Peony",
        "components-0-quantity": "7",
        "components-0-unit": "шт",
        "components-0-unit_cost": "500",
        "components-0-unit_price": "900",
        "components-0-variety": "Sarah Bernhardt",
        "components-0-height_cm": "50",
        "variants-TOTAL_FORMS": 1,
        "variants-0-name": "mini",
        "variants-0-factor": "0.7",
    }
    answer = desk.post(page("product_add"), product_form(rosa, **rows))
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    product = Product.objects.get()
    assert (product.shop, product.name, product.search_text) == (rosa, "Пионы", "пионы")
    assert list(product.components.values_list("variety", "height_cm", "quantity")) == [("Sarah Bernhardt", 50, 7)]
    assert product.variants.get().price == 8400
    assert desk.get(page("product_change", product.pk)).status_code == 200


def test_a_refused_change_is_shown_and_changes_nothing(desk: Client, rosa: Shop) -> None:
    product = cast.product(rosa)
    changed = product_form(rosa, sale_price="11000", retail_price="10000", name=product.name)
    shown = desk.post(page("product_change", product.pk), changed, follow=True)
    assert "The sale price must be below the usual price" in shown.content.decode()
    product.refresh_from_db()
    assert (product.sale_price, product.retail_price) == (None, 10_000)


def test_products_go_in_and_out_as_tables(desk: Client, rosa: Shop) -> None:
    product = cast.product(rosa)
    table = (
        "id,shop,name,category,description,cost_price,retail_price,sale_price,is_active,is_popular,is_new\n"
        f"{product.pk},{rosa.pk},Renamed,bouquet,,5000,11000,,1,0,0\n"
        f",{rosa.pk},Second,potted,,1000,3000,,1,0,1\n"
    )
    from_file = {"import_file": SimpleUploadedFile("p.csv", table.encode(), "text/csv"), "format": "0"}
    asked = desk.post(page("product_import"), from_file)
    assert asked.status_code == 200 and not asked.context["result"].has_errors(), asked.content[:2000]
    confirmed = asked.context["confirm_form"].initial
    done = desk.post(page("product_process_import"), confirmed)
    assert done.status_code == 302
    assert list(Product.objects.order_by("pk").values_list("name", "retail_price")) == [
        ("Renamed", Decimal(11000)),
        ("Second", Decimal(3000)),
    ]


def test_taking_out_is_a_button(desk: Client, rosa: Shop) -> None:
    product = cast.product(rosa)
    desk.post(page("product_take_out", product.pk))
    product.refresh_from_db()
    assert product.deleted_at is not None and not product.is_active
    desk.post(page("product_bring_back", product.pk))
    product.refresh_from_db()
    assert product.deleted_at is None
    assert desk.post(page("product_delete", product.pk)).status_code == 403


def test_categories_materials_and_figures_are_changed_through_actions(desk: Client, rosa: Shop) -> None:
    family = {"shop": rosa.pk, "name": "Пионы", "markup_percentage": "110", "keywords": "пион"}
    desk.post(page("flowercategory_add"), {**family, "shelf_life_days": "5", "min_stock": "9"})
    made = FlowerCategory.objects.get(name="Пионы")
    assert (made.shop, made.shelf_life_days, made.min_stock) == (rosa, 5, 9)
    desk.post(page("material_add"), {"shop": rosa.pk, "name": "Ribbon", "price": "150", "unit": "m"})
    material = Material.objects.get()
    desk.post(page("material_change", material.pk), {"name": "Ribbon", "price": "170", "unit": "m"})
    material.refresh_from_db()
    assert (material.price, material.is_active) == (170, False)
    row = calculator.figures_of(rosa)
    labour = {"default_labor_cost": "2500", "min_margin_percent": "30"}
    more = {"recommended_margin_percent": "50", "premium_margin_percent": "100"}
    desk.post(page("calculatorsettings_change", row.pk), {**labour, **more})
    assert CalculatorSettings.objects.get().default_labor_cost == 2500


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_corrections_and_waste_ask_why_and_move_once(desk: Client, rosa: Shop) -> None:
    batch = cast.batch(rosa)
    given = {"reason": "counted again", "stems": "-7", "key": "k1"}
    for _ in range(2):
        assert desk.post(page("batch_correct", batch.pk), given).status_code == 302
    thrown = {"reason": "brown leaves", "qty": "3", "kind": "waste_wilted", "key": "k2"}
    assert desk.post(page("batch_throw_away", batch.pk), thrown).status_code == 302
    assert figures(batch) == [(90, 0)]
    assert list(Movement.objects.order_by("pk").values_list("quantity", "description"))[1:] == [
        (-7, "counted again"),
        (-3, "brown leaves"),
    ]
    assert desk.post(page("batch_correct", batch.pk), {"stems": "-7"}).status_code == 200
    desk.post(page("batch_correct", batch.pk), {**given, "stems": "-91", "key": "k3"})
    assert figures(batch) == [(90, 0)]
    books_agree()


@pytest.mark.parametrize("name", ["batch", "movement", "supply", "stockreservation", "stocktransfer"])
def test_history_is_not_editable(desk: Client, rosa: Shop, name: str) -> None:
    batch = cast.batch(rosa)
    assert desk.get(page(f"{name}_add")).status_code == 403
    if name in ("batch", "movement"):
        pk = batch.pk if name == "batch" else Movement.objects.get().pk
        assert desk.get(page(f"{name}_change", pk)).status_code == 200
        assert desk.post(page(f"{name}_change", pk), {"qty": 1, "quantity": 1}).status_code == 403
        assert desk.post(page(f"{name}_delete", pk)).status_code == 403
    assert figures(batch) == [(100, 0)]


def test_supplies_and_bouquets_have_buttons(desk: Client, rosa: Shop, bek: Employee) -> None:
    draft = supplies.bring(
        by=bek, shop=rosa, wanted=NewSupply(supplier="E", rows=[Row("Rose", 60, Decimal(300), 20)], is_draft=True)
    )
    desk.post(page("supply_receive", draft.pk))
    desk.post(page("supply_archive", draft.pk))
    draft.refresh_from_db()
    assert draft.status == "archived" and Batch.objects.get().qty == 20
    assert desk.get(page("supply_change", draft.pk)).status_code == 200
    product = cast.product(rosa)
    cast.recipe(product, "Rose", 5, 60)
    shown = showcase.assemble(by=bek, product_id=product.pk)
    assert Batch.objects.get().qty == 15
    desk.post(page("showcasebouquet_take_apart", shown.pk))
    assert Batch.objects.get().qty == 20
    books_agree()


def test_the_data_check_shows_what_is_wrong(desk: Client, rosa: Shop) -> None:
    batch = cast.batch(rosa)
    asked = desk.get(page("batch_check_books"), follow=True)
    assert asked.status_code == 200 and f"#{batch.pk}" not in asked.content.decode()
    Batch.objects.filter(pk=batch.pk).update(qty=99)
    text = desk.get(page("batch_faults")).content.decode()
    assert f"#{batch.pk}" in text and "movements do not add up to the stock" in text


def test_rights_are_asked(rosa: Shop) -> None:
    batch = cast.batch(rosa)
    reader = clerk("view_batch", "view_product", "add_product", "change_product")
    assert reader.post(page("product_add"), product_form(rosa)).status_code == 403
    assert reader.get(page("batch_changelist")).status_code == 200
    given = {"reason": "counted again", "stems": "-7"}
    assert reader.post(page("batch_correct", batch.pk), given).status_code == 403
    assert reader.get(page("batch_faults")).status_code == 403
    assert reader.post(page("product_take_out", cast.product(rosa).pk)).status_code == 403
    assert figures(batch) == [(100, 0)]
