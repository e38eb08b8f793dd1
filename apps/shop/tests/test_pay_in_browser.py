"""A buyer in a real browser: cookies, the bank's page, the way back; then an administrator gives the money back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.fixtures import Settings

from apps.shop.models import Customer, Order, Slipper
from apps.shop.tests import cast, paying

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
CALL = """
async ([method, path, body]) => {
    const answer = await fetch(path, {
        method, credentials: "same-origin", headers: {"Content-Type": "application/json"},
        body: body === null ? undefined : JSON.stringify(body),
    });
    return [answer.status, await answer.json()];
}
"""


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Headless Chromium of the system."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: apt install chromium")
    # Playwright keeps a loop running in this thread: Django takes every query for one of that loop, and gives it a
    # connection of its own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()
        connections.close_all()


@pytest.fixture
def house(live_server: Any, settings: Settings) -> str:
    """This process as shop and bank, on one address."""
    settings.SANDBOX_ENABLED = True
    settings.PUBLIC_URL = live_server.url
    settings.SHOP = replace(settings.SHOP, cookie_secure=False, return_url=f"{live_server.url}/shop/docs")
    settings.INTEGRATIONS = replace(
        settings.INTEGRATIONS,
        sandbox_url=live_server.url,
        octo_notify_url=f"{live_server.url}/payments/octo/notify",
    )
    return str(live_server.url)


class Somebody:
    """A person with a browser window; signed in by cookies alone."""

    def __init__(self, browser: Browser, house: str, size: dict[str, int]) -> None:
        self.page: Page = browser.new_context(viewport=size, locale="en-GB").new_page()  # type: ignore[arg-type]
        self.base = house
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda problem: self.troubles.append(str(problem)))
        self.page.goto(f"{house}/shop/docs")

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What a front end's script does; no token in its hands."""
        status, answer = self.page.evaluate(CALL, [method, f"/shop/{path}", body])
        return int(status), answer

    def sign_in(self, name: str) -> None:
        status, _ = self.call("POST", "auth/login", {"name": name, "password": cast.PASSWORD})
        assert status == 200
        assert self.page.evaluate("document.cookie") == ""  # HttpOnly: no script reads the tokens

    def press(self, label: str) -> str:
        """A button of the bank's page; returns what the page says then."""
        self.page.get_by_role("button", name=label, exact=True).click()
        return self.page.get_by_role("status").inner_text()

    def fits(self) -> bool:
        """Nothing sticks out to the side."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["360", "1280"])
def test_from_the_cart_to_the_refund(
    browser: Browser, house: str, anora: Customer, bobur: Customer, size: dict[str, int]
) -> None:
    product = cast.slipper(quantity=10)
    buyer = Somebody(browser, house, size)
    buyer.sign_in("Bobur")
    assert buyer.call("POST", "cart/items", {"slipper_id": product.pk, "quantity": 3})[0] == 200
    status, begun = buyer.call("POST", paying.CREATE)
    assert (status, begun["amount"], begun["status"]) == (200, 150000, "pending")
    order = begun["order_id"]

    buyer.page.goto(begun["redirect_url"])
    assert (buyer.page.inner_text(".amount"), buyer.fits()) == ("150000 UZS", True)
    assert buyer.press("Enter a wrong code") == "Wrong code, try again"
    assert buyer.press("Pay") == "Done. The shop answered 200."
    buyer.page.get_by_role("link", name="Back to the shop").click()
    assert buyer.page.url == f"{house}/shop/docs"
    assert buyer.call("GET", f"orders/{order}")[1]["status"] == "confirmed"
    assert buyer.call("GET", "cart")[1]["items"] == []
    assert buyer.call("POST", paying.REFUND, {"order_id": order})[0] == 403

    admin = Somebody(browser, house, size)
    admin.sign_in("Anora")
    status, part = admin.call("POST", paying.REFUND, {"order_id": order, "amount": 50000})
    assert (status, part["status"], part["refunded_amount"]) == (200, "confirmed", 50000)
    status, rest = admin.call("POST", paying.REFUND, {"order_id": order})
    assert (status, rest["status"], rest["refunded_amount"]) == (200, "REFUNDED", 150000)
    assert buyer.call("GET", "orders/?finance=paid_refunded")[1][0]["payment_status"] == "refunded"
    assert (Order.objects.get().status, Slipper.objects.get().quantity) == ("refunded", 10)
    assert buyer.troubles + admin.troubles == []


def test_three_wrong_codes_and_a_second_try(browser: Browser, house: str, bobur: Customer) -> None:
    """Uzcard cancels a payment after three wrong codes; the order waits for another one (contract shop 4.3)."""
    order = paying.ordered(bobur)
    buyer = Somebody(browser, house, PHONE)
    buyer.sign_in("Bobur")
    first = buyer.call("POST", paying.CREATE, {"order_id": order.pk})[1]["redirect_url"]
    buyer.page.goto(first)
    for _ in range(2):
        assert buyer.press("Enter a wrong code") == "Wrong code, try again"
    assert buyer.press("Enter a wrong code") == "Done. The shop answered 200."
    buyer.page.goto(f"{house}/shop/docs")
    status, second = buyer.call("POST", paying.CREATE, {"order_id": order.pk})
    assert (status, second["redirect_url"] != first) == (200, True)
    buyer.page.goto(second["redirect_url"])
    assert buyer.press("Pay") == "Done. The shop answered 200."
    assert Order.objects.get().status == "confirmed"
