"""Three people's day in a real browser at 360 px: taken, made, checked, brought without a network, cash closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from apps.florist.models import CourierDay, Employee, Order, OrderPayment, Product, Stop
from apps.florist.tests import browsing, cast, workshop
from apps.florist.tests.browsing import DESK, PHONE, Person
from scripts import messages

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
def roses(bek: Employee) -> Product:
    """A bouquet with its recipe and flowers, in a shop where it is noon."""
    browsing.midday(bek.shop)
    found = cast.product(bek.shop, "Eleven roses", 15_000)
    cast.recipe(found)
    cast.batch(bek.shop)
    return found


def test_from_the_order_to_the_closing_of_the_cash(
    house: str, browser: Browser, bek: Employee, aida: Employee, ruslan: Employee, roses: Product, tmp_path: Path
) -> None:
    picture = tmp_path / "bouquet.jpg"
    picture.write_bytes(workshop.picture().read())
    manager, florist, courier = (
        Person(browser, house, browsing.has_password(who), PHONE) for who in (bek, aida, ruslan)
    )
    for person in (manager, florist, courier):
        person.sign_in()
    take(manager)
    order = Order.objects.get()
    make(florist, picture)
    approve(manager)
    order.refresh_from_db()
    assert order.status == "assembled"
    send(manager, order)
    bring(courier, picture)
    close(courier, manager)
    order.refresh_from_db()
    assert (order.status, order.paid_amount, Stop.objects.get().receiver_name) == ("delivered", 15_000, "Maria")
    assert OrderPayment.objects.count() == 1
    assert manager.troubles + florist.troubles + courier.troubles == []


def take(manager: Person) -> None:
    """A new order by phone, paid in cash at the door."""
    manager.open("/desk/manager/orders/new")
    page = manager.page
    page.get_by_label("Client's phone").fill("8 701 222 33 44")
    page.locator("select[name=product-0]").select_option(label="Eleven roses · 15,000 ₸")
    page.get_by_label("Time", exact=True).select_option(value="17:00-19:00")
    page.get_by_label("Address").fill("Abay 10, flat 5")
    page.locator("#id_recipient_name").fill("Maria")
    page.get_by_label("Text of the card").fill("With love")
    manager.press("Take the order")
    assert "is taken" in manager.said()
    manager.measure("order")
    manager.press("Accept: paid or cash later")
    assert manager.said() == "Done"
    manager.open("/desk/manager/", "desk")


def make(florist: Person, picture: Path) -> None:
    """Taken, ticked, photographed, handed in."""
    florist.open("/desk/florist/", "today")
    florist.press("Take the next one")
    florist.press("Start")
    florist.measure("task")
    florist.page.locator(".ticks button").first.click()
    expect(florist.page.locator(".ticks button").first).to_have_attribute("aria-pressed", "true")
    florist.page.get_by_label("Photo of the result").set_input_files(picture)
    florist.press("Finished: to the check")
    assert florist.said() == "Handed in for the check"


def approve(manager: Person) -> None:
    """The manager looks at the picture."""
    manager.open("/desk/florist/check/", "check")
    shown = manager.page.locator("img.picture")
    shown.scroll_into_view_if_needed()
    assert shown.evaluate("(one) => one.decode().then(() => one.naturalWidth)") > 0
    manager.press("Approve")


def send(manager: Person, order: Order) -> None:
    """A run for the courier."""
    manager.open("/desk/manager/runs/", "runs")
    manager.page.locator(f"input[name=orders][value='{order.pk}']").check()
    manager.page.get_by_label("Courier").select_option(label="Ruslan")
    manager.press("Make a run, nearest first")
    manager.measure("runs-planned")


def bring(courier: Person, picture: Path) -> None:
    """The network goes at the gate: three things are done without it and sent once when it is back."""
    courier.open("/desk/courier/", "run")
    courier.press("Accept the run")
    courier.page.get_by_role("button", name="Start the run").click()
    expect(courier.page.get_by_text("on the way").first).to_be_visible()
    expect(courier.page.locator("body[data-worker=ready]")).to_be_attached()
    wait_until_kept(courier)
    courier.context.set_offline(True)
    courier.page.get_by_role("link", name="Open").click()
    courier.page.wait_for_url("**/stops/**")
    expect(courier.page.locator("#connection")).to_contain_text("No connection")
    courier.measure("stop-offline")
    courier.press("Picked up")
    courier.press("Received")
    courier.page.get_by_label("Who took it").fill("Maria")
    courier.page.locator("form[data-place] input[type=file]").set_input_files(picture)
    courier.press("Delivered")
    expect(courier.page.locator("#connection[data-waiting='3']")).to_be_visible()
    courier.measure("stop-queued")
    assert Stop.objects.get().status == "waiting"
    courier.context.set_offline(False)
    expect(courier.page.locator("#connection[data-waiting='0']")).to_be_attached(timeout=10_000)
    assert Stop.objects.get().status == "delivered"


def wait_until_kept(courier: Person) -> None:
    """The page of the stop lies in the phone."""
    look = "async () => (await (await caches.open('florist-pages')).keys()).some((one) => one.url.includes('/stops/'))"
    courier.page.reload()
    until = time.monotonic() + 10
    while not courier.page.evaluate(look):
        assert time.monotonic() < until
        courier.page.wait_for_timeout(100)


def close(courier: Person, manager: Person) -> None:
    """The day's cash into the manager's hand."""
    courier.open("/desk/courier/day/", "day")
    courier.press("Close the day")
    expect(courier.page.get_by_text("The day is closed").first).to_be_visible()
    manager.open("/desk/manager/cash/", "cash")
    manager.press("I have the cash")
    assert manager.said() == "The cash is accepted"
    assert CourierDay.objects.get().accepted_at is not None


PAGES = (
    *("/desk/manager/", "/desk/manager/orders/", "/desk/manager/orders/new", "/desk/manager/runs/"),
    *("/desk/manager/cash/", "/desk/manager/buyers/", "/desk/florist/", "/desk/florist/check/"),
    *("/desk/florist/stock/", "/desk/florist/stock/receive", "/desk/florist/calculator/", "/desk/florist/more"),
)


@pytest.mark.parametrize(("size", "language"), [(PHONE, "Қазақша"), (DESK, "English")], ids=["360-kk", "1280-en"])
def test_every_page_fits(
    house: str,
    browser: Browser,
    bek: Employee,
    aida: Employee,
    roses: Product,
    size: dict[str, int],
    language: str,
    tmp_path: Path,
    settings: Any,
) -> None:
    """Kazakh words are long."""
    messages.compile_into(tmp_path)
    settings.LOCALE_PATHS = [tmp_path]
    order = workshop.order(bek.shop, (roses, 1), due_in=workshop.timedelta(hours=3), card_text="With love " * 12)
    workshop.handed_in(bek.shop, aida, due_in=workshop.timedelta(minutes=50))
    boss = Person(browser, house, browsing.has_password(bek), size)
    boss.sign_in()
    boss.speak(language)
    papers = [f"/desk/manager/orders/{order.pk}/print/{name}" for name in ("card", "work-order", "label")]
    tasks = [f"/desk/florist/tasks/{task.pk}/" for task in order.tasks.all()]
    for path in [*PAGES, f"/desk/manager/orders/{order.pk}/", *tasks, *papers]:
        boss.open(path)
    boss.page.emulate_media(media="print")
    expect(boss.page.locator(".label-paper")).to_be_visible()
    for hidden in (".menu", ".top", ".no-print"):
        expect(boss.page.locator(hidden)).not_to_be_visible()
    assert boss.troubles == []


def test_the_desk_refreshes_by_itself(house: str, browser: Browser, bek: Employee, roses: Product) -> None:
    """Another order arrives: the open desk shows it without a reload."""
    boss = Person(browser, house, browsing.has_password(bek), DESK)
    boss.sign_in()
    boss.open("/desk/manager/")
    expect(boss.page.locator("body[data-listening=yes]")).to_be_attached()
    order = workshop.order(bek.shop, (roses, 1), due_in=workshop.timedelta(hours=3))
    expect(boss.page.get_by_role("link", name=f"#{order.pk}", exact=True)).to_be_visible(timeout=10_000)
    assert boss.troubles == []
