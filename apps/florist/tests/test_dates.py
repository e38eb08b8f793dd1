"""Important dates: told once a year from nine o'clock; last year's order again by one tap (contract 3.14, 3.18, 6)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.core.models import OutboxMessage
from apps.core.testing import deliver, outcomes, race
from apps.florist import errors
from apps.florist.actions import dates, repeats
from apps.florist.models import Customer, DeliveryZone, ImportantDate, Order, OrderItem, Product, Shop
from apps.florist.tasks.customers import announce_dates
from apps.florist.tests import cast
from apps.integrations.ports import port
from apps.notifications import actions as notifications

NINE = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""Nine in the morning in Almaty."""


@pytest.fixture(autouse=True)
def nine() -> Any:
    """Nine o'clock at the shop."""
    with time_machine.travel(NINE, tick=False):
        yield


@pytest.fixture
def ivan(rosa: Shop) -> Customer:
    """A buyer who likes to be reminded."""
    return cast.customer(rosa)


def important(who: Customer, day: str, **more: Any) -> ImportantDate:
    """A birthday, told three days before."""
    return ImportantDate.objects.create(customer=who, date=day, description="birthday", **more)


def told() -> list[dict[str, Any]]:
    """What was announced, one for each fact."""
    rows = OutboxMessage.objects.filter(event__endswith="DateApproaches").order_by("pk")
    return [message.payload for message in rows]


def test_a_near_date_is_told_once(ivan: Customer) -> None:
    day = important(ivan, "11-23")
    assert (announce_dates(), announce_dates()) == (1, 0)
    assert told() == [
        {"date_id": day.pk, "shop_id": ivan.shop_id, "customer_id": ivan.pk, "day": "2026-11-23"},
    ]
    day.refresh_from_db()
    assert day.last_reminded_year == 2026


def test_and_again_next_year(ivan: Customer) -> None:
    important(ivan, "11-23", last_reminded_year=2025)
    assert dates.announce_due(now=NINE) == 1
    assert dates.announce_due(now=NINE + timedelta(days=365)) == 1


@pytest.mark.parametrize(
    ("day", "before", "now", "count"),
    [
        ("11-24", 3, NINE, 0),
        ("11-23", 3, NINE - timedelta(minutes=1), 0),
        ("11-23", 3, NINE, 1),
        ("11-20", 3, NINE + timedelta(hours=10), 1),
        ("11-19", 3, NINE, 0),
        ("11-20", 0, NINE, 1),
        ("11-21", 0, NINE, 0),
        ("01-19", 60, NINE, 1),
        ("01-01", 3, datetime(2026, 12, 29, 5, tzinfo=UTC), 1),
        ("02-29", 3, datetime(2027, 2, 25, 5, tzinfo=UTC), 1),
        ("02-29", 3, datetime(2027, 2, 24, 5, tzinfo=UTC), 0),
        ("02-29", 3, datetime(2028, 2, 25, 5, tzinfo=UTC), 0),
        ("02-29", 3, datetime(2028, 2, 26, 5, tzinfo=UTC), 1),
    ],
)
def test_when_it_is_told(ivan: Customer, day: str, before: int, now: datetime, count: int) -> None:
    important(ivan, day, remind_days_before=before)
    assert dates.announce_due(now=now) == count


def test_a_date_over_new_year_belongs_to_the_new_one(ivan: Customer) -> None:
    day = important(ivan, "01-01")
    dates.announce_due(now=datetime(2026, 12, 29, 5, tzinfo=UTC))
    day.refresh_from_db()
    assert (day.last_reminded_year, told()[0]["day"]) == (2027, "2027-01-01")
    assert dates.announce_due(now=datetime(2027, 1, 1, 5, tzinfo=UTC)) == 0


def test_only_who_agreed_and_whose_shop_is_open(ivan: Customer, tulip: Shop) -> None:
    important(ivan, "11-23")
    important(cast.customer(tulip), "11-23")
    Customer.objects.filter(pk=ivan.pk).update(agrees_to_reminders=False)
    Shop.objects.filter(pk=tulip.pk).update(is_active=False)
    assert dates.announce_due(now=NINE) == 0
    assert told() == []


def test_each_shop_has_its_own_morning(ivan: Customer, tulip: Shop) -> None:
    Shop.objects.filter(pk=tulip.pk).update(timezone="Europe/Istanbul")
    important(ivan, "11-23")
    important(cast.customer(tulip), "11-23")
    assert dates.announce_due(now=NINE) == 1
    assert dates.announce_due(now=NINE + timedelta(hours=2)) == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_clocks_tell_once(ivan: Customer) -> None:
    for number in range(5):
        ImportantDate.objects.create(customer=ivan, date="11-23", description=f"birthday {number}")
    results = race(10, lambda _: dates.announce_due(now=NINE))
    assert outcomes(results) == {"ok": 10}
    assert sum(results) == 5
    assert len({message["date_id"] for message in told()}) == 5


# ── once more ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def last_year(ivan: Customer) -> Order:
    """Roses for Maria on her last birthday, from ten to twelve."""
    shop = ivan.shop
    zone = DeliveryZone.objects.create(shop=shop, name="Centre", price=1500)
    made = sold(ivan, datetime(2025, 11, 21, 5, tzinfo=UTC), delivery_zone=zone)
    line(made, cast.product(shop, "Red roses"))
    return made


def sold(who: Customer, at: datetime, **more: Any) -> Order:
    """An order that is over."""
    number = Order.objects.count() + 1
    return Order.objects.create(
        shop=who.shop,
        customer=who,
        customer_phone=who.phone,
        status="completed",
        recipient_name="Maria",
        recipient_phone="+77020000009",
        address="Abai 10",
        card_text="Happy birthday",
        payment_method="cash",
        delivery_method="delivery",
        delivery_from=at,
        delivery_to=at + timedelta(hours=2),
        flower_sum=Decimal(5000),
        total=Decimal(5000),
        tracking_token=f"token-{number}",
        order_number=f"{number:09d}",
        created_at=at,
        **more,
    )


def line(order: Order, product: Product, price: int = 5000) -> OrderItem:
    """At last year's price."""
    return OrderItem.objects.create(
        order=order,
        product=product,
        product_name=product.name,
        product_category=product.category,
        quantity=1,
        price=Decimal(price),
        total=Decimal(price),
    )


def signed(day: ImportantDate, on: str = "2026-11-23") -> str:
    """The last part of the link."""
    return repeats.link(important=day, day=date.fromisoformat(on)).removeprefix("/track/repeat/")


def test_the_order_of_that_day_goes_before_a_later_one(ivan: Customer, last_year: Order) -> None:
    later = sold(ivan, datetime(2026, 3, 8, 5, tzinfo=UTC))
    line(later, cast.product(ivan.shop, "Tulips"))
    day = important(ivan, "11-23")
    assert repeats.read(signed(day)).order == last_year
    assert repeats.past_order(ivan.pk, date(2026, 7, 1)) == later
    assert repeats.link(important=important(cast.customer(ivan.shop), "11-23"), day=date(2026, 11, 23)) == ""


def test_one_tap_orders_it_again_at_todays_prices(ivan: Customer, last_year: Order) -> None:
    link = repeats.link(important=important(ivan, "11-23"), day=date(2026, 11, 23))
    client = Client()
    page = client.get(link)
    assert page.status_code == 200
    assert Order.objects.count() == 1
    done = client.post(link)
    made = Order.objects.exclude(pk=last_year.pk).get()
    assert (done.status_code, done["Location"]) == (302, f"/track/{made.tracking_token}")
    assert (made.flower_sum, made.delivery_fee, made.source) == (10_000, 1500, "storefront")
    assert (made.recipient_name, made.address, made.card_text) == ("Maria", "Abai 10", "Happy birthday")
    assert (made.customer, made.delivery_from) == (ivan, datetime(2026, 11, 23, 5, tzinfo=UTC))


def test_the_message_carries_the_link(ivan: Customer, last_year: Order) -> None:
    important(ivan, "11-23")
    dates.announce_due(now=NINE)
    deliver()
    notifications.deliver_due()
    text = port("sms").sent[-1].text
    link = re.search(r"/track/repeat/\S+", text)
    assert link is not None, text
    assert "birthday" in text
    assert Client().get(link[0]).status_code == 200


def test_a_second_tap_finds_the_same_order(ivan: Customer, last_year: Order) -> None:
    token = signed(important(ivan, "11-23"))
    first = repeats.repeat(token)
    Product.objects.update(is_active=False)
    assert repeats.repeat(token) == first
    assert Order.objects.count() == 2


def test_a_full_window_leaves_the_time_to_the_shop(ivan: Customer, last_year: Order) -> None:
    Order.objects.update(delivery_from=datetime(2025, 11, 21, 20, tzinfo=UTC))
    Order.objects.update(delivery_to=datetime(2025, 11, 21, 22, tzinfo=UTC))
    made = repeats.repeat(signed(important(ivan, "11-23")))
    assert (made.delivery_from, made.delivery_time_text) == (None, "23.11.2026")


def test_what_is_not_on_sale_is_named(ivan: Customer, last_year: Order) -> None:
    gone = cast.product(ivan.shop, "Peonies", is_active=False)
    line(last_year, gone)
    token = signed(important(ivan, "11-23"))
    assert repeats.read(token).missing == ("Peonies",)
    assert "Peonies" in Client().get(f"/track/repeat/{token}").content.decode()
    assert [item.product_name for item in repeats.repeat(token).items.all()] == ["Red roses"]


def test_nothing_left_is_refused(ivan: Customer, last_year: Order) -> None:
    token = signed(important(ivan, "11-23"))
    Product.objects.update(is_active=False)
    with pytest.raises(errors.NothingToRepeat):
        repeats.repeat(token)
    answer = Client().post(f"/track/repeat/{token}")
    assert answer.status_code == 400
    assert Order.objects.count() == 1


@pytest.mark.parametrize("days", [0, 61])
def test_a_forged_or_old_link_opens_nothing(ivan: Customer, last_year: Order, days: int) -> None:
    token = signed(important(ivan, "11-23"))
    with time_machine.travel(NINE + timedelta(days=days), tick=False):
        wrong = token if days else f"{token[:-2]}xx"
        assert Client().get(f"/track/repeat/{wrong}").status_code == 404
        assert Client().post(f"/track/repeat/{wrong}").status_code == 404
    assert Order.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_taps_are_one_order(ivan: Customer, last_year: Order) -> None:
    token = signed(important(ivan, "11-23"))
    made = race(10, lambda _: repeats.repeat(token).pk)
    assert outcomes(made) == {"ok": 10}
    assert (len(set(made)), Order.objects.count()) == (1, 2)
