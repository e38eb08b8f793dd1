"""The florist's pages without JavaScript: today, a task from taking to handing in, the check, stock, calculator."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import query_budget
from apps.florist.actions import production
from apps.florist.models import (
    Batch,
    Employee,
    Material,
    Movement,
    Order,
    Product,
    ProductionTask,
    Shop,
    ShowcaseBouquet,
    Substitution,
    Supply,
)
from apps.florist.queries.stock import today_of
from apps.florist.tests import cast, workshop
from apps.florist.tests.seats import seated, text, told, words

pytestmark = pytest.mark.django_db
TODAY, CHECK, STOCK, CALCULATOR = (f"/desk/florist/{page}" for page in ("", "check/", "stock/", "calculator/"))


@pytest.fixture
def roses(rosa: Shop) -> Product:
    """Eleven stems each, of which there are a hundred."""
    found = cast.product(rosa, "Eleven roses", 15_000)
    cast.recipe(found)
    cast.batch(rosa)
    return found


def made_of(product: Product, **more: Any) -> ProductionTask:
    """A free task of a paid order."""
    return ProductionTask.objects.get(order=workshop.order(product.shop, (product, 1), **more))


def page_of(task: ProductionTask, deed: str = "") -> str:
    return f"/desk/florist/tasks/{task.pk}/{deed}"


def press(by: Employee, task: ProductionTask, deed: str, fields: dict[str, Any] | None = None) -> str:
    browser = seated(by)
    return told(browser, browser.post(page_of(task, deed), fields or {}))


# ── Today ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_queue_and_the_next_one(aida: Employee, roses: Product) -> None:
    later, sooner = made_of(roses), made_of(roses, due_in=workshop.timedelta(minutes=50))
    browser = seated(aida)
    page = words(browser.get(TODAY))
    assert page.index(f"Order #{sooner.order_id}") < page.index(f"Order #{later.order_id}")
    assert "urgent" in page and re.search(r"4\d min left", page)
    taken = browser.post("/desk/florist/take")
    assert taken["Location"] == page_of(sooner)
    again = words(browser.get(TODAY))
    assert "In hand" in again and "Take the next one" not in again


def test_late_ones_say_so(aida: Employee, roses: Product) -> None:
    task = made_of(roses)
    ProductionTask.objects.filter(pk=task.pk).update(deadline=workshop.ago(minutes=31))
    page = seated(aida).get(TODAY)
    assert "late by 3" in words(page) and 'class="card normal late"' in text(page)


def test_nothing_to_take(aida: Employee, rosa: Shop) -> None:
    browser = seated(aida)
    assert told(browser, browser.post("/desk/florist/take")) == "Nothing is free right now"


def test_today_costs_the_same_for_one_and_for_thirty(aida: Employee, roses: Product) -> None:
    cast.batch(roses.shop, qty=900)
    browser = seated(aida)
    for count in (1, 30):
        for _ in range(count):
            made_of(roses)
        with query_budget(9):
            browser.get(TODAY)


# ── A task ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_from_taking_to_handing_in(aida: Employee, roses: Product) -> None:
    task = made_of(roses, card_text="Love", comment="Kraft paper")
    assert press(aida, task, "take") == "It is yours"
    assert press(aida, task, "start") == ""
    browser = seated(aida)
    page = text(browser.get(page_of(task)))
    for shown in ("Red Naomi 60 cm", "SKU-", ">11<", "Love", "Kraft paper", "1 flower is not ticked yet."):
        assert shown in page, shown
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key and 'aria-pressed="false"' in page
    browser.post(page_of(task, "tick"), {"key": key[1], "is_ticked": "on"})
    assert 'aria-pressed="true"' in text(browser.get(page_of(task)))
    browser.post(page_of(task, "tick"), {"key": key[1]})
    assert 'aria-pressed="false"' in text(browser.get(page_of(task)))
    said = told(
        browser, browser.post(page_of(task, "finish"), {"file": workshop.picture(), "florist_notes": "Mind it"})
    )
    task.refresh_from_db()
    assert (said, task.status, task.florist_notes) == ("Handed in for the check", "quality_check", "Mind it")
    assert re.search(r'<img src="/uploads/[^"]+sig=', text(browser.get(page_of(task))))


def test_nothing_is_handed_in_without_a_picture(aida: Employee, rosa: Shop) -> None:
    task = workshop.started(rosa, aida)
    assert press(aida, task, "finish") not in ("", "Handed in for the check")
    bad = workshop.SimpleUploadedFile("x.jpg", b"not a picture", content_type="image/jpeg")
    assert press(aida, task, "finish", {"file": bad}) not in ("", "Handed in for the check")
    task.refresh_from_db()
    assert task.status == "in_progress"


def test_a_flower_for_another(aida: Employee, roses: Product) -> None:
    task = made_of(roses)
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    production.start(by=aida, task_id=task.pk)
    other, old = cast.batch(roses.shop, "White rose"), Batch.objects.get(variety="Red Naomi")
    item = task.items.get().order_item
    fields = {"order_item_id": item.pk, "instead_of": old.pk, "to_batch_id": other.pk, "qty": 3, "reason": "Wilted"}
    assert "White rose 60" in words(seated(aida).get(page_of(task)))
    assert press(aida, task, "substitute", fields) == "Written down. The price stays."
    made = Substitution.objects.get()
    assert (made.qty, made.reason, Order.objects.get().total) == (3, "Wilted", 15_000)
    page = words(seated(aida).get(page_of(task)))
    assert "3 × Red Naomi → White rose: Wilted" in page and "instead of Red Naomi" in page
    assert "There are not enough flowers" in press(aida, task, "substitute", {**fields, "qty": 500})


def test_a_flower_for_one_that_is_not_in_stock(aida: Employee, roses: Product) -> None:
    Batch.objects.update(hidden=True)
    task = made_of(roses)
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    production.start(by=aida, task_id=task.pk)
    other, item = cast.batch(roses.shop, "White rose"), task.items.get().order_item
    [key] = re.findall(r'<option value="([^"]+:missing)">', text(seated(aida).get(page_of(task))))
    fields = {"order_item_id": item.pk, "instead_of": key, "to_batch_id": other.pk, "qty": 11, "reason": "None came"}
    assert press(aida, task, "substitute", fields) == "Written down. The price stays."
    page = words(seated(aida).get(page_of(task)))
    assert "11 × Red Naomi → White rose: None came" in page and "not in stock" not in page
    assert "does not have so many stems" in press(aida, task, "substitute", fields)


def test_missing_flowers_notes_and_pictures_of_the_work(aida: Employee, rosa: Shop, bek: Employee) -> None:
    task = workshop.started(rosa, aida)
    assert press(aida, task, "short", {"note": "Two roses"}) == "The manager has been told"
    assert press(aida, task, "note", {"note": "In the fridge"}) == "Kept"
    assert press(aida, task, "photo", {"file": workshop.picture()}) == "The picture is kept"
    page = words(seated(bek).get(page_of(task)))
    assert "Missing: Two roses" in page and "In the fridge" in page


def test_back_into_the_queue(aida: Employee, rosa: Shop) -> None:
    task = workshop.task(rosa)
    press(aida, task, "take")
    browser = seated(aida)
    answer = browser.post(page_of(task, "hand-back"), {"next": TODAY})
    assert answer["Location"] == TODAY
    task.refresh_from_db()
    assert task.status == "pending" and task.florist_id is None


DEEDS: dict[str, dict[str, Any]] = {
    "take": {},
    "start": {},
    "hand-back": {},
    "tick": {"key": "1:Red Naomi:60", "is_ticked": "on"},
    "substitute": {"order_item_id": 1, "instead_of": 1, "to_batch_id": 2, "qty": 1, "reason": "x"},
    "short": {"note": "x"},
    "note": {"note": "x"},
    "finish": {"florist_notes": "x"},
    "judge": {"quality_score": 5, "verdict": "approve"},
}


@pytest.mark.parametrize("deed", list(DEEDS))
def test_the_neighbour_sees_and_presses_nothing(aida: Employee, dana: Employee, rosa: Shop, deed: str) -> None:
    task = workshop.started(rosa, aida)
    before = ProductionTask.objects.values().get(pk=task.pk)
    browser = seated(dana)
    assert browser.get(page_of(task)).status_code == 404
    answer = browser.post(page_of(task, deed), {**DEEDS[deed], "next": TODAY})
    assert "There is no such task" in told(browser, answer)
    assert ProductionTask.objects.values().get(pk=task.pk) == before


@pytest.mark.parametrize("deed", ["start", "tick", "short", "note", "finish"])
def test_a_colleagues_work_is_not_touched(aida: Employee, gulnar: Employee, rosa: Shop, deed: str) -> None:
    task = workshop.started(rosa, aida)
    before = ProductionTask.objects.values().get(pk=task.pk)
    assert seated(gulnar).get(page_of(task)).status_code == 404
    seated(gulnar).post(page_of(task, deed), DEEDS[deed])
    assert ProductionTask.objects.values().get(pk=task.pk) == before


def test_couriers_have_no_business_here(ruslan: Employee, rosa: Shop) -> None:
    task = workshop.task(rosa)
    assert seated(ruslan).get(page_of(task)).status_code == 403
    assert seated(ruslan).post(page_of(task, "take")).status_code == 403


# ── The check ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_somebody_else_checks(aida: Employee, gulnar: Employee, rosa: Shop) -> None:
    task = workshop.handed_in(rosa, aida)
    assert f"#{task.order_id}" not in words(seated(aida).get(CHECK))
    browser = seated(gulnar)
    page = text(browser.get(CHECK))
    assert f"#{task.order_id}" in page and re.search(r'<img class="picture" src="/uploads/', page)
    returned = browser.post(page_of(task, "judge"), {"quality_score": 3, "verdict": "return", "next": CHECK})
    assert "verdict" not in told(browser, returned)
    reason = {"quality_score": 3, "verdict": "return", "quality_notes": "The ribbon is loose", "next": CHECK}
    assert told(browser, browser.post(page_of(task, "judge"), reason)).startswith("Thank you")
    assert "Returned: The ribbon is loose" in words(seated(aida).get(page_of(task)))
    press(aida, task, "finish", {"file": workshop.picture()})
    approved = browser.post(page_of(task, "judge"), {"quality_score": 5, "verdict": "approve"})
    assert approved.status_code == 302
    task.refresh_from_db()
    assert (task.status, task.returns, Order.objects.get(pk=task.order_id).status) == ("completed", 1, "assembled")


def test_nobody_checks_his_own_work(aida: Employee, rosa: Shop) -> None:
    task = workshop.handed_in(rosa, aida)
    press(aida, task, "judge", DEEDS["judge"])
    task.refresh_from_db()
    assert task.status == "quality_check"


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_what_gets_old_comes_first(aida: Employee, rosa: Shop) -> None:
    today = today_of(rosa)
    cast.batch(rosa, "Fresh rose", expires_on=today + workshop.timedelta(days=6), delivery_date=today)
    cast.batch(rosa, "Tired tulip", expires_on=today - workshop.timedelta(days=1), delivery_date=today)
    page = words(seated(aida).get(STOCK))
    assert page.index("Tired tulip") < page.index("Fresh rose") and "throw away" in page and "0 days old" in page
    assert "Fresh rose" not in words(seated(aida).get(f"{STOCK}?search=tul")).partition("By variety")[0]
    assert seated(aida).get(f"{STOCK}?search=%00").status_code == 200
    cast.batch(rosa, "Пион")
    assert "Пион 60" in words(seated(aida).get(f"{STOCK}?search=ПИ")).partition("By variety")[0]


def test_waste_in_two_taps(aida: Employee, rosa: Shop) -> None:
    batch, browser = cast.batch(rosa), seated(aida)
    page = text(browser.get(STOCK))
    key = re.search(rf'name="key" value="([^"]+-w{batch.pk})"', page)
    assert key
    fields = {"qty": 1, "reason": "waste_wilted", "key": key[1]}
    for _ in range(2):
        said = told(browser, browser.post(f"{STOCK}{batch.pk}/waste", fields))
        assert said == "Thrown away and written down"
    batch.refresh_from_db()
    assert batch.qty == 99
    photo = {"qty": 2, "reason": "waste_damaged", "file": workshop.picture()}
    browser.post(f"{STOCK}{batch.pk}/waste", photo)
    last = Movement.objects.filter(reason="waste_damaged").get()
    assert (last.quantity, last.created_by) == (-2, aida) and last.photo_url.startswith("/uploads/")


@pytest.mark.parametrize("fields", [{}, {"qty": 0}, {"qty": 101}, {"qty": 1, "reason": "sale"}, {"qty": "x"}])
def test_waste_that_makes_no_sense(aida: Employee, rosa: Shop, fields: dict[str, Any]) -> None:
    batch, browser = cast.batch(rosa), seated(aida)
    said = told(browser, browser.post(f"{STOCK}{batch.pk}/waste", {"reason": "waste_wilted", **fields}))
    assert said and "Thrown away" not in said
    batch.refresh_from_db()
    assert batch.qty == 100


def test_counting_showing_and_labels(aida: Employee, rosa: Shop) -> None:
    batch, browser = cast.batch(rosa), seated(aida)
    assert told(browser, browser.post(f"{STOCK}{batch.pk}/count", {"qty": 97})) == "The count is posted"
    assert told(browser, browser.post(f"{STOCK}{batch.pk}/showcase", {"is_on": "on"})) == "Changed"
    batch.refresh_from_db()
    assert (batch.qty, batch.on_showcase) == (97, True)
    label = words(browser.get(f"{STOCK}{batch.pk}/label"))
    assert "Red Naomi 60 cm 600 ₸" in label and "300" not in label


def test_the_neighbours_stems(dana: Employee, rosa: Shop) -> None:
    batch, browser = cast.batch(rosa), seated(dana)
    assert "Red Naomi" not in words(browser.get(STOCK))
    assert browser.get(f"{STOCK}{batch.pk}/label").status_code == 404
    for deed, fields in (("waste", {"qty": 1, "reason": "waste_wilted"}), ("count", {"qty": 5}), ("showcase", {})):
        assert "There is no such batch" in told(browser, browser.post(f"{STOCK}{batch.pk}/{deed}", fields))
    batch.refresh_from_db()
    assert batch.qty == 100


def test_the_showcase(aida: Employee, dana: Employee, roses: Product) -> None:
    browser = seated(aida)
    made = browser.post("/desk/florist/showcase/assemble", {"subject": roses.pk})
    assert told(browser, made) == "The bouquet stands in the showcase"
    bouquet = ShowcaseBouquet.objects.get()
    stranger = seated(dana)
    stranger.post("/desk/florist/showcase/apart", {"subject": bouquet.pk})
    stranger.post("/desk/florist/showcase/assemble", {"subject": roses.pk})
    bouquet.refresh_from_db()
    assert bouquet.state == "shown" and ShowcaseBouquet.objects.count() == 1
    apart = browser.post("/desk/florist/showcase/apart", {"subject": bouquet.pk})
    assert told(browser, apart) == "The flowers are back in the stock"
    assert Batch.objects.get().qty == 100


def test_two_taps_make_one_bouquet(aida: Employee, roses: Product) -> None:
    browser = seated(aida)
    key = re.search(r'assemble">.*?name="key" value="([^"]+)"', text(browser.get(STOCK)))
    assert key
    for _tap in range(2):
        made = browser.post("/desk/florist/showcase/assemble", {"subject": roses.pk, "key": key[1]})
        assert told(browser, made) == "The bouquet stands in the showcase"
    assert ShowcaseBouquet.objects.get().key == key[1]
    assert key[1] not in text(browser.get(STOCK))  # the next one is another


def test_a_supply_as_text(bek: Employee, aida: Employee) -> None:
    path, browser = f"{STOCK}receive", seated(bek)
    key = re.search(r'name="key" value="([^"]+)"', text(browser.get(path)))
    assert key
    fields = {"key": key[1], "supplier": "Holland", "text": "Роза Red Naomi 60 250 100\nnonsense here\n"}
    looked = browser.post(path, fields)
    assert looked.status_code == 200 and "Роза Red Naomi" in text(looked) and "2" in words(looked)
    assert 'role="alert"' in text(looked) and not Supply.objects.exists()
    assert browser.post(path, {**fields, "bring": "yes"}).status_code == 422
    good = {**fields, "text": "Роза Red Naomi 60 250 100", "bring": "yes"}
    for _ in range(2):
        assert browser.post(path, good)["Location"] == STOCK
    assert Supply.objects.count() == 1 and Batch.objects.get().qty == 100
    assert seated(aida).post(path, good).status_code == 403


# ── The calculator ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_sums_are_the_servers(aida: Employee, bek: Employee, rosa: Shop) -> None:
    batch = cast.batch(rosa, cost=Decimal(300), price=Decimal(600))
    paper = Material.objects.create(shop=rosa, name="Kraft", price=Decimal(500))
    fields = {f"batch-{batch.pk}": "10", f"material-{paper.pk}": "1", "labor_cost": "1000", "price": "1"}
    page = words(seated(bek).post(CALCULATOR, {**fields, "way": "count"}))
    assert "Cost 4,500 ₸" in page and "Price of the parts 7,500 ₸" in page and "recommended" in page
    assert "Cost 4,500" not in words(seated(aida).post(CALCULATOR, {**fields, "way": "count"}))


def test_too_many_stems_are_told(aida: Employee, rosa: Shop) -> None:
    batch = cast.batch(rosa, qty=5)
    page = words(seated(aida).post(CALCULATOR, {f"batch-{batch.pk}": "6", "way": "count"}))
    assert "There are not enough flowers" in page


def test_saved_and_put_into_an_order(aida: Employee, bek: Employee, rosa: Shop) -> None:
    batch = cast.batch(rosa)
    fields = {f"batch-{batch.pk}": "7", "product_name": "Seven", "category": "bouquet"}
    browser = seated(aida)
    assert "is in the catalogue" in told(browser, browser.post(CALCULATOR, {**fields, "way": "save"}))
    product = Product.objects.get()
    assert (product.name, product.components.filter(variety="Red Naomi").get().quantity) == ("Seven", 7)
    ordered = seated(bek).post(CALCULATOR, {**fields, "product_name": "Again", "way": "order"})
    latest = Product.objects.latest("pk")
    assert ordered["Location"] == f"/desk/manager/orders/new?product={latest.pk}"
    assert f'value="{latest.pk}" selected' in text(seated(bek).get(ordered["Location"]))


@pytest.mark.parametrize("typed", ["-5", "1e9", "NaN", "x", "99999999999999999999"])
def test_nonsense_in_a_box_counts_as_empty(aida: Employee, rosa: Shop, typed: str) -> None:
    batch = cast.batch(rosa)
    answer = seated(aida).post(CALCULATOR, {f"batch-{batch.pk}": typed, "way": "save"})
    assert answer.status_code in (302, 422)
    assert not Product.objects.filter(components__variety="Red Naomi").exists()


def test_another_shops_flowers_have_no_price_here(aida: Employee, tulip: Shop) -> None:
    foreign = cast.batch(tulip, "Secret rose", price=Decimal(777))
    answer = seated(aida).post(CALCULATOR, {f"batch-{foreign.pk}": "1", "way": "count"})
    assert answer.status_code == 422 and "777" not in words(answer) and "Secret" not in words(answer)
