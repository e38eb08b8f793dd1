"""Delivery windows: three forms and one pair, slots, capacity, cutoffs, feasts, zones (contract florist 3.6, 3.7)."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.core.errors import Invalid
from apps.core.testing import assert_refused, outcomes, query_budget, race
from apps.florist import errors
from apps.florist.actions import lifecycle, orders, windows
from apps.florist.models import DeliverySlot, DeliveryZone, Employee, Order, Product, Shop, SpecialDay
from apps.florist.queries import windows as calendar
from apps.florist.tests import cast, taking
from apps.florist.tests.cast import Caller

ALMATY = ZoneInfo("Asia/Almaty")
DAY = date(2026, 12, 1)
NOW = datetime(2026, 12, 1, 10, 0, tzinfo=ALMATY)
"""Ten in the morning at the shop."""


@pytest.fixture
def shop(rosa: Shop) -> Shop:
    """Rosa as the database has her."""
    return Shop.objects.get(pk=rosa.pk)


@pytest.fixture
def roses(shop: Shop) -> Product:
    return taking.roses(shop, stems=1000)


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute), ALMATY)


def slot(shop: Shop, begin: int, end: int, **more: Any) -> DeliverySlot:
    return DeliverySlot.objects.create(shop=shop, starts_at=time(begin), ends_at=time(end), **more)


def zone(shop: Shop, name: str = "Centre", price: int = 2_000, **more: Any) -> DeliveryZone:
    return DeliveryZone.objects.create(shop=shop, name=name, price=price, **more)


def bought(shop: Shop, product: Product, hour: int = 15, *, by: Any = None, strict: bool = True, **more: Any) -> Order:
    """By a stranger, for two hours from `hour` on."""
    day = more.pop("day", DAY)
    what = taking.draft(product, 1, window=(at(hour, 0, day), at(hour, 0, day) + timedelta(hours=2)), **more)
    source = "storefront" if strict else "crm"
    return orders.create(by=by, shop=shop, draft=what, source=source, now=NOW)


def reason(deed: Any) -> str:
    refused = assert_refused(errors.WindowNotOffered, deed, unchanged=[Order.objects.all()])
    return str(refused.facts["reason"])


# ── Three forms ─────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "raw",
    [
        {"from": "2026-12-01T10:00:00", "to": "2026-12-01T12:00:00"},
        {"from": "2026-12-01T05:00:00Z", "to": "2026-12-01T07:00:00+00:00"},
        {"from_time": "2026-12-01T10:00:00+05:00", "to_time": "2026-12-01T12:00"},
        {"from_time": "10:00", "to_time": "12:00", "date": "2026-12-01"},
        {"date": "2026-12-01", "time": "10:00-12:00"},
        {"date": "2026-12-01", "time": "10:00 – 12:00"},
        {"date": "2026-12-01", "time": "10-12"},
        {"date": "2026-12-01T00:00:00", "time": "10:00"},
    ],
)
def test_three_forms_are_one_window(shop: Shop, raw: dict[str, str]) -> None:
    assert windows.read(raw, shop) == (at(10), at(12))


@pytest.mark.parametrize("raw", [None, {}, {"date": "2026-12-01", "time": ""}, {"date": "2026-12-01"}, {"from": None}])
def test_an_empty_time_is_to_be_agreed(shop: Shop, raw: Any) -> None:
    assert windows.read(raw, shop) is None


@pytest.mark.parametrize(
    "raw",
    [
        {"from": "tomorrow"},
        {"from": "2026-12-01T12:00", "to": "2026-12-01T10:00"},
        {"from": "2026-12-01T12:00", "to": "2026-12-01T12:00"},
        {"from": "2026-12-01T12:00", "to": "2026-12-03T12:00"},
        {"time": "10:00-12:00"},
        {"date": "2026-02-30", "time": "10:00"},
        {"date": "2026-12-01", "time": "25:00"},
        {"from": "0001-01-01T00:00", "to": "0001-01-01T01:00"},
        {"from": "9999-12-31T23:00", "to": "9999-12-31T23:59"},
        {"from": {"a": 1}},
    ],
)
def test_what_is_no_window_is_422(shop: Shop, raw: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        windows.read(raw, shop)


# ── What is offered ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_shop_without_slots_has_the_usual_hours(shop: Shop) -> None:
    """Today only those that begin later than in two hours (3.7)."""
    found = calendar.offered(shop, DAY, now=NOW)
    assert [offer.starts for offer in found] == [at(hour) for hour in (9, 11, 13, 15, 17, 19)]
    assert [offer.reason for offer in found] == ["past", "too_soon", "", "", "", ""]
    exactly = calendar.offered(shop, DAY, now=at(11))
    assert [offer.reason for offer in exactly][2:4] == ["too_soon", ""]  # 13:00 is not later than 11:00 + 2 h


def test_slots_have_room_price_and_cutoff(shop: Shop, roses: Product) -> None:
    slot(shop, 9, 12)
    slot(shop, 12, 15, capacity=2, surcharge=500, cutoff_minutes=30)
    slot(shop, 15, 18, is_active=False)
    bought(shop, roses, 12)
    found = calendar.offered(shop, DAY, now=at(11, 15))
    assert [(offer.starts, offer.left, offer.surcharge, offer.reason) for offer in found] == [
        (at(9), None, 0, "past"),
        (at(12), 1, 500, ""),
    ]


def test_days_ahead_blackouts_and_feasts(shop: Shop) -> None:
    SpecialDay.objects.create(shop=shop, day=date(2026, 12, 5), kind="blackout")
    SpecialDay.objects.create(shop=shop, day=date(2027, 3, 8), kind="holiday", preorder_days=120)
    reasons = {
        day: {offer.reason for offer in calendar.offered(shop, day, now=NOW)}
        for day in (date(2026, 12, 5), date(2026, 12, 15), date(2026, 12, 16), date(2027, 3, 8), date(2026, 11, 30))
    }
    assert list(reasons.values()) == [{"blackout"}, {""}, {"too_far"}, {""}, {"past"}]


def test_pickup_is_whenever_the_shop_is_open(shop: Shop) -> None:
    SpecialDay.objects.create(shop=shop, day=DAY, kind="blackout")  # no delivery; the shop is open
    found = calendar.offered(shop, DAY, "self_pickup", now=NOW)
    assert (found[0].starts, found[-1].ends, len(found)) == (at(9), at(20), 11)
    assert [offer.reason for offer in found][:4] == ["past", "past", "too_soon", ""]


def test_another_shops_calendar_is_another(shop: Shop, tulip: Shop, roses: Product) -> None:
    theirs = Shop.objects.get(pk=tulip.pk)
    slot(shop, 12, 15, capacity=1)
    slot(theirs, 12, 15, capacity=1)
    bought(shop, roses, 13)
    assert [offer.left for offer in calendar.offered(shop, DAY, now=NOW)] == [0]
    assert [offer.left for offer in calendar.offered(theirs, DAY, now=NOW)] == [1]


def test_a_day_costs_three_queries(shop: Shop, roses: Product) -> None:
    for hour in (9, 12, 15, 18):
        slot(shop, hour, hour + 2, capacity=5)
    for _ in range(3):
        bought(shop, roses, 15)
    with query_budget(3):
        calendar.offered(shop, DAY, now=NOW)


# ── What is taken ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("hour", "more", "why"),
    [
        (9, {}, "past"),
        (11, {}, "too_soon"),
        (21, {}, "closed"),
        (8, {"day": date(2026, 12, 2)}, "closed"),
        (15, {"day": date(2026, 12, 16)}, "too_far"),
        (11, {"delivery_method": "self_pickup", "day": date(2026, 12, 16)}, "too_far"),
        (20, {"delivery_method": "self_pickup"}, "closed"),
    ],
)
def test_strangers_get_what_is_offered(shop: Shop, roses: Product, hour: int, more: dict[str, Any], why: str) -> None:
    assert reason(lambda: bought(shop, roses, hour, **more)) == why


@pytest.mark.parametrize(("hour", "day"), [(9, DAY), (11, DAY), (21, DAY), (15, date(2026, 12, 16))])
def test_the_desk_knows_what_it_promises(shop: Shop, bek: Employee, roses: Product, hour: int, day: date) -> None:
    assert bought(shop, roses, hour, by=bek, strict=False, day=day).delivery_from == at(hour, 0, day)


def test_pickup_an_hour_ahead_is_enough(shop: Shop, roses: Product) -> None:
    order = bought(shop, roses, 12, delivery_method="self_pickup")
    assert (order.delivery_fee, order.delivery_from) == (0, at(12))


def test_a_blackout_binds_everybody_but_a_managers_word(shop: Shop, bek: Employee, roses: Product) -> None:
    SpecialDay.objects.create(shop=shop, day=DAY, kind="blackout")
    for strict in (True, False):
        assert reason(lambda strict=strict: bought(shop, roses, strict=strict)) == "blackout"
    assert bought(shop, roses, by=bek, strict=False, ignores_limits=True).pk


def test_a_slot_takes_so_many_and_cancelled_ones_make_room(shop: Shop, bek: Employee, roses: Product) -> None:
    slot(shop, 15, 18, capacity=2)
    first = bought(shop, roses)
    bought(shop, roses, 16)  # begins within the slot
    assert reason(lambda: bought(shop, roses, strict=False)) == "full"
    assert bought(shop, roses, by=bek, strict=False, ignores_limits=True).pk
    lifecycle.cancel(by=bek, order_id=first.pk, reason="changed his mind")
    assert reason(lambda: bought(shop, roses, 17)) == "full"  # the manager's word still takes its place
    lifecycle.cancel(by=bek, order_id=Order.objects.order_by("-id")[0].pk, reason="changed his mind")
    assert bought(shop, roses, 17).pk


def test_pickups_take_no_place_of_the_couriers(shop: Shop, roses: Product) -> None:
    slot(shop, 15, 18, capacity=1)
    bought(shop, roses, delivery_method="self_pickup")
    assert bought(shop, roses).pk


def test_a_zone_and_a_feast_have_their_day(shop: Shop, roses: Product) -> None:
    centre, far = zone(shop, daily_capacity=1), zone(shop, "Far", 5_000)
    bought(shop, roses, zone_id=centre.pk)
    assert reason(lambda: bought(shop, roses, 17, zone_id=centre.pk)) == "zone_full"
    assert bought(shop, roses, 17, zone_id=far.pk).delivery_fee == 5_000
    SpecialDay.objects.create(shop=shop, day=DAY, kind="holiday", capacity=3)
    bought(shop, roses, delivery_method="self_pickup")
    assert reason(lambda: bought(shop, roses, zone_id=far.pk)) == "day_full"
    assert bought(shop, roses, zone_id=centre.pk, day=date(2026, 12, 2)).pk


# ── What it costs ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_fee_is_the_zones_with_the_slots_surcharge(shop: Shop, bek: Employee, roses: Product) -> None:
    slot(shop, 15, 18, surcharge=500)
    centre, far = zone(shop, position=1), zone(shop, "Far", 5_000, position=2)
    assert bought(shop, roses, zone_id=far.pk).delivery_fee == 5_500
    unnamed = bought(shop, roses, delivery_fee=Decimal(1))
    assert (unnamed.delivery_fee, unnamed.delivery_zone) == (2_500, centre)
    desk = bought(shop, roses, by=bek, strict=False)
    assert (desk.delivery_fee, desk.delivery_zone) == (2_500, None)
    typed = bought(shop, roses, by=bek, strict=False, delivery_fee=Decimal(1_500))
    assert (typed.delivery_fee, typed.total) == (1_500, 11_500)
    named = bought(shop, roses, by=bek, strict=False, delivery_fee=Decimal(1), zone_id=far.pk)
    assert named.delivery_fee == 5_500
    assert bought(shop, roses, delivery_method="self_pickup", zone_id=far.pk).delivery_fee == 0


def test_zones_of_others_and_closed_ones_are_not_there(shop: Shop, tulip: Shop, roses: Product) -> None:
    for foreign in (zone(tulip), zone(shop, "Old", is_active=False)):
        refused = lambda pk=foreign.pk: bought(shop, roses, zone_id=pk)  # noqa: E731
        assert_refused(errors.ZoneNotFound, refused, unchanged=[Order.objects.all()])


def test_a_zone_may_want_a_larger_order_of_strangers(shop: Shop, bek: Employee, roses: Product) -> None:
    far = zone(shop, "Far", 5_000, min_order=15_000)
    refused = assert_refused(errors.OrderTooSmall, lambda: bought(shop, roses, zone_id=far.pk))
    assert refused.facts["least"] == 15_000
    assert bought(shop, roses, by=bek, strict=False, zone_id=far.pk).pk


# ── Moving ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_another_slot_is_checked_and_priced(shop: Shop, bek: Employee, roses: Product) -> None:
    slot(shop, 12, 15)
    slot(shop, 15, 18, capacity=1, surcharge=500)
    centre = zone(shop)
    full = bought(shop, roses, 15, zone_id=centre.pk)
    order = bought(shop, roses, 13, zone_id=centre.pk)
    move = lambda pk, **more: orders.edit(  # noqa: E731
        by=bek, order_id=pk, changes={"window": (at(16), at(18))}, now=NOW, **more
    )
    assert reason(lambda: move(order.pk)) == "full"
    assert move(full.pk).delivery_from == at(16)  # its own place is no obstacle
    moved = move(order.pk, ignores_limits=True)
    assert (moved.delivery_fee, moved.total) == (2_500, 12_500)
    gone = orders.edit(by=bek, order_id=order.pk, changes={"window": None}, now=NOW)
    assert (gone.delivery_from, gone.delivery_to, gone.delivery_fee) == (None, None, 2_000)


def agreed(order: Order, by: Employee, hour: int = 16, day: date = DAY, **more: Any) -> Order:
    """The desk has called, and the time is settled."""
    starts = at(hour, 0, day)
    return orders.edit(
        by=by, order_id=order.pk, changes={"window": (starts, starts + timedelta(hours=2))}, now=NOW, **more
    )


@pytest.mark.parametrize("source", ["storefront", "crm"])
def test_a_time_that_is_agreed_later_is_checked_like_any_other(
    shop: Shop, bek: Employee, roses: Product, source: str
) -> None:
    """A wish without a time takes no place anywhere; the time gets one, or is refused."""
    slot(shop, 12, 15)
    slot(shop, 15, 18, capacity=1)
    centre = zone(shop, daily_capacity=2)
    SpecialDay.objects.create(shop=shop, day=date(2026, 12, 2), kind="blackout")
    SpecialDay.objects.create(shop=shop, day=date(2026, 12, 3), kind="holiday", capacity=1)
    made = [
        orders.create(by=None, shop=shop, draft=taking.draft(roses, 1, zone_id=centre.pk), source=source, now=NOW)
        for _ in range(4)
    ]
    assert [order.delivery_from for order in made] == [None] * 4
    full, late, zoned, feast = made
    assert agreed(full, bek).delivery_from == at(16)
    assert reason(lambda: agreed(late, bek)) == "full"
    assert reason(lambda: agreed(late, bek, day=date(2026, 12, 2))) == "blackout"
    assert agreed(zoned, bek, 13).delivery_from == at(13)
    assert reason(lambda: agreed(late, bek, 13)) == "zone_full"
    agreed(feast, bek, day=date(2026, 12, 3))
    assert reason(lambda: agreed(late, bek, 13, day=date(2026, 12, 3))) == "day_full"
    assert agreed(late, bek, day=date(2026, 12, 2), ignores_limits=True).delivery_from == at(16, 0, date(2026, 12, 2))


def test_an_order_in_a_retired_zone_still_moves(shop: Shop, bek: Employee, roses: Product) -> None:
    centre, old = zone(shop), zone(shop, "Old")
    order = bought(shop, roses, zone_id=centre.pk)
    DeliveryZone.objects.filter(shop=shop).update(is_active=False)
    moved = orders.edit(by=bek, order_id=order.pk, changes={"window": (at(16), at(18))}, now=NOW)
    assert (moved.delivery_from, moved.delivery_zone, moved.delivery_fee) == (at(16), centre, 2_000)
    other = lambda: orders.edit(by=bek, order_id=order.pk, changes={"zone_id": old.pk}, now=NOW)  # noqa: E731
    assert_refused(errors.ZoneNotFound, other, unchanged=[Order.objects.all()])


def test_pickup_instead_of_delivery_costs_nothing_and_back_again(shop: Shop, bek: Employee, roses: Product) -> None:
    centre = zone(shop)
    order = bought(shop, roses, zone_id=centre.pk)
    edited = orders.edit(by=bek, order_id=order.pk, changes={"delivery_method": "self_pickup"}, now=NOW)
    assert (edited.delivery_fee, edited.total, edited.delivery_zone) == (0, 10_000, None)
    edited = orders.edit(by=bek, order_id=order.pk, changes={"delivery_method": "delivery"}, now=NOW)
    assert (edited.delivery_fee, edited.total) == (2_000, 12_000)


def test_an_address_is_corrected_though_the_day_is_shut_by_now(shop: Shop, bek: Employee, roses: Product) -> None:
    """Forms send the whole window along."""
    order = bought(shop, roses)
    SpecialDay.objects.create(shop=shop, day=DAY, kind="blackout")
    changes = {"address": "Dostyk 1", "window": (at(15), at(17)), "zone_id": None, "delivery_method": "delivery"}
    assert orders.edit(by=bek, order_id=order.pk, changes=changes).address == "Dostyk 1"
    assert reason(lambda: orders.edit(by=bek, order_id=order.pk, changes={"window": (at(16), at(18))})) == "blackout"


@pytest.mark.parametrize("status", ["delivery", "delivered"])
def test_a_window_does_not_move_once_it_is_on_its_way(shop: Shop, bek: Employee, roses: Product, status: str) -> None:
    order = taking.standing_at(shop, status)
    changes = {"window": (at(16), at(18))}
    deed = lambda: orders.edit(by=bek, order_id=order.pk, changes=changes)  # noqa: E731
    assert_refused(errors.NotEditable, deed, unchanged=[Order.objects.all()])


# ── Over HTTP ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_windows_over_http_for_the_desk_and_for_strangers(shop: Shop, bek: Employee) -> None:
    zone(shop)
    day = calendar.today_of(shop) + timedelta(days=2)
    own = Caller(bek)("GET", f"/api/delivery-windows?date={day}")
    public = Caller()("GET", f"/api/delivery-windows/?date={day}&shop_id={shop.pk}")
    found = json.loads(own.content)
    assert (own.status_code, public.status_code, json.loads(public.content)) == (200, 200, found)
    assert found["total"] == 6
    assert set(found["items"][0]) == {"from", "to", "surcharge", "left", "is_open", "reason"}
    assert found["items"][0]["from"] == at(9, 0, day).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [set(row) for row in found["zones"]] == [{"id", "name", "price", "min_order"}]
    pickup = json.loads(Caller(bek)("GET", f"/api/delivery-windows?date={day}&method=pickup").content)
    assert pickup["total"] == 11


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("shop_id=999999", 404),
        ("shop_id=x", 422),
        ("shop_id=1&date=x", 422),
        ("shop_id=1&method=drone", 422),
    ],
)
def test_strangers_name_an_open_shop(db: None, query: str, status: int) -> None:
    assert Caller()("GET", f"/api/delivery-windows?{query}").status_code == status


def test_strangers_are_counted(shop: Shop, settings: Any) -> None:
    settings.FLORIST = dataclasses.replace(settings.FLORIST, public_per_minute=2)
    where = f"/api/delivery-windows?shop_id={shop.pk}"
    codes = [Caller()("GET", where, **{"X-Nothing": "1"}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


# ── The race ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_last_places_are_given_once() -> None:
    """Twelve buyers, a slot of three, a zone of five, at one moment."""
    shop = Shop.objects.get(pk=cast.shop("Rosa").pk)
    roses = taking.roses(shop, stems=1000)
    slot(shop, 15, 18, capacity=3)
    slot(shop, 18, 21)
    centre = zone(shop, daily_capacity=5)

    def buy(number: int) -> Order:
        return bought(shop, roses, 15 if number % 2 else 18, zone_id=centre.pk, customer_phone=f"+7701555{number:04d}")

    found = outcomes(race(12, buy))
    assert found == {"ok": 5, "WindowNotOffered": 7}
    in_slot = Order.objects.filter(delivery_from__lt=at(18)).count()
    assert in_slot <= 3
    assert taking.stock_of(shop) == (1000, 5 * taking.STEMS)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_agreed_with_one_of_many() -> None:
    shop = cast.shop()
    bek, roses = cast.employee(shop, cast.Role.MANAGER, "Bek"), taking.roses(shop, stems=1000)
    slot(shop, 15, 18, capacity=1)
    made = [orders.create(by=None, shop=shop, draft=taking.draft(roses, 1), now=NOW) for _ in range(6)]
    assert outcomes(race(6, lambda number: agreed(made[number], bek))) == {"ok": 1, "WindowNotOffered": 5}
    assert Order.objects.filter(delivery_from=at(16)).count() == 1
