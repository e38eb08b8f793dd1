"""Buyers in a browser: nothing sticks out, targets fit a thumb, the page moves with the order (contract 3.8, 4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from apps.core.testing import deliver
from apps.florist.actions import lifecycle, orders
from apps.florist.actions.orders import OrderDraft
from apps.florist.actions.pricing import LineWish
from apps.florist.models import Employee, Order, OrderPhoto
from apps.florist.tests import browsing, cast
from apps.florist.tests.browsing import DESK, PHONE, Person

pytestmark = [pytest.mark.race, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Playwright keeps a loop running in this thread, which Django takes for the loop of every query."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with browsing.chromium() as found:
        yield found


@pytest.fixture
def house() -> Iterator[str]:
    with browsing.house() as address:
        yield address


@pytest.fixture
def order(bek: Employee) -> Order:
    """Roses for Maria, taken at the desk, with a picture."""
    product = cast.product(bek.shop, "Eleven roses", 15_000)
    draft = OrderDraft(
        customer_phone="+77011231234",
        customer_name="Ivan",
        delivery_method="delivery",
        items=(LineWish(product.pk, 1),),
        address="Abai street 10, flat 5",
        recipient_name="Maria",
    )
    made = orders.create(by=bek, shop=bek.shop, draft=draft)
    OrderPhoto.objects.create(order=made, photo_url=f"/uploads/{'a' * 32}.jpg", photo_type="pre_delivery")
    return made


def test_the_page_moves_with_the_order(house: str, browser: Browser, bek: Employee, order: Order) -> None:
    buyer = Person(browser, house, bek, PHONE)
    buyer.open(f"/track/{order.tracking_token}", "track")
    Person(browser, house, bek, DESK).open(f"/track/{order.tracking_token}", "track")
    expect(buyer.page.locator("body[data-listening]")).to_have_count(1)
    expect(buyer.page.locator("#state")).to_contain_text("Order received")
    for to in ("paid", "assembled"):
        lifecycle.move(by=bek, order_id=order.pk, to=to)
    deliver()
    expect(buyer.page.locator("#state [aria-current=step]")).to_contain_text("The bouquet is ready")
    buyer.press("I like it")
    assert "Thank you" in buyer.said()
    assert OrderPhoto.objects.get().customer_feedback == "like"
    buyer.open("/track/", "track-find")
    buyer.page.get_by_label("Order number").fill(order.order_number)
    buyer.page.get_by_label("Last four digits").fill("1234")
    buyer.press("Show")
    assert buyer.page.url.endswith(order.tracking_token)
    assert buyer.troubles == []


def test_the_pages_of_buyers_fit_a_phone(house: str, browser: Browser, bek: Employee, order: Order) -> None:
    manager = Person(browser, house, browsing.has_password(bek), PHONE)
    manager.sign_in()
    for path in ("", "new", f"{order.customer_id}/"):
        manager.open(f"/desk/manager/buyers/{path}")
    manager.page.get_by_text("New standing order").click()
    manager.page.get_by_label("First delivery").fill("2099-01-01")
    manager.measure("buyer-standing")
    assert manager.troubles == []
