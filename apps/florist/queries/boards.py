"""What the manager's desk shows: a day's orders by window, what needs a hand, what runs out, whose feast is near."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet

from apps.florist import errors
from apps.florist.models import (
    Customer,
    DeliveryRun,
    Employee,
    ImportantDate,
    Material,
    Order,
    Product,
    Stop,
)
from apps.florist.queries import deliveries, windows
from apps.florist.queries.routes import Place

S = Order.Status
OVER = (S.DELIVERED, S.COMPLETED, S.CANCELLED)
LONGEST_DAY = 200
"""Orders of a day that a desk shows."""
DAYS_OF_DATES = 7

NEEDS: dict[str, Q] = {
    "new": Q(status=S.NEW),
    "no-florist": Q(assigned_florist=None, status__in=(S.NEW, S.PAID)),
    "no-courier": Q(courier=None, courier_phone=None, delivery_method="delivery", status__in=(S.PAID, S.ASSEMBLED)),
    "clarify": Q(address_needs_clarification=True) & ~Q(status__in=OVER),
    "issue": Q(status=S.ISSUE),
    "backorder": Q(is_backorder=True, status__in=(S.NEW, S.PAID)),
}
"""What waits for a manager's hand, on any day."""


@dataclass(frozen=True)
class WindowOfDay:
    """One window with its orders."""

    starts: datetime | None
    ends: datetime | None
    orders: list[Order]


def needs(by: Employee) -> dict[str, int]:
    """How many open orders need which hand. One query."""
    counts = {name.replace("-", "_"): Count("pk", filter=condition) for name, condition in NEEDS.items()}
    found = Order.objects.visible_to(by).exclude(status__in=OVER).order_by().aggregate(**counts)
    return {name: found[name.replace("-", "_")] for name in NEEDS}


def day(by: Employee, on: date) -> list[WindowOfDay]:
    """Orders to be handed over that day, by window; cancelled ones aside. Two queries."""
    starts, ends = windows.day_bounds(by.shop, on)
    rows = Order.objects.visible_to(by).filter(delivery_from__gte=starts, delivery_from__lt=ends)
    return _by_window(_full(rows.exclude(status=S.CANCELLED)).order_by("delivery_from", "delivery_to", "pk"))


def undated(by: Employee) -> list[Order]:
    """Open orders whose time is still to be agreed, newest first. Two queries."""
    rows = Order.objects.visible_to(by).filter(delivery_from=None).exclude(status__in=OVER)
    return list(_full(rows)[:50])


def waiting(by: Employee, need: str) -> list[Order]:
    """Open orders that need this hand, soonest first. Two queries. Raises `KeyError` for a need nobody knows."""
    rows = Order.objects.visible_to(by).exclude(status__in=OVER).filter(NEEDS[need])
    return list(_full(rows).order_by("delivery_from", "pk")[:LONGEST_DAY])


def _full(rows: QuerySet[Order]) -> QuerySet[Order]:
    return rows.select_related("assigned_florist", "courier", "delivery_zone", "customer").prefetch_related("items")


def _by_window(rows: QuerySet[Order]) -> list[WindowOfDay]:
    found: list[WindowOfDay] = []
    for order in rows[:LONGEST_DAY]:
        if not found or (found[-1].starts, found[-1].ends) != (order.delivery_from, order.delivery_to):
            found.append(WindowOfDay(order.delivery_from, order.delivery_to, []))
        found[-1].orders.append(order)
    return found


@dataclass(frozen=True)
class Feast:
    """A buyer's important day that is near."""

    customer: Customer
    description: str
    on: date
    last_order_id: int | None


def feasts(by: Employee, today: date, days: int = DAYS_OF_DATES) -> list[Feast]:
    """Important dates of the shop's buyers in the next days, soonest first; at most fifty. Two queries."""
    coming = {f"{one:%m-%d}": one for one in (today + timedelta(days=ahead) for ahead in range(days + 1))}
    rows = ImportantDate.objects.filter(customer__shop_id=by.shop_id, date__in=coming).select_related("customer")
    found = sorted(rows[:50], key=lambda row: (coming[row.date], row.pk))
    last = _last_orders([row.customer_id for row in found])
    return [Feast(row.customer, row.description, coming[row.date], last.get(row.customer_id)) for row in found]


def _last_orders(customer_ids: Iterable[int]) -> dict[Any, int]:
    rows = Order.objects.filter(customer__in=list(customer_ids)).exclude(status=S.CANCELLED).order_by("pk")
    return dict(rows.values_list("customer_id", "pk"))


# ── One order ───────────────────────────────────────────────────────────────────────────────────────────────────────
def order(by: Employee, order_id: int) -> Order:
    """Everything that the manager's page of an order shows. Eight queries. Raises `OrderNotFound`."""
    rows = _full(Order.objects.visible_to(by)).select_related("shop")
    rows = rows.prefetch_related("history__by", "comments__user", "photos", "tasks__florist")
    found = rows.filter(pk=order_id).first()
    if found is None:
        raise errors.OrderNotFound()
    return found


def goods(by: Employee) -> list[Product]:
    """What the shop sells, for the choice on a form; at most five hundred by name. One query."""
    return list(Product.objects.on_sale_now().filter(shop_id=by.shop_id).order_by("name", "pk")[:500])


def materials(by: Employee) -> list[Material]:
    """Ribbon, paper and the rest in use, by name; at most two hundred. One query."""
    return list(Material.objects.filter(shop_id=by.shop_id, is_active=True).order_by("name", "pk")[:200])


# ── Runs ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def rounds(by: Employee, day: date) -> list[DeliveryRun]:
    """The shop's runs of a day but the cancelled ones, with stops and figures. Three queries."""
    rows = DeliveryRun.objects.visible_to(by).filter(day=day).exclude(status=DeliveryRun.Status.CANCELLED)
    stops = Stop.objects.exclude(status=Stop.Status.REMOVED).select_related("order").order_by("position", "id")
    shown = Prefetch("stops", queryset=stops, to_attr="stops_in_order")
    return list(deliveries.with_figures(rows).prefetch_related(shown).order_by("id")[:50])


def places(by: Employee, order_ids: Iterable[int]) -> dict[int, Place]:
    """Where these orders go, as far as couriers of the shop have been there. Two queries."""
    rows = Order.objects.visible_to(by).filter(pk__in=list(order_ids)).values_list("pk", "address")
    addresses = {pk: address for pk, address in rows if address}
    known = deliveries.known_places(shop=by.shop, addresses=set(addresses.values()))
    return {pk: known[address] for pk, address in addresses.items() if address in known}


def stops_done(by: Employee, day: date) -> list[Stop]:
    """A courier's stops of a day that are over, with their orders; the last first. One query."""
    rows = Stop.objects.filter(run__courier=by, run__day=day, status__in=(Stop.Status.DELIVERED, Stop.Status.FAILED))
    return list(rows.select_related("order").order_by("-updated_at", "-id")[:100])
