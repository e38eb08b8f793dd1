"""Figures of a shop equal what its rows say, counted by hand (contract florist 1.6, last line)."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.core.testing import query_budget
from apps.florist.models import (
    Batch,
    Employee,
    FlowerCategory,
    Movement,
    Order,
    OrderItem,
    Product,
    ProductionTask,
    Shop,
)
from apps.florist.queries import figures
from apps.florist.queries.figures import Period
from apps.florist.tests import cast, taking
from apps.florist.tests.cast import Caller

ALMATY = ZoneInfo("Asia/Almaty")
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 10)
SOLD = {"paid", "assembled", "delivery", "self_pickup", "delivered", "completed"}


@pytest.fixture
def busy(rosa: Shop, tulip: Shop, aida: Employee, gulnar: Employee) -> Shop:
    """Rosa after some weeks; Tulip next door has as many rows, which count nowhere."""
    for shop, people in ((rosa, (aida, gulnar)), (tulip, (cast.employee(tulip, "florist"),))):
        _fill(shop, people, random.Random(7))
    return Shop.objects.get(pk=rosa.pk)


def _fill(shop: Shop, people: tuple[Employee, ...], dice: random.Random) -> None:
    goods = [cast.product(shop, f"Bouquet {number}", price=1_000 * (number + 1)) for number in range(12)]
    for number in range(80):
        moment = datetime(2026, 9, 28, tzinfo=UTC) + timedelta(minutes=dice.randrange(16 * 24 * 60))
        _order(shop, goods, moment, number, dice)
    for order in Order.objects.filter(shop=shop)[:30]:
        _task(order, dice.choice(people), dice)
    batch = cast.batch(shop, qty=1000)
    for _number in range(20):
        _thrown_away(batch, datetime(2026, 9, 28, tzinfo=UTC) + timedelta(hours=dice.randrange(16 * 24)), dice)


def _order(shop: Shop, goods: list[Product], moment: datetime, number: int, dice: random.Random) -> None:
    picked = [(dice.choice(goods), dice.randrange(1, 4)) for _ in range(dice.randrange(1, 4))]
    total = sum((product.retail_price * pieces for product, pieces in picked), Decimal(0))
    status = dice.choice(list(Order.Status))
    is_there = status in ("delivered", "completed")
    order = Order.objects.create(
        shop=shop, customer_phone="+77015550101", delivery_method="delivery", flower_sum=total, total=total,
        status=status, created_at=moment, tracking_token=f"{shop.pk}-{number}", order_number=str(100_000_000 + number),
        delivery_from=moment, delivery_to=moment + timedelta(hours=2) if dice.random() < 0.8 else None,
        delivered_at=moment + timedelta(minutes=dice.randrange(240)) if is_there else None,
    )  # fmt: skip
    for product, pieces in picked:
        OrderItem.objects.create(
            order=order, product=product, product_name=product.name, product_category="bouquet", quantity=pieces,
            price=product.retail_price, total=product.retail_price * pieces,
        )  # fmt: skip


def _task(order: Order, florist: Employee, dice: random.Random) -> None:
    done = dice.random() < 0.7
    ProductionTask.objects.create(
        shop=order.shop, order=order, florist=florist, status="completed" if done else "pending",
        completed_at=order.created_at + timedelta(hours=1) if done else None,
        quality_score=dice.choice([None, 3, 4, 5]) if done else None,
        actual_minutes=dice.randrange(5, 60) if done else None,
    )  # fmt: skip


def _thrown_away(batch: Batch, moment: datetime, dice: random.Random) -> None:
    reason = dice.choice(["waste_wilted", "waste_damaged", "waste_expired", "order", "inventory"])
    stems = dice.randrange(1, 9)
    Movement.objects.create(
        shop=batch.shop, warehouse_item=batch, type="out", reason=reason, quantity=-stems,
        unit_cost=Decimal("301.25"), qty_before=stems, qty_after=0, created_at=moment,
    )  # fmt: skip


def day_of(moment: datetime) -> date:
    return moment.astimezone(ALMATY).date()


def of_period(shop: Shop) -> list[Order]:
    return [order for order in Order.objects.filter(shop=shop) if FIRST <= day_of(order.created_at) <= LAST]


def asked(by: Employee, query: str = f"dateFrom={FIRST}&dateTo={LAST}") -> Any:
    answer = Caller(by)("GET", f"/api/statistics?{query}")
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


def test_turnover_orders_and_average(busy: Shop, bek: Employee) -> None:
    found, orders = asked(bek), of_period(busy)
    sold = [order.total for order in orders if order.status in SOLD]
    assert len(orders) > 30
    assert len(sold) > 15
    assert (found["orders_count"], found["sold_count"]) == (len(orders), len(sold))
    assert found["turnover"] == float(sum(sold))
    assert found["average_order"] == pytest.approx(float(sum(sold) / len(sold)), abs=0.01)
    assert found["cancelled_count"] == sum(order.status == "cancelled" for order in orders)
    assert found["orders_by_status"] == {
        status: sum(order.status == status for order in orders) for status in Order.Status.values
    }


def test_every_day_of_the_shops_clock(busy: Shop, bek: Employee) -> None:
    days = asked(bek)["by_day"]
    assert [row["date"] for row in days] == [str(FIRST + timedelta(days=number)) for number in range(10)]
    for row in days:
        of_day = [order for order in of_period(busy) if str(day_of(order.created_at)) == row["date"]]
        sold = [order.total for order in of_day if order.status in SOLD]
        assert (row["orders"], row["sold"], row["turnover"]) == (len(of_day), len(sold), float(sum(sold)))


def test_goods_that_brought_most(busy: Shop, bek: Employee) -> None:
    revenue: dict[int, list[Any]] = {}
    for order in of_period(busy):
        for item in order.items.all() if order.status in SOLD else ():
            row = revenue.setdefault(item.product_id, [0, 0, item.product_name])
            row[0], row[1] = row[0] + item.total, row[1] + item.quantity
    best = sorted(revenue.items(), key=lambda pair: (-pair[1][0], pair[0]))[:10]
    assert [
        (row["product_id"], row["revenue"], row["quantity"], row["name"]) for row in asked(bek)["top_products"]
    ] == [(pk, float(total), pieces, name) for pk, (total, pieces, name) in best]


def test_florists(busy: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    rows = {row["id"]: row for row in asked(bek)["florists"]}
    assert set(rows) == {aida.pk, gulnar.pk}
    for who, row in rows.items():
        done = [
            task
            for task in ProductionTask.objects.filter(florist=who, status="completed")
            if task.completed_at and FIRST <= day_of(task.completed_at) <= LAST
        ]
        scores = [task.quality_score for task in done if task.quality_score]
        minutes = [task.actual_minutes for task in done if task.actual_minutes is not None]
        assert row["completed_tasks"] == len(done)
        assert row["average_quality_score"] == pytest.approx(sum(scores) / len(scores))
        assert row["average_minutes"] == pytest.approx(sum(minutes) / len(minutes))


def test_waste_and_punctuality(busy: Shop, bek: Employee) -> None:
    found = asked(bek)
    thrown = [
        -row.quantity
        for row in Movement.objects.filter(shop=busy, reason__startswith="waste")
        if FIRST <= day_of(row.created_at) <= LAST
    ]
    assert thrown
    assert (found["waste_stems"], found["waste_cost"]) == (sum(thrown), float(sum(thrown) * Decimal("301.25")))
    brought = [
        order.delivered_at <= order.delivery_to
        for order in Order.objects.filter(shop=busy, delivered_at__isnull=False, delivery_to__isnull=False)
        if order.delivered_at and order.delivery_to and FIRST <= day_of(order.delivered_at) <= LAST
    ]
    assert 0 < sum(brought) < len(brought)
    assert (found["delivered_count"], found["on_time_count"]) == (len(brought), sum(brought))
    assert found["on_time_percent"] == round(100 * sum(brought) / len(brought), 1)


def test_all_shops_together_are_the_sum(busy: Shop, tulip: Shop) -> None:
    rosas, tulips, both = (
        figures.totals(Period(shop, FIRST, LAST)) for shop in (busy, Shop.objects.get(pk=tulip.pk), None)
    )
    assert both.turnover == rosas.turnover + tulips.turnover
    assert both.orders == rosas.orders + tulips.orders


def test_shops_of_one_currency_together(busy: Shop, tulip: Shop) -> None:
    Shop.objects.filter(pk=tulip.pk).update(currency="UZS")
    tenge, rosas = Period(None, FIRST, LAST, "KZT"), Period(busy, FIRST, LAST)
    for question in (figures.totals, figures.by_day, figures.waste, figures.top_products):
        assert question(tenge) == question(rosas)
    assert figures.totals(Period(busy, FIRST, LAST, "UZS")).orders == 0


def test_seven_queries_whatever_the_period(busy: Shop) -> None:
    with query_budget(7):
        figures.statistics(Period(busy, FIRST, LAST))


def test_a_shop_without_orders(tulip: Shop, dana: Employee) -> None:
    found = asked(dana)
    assert (found["turnover"], found["average_order"], found["on_time_percent"], found["waste_cost"]) == (0, 0, None, 0)
    assert set(found["orders_by_status"].values()) == {0}


@pytest.mark.parametrize(
    "query",
    [
        "dateFrom=2026-10-10&dateTo=2026-10-01",
        "dateFrom=2020-01-01&dateTo=2026-01-01",
        "dateFrom=x",
        "dateTo=0001-01-01",
        "dateFrom=9999-12-31&dateTo=9999-12-31",
    ],
)
def test_periods_that_are_none(bek: Employee, query: str) -> None:
    assert Caller(bek)("GET", f"/api/statistics?{query}").status_code == 422


LEAST = {"many": 30, "few": 5}
"""Family → the stems below which it runs low."""


def test_the_dashboard_counts_today(rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee) -> None:
    now = datetime(2026, 12, 1, 10, tzinfo=ALMATY)
    shop = Shop.objects.get(pk=rosa.pk)
    due, old, aside, gone = (taking.taken(rosa, pieces=1) for _ in range(4))
    rows = Order.objects.all()
    rows.update(created_at=now - timedelta(hours=1))
    rows.filter(pk=due.pk).update(status="paid", delivery_from=now, assigned_florist=aida, courier=ruslan)
    rows.filter(pk=old.pk).update(created_at=now - timedelta(hours=11), address_needs_clarification=True)
    rows.filter(pk=aside.pk).update(status="issue", delivery_from=now, refund_due=500)
    rows.filter(pk=gone.pk).update(status="cancelled", delivery_from=now)
    ProductionTask.objects.create(shop=shop, order=due, deadline=now - timedelta(minutes=1))
    families = [FlowerCategory.objects.create(shop=shop, name=name, min_stock=least) for name, least in LEAST.items()]
    cast.batch(shop, "Sarah", qty=14)
    for family, stems in zip(families, (29, 5), strict=True):  # the first runs low, of the second five are enough
        cast.batch(shop, f"Of {family.name}", qty=stems, category=family)
    with query_budget(3):
        found = figures.dashboard(shop, now=now)
    assert found == {
        "date": date(2026, 12, 1), "orders_today": 3, "turnover_today": 10_000, "due_today": 2, "new_orders": 1,
        "in_production": 1, "on_the_way": 0, "issues": 1, "needs_clarification": 1, "without_florist": 1,
        "without_courier": 2, "refund_due": 500, "overdue_tasks": 1, "low_batches": 2,
    }  # fmt: skip
    answer = Caller(bek)("GET", "/api/dashboard")
    assert (answer.status_code, set(json.loads(answer.content))) == (200, set(found))
