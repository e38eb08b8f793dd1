"""How the market does: orders, answers, speed and money, by day, city and category (contract urgent 10, roadmap).

Every figure is about the orders created in the period, so that the parts of one page agree with each other.
Money is what takes of those orders brought in, less what was given back; the ledger's `urgent:revenue` is the same sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Literal

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.urgent.models import Order, Take

Dimension = Literal["city", "category"]
MOST_ROWS = 20
LONGEST_PERIOD_DAYS = 366


@dataclass(frozen=True)
class Slice:
    """What is looked at: days from `since` to `until`, both included, in the house's time zone."""

    since: date
    until: date
    city: str = ""
    category: str = ""


@dataclass(frozen=True)
class Figures:
    """Rates are percents with one decimal and `None` without anything to divide by; money in whole roubles."""

    orders: int
    completed: int
    taken: int
    unanswered: int
    debits: int
    refunds: int

    @property
    def completion_rate(self) -> float | None:
        """Completed among all orders that were not deleted."""
        return percent(self.completed, self.orders)

    @property
    def no_response_rate(self) -> float | None:
        """Taken but never answered, among taken orders that are over."""
        return percent(self.unanswered, self.taken)

    @property
    def revenue(self) -> int:
        """What stays: debits less refunds."""
        return self.debits - self.refunds


def percent(part: int, whole: int) -> float | None:
    """One decimal; `None` of nothing."""
    return round(100 * part / whole, 1) if whole else None


def last_days(days: int, *, city: str = "", category: str = "", now: datetime | None = None) -> Slice:
    """A slice that ends today."""
    today = timezone.localdate(now)
    return Slice(today - timedelta(days=min(days, LONGEST_PERIOD_DAYS) - 1), today, city, category)


def _orders(chosen: Slice) -> QuerySet[Order]:
    start = timezone.make_aware(datetime.combine(chosen.since, datetime.min.time()))
    end = timezone.make_aware(datetime.combine(chosen.until + timedelta(days=1), datetime.min.time()))
    found = Order.objects.filter(created_at__gte=start, created_at__lt=end).exclude(status=Order.Status.DELETED)
    if chosen.city:
        found = found.filter(city=chosen.city)
    return found.filter(category=chosen.category) if chosen.category else found


IS_COMPLETED = Q(status=Order.Status.COMPLETED)
IS_OVER_AND_TAKEN = Q(takes_count__gt=0) & ~Q(status=Order.Status.ACTIVE)
IS_UNANSWERED = IS_OVER_AND_TAKEN & Q(customer_responded_at=None) & ~IS_COMPLETED


def _counts() -> dict[str, Any]:
    return {
        "orders": Count("pk"),
        "completed": Count("pk", filter=IS_COMPLETED),
        "taken": Count("pk", filter=IS_OVER_AND_TAKEN),
        "unanswered": Count("pk", filter=IS_UNANSWERED),
    }


def _money() -> dict[str, Any]:
    return {"debits": Sum("price", default=0), "refunds": Sum("price", filter=Q(refunded_at__isnull=False), default=0)}


def totals(chosen: Slice) -> Figures:
    """The headline figures: two queries."""
    orders = _orders(chosen)
    takes = Take.objects.filter(order__in=orders)
    return Figures(**orders.aggregate(**_counts()), **takes.aggregate(**_money()))


def minutes_to_first_take(chosen: Slice) -> float | None:
    """Median minutes from posting to the first take, one decimal; `None` when nothing was taken."""
    taken = _orders(chosen).filter(first_taken_at__isnull=False).values_list("created_at", "first_taken_at")
    waits = [(first - created).total_seconds() / 60 for created, first in taken.iterator(chunk_size=5000) if first]
    return round(median(waits), 1) if waits else None


def by_day(chosen: Slice) -> list[tuple[date, Figures]]:
    """One row per day, days without orders too: two queries."""
    orders = _orders(chosen)
    counted = {row.pop("day"): row for row in _grouped(orders, day=TruncDate("created_at"))}
    takes = Take.objects.filter(order__in=orders)
    paid = {row.pop("day"): row for row in _paid(takes, day=TruncDate("order__created_at"))}
    days = [chosen.since + timedelta(days=number) for number in range((chosen.until - chosen.since).days + 1)]
    return [(day, _figures(counted.get(day), paid.get(day))) for day in days]


def by(dimension: Dimension, chosen: Slice) -> list[tuple[str, Figures]]:
    """The busiest cities or categories: two queries."""
    orders = _orders(chosen)
    counted = {
        row[dimension]: row
        for row in orders.values(dimension).annotate(**_counts()).order_by("-orders", dimension)[:MOST_ROWS]
    }
    takes = Take.objects.filter(order__in=orders)
    paid_rows = takes.values(f"order__{dimension}").annotate(**_money()).order_by()
    paid = {row.pop(f"order__{dimension}"): row for row in paid_rows}
    return [
        (name, _figures({key: value for key, value in row.items() if key != dimension}, paid.get(name)))
        for name, row in counted.items()
    ]


def _grouped(orders: QuerySet[Order], **key: Any) -> QuerySet[Any, dict[str, Any]]:
    return orders.annotate(**key).values(*key).annotate(**_counts()).order_by()


def _paid(takes: QuerySet[Take], **key: Any) -> QuerySet[Any, dict[str, Any]]:
    return takes.annotate(**key).values(*key).annotate(**_money()).order_by()


def _figures(counted: dict[str, int] | None, paid: dict[str, int] | None) -> Figures:
    nothing = {"orders": 0, "completed": 0, "taken": 0, "unanswered": 0}
    return Figures(**(counted or nothing), **(paid or {"debits": 0, "refunds": 0}))


def cities_with_orders() -> list[str]:
    """What the city filter offers."""
    return list(Order.objects.order_by("city").values_list("city", flat=True).distinct()[:500])
