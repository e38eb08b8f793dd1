"""The back office: products, stock and prices in lists and in bulk, pictures, tables in and out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.shop.actions import images
from apps.shop.models import Category, Customer, PriceChange, Slipper
from apps.shop.tests import cast

LISTS = ("slipper", "category", "pricechange", "customer")


@pytest.fixture(autouse=True)
def _password_is_enough(settings: Settings) -> None:
    settings.ACCOUNTS = replace(settings.ACCOUNTS, staff_second_factor_required=False)


@pytest.fixture
def desk(db: None) -> Client:
    """A superuser at work."""
    return at_work(cast.staff())


def at_work(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def clerk(*rights: str) -> Client:
    person = User.objects.create_user(username="clerk", password="irrelevant", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="shop", codename__in=rights))
    return at_work(person)


def form(slipper: Slipper | None = None, **changes: object) -> dict[str, object]:
    """What the browser sends; the stock as the page showed it goes along."""
    given: dict[str, object] = {"name": "Море", "size": "42", "price": "100", "quantity": "10", "spic": ""}
    management = {
        f"{prefix}-{key}": 0 for prefix in ("images", "price_changes") for key in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    return {**given, "package_code": "", "initial-quantity": "10" if slipper else "0", **management, **changes}


@pytest.mark.parametrize("name", LISTS)
def test_lists_open_in_a_constant_number_of_queries(desk: Client, name: str) -> None:
    counts = []
    desk.get(reverse(f"admin:shop_{name}_changelist"))  # what is looked up once per process
    for round_ in range(2):
        for number in range(1 + 10 * round_):
            shelf = cast.category(f"{round_}-{number}")
            slipper = cast.slipper(f"{round_}-{number}", category=shelf)
            PriceChange.objects.create(slipper=slipper, new_price=1)
            cast.customer(f"user {round_}-{number}")
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(reverse(f"admin:shop_{name}_changelist")).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_a_product_is_made_and_changed_through_the_actions(desk: Client) -> None:
    answer = desk.post(reverse("admin:shop_slipper_add"), form())
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    slipper = Slipper.objects.get()
    assert (slipper.name, slipper.quantity, slipper.search_text) == ("Море", 10, "море\n42")
    address = reverse("admin:shop_slipper_change", args=[slipper.pk])
    assert desk.get(address).status_code == 200
    assert desk.post(address, form(slipper, price="150")).status_code == 302
    assert list(PriceChange.objects.order_by("id").values_list("old_price", "new_price")) == [
        (None, Decimal(100)),
        (Decimal(100), Decimal(150)),
    ]


def test_what_was_sold_while_the_page_was_open_stays_sold(desk: Client) -> None:
    slipper = cast.slipper("Море", price="100", quantity=10)
    Slipper.objects.update(quantity=4)
    address = reverse("admin:shop_slipper_change", args=[slipper.pk])
    desk.post(address, form(slipper, quantity="15"))
    slipper.refresh_from_db()
    assert slipper.quantity == 9
    desk.post(address, form(slipper, quantity="0"))
    slipper.refresh_from_db()
    assert slipper.quantity == 9


def test_price_and_stock_in_the_list(desk: Client) -> None:
    slipper = cast.slipper(price="100", quantity=10)
    rows = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": slipper.pk,
        "form-0-price": "120",
        "form-0-quantity": "12",
        "initial-form-0-quantity": "10",
        "_save": "Save",
    }
    assert desk.post(reverse("admin:shop_slipper_changelist"), rows).status_code == 302
    slipper.refresh_from_db()
    assert (slipper.price, slipper.quantity) == (Decimal(120), 12)


def test_prices_and_stock_in_bulk(desk: Client) -> None:
    one, two, three = (cast.slipper(f"n{number}", price="100", quantity=1) for number in range(3))
    chosen = {"action": "edit_selected", "_selected_action": [one.pk, two.pk]}
    page = desk.post(reverse("admin:shop_slipper_changelist"), chosen)
    assert page.status_code == 302
    assert desk.get(page["Location"]).status_code == 200
    assert desk.post(page["Location"], {"percent": "-10", "add_stock": "5"}).status_code == 302
    rows = list(Slipper.objects.order_by("pk").values_list("price", "quantity"))
    assert rows == [(Decimal(90), 6), (Decimal(90), 6), (Decimal(100), 1)]
    assert three.pk


def test_bulk_needs_its_right(db: None) -> None:
    slipper = cast.slipper(price="100")
    address = f"{reverse('admin:shop_slipper_bulk')}?ids={slipper.pk}"
    assert clerk("view_slipper", "change_slipper").post(address, {"price": "1"}).status_code == 403
    assert Slipper.objects.get().price == Decimal(100)


def test_pictures_come_and_one_is_chosen(desk: Client) -> None:
    slipper = cast.slipper("Море", price="100", quantity=10)
    address = reverse("admin:shop_slipper_change", args=[slipper.pk])
    desk.post(address, form(slipper, new_pictures=[cast.picture(), cast.picture("two.png", kind="PNG")]))
    assert slipper.images.count() == 2
    second = slipper.images.get(order_index=1)
    rows = {"images-TOTAL_FORMS": 2, "images-INITIAL_FORMS": 2}
    for number, image in enumerate(slipper.images.order_by("order_index")):
        rows |= {
            f"images-{number}-id": image.pk,
            f"images-{number}-slipper": slipper.pk,
            f"images-{number}-alt_text": "",
        }
    answer = desk.post(address, form(slipper, main_picture=second.pk, **{**rows, "images-0-alt_text": "side"}))
    assert answer.status_code == 302
    assert slipper.images.get(is_primary=True).pk == second.pk
    assert slipper.images.get(order_index=0).alt_text == "side"
    desk.post(address, form(slipper, **{**rows, "images-1-DELETE": "on"}))
    assert list(slipper.images.values_list("order_index", "is_primary")) == [(0, True)]


def test_a_bad_picture_is_a_message(desk: Client) -> None:
    slipper = cast.slipper("Море", price="100", quantity=10)
    address = reverse("admin:shop_slipper_change", args=[slipper.pk])
    answer = desk.post(address, form(slipper, new_pictures=[SimpleUploadedFile("a.jpg", b"text")]), follow=True)
    assert answer.status_code == 200 and not slipper.images.exists()
    assert "not a picture" in answer.content.decode()


def test_products_leave_and_come_back_and_are_never_deleted(desk: Client) -> None:
    slipper = cast.slipper()
    desk.post(reverse("admin:shop_slipper_take_out", args=[slipper.pk]))
    assert Slipper.objects.get().is_deleted is True
    desk.post(reverse("admin:shop_slipper_bring_back", args=[slipper.pk]))
    assert Slipper.objects.get().is_deleted is False
    assert desk.post(reverse("admin:shop_slipper_delete", args=[slipper.pk]), {"post": "yes"}).status_code == 403


def test_taking_out_is_a_form_of_the_page_with_its_token(db: None) -> None:
    slipper, careful = cast.slipper(), Client(enforce_csrf_checks=True)
    careful.force_login(cast.staff())
    address = reverse("admin:shop_slipper_take_out", args=[slipper.pk])
    assert [careful.get(address).status_code, careful.post(address).status_code] == [405, 403]
    assert Slipper.objects.get().is_deleted is False
    page = careful.get(reverse("admin:shop_slipper_change", args=[slipper.pk])).content.decode()
    assert f'href="{address}"' not in page
    form = page.partition(f'<form method="post" action="{address}">')[2].partition("</form>")[0]
    token = form.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert careful.post(address, {"csrfmiddlewaretoken": token}).status_code == 302
    assert Slipper.objects.get().is_deleted is True


def test_a_category_lives(desk: Client) -> None:
    desk.post(reverse("admin:shop_category_add"), {"name": "Домашние", "description": "", "is_active": "on"})
    shelf = Category.objects.get()
    slipper = cast.slipper(category=shelf)
    desk.post(reverse("admin:shop_category_change", args=[shelf.pk]), {"name": "Иные", "description": ""})
    shelf.refresh_from_db()
    assert (shelf.name, shelf.is_active) == ("Иные", False)
    desk.post(reverse("admin:shop_category_delete", args=[shelf.pk]), {"post": "yes"})
    slipper.refresh_from_db()
    assert (Category.objects.count(), slipper.category_id) == (0, None)


def test_a_table_comes_in_and_goes_out(desk: Client) -> None:
    known = cast.slipper("Море", price="100", quantity=1, category=cast.category("Пляжные"))
    table = (
        "id,name,size,price,quantity,category,spic,package_code\n"
        f"{known.pk},Море,42,110,5,Пляжные,,\n"
        ",Берег,40,70,2,,123,\n"
    )
    upload = {"import_file": SimpleUploadedFile("t.csv", table.encode()), "format": "0", "resource": ""}
    checked = desk.post(reverse("admin:shop_slipper_import"), upload)
    assert checked.status_code == 200
    confirm = checked.context["confirm_form"]
    assert desk.post(reverse("admin:shop_slipper_process_import"), confirm.initial).status_code == 302
    rows = list(Slipper.objects.order_by("pk").values_list("name", "price", "quantity", "spic"))
    assert rows == [("Море", Decimal(110), 5, ""), ("Берег", Decimal(70), 2, "123")]
    assert PriceChange.objects.count() == 2
    out = desk.post(reverse("admin:shop_slipper_export"), {"format": "0", "resource": "", **_all_fields()})
    assert "Берег" in out.content.decode()


def _all_fields() -> dict[str, str]:
    names = ("id", "name", "size", "price", "quantity", "category", "spic", "package_code")
    return {f"slipperresource_{name}": "on" for name in names}


def test_import_needs_its_right(db: None) -> None:
    assert clerk("view_slipper", "change_slipper").get(reverse("admin:shop_slipper_import")).status_code == 403


def test_administrators_are_made_with_a_reason_and_by_command(desk: Client, bobur: Customer) -> None:
    address = reverse("admin:shop_customer_make_admin", args=[bobur.pk])
    desk.post(address, {"reason": ""})
    assert Customer.objects.get(pk=bobur.pk).is_admin is False
    desk.post(address, {"reason": "the new manager"})
    assert Customer.objects.get(pk=bobur.pk).is_admin is True
    call_command("make_shop_admin", "bobur", "--revoke")
    assert Customer.objects.get(pk=bobur.pk).is_admin is False
    call_command("make_shop_admin", "+998902222222")
    assert Customer.objects.get(pk=bobur.pk).is_admin is True
    with pytest.raises(CommandError):
        call_command("make_shop_admin", "nobody")


def test_the_small_copy_of_foreign_pictures_is_themselves() -> None:
    assert images.thumbnail_path("https://cdn.example/a.jpg") == "https://cdn.example/a.jpg"
    assert images.thumbnail_path("/static/images/a.jpg") == "/static/images/thumb-a.jpg"


@pytest.mark.parametrize(
    "path",
    ["slipper/abc/take_out/", "slipper/999/bring_back/", "customer/999/make_admin/", "customer/abc/unmake_admin/"],
)
def test_buttons_of_rows_that_do_not_exist_are_404(desk: Client, path: str) -> None:
    assert desk.get(f"/admin/shop/{path}").status_code == 404


def test_a_bulk_page_of_nonsense_changes_nothing(desk: Client) -> None:
    slipper = cast.slipper()
    url = f"/admin/shop/slipper/bulk/?ids=%C2%B2,abc,{'9' * 30},-1"
    assert desk.get(url).status_code == 200
    assert desk.post(url, {"price": "5"}).status_code == 302
    assert Slipper.objects.get().price == slipper.price
