"""How the shop does: turnover, what went back, orders and who paid them, by day and category (contract shop 1.6, 3.4).

Money is counted on the day it moved: turnover when a payment settled, refunds when they arrived. Orders are counted on
the day they were placed, so that the share of those that were paid is about the same orders. The sums of payments are
exact: hundredths as integers, because SQLite keeps decimals as floating point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import BigIntegerField, CharField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Cast, Round, TruncDate
from django.utils import timezone

from apps.payments.models import Payment, Refund
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Order, OrderItem

LONGEST_PERIOD_DAYS = 366
MOST_ROWS = 30
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Period:
    """Days from `since` to `until`, both included, in the house's time zone."""

    since: date
    until: date

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.since + timedelta(days=number) for number in range((self.until - self.since).days + 1)]

    def moments(self) -> tuple[datetime, datetime]:
        """From the first moment of the first day to the first moment after the last."""
        return _midnight(self.since), _midnight(self.until + timedelta(days=1))


@dataclass(frozen=True)
class Figures:
    """`placed` orders of the period, how many of them were `ordered_paid`; payments and refunds of the period."""

    placed: int = 0
    ordered_paid: int = 0
    payments: int = 0
    turnover: Decimal = Decimal(0)
    refunds: int = 0
    refunded: Decimal = Decimal(0)

    @property
    def average(self) -> Decimal | None:
        """A payment on the average; None without any."""
        return (self.turnover / self.payments).quantize(CENT) if self.payments else None

    @property
    def conversion(self) -> float | None:
        """Percent of the placed orders that were paid, one decimal; None without any."""
        return round(100 * self.ordered_paid / self.placed, 1) if self.placed else None

    @property
    def kept(self) -> Decimal:
        """What stays."""
        return self.turnover - self.refunded


@dataclass(frozen=True)
class Shelf:
    """One category in the orders placed in the period; money is the sum of its lines at the price of the day.

    `total` counts lines of orders that were paid, `back` those of orders that were paid back in full.
    """

    category: str
    placed: int
    ordered_paid: int
    pieces: int
    total: Decimal
    back: Decimal

    @property
    def conversion(self) -> float | None:
        """Percent of the orders with this category that were paid."""
        return round(100 * self.ordered_paid / self.placed, 1) if self.placed else None


def last_days(days: int, *, now: datetime | None = None) -> Period:
    """A period that ends today, at most a year."""
    today = timezone.localdate(now)
    return Period(today - timedelta(days=min(max(days, 1), LONGEST_PERIOD_DAYS) - 1), today)


def totals(period: Period) -> Figures:
    """The headline figures. Three queries."""
    orders = _orders(period).aggregate(placed=Count("pk"), ordered_paid=Count("pk", filter=WAS_PAID))
    came = _came(period).aggregate(payments=Count("pk"), turnover=_exact("captured_amount"))
    went = _went(period).aggregate(refunds=Count("pk"), refunded=_exact("amount"))
    return _figures(orders, came, went)


def by_day(period: Period) -> list[tuple[date, Figures]]:
    """One row per day, days without anything too. Three queries."""
    orders = _per_day(_orders(period), "created_at", placed=Count("pk"), ordered_paid=Count("pk", filter=WAS_PAID))
    came = _per_day(_came(period), "paid_at", payments=Count("pk"), turnover=_exact("captured_amount"))
    went = _per_day(_went(period), "settled_at", refunds=Count("pk"), refunded=_exact("amount"))
    return [(day, _figures(*(rows.get(day, {}) for rows in (orders, came, went)))) for day in period.days]


def by_category(period: Period) -> list[Shelf]:
    """The shelves that sold most; products without one stand under an empty name. One query."""
    paid, back = Q(order__paid_at__isnull=False), Q(order__status=Order.Status.REFUNDED)
    lines = OrderItem.objects.filter(order__in=_orders(period)).order_by()
    grouped = lines.values(category=F("slipper__category__name")).annotate(
        placed=Count("order", distinct=True),
        ordered_paid=Count("order", distinct=True, filter=paid),
        pieces=Sum("quantity", filter=paid, default=0),
        total=_exact("total_price", paid),
        back=_exact("total_price", back),
    )
    rows = grouped.order_by(F("total").desc(nulls_last=True), "category")[:MOST_ROWS]
    return [_shelf(row) for row in rows]


def _shelf(row: Mapping[str, Any]) -> Shelf:
    money = {name: _units(row[name]) for name in ("total", "back")}
    return Shelf(**{**row, "category": row["category"] or "", **money})


def by_status() -> dict[str, int]:
    """How many orders stand where, all time. One query."""
    counted = Order.objects.filter(deleted_at=None).order_by().values_list("status").annotate(Count("pk"))
    return {status: count for status, count in counted}


def with_money(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Orders with `paid_amount` and `back_amount` of the payment that counts; both None when nobody has paid."""
    mine = Payment.objects.settled().filter(
        purpose=PAYMENT_PURPOSE, reference=Cast(OuterRef("pk"), CharField()), is_surplus=False
    )
    counts = mine.order_by("-created_at", "-id")
    return orders.annotate(
        paid_amount=Subquery(counts.values("captured_amount")[:1]),
        back_amount=Subquery(counts.values("refunded_amount")[:1]),
    )


# ── Rows and sums ───────────────────────────────────────────────────────────────────────────────────────────────────
WAS_PAID = Q(paid_at__isnull=False)


def _orders(period: Period) -> QuerySet[Order]:
    since, until = period.moments()
    return Order.objects.filter(deleted_at=None, created_at__gte=since, created_at__lt=until)


def _came(period: Period) -> QuerySet[Payment]:
    """Settled payments; a surplus is on its way back and was never the shop's."""
    since, until = period.moments()
    mine = Payment.objects.settled().filter(purpose=PAYMENT_PURPOSE, currency=settings.SHOP.currency, is_surplus=False)
    return mine.filter(paid_at__gte=since, paid_at__lt=until)


def _went(period: Period) -> QuerySet[Refund]:
    since, until = period.moments()
    mine = Refund.objects.filter(payment__purpose=PAYMENT_PURPOSE, payment__is_surplus=False)
    done = mine.filter(status=Refund.Status.SUCCEEDED, currency=settings.SHOP.currency)
    return done.filter(settled_at__gte=since, settled_at__lt=until)


def _per_day(rows: QuerySet[Any], at: str, **counted: Any) -> dict[date, dict[str, Any]]:
    grouped = rows.annotate(day=TruncDate(at)).order_by().values("day").annotate(**counted)
    return {row.pop("day"): row for row in grouped}


def _exact(name: str, where: Q | None = None) -> Sum:
    return Sum(Cast(Round(F(name) * 100), BigIntegerField()), filter=where)


def _units(hundredths: int | None) -> Decimal:
    return Decimal(hundredths or 0).scaleb(-2)


def _figures(*parts: dict[str, Any]) -> Figures:
    found = {name: value for part in parts for name, value in part.items()}
    for name in ("turnover", "refunded"):
        found[name] = _units(found.get(name))
    return Figures(**found)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
