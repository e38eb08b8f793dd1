"""Looking at runs, stops and couriers' days (contract florist 4, 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DecimalField, F, Max, Prefetch, Q, QuerySet, Sum, When

from apps.florist import access, errors
from apps.florist.models import CourierDay, DeliveryAttempt, DeliveryRun, Employee, Order, Shop, Stop
from apps.florist.queries.routes import Place
from apps.florist.queries.windows import day_bounds, today_of

Status = Stop.Status
MOST = 200
"""Rows of a screen."""
CASH = DecimalField(max_digits=12, decimal_places=2)
WEEK = timedelta(days=7)
"""How long a day with cash waits to be closed before it is shown no more."""


# ── Runs ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def runs(
    *,
    by: Any,
    skip: int = 0,
    limit: int = 100,
    day: date | None = None,
    courier_id: int | None = None,
    status: str | None = None,
) -> tuple[list[DeliveryRun], int]:
    """Runs that `by` may see with their figures, newest first, and how many there are. Two queries."""
    access.ensure_may(by, "orders", "own")
    wanted = {"day": day, "courier_id": courier_id, "status": status}
    rows = DeliveryRun.objects.visible_to(by).filter(**{k: v for k, v in wanted.items() if v is not None})
    return list(with_figures(rows).order_by("-day", "-id")[skip : skip + limit]), rows.count()


def with_figures(rows: QuerySet[DeliveryRun]) -> QuerySet[DeliveryRun]:
    """With `stops_total`, `stops_open`, `stops_delivered`, `stops_failed`, `cash_due`, `cash_received`."""
    kept = ~Q(stops__status=Status.REMOVED)
    return rows.select_related("courier", "shop").annotate(
        stops_total=Count("stops", filter=kept),
        stops_open=Count("stops", filter=Q(stops__status__in=Stop.OPEN)),
        stops_delivered=Count("stops", filter=Q(stops__status=Status.DELIVERED)),
        stops_failed=Count("stops", filter=Q(stops__status=Status.FAILED)),
        cash_due=Sum(F("stops__cash_received") + _cash_left(), default=Decimal(0)),
        cash_received=Sum("stops__cash_received", default=Decimal(0)),
    )


def _cash_left() -> Case:
    """`Stop.cash_left` of a run's stops, in SQL."""
    total, paid = F("stops__order__total"), F("stops__order__paid_amount")
    by_cash = Q(stops__order__payment_method=None) | Q(stops__order__payment_method=Order.PaymentMethod.CASH)
    owes = Q(stops__status__in=Stop.COLLECTING, stops__order__total__gt=paid)
    given_up = Q(stops__order__status=Order.Status.CANCELLED)
    return Case(When(owes & by_cash & ~given_up, then=total - paid), default=Decimal(0), output_field=CASH)


def run(*, by: Any, run_id: int) -> DeliveryRun:
    """A run with figures and its stops in order, `run.stops_in_order`. Raises `RunNotFound`."""
    access.ensure_may(by, "orders", "own")
    rows = with_figures(DeliveryRun.objects.visible_to(by).filter(pk=run_id))
    found = rows.prefetch_related(Prefetch("stops", queryset=_shown_stops(), to_attr="stops_in_order")).first()
    if found is None:
        raise errors.RunNotFound()
    return found


def _shown_stops() -> QuerySet[Stop]:
    attempts = Prefetch("attempts", queryset=DeliveryAttempt.objects.select_related("photo").order_by("id"))
    rows = Stop.objects.exclude(status=Status.REMOVED).select_related(
        "order__delivery_zone", "order__customer", "proof", "run__shop"
    )
    return rows.prefetch_related(attempts, "order__items").order_by("position", "id")


def stop(*, by: Any, stop_id: int) -> Stop:
    """A stop with its order and attempts. Raises `StopNotFound`."""
    access.ensure_may(by, "orders", "own")
    found = _shown_stops().filter(pk=stop_id, run__in=DeliveryRun.objects.visible_to(by)).first()
    if found is None:
        raise errors.StopNotFound()
    return found


def driving(*, by: Employee) -> list[DeliveryRun]:
    """A courier's runs that are not over, with their stops: today's, and what is left of earlier days."""
    alive = (DeliveryRun.Status.PLANNED, DeliveryRun.Status.ACCEPTED, DeliveryRun.Status.STARTED)
    rows = with_figures(DeliveryRun.objects.visible_to(by).filter(courier=by, status__in=alive))
    shown = Prefetch("stops", queryset=_shown_stops(), to_attr="stops_in_order")
    return list(rows.prefetch_related(shown).order_by("day", "id")[:20])


def to_plan(*, by: Any, day: date | None = None) -> list[Order]:
    """Orders of a day that can be brought and are on no run, by window and zone; those without a window too."""
    access.ensure_may(by, "orders")
    since, until = day_bounds(by.shop, day or today_of(by.shop))
    statuses = (Order.Status.PAID, Order.Status.ASSEMBLED, Order.Status.DELIVERY)
    rows = Order.objects.visible_to(by).filter(
        Q(delivery_from__gte=since, delivery_from__lt=until) | Q(delivery_from=None),
        status__in=statuses,
        delivery_method=Order.Method.DELIVERY,
    )
    rows = rows.exclude(stops__status__in=Stop.OPEN).select_related("delivery_zone", "courier")
    return list(rows.order_by(F("delivery_from").asc(nulls_last=True), "delivery_zone__position", "id")[:MOST])


def known_places(*, shop: Shop, addresses: set[str]) -> dict[str, Place]:
    """Where a courier of the shop stood when he last delivered to these addresses."""
    rows = Stop.objects.filter(
        run__shop=shop, order__address__in=addresses, status=Status.DELIVERED, proof_latitude__isnull=False
    )
    found = rows.order_by("pk").values_list("order__address", "proof_latitude", "proof_longitude")[:1000]
    return {address: (lat, lon) for address, lat, lon in found if address and lat is not None and lon is not None}


# ── Days ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class DaySums:
    """A courier's day in figures; `cash` is what was collected."""

    delivered: int
    failed: int
    open: int
    cash: Decimal


def day_sums(*, courier: Employee, day: date) -> DaySums:
    """Over all his runs of that day. One query."""
    found = Stop.objects.filter(run__courier=courier, run__day=day).aggregate(
        delivered=Count("pk", filter=Q(status=Status.DELIVERED)),
        failed=Count("pk", filter=Q(status=Status.FAILED)),
        open=Count("pk", filter=Q(status__in=Stop.OPEN)),
        cash=Sum("cash_received", default=Decimal(0)),
    )
    return DaySums(**found)


def cash_taken(*, courier: Employee, day: date) -> Decimal:
    """What a manager had accepted of that day before it was opened again. One query."""
    rows = CourierDay.objects.filter(courier=courier, day=day, accepted_at__isnull=False, reopened_at__isnull=False)
    found: Decimal = rows.aggregate(taken=Max("cash_handed", default=Decimal(0)))["taken"]
    return found


@dataclass(frozen=True)
class Day:
    """A courier's day as he sees it; `closed` is its row once he has closed it.

    `taken` of its cash was handed over before the day was opened again.
    """

    day: date
    sums: DaySums
    closed: CourierDay | None
    taken: Decimal


def my_day(*, by: Employee, day: date | None = None) -> Day:
    """Today by default. Raises `NotACourier`, `NotEnoughPermissions`. Three queries."""
    access.ensure_may(by, "orders", "own")
    if by.role != Employee.Role.COURIER:
        raise errors.NotACourier()
    wanted = day or today_of(by.shop)
    closed = CourierDay.objects.standing().filter(courier=by, day=wanted).first()
    taken = cash_taken(courier=by, day=wanted)
    return Day(day=wanted, sums=day_sums(courier=by, day=wanted), closed=closed, taken=taken)


def day_to_close(*, by: Employee) -> date:
    """The oldest day of the last week whose cash he still has and which he has not closed, else today. Two queries."""
    today = today_of(by.shop)
    closed = CourierDay.objects.standing().filter(courier=by, day__gte=today - WEEK).values_list("day", flat=True)
    rows = Stop.objects.filter(run__courier=by, cash_received__gt=0, run__day__gte=today - WEEK, run__day__lt=today)
    left = rows.exclude(run__day__in=list(closed)).order_by("run__day")
    return left.values_list("run__day", flat=True).first() or today


def days(
    *,
    by: Any,
    skip: int = 0,
    limit: int = 100,
    day: date | None = None,
    courier_id: int | None = None,
    is_accepted: bool | None = None,
) -> tuple[list[CourierDay], int]:
    """Closed days that `by` may see, newest first, and how many there are. Two queries."""
    access.ensure_may(by, "orders", "own")
    wanted = {"day": day, "courier_id": courier_id}
    rows = CourierDay.objects.standing().visible_to(by).filter(**{k: v for k, v in wanted.items() if v is not None})
    if is_accepted is not None:
        rows = rows.filter(accepted_at__isnull=not is_accepted)
    return list(
        rows.select_related("courier", "accepted_by").order_by("-day", "-id")[skip : skip + limit]
    ), rows.count()


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class CourierFigures:
    """A courier's work in a time; `on_time` of the delivered ones, as they were handed over."""

    courier_id: int
    name: str
    delivered: int
    failed: int
    on_time: int
    cash: Decimal


def figures(*, shop: Shop, since: datetime, until: datetime) -> list[CourierFigures]:
    """Per courier, of stops delivered or failed in that time; who delivered most first. One query."""
    delivered = Q(status=Status.DELIVERED, delivered_at__gte=since, delivered_at__lt=until)
    failed = Q(status=Status.FAILED, failed_at__gte=since, failed_at__lt=until)
    in_time = Q(order__delivery_to=None) | Q(delivered_at__lte=F("order__delivery_to"))
    found = (
        Stop.objects.filter(delivered | failed, run__shop=shop)
        .order_by()
        .values("run__courier_id", "run__courier__name")
        .annotate(
            delivered=Count("pk", filter=delivered),
            failed=Count("pk", filter=failed),
            on_time=Count("pk", filter=delivered & in_time),
            cash=Sum("cash_received", default=Decimal(0)),
        )
        .order_by("-delivered", "run__courier_id")[:MOST]
    )
    return [
        CourierFigures(
            courier_id=row["run__courier_id"],
            name=row["run__courier__name"],
            **{name: row[name] for name in ("delivered", "failed", "on_time", "cash")},
        )
        for row in found
    ]
