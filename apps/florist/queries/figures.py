"""A shop in figures (contract florist 1.6, last line): turnover, orders, goods, florists, waste, punctuality.

An order counts on the day it was taken, and as sold while it is paid or later. Without a shop: all of them together,
whose numbers add up and whose money does not: `per_currency` splits it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Avg, Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.florist.models import Batch, Employee, Movement, Order, OrderItem, ProductionTask, Shop
from apps.florist.queries import stock, windows

CENT = Decimal("0.01")
USUAL_DAYS = 30
MOST_DAYS = 366
TOP = 10

SOLD = Q(status__in=Order.PAID_OR_LATER)


@dataclass(frozen=True)
class Period:
    """Whole days on the clock of a shop, or of the house when there is none; both ends belong to it."""

    shop: Shop | None
    first: date
    last: date
    currency: str | None = None
    """Of those shops only: sums of several currencies do not add up."""

    @property
    def zone(self) -> ZoneInfo:
        """Whose clock."""
        return windows.zone_of(self.shop) if self.shop else ZoneInfo(settings.FLORIST.timezone)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """First moment, and the first after it."""
        return (
            datetime.combine(self.first, time(), self.zone),
            datetime.combine(self.last + timedelta(days=1), time(), self.zone),
        )

    def within(self, column: str) -> dict[str, Any]:
        """Filter on a column of times."""
        starts, ends = self.bounds
        return {f"{column}__gte": starts, f"{column}__lt": ends}

    def of_shop(self, column: str = "shop") -> dict[str, Any]:
        """Filter on the shop, and on its currency."""
        by_currency = {f"{column}__currency": self.currency} if self.currency else {}
        return {column: self.shop, **by_currency} if self.shop else by_currency


@dataclass(frozen=True)
class Totals:
    """The headline figures."""

    orders: int
    sold: int
    cancelled: int
    turnover: Decimal
    paid: Decimal
    refund_due: Decimal

    @property
    def average(self) -> Decimal:
        """Of a sold order."""
        return (self.turnover / self.sold).quantize(CENT, ROUND_HALF_UP) if self.sold else Decimal(0)


@dataclass(frozen=True)
class Punctuality:
    """Delivered orders that had a window."""

    delivered: int
    on_time: int

    @property
    def percent(self) -> float | None:
        """None when nothing was delivered."""
        return round(100 * self.on_time / self.delivered, 1) if self.delivered else None


def last_days(shop: Shop | None, days: int = USUAL_DAYS, *, now: datetime | None = None) -> Period:
    """The days that end today."""
    zone = windows.zone_of(shop) if shop else ZoneInfo(settings.FLORIST.timezone)
    today = (now or timezone.now()).astimezone(zone).date()
    return Period(shop, today - timedelta(days=days - 1), today)


def per_currency(period: Period) -> list[tuple[str, Period]]:
    """The same time once for each currency of the shops that it is about. One query without a shop, else none."""
    if period.shop:
        return [(period.shop.currency, period)]
    found = Shop.objects.order_by("currency").values_list("currency", flat=True).distinct()
    return [(currency, replace(period, currency=currency)) for currency in found if period.currency in (None, currency)]


def totals(period: Period) -> Totals:
    """One query; its money is right for one currency only."""
    found = _orders(period).aggregate(
        orders=Count("id"),
        sold=Count("id", filter=SOLD),
        cancelled=Count("id", filter=Q(status=Order.Status.CANCELLED)),
        turnover=Sum("total", filter=SOLD),
        paid=Sum("paid_amount"),
        refund_due=Sum("refund_due"),
    )
    filled: dict[str, Any] = {name: Decimal(0) if value is None else value for name, value in found.items()}
    return Totals(**filled)


def by_status(period: Period) -> dict[str, int]:
    """Every status with its number of orders, also those without any. One query."""
    counts = dict(_orders(period).values_list("status").annotate(count=Count("id")))
    return {status: counts.get(status, 0) for status in Order.Status.values}


def by_day(period: Period) -> list[dict[str, Any]]:
    """Each day of the period: orders taken, those sold, turnover. One query."""
    rows = _orders(period).annotate(day=TruncDate("created_at", tzinfo=period.zone)).values("day")
    known: dict[date, dict[str, Any]] = {
        row["day"]: dict(row)
        for row in rows.annotate(orders=Count("id"), sold=Count("id", filter=SOLD), turnover=Sum("total", filter=SOLD))
    }
    days = [period.first + timedelta(days=number) for number in range((period.last - period.first).days + 1)]
    return [_day(day, known.get(day, {})) for day in days]


def _day(day: date, row: dict[str, Any]) -> dict[str, Any]:
    turnover = row.get("turnover") or Decimal(0)
    return {"date": day, "orders": row.get("orders", 0), "sold": row.get("sold", 0), "turnover": turnover}


def top_products(period: Period) -> list[dict[str, Any]]:
    """What sold orders brought most money with. One query."""
    of_orders = {f"order__{name}": value for name, value in period.within("created_at").items()}
    lines = OrderItem.objects.filter(
        order__status__in=Order.PAID_OR_LATER, **of_orders, **period.of_shop("order__shop")
    )
    rows = lines.order_by().values("product_id", name=F("product__name"))
    top = rows.annotate(pieces=Sum("quantity"), revenue=Sum("total")).order_by("-revenue", "product_id")[:TOP]
    return [
        {"product_id": row["product_id"], "name": row["name"], "quantity": row["pieces"], "revenue": row["revenue"]}
        for row in top
    ]


def florists(period: Period) -> list[dict[str, Any]]:
    """What each florist finished in the period, with marks and minutes. One query; at most a hundred."""
    done = Q(tasks__status=ProductionTask.Status.COMPLETED)
    for name, value in period.within("completed_at").items():
        done &= Q(**{f"tasks__{name}": value})
    people = Employee.objects.filter(role=Employee.Role.FLORIST, **period.of_shop()).order_by("name", "id")
    rows = people.annotate(
        completed_tasks=Count("tasks", filter=done),
        average_quality_score=Avg("tasks__quality_score", filter=done),
        average_minutes=Avg("tasks__actual_minutes", filter=done),
    )
    names = ("id", "name", "completed_tasks", "average_quality_score", "average_minutes")
    return list(rows.values(*names)[:100])


def waste(period: Period) -> dict[str, Any]:
    """Stems thrown away and what they had cost. One query."""
    rows = Movement.objects.filter(reason__in=Movement.WASTE, **period.within("created_at"), **period.of_shop())
    found = rows.aggregate(stems=Sum("quantity"), cost=Sum(F("quantity") * F("unit_cost")))
    return {"stems": -(found["stems"] or 0), "cost": -(found["cost"] or Decimal(0))}


def punctuality(period: Period) -> Punctuality:
    """Of what was delivered in the period. One query."""
    rows = Order.objects.filter(delivery_to__isnull=False, **period.within("delivered_at"), **period.of_shop())
    found = rows.aggregate(delivered=Count("id"), on_time=Count("id", filter=Q(delivered_at__lte=F("delivery_to"))))
    return Punctuality(**found)


def statistics(period: Period) -> dict[str, Any]:
    """All of it for one answer. Seven queries."""
    total, punctual, wasted = totals(period), punctuality(period), waste(period)
    return {
        "date_from": period.first,
        "date_to": period.last,
        "turnover": total.turnover,
        "orders_count": total.orders,
        "sold_count": total.sold,
        "cancelled_count": total.cancelled,
        "average_order": total.average,
        "orders_by_status": by_status(period),
        "by_day": by_day(period),
        "top_products": top_products(period),
        "florists": florists(period),
        "waste_stems": wasted["stems"],
        "waste_cost": wasted["cost"],
        "delivered_count": punctual.delivered,
        "on_time_count": punctual.on_time,
        "on_time_percent": punctual.percent,
    }


def dashboard(shop: Shop, *, now: datetime | None = None) -> dict[str, Any]:
    """What the manager looks at in the morning: today's orders and what waits for a hand. Three queries."""
    moment = now or timezone.now()
    today = last_days(shop, 1, now=moment)
    starts, ends = today.bounds
    due = Q(delivery_from__gte=starts, delivery_from__lt=ends) & ~Q(status=Order.Status.CANCELLED)
    taken = Q(created_at__gte=starts, created_at__lt=ends)
    alive = ~Q(status__in=(Order.Status.COMPLETED, Order.Status.CANCELLED))
    to_make = Q(status__in=(Order.Status.NEW, Order.Status.PAID))
    orders = Order.objects.filter(shop=shop).filter(alive | taken | due)
    late = ProductionTask.objects.filter(shop=shop, deadline__lt=moment).exclude(status__in=ProductionTask.CLOSED)
    critical = Batch.objects.filter(shop=shop, hidden=False, to_write_off=False).annotate(least=stock.least())
    return {
        "date": today.first,
        **orders.aggregate(
            orders_today=Count("id", filter=taken),
            turnover_today=Sum("total", filter=taken & SOLD, default=Decimal(0)),
            due_today=Count("id", filter=due),
            new_orders=Count("id", filter=Q(status=Order.Status.NEW)),
            in_production=Count("id", filter=Q(status=Order.Status.PAID)),
            on_the_way=Count("id", filter=Q(status=Order.Status.DELIVERY)),
            issues=Count("id", filter=Q(status=Order.Status.ISSUE)),
            needs_clarification=Count("id", filter=alive & Q(address_needs_clarification=True)),
            without_florist=Count("id", filter=to_make & Q(assigned_florist=None)),
            without_courier=Count(
                "id",
                filter=alive & Q(delivery_method=Order.Method.DELIVERY, courier=None, courier_phone=None),
            ),
            refund_due=Sum("refund_due", default=Decimal(0)),
        ),
        "overdue_tasks": late.count(),
        "low_batches": critical.filter(qty__lt=F("reserved_qty") + F("least")).count(),
    }


def _orders(period: Period) -> QuerySet[Order]:
    return Order.objects.filter(**period.within("created_at"), **period.of_shop()).order_by()
