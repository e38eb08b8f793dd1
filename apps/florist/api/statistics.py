"""The shop in figures (contract florist 1.6, last line)."""

from __future__ import annotations

import datetime
from typing import Any

from pydantic import AliasChoices, Field

from apps.core.errors import Invalid
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.api.base import FloristView
from apps.florist.models import Order
from apps.florist.queries import figures


class PeriodQuery(Shape):
    """Whole days of the shop; the last thirty when nothing is said."""

    date_from: datetime.date | None = Field(None, validation_alias=AliasChoices("dateFrom", "date_from"))
    date_to: datetime.date | None = Field(None, validation_alias=AliasChoices("dateTo", "date_to"))


class DayOut(Shape):
    date: datetime.date
    orders: int
    sold: int
    turnover: float


class GoodsOut(Shape):
    product_id: int
    name: str
    quantity: int
    revenue: float


class FloristOut(Shape):
    id: int
    name: str
    completed_tasks: int
    average_quality_score: float | None
    average_minutes: float | None


class StatisticsOut(Shape):
    """An order counts on the day it was taken, and as sold while it is paid or later."""

    date_from: datetime.date
    date_to: datetime.date
    turnover: float
    orders_count: int
    sold_count: int
    cancelled_count: int
    average_order: float
    orders_by_status: dict[Order.Status, int]
    by_day: list[DayOut]
    top_products: list[GoodsOut]
    florists: list[FloristOut]
    waste_stems: int
    waste_cost: float
    delivered_count: int
    on_time_count: int
    on_time_percent: float | None


class DashboardOut(Shape):
    """Today, and what waits for a hand."""

    date: datetime.date
    orders_today: int
    turnover_today: float
    due_today: int
    new_orders: int
    in_production: int
    on_the_way: int
    issues: int
    needs_clarification: int
    without_florist: int
    without_courier: int
    refund_due: float
    overdue_tasks: int
    low_batches: int


class StatisticsView(FloristView):
    """For whoever runs the shop."""

    tag = "statistics"
    needs = ("orders", "write")
    refusals = (errors.NotEnoughPermissions,)


class Statistics(StatisticsView):
    """A period."""

    @endpoint(query=PeriodQuery, login="required", answers={200: StatisticsOut}, summary="Figures of a period")
    def get(self, request: Any, *, query: PeriodQuery) -> dict[str, Any]:
        """Turnover, orders, goods, florists, waste, punctuality; at most a year."""
        return figures.statistics(_period(request.member.shop, query))


def _period(shop: Any, query: PeriodQuery) -> figures.Period:
    usual = figures.last_days(shop)
    last = query.date_to or usual.last
    try:
        first = query.date_from or last - datetime.timedelta(days=figures.USUAL_DAYS - 1)
        is_sane = 0 <= (last - first).days < figures.MOST_DAYS and first.year >= 2000 and last.year <= 2100
    except OverflowError:
        is_sane = False
    if not is_sane:
        msg = f"Value error, a period of at most {figures.MOST_DAYS} days"
        raise Invalid.field("date_from", msg, where="query")
    return figures.Period(shop, first, last)


class Dashboard(StatisticsView):
    """Today."""

    @endpoint(login="required", answers={200: DashboardOut}, summary="Figures of today")
    def get(self, request: Any) -> dict[str, Any]:
        """What was taken today and what waits for somebody."""
        return figures.dashboard(request.member.shop)


urlpatterns = [
    path("api/dashboard/", Dashboard, name="dashboard"),
    path("api/statistics/", Statistics, name="statistics"),
]
