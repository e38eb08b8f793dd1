"""Standing orders: made ahead, each day once, skipped, paused, ended, invoiced (contract florist 3.18, 6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.testing import outcomes, query_budget, race
from apps.florist.actions import standing
from apps.florist.models import DeliveryZone, Employee, Order, Product, Shop, StandingOrder
from apps.florist.queries import standing as questions
from apps.florist.tasks.customers import make_standing_orders
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller

NINE = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""Nine in the morning in Almaty, a Friday."""
KEYS = {
    *("id", "customer_id", "customer", "status", "every_days", "days_ahead", "next_day", "ends_on", "items"),
    *("details", "is_invoiced", "problem", "orders_count", "created_at", "updated_at"),
}


@pytest.fixture(autouse=True)
def nine() -> Any:
    """Nine o'clock at the shop; tests pass other moments on."""
    with time_machine.travel(NINE, tick=False):
        yield


@pytest.fixture
def roses(rosa: Shop) -> Product:
    """On sale, with plenty of stems."""
    DeliveryZone.objects.create(shop=rosa, name="Centre", price=1500)
    found = cast.product(rosa, "Red roses")
    cast.recipe(found)
    cast.batch(rosa, qty=1000, delivery_date="2026-11-19")
    return found


def body(product: Product, **more: Any) -> dict[str, Any]:
    """Every week to the office, two days ahead."""
    return {
        "customer_id": cast.customer(product.shop, "Office").pk,
        "items": [{"product_id": product.pk, "quantity": 2}],
        "details": {
            "address": "Abai 10",
            "recipient_name": "Reception",
            "recipient_phone": "8 702 000 00 01",
            "window": {"from": "10:00", "to": "12:00"},
            "card_text": "Good week",
            "zone_id": DeliveryZone.objects.get(shop=product.shop).pk,
        },
        "next_day": "2026-11-22",
        **more,
    }


@pytest.fixture
def weekly(roses: Product, bek: Employee) -> StandingOrder:
    """Made through the API."""
    answer = Caller(bek)("POST", "/api/standing-orders/", body(roses))
    assert answer.status_code == 201, answer.content
    return StandingOrder.objects.get()


# ── by the clock ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_order_is_made_two_days_ahead(weekly: StandingOrder) -> None:
    assert make_standing_orders() == 1
    order = Order.objects.get()
    assert (order.standing_order, order.standing_day) == (weekly, date(2026, 11, 22))
    assert (order.source, order.status, order.customer) == ("standing", "new", weekly.customer)
    assert (order.flower_sum, order.delivery_fee, order.payment_method) == (20_000, 1500, "cash")
    assert order.delivery_from == datetime(2026, 11, 22, 5, tzinfo=UTC)
    assert (order.recipient_phone, order.card_text, order.reserved_until) == ("+77020000001", "Good week", None)
    assert order.items.get().is_reserved
    weekly.refresh_from_db()
    assert weekly.next_day == date(2026, 11, 29)


def test_a_second_run_makes_nothing(weekly: StandingOrder) -> None:
    assert (make_standing_orders(), make_standing_orders()) == (1, 0)
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("now", "made"),
    [
        (NINE - timedelta(minutes=1), 0),
        (NINE, 1),
        (NINE - timedelta(days=1), 0),
        (NINE + timedelta(days=1), 1),
        (datetime(2026, 11, 22, 18, tzinfo=UTC), 1),
    ],
)
def test_it_is_due_from_nine_of_the_shops_day_on(weekly: StandingOrder, now: datetime, made: int) -> None:
    assert standing.make_due(now=now) == made


def test_every_day_far_ahead_is_several_orders(roses: Product, bek: Employee) -> None:
    Caller(bek)("POST", "/api/standing-orders/", body(roses, every_days=1, days_ahead=4))
    assert standing.make_due(now=NINE) == 3
    assert [str(day) for day in Order.objects.order_by("standing_day").values_list("standing_day", flat=True)] == [
        *("2026-11-22", "2026-11-23", "2026-11-24"),
    ]


def test_missed_days_are_not_made_up_for(weekly: StandingOrder) -> None:
    assert standing.make_due(now=NINE + timedelta(days=16)) == 1
    assert Order.objects.get().standing_day == date(2026, 12, 6)


def test_a_day_put_back_does_not_make_its_orders_again(weekly: StandingOrder, bek: Employee) -> None:
    standing.make_due(now=NINE)
    Order.objects.update(status="cancelled")
    changed = {"next_day": "2026-11-22", "details": {"delivery_method": "self_pickup"}}
    assert Caller(bek)("PATCH", f"/api/standing-orders/{weekly.pk}", changed).status_code == 200
    assert standing.make_due(now=NINE) == 0
    weekly.refresh_from_db()
    assert (weekly.status, weekly.next_day, Order.objects.count()) == ("active", date(2026, 11, 29), 1)


def test_a_long_list_of_others_does_not_keep_one_waiting(
    weekly: StandingOrder, roses: Product, bek: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "DUE_AT_ONCE", 1)
    StandingOrder.objects.update(days_ahead=0)
    Caller(bek)("POST", "/api/standing-orders/", body(roses, next_day="2026-12-20", days_ahead=30))
    assert standing.make_due(now=NINE) == 1
    assert Order.objects.get().standing_day == date(2026, 12, 20)


def test_the_last_day_ends_it(roses: Product, bek: Employee) -> None:
    Caller(bek)("POST", "/api/standing-orders/", body(roses, ends_on="2026-11-28"))
    assert standing.make_due(now=NINE) == 1
    assert StandingOrder.objects.get().status == "ended"
    assert standing.make_due(now=NINE + timedelta(days=7)) == 0


def test_one_that_was_forgotten_past_its_end_only_ends(weekly: StandingOrder) -> None:
    StandingOrder.objects.update(ends_on=date(2026, 11, 25))
    assert standing.make_due(now=NINE + timedelta(days=30)) == 0
    assert (StandingOrder.objects.get().status, Order.objects.count()) == ("ended", 0)


def test_missing_stems_are_a_backorder(weekly: StandingOrder, roses: Product) -> None:
    roses.components.update(quantity=5000)
    assert standing.make_due(now=NINE) == 1
    assert Order.objects.get().is_backorder


def test_what_cannot_be_made_pauses_and_is_told(weekly: StandingOrder) -> None:
    Product.objects.update(is_active=False)
    assert standing.make_due(now=NINE) == 0
    assert standing.make_due(now=NINE) == 0
    weekly.refresh_from_db()
    assert (weekly.status, weekly.next_day, weekly.problem) == (
        *("paused", date(2026, 11, 22), f"Product {Product.objects.get().pk} is not available"),
    )
    assert not Order.objects.exists()
    told = OutboxMessage.objects.filter(event__endswith="StandingOrderStopped")
    assert [message.payload["code"] for message in told] == ["product_not_for_sale"]


def test_by_invoice_is_accepted_at_once(roses: Product, bek: Employee) -> None:
    Caller(bek)("POST", "/api/standing-orders/", body(roses, is_invoiced=True))
    assert standing.make_due(now=NINE) == 1
    order = Order.objects.get()
    assert (order.status, order.payment_method, order.paid_amount) == ("paid", "transfer", 0)


def test_a_closed_shop_makes_nothing(weekly: StandingOrder) -> None:
    Shop.objects.update(is_active=False)
    assert standing.make_due(now=NINE) == 0


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_clocks_make_one_order(weekly: StandingOrder) -> None:
    results = race(10, lambda _: standing.make_due(now=NINE))
    assert outcomes(results) == {"ok": 10}
    assert (sum(results), Order.objects.count()) == (1, 1)


# ── by the office ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_shape(weekly: StandingOrder, bek: Employee) -> None:
    got = Caller(bek)("GET", f"/api/standing-orders/{weekly.pk}").json()
    assert got.keys() == KEYS
    assert got["items"] == [{"product_id": weekly.items[0]["product_id"], "quantity": 2}]
    assert (got["details"]["window"], got["details"]["comment"]) == ({"from": "10:00", "to": "12:00"}, None)
    listed = Caller(bek)("GET", "/api/standing-orders").json()
    assert listed == {"items": [got], "total": 1}


def test_skipping_leaves_one_out(weekly: StandingOrder, bek: Employee) -> None:
    got = Caller(bek)("POST", f"/api/standing-orders/{weekly.pk}/skip")
    assert (got.status_code, got.json()["next_day"]) == (200, "2026-11-29")
    assert standing.make_due(now=NINE) == 0


def test_pausing_and_going_on(weekly: StandingOrder, bek: Employee) -> None:
    call, path = Caller(bek), f"/api/standing-orders/{weekly.pk}"
    assert call("POST", f"{path}/pause").json()["status"] == "paused"
    assert call("POST", f"{path}/pause").status_code == 409
    assert standing.make_due(now=NINE) == 0
    with time_machine.travel(NINE + timedelta(days=10), tick=False):
        got = Caller(bek)("POST", f"{path}/resume").json()
    assert (got["status"], got["next_day"]) == ("active", "2026-12-06")


def test_what_has_ended_stays_so(weekly: StandingOrder, bek: Employee) -> None:
    call, path = Caller(bek), f"/api/standing-orders/{weekly.pk}"
    assert call("POST", f"{path}/end").json()["status"] == "ended"
    for deed in ("skip", "pause", "resume", "end"):
        assert call("POST", f"{path}/{deed}").status_code == 409, deed
    assert call("PATCH", path, {"every_days": 3}).json()["code"] == "standing_order_ended"
    assert standing.make_due(now=NINE) == 0


def test_changing_one_half_keeps_the_other(weekly: StandingOrder, bek: Employee) -> None:
    path = f"/api/standing-orders/{weekly.pk}"
    items = [{"product_id": weekly.items[0]["product_id"], "quantity": 5}]
    got = Caller(bek)("PATCH", path, {"items": items, "every_days": 14}).json()
    assert (got["items"][0]["quantity"], got["every_days"], got["details"]["address"]) == (5, 14, "Abai 10")
    got = Caller(bek)("PATCH", path, {"details": {"delivery_method": "self_pickup"}, "ends_on": "2026-12-31"}).json()
    assert (got["items"][0]["quantity"], got["details"]["address"], got["ends_on"]) == (5, None, "2026-12-31")
    assert Caller(bek)("PATCH", path, {"ends_on": None}).json()["ends_on"] is None
    assert standing.make_due(now=NINE) == 1
    assert Order.objects.get().delivery_method == "self_pickup"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"items": []}, 422),
        ({"items": [{"product_id": 1, "quantity": 0}]}, 422),
        ({"items": [{"product_id": 999_999, "quantity": 1}]}, 404),
        ({"customer_id": 999_999}, 404),
        ({"every_days": 0}, 422),
        ({"days_ahead": 61}, 422),
        ({"next_day": "2026-11-19"}, 422),
        ({"next_day": "9999-12-31"}, 422),
        ({"ends_on": "2026-11-21"}, 422),
        ({"details": {"zone_id": 999_999}}, 404),
        ({"details": {"window": {"from": "12:00", "to": "10:00"}}}, 422),
        ({"details": {"window": {"from": "25:00", "to": "26:00"}}}, 422),
        ({"details": {"wrong": 1}}, 422),
    ],
)
def test_refusals_leave_nothing(roses: Product, bek: Employee, change: dict[str, Any], status: int) -> None:
    answer = Caller(bek)("POST", "/api/standing-orders/", body(roses, **change))
    assert answer.status_code == status, answer.content
    assert not StandingOrder.objects.exists()


def test_rows_of_another_shop_are_not_referred_to(roses: Product, bek: Employee, tulip: Shop) -> None:
    foreign = {
        "customer_id": cast.customer(tulip).pk,
        "items": [{"product_id": cast.product(tulip).pk, "quantity": 1}],
        "details": {"zone_id": DeliveryZone.objects.create(shop=tulip, name="Far", price=1).pk},
    }
    for name, value in foreign.items():
        answer = Caller(bek)("POST", "/api/standing-orders/", body(roses, **{name: value}))
        assert answer.status_code == 404, name
    assert not StandingOrder.objects.exists()


def test_the_stranger_the_florist_and_nobody(weekly: StandingOrder, dana: Employee, aida: Employee) -> None:
    path = f"/api/standing-orders/{weekly.pk}"
    deeds = [("GET", path), ("GET", f"{path}/invoice?month=2026-11"), ("PATCH", path)]
    deeds += [("POST", f"{path}/{word}") for word in ("skip", "pause", "resume", "end")]
    for method, where in deeds:
        sent = {} if method == "PATCH" else None
        assert Caller(dana)(method, where, sent).status_code == 404, where
        assert Caller(aida)(method, where, sent).status_code == 403, where
        assert Caller()(method, where, sent).status_code == 401, where
    assert Caller(dana)("GET", "/api/standing-orders/").json()["total"] == 0
    weekly.refresh_from_db()
    assert (weekly.status, weekly.next_day) == ("active", date(2026, 11, 22))


def test_a_month_on_an_invoice(roses: Product, bek: Employee) -> None:
    Caller(bek)("POST", "/api/standing-orders/", body(roses, is_invoiced=True, every_days=5))
    for days in (0, 5, 10):
        standing.make_due(now=NINE + timedelta(days=days))
    Order.objects.filter(standing_day="2026-11-27").update(status="cancelled")
    pk = StandingOrder.objects.get().pk
    got = Caller(bek)("GET", f"/api/standing-orders/{pk}/invoice?month=2026-11").json()
    assert got.keys() == {"standing_order_id", "customer", "month", "orders", "total", "paid"}
    assert ([row["standing_day"] for row in got["orders"]], got["total"], got["paid"]) == (["2026-11-22"], 21_500, 0)
    december = Caller(bek)("GET", f"/api/standing-orders/{pk}/invoice?month=2026-12").json()
    assert [row["standing_day"] for row in december["orders"]] == ["2026-12-02"]
    assert Caller(bek)("GET", f"/api/standing-orders/{pk}/invoice?month=2026-13").status_code == 422


def test_a_list_costs_the_same_for_any_number(weekly: StandingOrder, bek: Employee) -> None:
    for _ in range(20):
        StandingOrder.objects.create(
            shop=weekly.shop, customer=cast.customer(weekly.shop), next_day=timezone.now().date(), items=[]
        )
    with query_budget(2):
        assert len(questions.listed(by=bek)[0]) == 21
    with query_budget(2):
        assert questions.listed(by=bek, status="active", customer_id=weekly.customer_id)[1] == 1
