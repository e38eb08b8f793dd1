"""The manager's desk without JavaScript: the day, piles, a new order, one order with all its buttons, papers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.testing import query_budget
from apps.florist.actions import lifecycle, orders
from apps.florist.actions.orders import OrderDraft
from apps.florist.actions.pricing import LineWish
from apps.florist.models import (
    Customer,
    DeliveryZone,
    Employee,
    ImportantDate,
    Order,
    Product,
    ProductionTask,
    Shop,
)
from apps.florist.queries import windows
from apps.florist.tests import cast
from apps.florist.tests.seats import seated, text, told, words
from apps.florist.tests.workshop import picture

pytestmark = pytest.mark.django_db
DESK, ORDERS, NEW = "/desk/manager/", "/desk/manager/orders/", "/desk/manager/orders/new"
PHONE = "+77012223344"


@pytest.fixture
def roses(rosa: Shop) -> Product:
    """Eleven stems each, of which there are a hundred."""
    found = cast.product(rosa, "Eleven roses", 15_000)
    cast.recipe(found)
    cast.batch(rosa)
    return found


def slot(shop: Shop, ahead: int = 0, hour: int = 11) -> tuple[datetime, datetime]:
    """A window of the shop's day."""
    day = windows.today_of(shop) + timedelta(days=ahead)
    starts = windows.day_bounds(shop, day)[0] + timedelta(hours=hour)
    return starts, starts + timedelta(hours=2)


def taken(by: Employee, product: Product, pieces: int = 1, **more: Any) -> Order:
    """An order of this day's window."""
    more = {
        "customer_phone": PHONE,
        "customer_name": "Ivan",
        "delivery_method": "delivery",
        "address": "Abay 10, flat 5",
        "recipient_name": "Maria",
        "recipient_phone": "+77015556677",
        "window": slot(by.shop),
        "payment_method": "cash",
        **more,
    }
    return orders.create(by=by, shop=by.shop, draft=OrderDraft(items=(LineWish(product.pk, pieces),), **more))


def at(order: Order, deed: str = "") -> str:
    return f"/desk/manager/orders/{order.pk}/{deed}"


def press(by: Employee, order: Order, deed: str, fields: dict[str, Any] | None = None) -> str:
    """A button of the order's page; what is said afterwards."""
    browser = seated(by)
    return told(browser, browser.post(at(order, deed), fields or {}))


# ── The desk ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_day_by_window(bek: Employee, roses: Product) -> None:
    taken(bek, roses)
    taken(bek, roses, window=slot(bek.shop, hour=15), address="Dostyk 1")
    taken(bek, roses, window=slot(bek.shop, ahead=1), address="Tomorrow street")
    taken(bek, roses, window=None, address="Some day lane")
    page = words(seated(bek).get(DESK))
    assert page.index("11:00–13:00") < page.index("Abay 10") < page.index("15:00–17:00") < page.index("Dostyk 1")
    assert "Tomorrow street" not in page and "Time still to be agreed" in page and "Some day lane" in page
    later = windows.today_of(bek.shop) + timedelta(days=1)
    assert "Tomorrow street" in words(seated(bek).get(f"{DESK}?day={later.isoformat()}"))


def test_piles_that_wait_for_a_hand(bek: Employee, aida: Employee, roses: Product) -> None:
    unclear = taken(bek, roses, address=None)
    with_florist = taken(bek, roses, florist_id=aida.pk)
    page = text(seated(bek).get(DESK))
    counted = {name: int(n) for name, n in re.findall(r'href="\?need=([a-z-]+)"[^>]*><strong>(\d+)', page)}
    assert counted == {"new": 2, "no-florist": 1, "no-courier": 0, "clarify": 1, "issue": 0, "backorder": 0}
    pile = words(seated(bek).get(f"{DESK}?need=clarify"))
    assert f"#{unclear.pk}" in pile and f"#{with_florist.pk} " not in pile


@pytest.mark.parametrize("query", ["day=nonsense", "day=0001-01-01", "day=9999-12-31", "need=nonsense", "day=%00"])
def test_nonsense_in_the_address_is_today(bek: Employee, query: str) -> None:
    answer = seated(bek).get(f"{DESK}?{query}")
    assert answer.status_code == 200 and "Today" in words(answer)


def test_alerts_of_stock_and_feasts(bek: Employee, roses: Product) -> None:
    today = windows.today_of(bek.shop)
    cast.batch(bek.shop, "Old tulip", qty=7, expires_on=today)
    buyer = cast.customer(bek.shop, "Saule")
    ImportantDate.objects.create(customer=buyer, date=f"{today + timedelta(days=2):%m-%d}", description="Wedding day")
    page = words(seated(bek).get(DESK))
    assert "Old tulip 60 until" in page and "Saule: Wedding day" in page


def test_the_desk_costs_the_same_for_one_order_and_for_forty(bek: Employee, aida: Employee, roses: Product) -> None:
    browser = seated(bek)
    cast.batch(bek.shop, qty=900)
    for count in (1, 40):
        for number in range(count):
            taken(bek, roses, customer_phone=f"+770177{count:02d}{number:03d}", florist_id=aida.pk)
        buyer = Customer.objects.latest("pk")
        ImportantDate.objects.create(
            customer=buyer, date=f"{windows.today_of(bek.shop):%m-%d}", description=f"Feast {count}"
        )
        with query_budget(12):
            assert browser.get(DESK).status_code == 200


def test_the_neighbours_orders_are_nowhere(bek: Employee, dana: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    browser = seated(dana)
    for path in (DESK, ORDERS, f"{ORDERS}?search=Maria"):
        assert "Abay 10" not in words(browser.get(path))
    for path in (at(order), at(order, "print/card"), at(order, "print/work-order"), at(order, "print/label")):
        assert browser.get(path).status_code == 404
    assert browser.get(f"{NEW}?repeat={order.pk}").status_code == 404


FIELDS = {
    "to": "cancelled",
    "reason": "x",
    "issue_type": "other",
    "comment": "x",
    "text": "x",
    "amount": "1",
    "person": "1",
    "courier_id": "1",
    "address": "Elsewhere",
    "product_id": "1",
    "quantity": "1",
    "item_id": "1",
}
DEEDS = ["move", "rollback", "cancel", "issue", "florist", "courier", "comment", "edit", "cash", "pay-back", "add-line"]


@pytest.mark.parametrize("deed", [*DEEDS, "line", "tasks"])
def test_the_neighbour_presses_nothing(bek: Employee, dana: Employee, roses: Product, deed: str) -> None:
    order = taken(bek, roses)
    before = Order.objects.values().get(pk=order.pk), order.history.count()
    browser = seated(dana)
    answer = browser.post(at(order, deed), {**FIELDS, "next": DESK})
    assert "There is no such order" in told(browser, answer)
    assert (Order.objects.values().get(pk=order.pk), order.history.count()) == before


def test_the_work_is_in_the_queue_only_when_it_is(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    assert press(bek, order, "tasks") == "The work is in the queue"
    assert press(bek, order, "tasks") == "The work is in the queue"
    ProductionTask.objects.update(status="completed")
    assert press(bek, order, "tasks") == "Everything of this order is made already"
    assert ProductionTask.objects.count() == 1


@pytest.mark.parametrize("deed", DEEDS)
def test_florists_press_none_of_the_managers_buttons(aida: Employee, bek: Employee, roses: Product, deed: str) -> None:
    order = taken(bek, roses)
    assert seated(aida).post(at(order, deed), FIELDS).status_code == 403
    order.refresh_from_db()
    assert order.status == "new" and order.address == "Abay 10, flat 5"


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_list_finds_and_pages(bek: Employee, roses: Product) -> None:
    cast.batch(bek.shop, qty=900)
    made = [taken(bek, roses, recipient_name=f"Guest {number:02d}") for number in range(22)]
    browser = seated(bek)
    first = words(browser.get(ORDERS))
    assert "22 orders" in first and "Guest 21" in first and "Guest 01" not in first
    assert "Guest 01" in words(browser.get(f"{ORDERS}?page=2"))
    assert "1 order" in words(browser.get(f"{ORDERS}?search=guest+07"))
    assert "22 orders" in words(browser.get(f"{ORDERS}?search={PHONE[-10:]}&status=new"))
    lifecycle.cancel(by=bek, order_id=made[3].pk, reason="x")
    assert "1 order" in words(browser.get(f"{ORDERS}?status=cancelled"))
    with query_budget(7):
        browser.get(ORDERS)


@pytest.mark.parametrize("query", ["page=0", "page=x", "status=nonsense", "day=x", "search=%00"])
def test_nonsense_in_the_search(bek: Employee, roses: Product, query: str) -> None:
    taken(bek, roses)
    assert seated(bek).get(f"{ORDERS}?{query}").status_code == 200


# ── A new order ─────────────────────────────────────────────────────────────────────────────────────────────────────
def filled(browser: Client, product: Product, **more: Any) -> dict[str, Any]:
    """The form as it came, with what a manager types."""
    key = re.search(r'name="key" value="([^"]+)"', text(browser.get(NEW)))
    assert key
    return {
        "key": key[1],
        "customer_phone": "8 701 222 33 44",
        "customer_name": "Ivan",
        "product-0": product.pk,
        "pieces-0": 2,
        "delivery_method": "delivery",
        "address": "Abay 10",
        "recipient_name": "Maria",
        "payment_method": "kaspi",
        "card_text": "With love",
        **more,
    }


def test_a_new_order_without_javascript(bek: Employee, roses: Product) -> None:
    zone = DeliveryZone.objects.create(shop=bek.shop, name="Centre", price=Decimal(2000))
    browser = seated(bek)
    day = windows.today_of(bek.shop) + timedelta(days=1)
    fields = filled(browser, roses, zone_id=zone.pk, day=day.isoformat(), slot="11:00-13:00")
    answer = browser.post(NEW, fields)
    order = Order.objects.get()
    assert answer["Location"] == at(order)
    assert (order.customer_phone, order.flower_sum, order.delivery_fee, order.total) == (PHONE, 30_000, 2000, 32_000)
    assert timezone.localtime(order.delivery_from, windows.zone_of(bek.shop)).strftime("%H:%M") == "11:00"
    assert (order.card_text, order.source, order.payment_method) == ("With love", "crm", "kaspi")
    assert f"Order #{order.pk} is taken" in told(browser, answer)


def test_a_form_sent_twice_makes_one_order(bek: Employee, roses: Product) -> None:
    browser = seated(bek)
    fields = filled(browser, roses)
    first, second = browser.post(NEW, fields), browser.post(NEW, fields)
    assert first["Location"] == second["Location"] and Order.objects.count() == 1


def test_a_wrong_form_keeps_what_was_typed(bek: Employee, roses: Product) -> None:
    browser = seated(bek)
    answer = browser.post(NEW, filled(browser, roses, customer_phone="12", card_text="Kept words"))
    assert answer.status_code == 422 and not Order.objects.exists()
    assert "Kept words" in text(answer) and f'value="{roses.pk}" selected' in text(answer)
    empty = browser.post(NEW, filled(browser, roses, **{"product-0": ""}))
    assert empty.status_code == 422 and not Order.objects.exists()


def test_too_few_flowers_are_named_and_may_be_overruled(bek: Employee, roses: Product) -> None:
    browser = seated(bek)
    fields = filled(browser, roses, **{"pieces-0": 10})
    answer = browser.post(NEW, fields)
    assert answer.status_code == 422 and "Red Naomi 60: 100 / 110" in words(answer)
    assert 'name="allow_short"' in text(answer) and not Order.objects.exists()
    assert browser.post(NEW, {**fields, "allow_short": "on"}).status_code == 302
    assert Order.objects.get().is_backorder


def test_another_shops_product_and_zone_do_not_exist(bek: Employee, tulip: Shop, roses: Product) -> None:
    foreign, zone = cast.product(tulip), DeliveryZone.objects.create(shop=tulip, name="Far", price=Decimal(1))
    browser = seated(bek)
    page = browser.get(NEW)
    assert f'value="{foreign.pk}"' not in re.sub(r"<input.*?>", "", text(page)) and "Far" not in words(page)
    assert browser.post(NEW, filled(browser, foreign)).status_code == 422
    assert browser.post(NEW, filled(browser, roses, zone_id=zone.pk)).status_code == 422
    assert not Order.objects.exists()


def test_the_same_as_last_time(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses, 2, card_text="Yours")
    page = text(seated(bek).get(f"{NEW}?repeat={order.pk}"))
    for shown in (PHONE, "Abay 10, flat 5", "Maria", "Yours", f'value="{roses.pk}" selected'):
        assert shown in page
    assert re.search(r'name="pieces-0"[^>]*value="2"', page)


def test_htmx_asks_for_the_times_of_a_day(bek: Employee, roses: Product) -> None:
    page = text(seated(bek).get(f"{NEW}?day={windows.today_of(bek.shop) + timedelta(days=1)}"))
    assert 'id="slots"' in page and 'value="09:00-11:00"' in page


# ── One order ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_everything_about_one_order(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses, card_text="<b>Love</b>", comment="No lilies")
    page = text(seated(bek).get(at(order)))
    for shown in ("Eleven roses × 1", "Abay 10, flat 5", "Maria", "&lt;b&gt;Love", "No lilies", "Ivan", PHONE):
        assert shown in page
    assert f"/track/{order.tracking_token}" in page and "<b>Love" not in page
    browser = seated(bek)
    with query_budget(14):
        browser.get(at(order))


def test_money_is_written_as_the_language_wants(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    for language, shown in (("kk", "15 000 ₸"), ("ru", "15 000 ₸"), ("en", "15,000 ₸")):
        page = words(seated(bek, language=language).get(at(order)))
        assert shown in page, language


def test_a_form_from_before_somebodys_change_takes_nothing_back(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    shown = re.findall(r'name="version" value="(\d+)"', text(seated(bek).get(at(order))))
    assert set(shown) == {str(order.version)} and len(shown) == 2
    fields = {"address": "Abay 10, flat 5", "recipient_name": "Maria", "version": shown[0]}
    orders.edit(by=bek, order_id=order.pk, changes={"address": "Dostyk 1"})
    assert "Somebody changed this meanwhile" in press(bek, order, "edit", fields)
    order.refresh_from_db()
    assert order.address == "Dostyk 1"
    assert press(bek, order, "edit", {**fields, "version": order.version}) == "Changed"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_at_the_edge_of_time(bek: Employee, roses: Product, day: str) -> None:
    order, browser = taken(bek, roses), seated(bek)
    for path in (f"{ORDERS}?day={day}", f"{NEW}?day={day}"):
        assert browser.get(path).status_code == 200, path
    answer = browser.post(NEW, filled(browser, roses, day=day, slot="23:00-23:30"))
    assert (answer.status_code, Order.objects.count()) == (422, 1)
    assert "Changed" not in press(bek, order, "edit", {"day": day, "begins": "10:00", "ends": "12:00"})
    assert browser.post("/desk/manager/runs/plan", {"courier_id": 1, "day": day}).status_code < 500


def test_hours_that_end_before_they_begin(bek: Employee, roses: Product) -> None:
    order, day = taken(bek, roses), windows.today_of(bek.shop).isoformat()
    assert "Changed" not in press(bek, order, "edit", {"day": day, "begins": "15:00", "ends": "13:00"})
    browser = seated(bek)
    assert browser.post(NEW, filled(browser, roses, day=day, slot="15:00-13:00")).status_code == 422
    before = order.delivery_from
    order.refresh_from_db()
    assert (order.delivery_from, Order.objects.count()) == (before, 1)


def test_forward_back_and_out(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    assert press(bek, order, "move", {"to": "paid", "version": order.version}) == "Done"
    assert press(bek, order, "rollback", {"to": "new", "reason": "Paid by mistake"}) == "Done"
    assert press(bek, order, "cancel", {"reason": "The client thought again"}) == "The order is cancelled"
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert not re.findall(r'name="to" value=', text(seated(bek).get(at(order))))


def test_a_stale_page_moves_nothing(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    stale = order.version
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    assert "Somebody changed this meanwhile" in press(bek, order, "move", {"to": "assembled", "version": stale})
    order.refresh_from_db()
    assert order.status == "paid"


def test_steps_that_the_table_does_not_know(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    assert "cannot go from" in press(bek, order, "move", {"to": "delivered"})
    assert press(bek, order, "move", {"to": "nonsense"}) != "Done"
    assert press(bek, order, "cancel", {"reason": ""}) != "The order is cancelled"
    order.refresh_from_db()
    assert order.status == "new"


def test_a_problem_and_the_way_back(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    said = press(bek, order, "issue", {"issue_type": "wrong_address", "comment": "No such house"})
    assert said == "The problem is written down"
    page = words(seated(bek).get(at(order)))
    assert "No such house" in page and "A step back" in page
    assert press(bek, order, "rollback", {"to": "new", "reason": "Found it"}) == "Done"


def test_who_makes_it_and_who_brings_it(
    bek: Employee, aida: Employee, ruslan: Employee, dana: Employee, roses: Product
) -> None:
    order = taken(bek, roses)
    assert press(bek, order, "florist", {"person": aida.pk}) == "The florist is named"
    assert press(bek, order, "courier", {"courier_id": ruslan.pk}) == "The courier is named"
    order.refresh_from_db()
    assert (order.assigned_florist_id, order.courier_id) == (aida.pk, ruslan.pk)
    assert "There is no such employee" in press(bek, order, "florist", {"person": dana.pk})
    said = press(bek, order, "courier", {"phone": "8 701 999 88 77", "name": "Taxi"})
    order.refresh_from_db()
    assert (said, order.courier_id, order.courier_phone) == ("The courier is named", None, "+77019998877")


def test_words_and_pictures(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    assert press(bek, order, "comment", {"text": "Ring <twice>", "is_public": "on"}) == "Written down"
    browser = seated(bek)
    answer = browser.post(at(order, "photo"), {"file": picture(), "photo_type": "pre_delivery"})
    assert told(browser, answer) == "The picture is kept"
    page = text(browser.get(at(order)))
    assert "Ring &lt;twice&gt;" in page and "the buyer sees it" in page
    source = re.search(r'<img src="(/uploads/[^"]+)"', page)
    assert source and Client().get(source[1].replace("&amp;", "&")).status_code == 200
    assert Client().get(source[1].partition("?")[0]).status_code in (403, 404)


def test_where_and_when_it_goes(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    day = windows.today_of(bek.shop) + timedelta(days=2)
    fields = {"address": "Satpaev 3", "recipient_name": "Aliya", "recipient_phone": "87014445566"}
    fields |= {"day": day.isoformat(), "begins": "15:00", "ends": "17:00", "address_needs_clarification": "on"}
    assert press(bek, order, "edit", fields) == "Changed"
    order.refresh_from_db()
    assert (order.address, order.recipient_phone, order.address_needs_clarification) == (
        "Satpaev 3",
        "+77014445566",
        True,
    )
    assert order.delivery_from == windows.day_bounds(bek.shop, day)[0] + timedelta(hours=15)
    assert "Satpaev 3" in words(seated(bek).get(f"{DESK}?day={day.isoformat()}"))


def test_goods_are_added_changed_and_taken_out(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    tulips = cast.product(bek.shop, "Tulips", 5000)
    assert press(bek, order, "add-line", {"product_id": tulips.pk, "quantity": 2}) == "Changed"
    first, second = order.items.all()
    assert press(bek, order, "line", {"item_id": second.pk, "quantity": 3}) == "Changed"
    order.refresh_from_db()
    assert order.total == 30_000
    assert press(bek, order, "line", {"item_id": first.pk, "quantity": 0}) == "Changed"
    order.refresh_from_db()
    assert (order.total, order.items.count()) == (15_000, 1)


def test_cash_at_the_desk_counts_once(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses)
    for _ in range(2):
        press(bek, order, "cash", {"amount": "15000", "key": "one-press"})
    order.refresh_from_db()
    assert order.paid_amount == 15_000


# ── Papers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_papers_hold_what_they_should_and_no_costs(bek: Employee, roses: Product) -> None:
    order = taken(bek, roses, card_text="Happy\nbirthday", comment="Pink paper")
    browser = seated(bek)
    assert "Happy\nbirthday" in text(browser.get(at(order, "print/card")))
    work = words(browser.get(at(order, "print/work-order")))
    assert "Red Naomi 60 11 SKU-" in work and "Pink paper" in work and "300" not in work
    label = words(browser.get(at(order, "print/label")))
    assert "Abay 10, flat 5" in label and "To be paid: 15,000 ₸" in label
    assert browser.get(at(order, "print/nonsense")).status_code == 404


def test_an_unknown_button(bek: Employee, roses: Product) -> None:
    assert seated(bek).post(at(taken(bek, roses), "explode")).status_code == 404


@pytest.mark.parametrize("path", [DESK, ORDERS, "/desk/florist/", "/desk/courier/", "/desk/manager/runs/"])
def test_reading_pages_take_no_posts(bek: Employee, path: str) -> None:
    assert seated(bek).post(path).status_code == 405
