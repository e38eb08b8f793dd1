"""Standing orders as the office sees them, and a month of one on an invoice (contract florist 6)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet

from apps.florist import errors
from apps.florist.models import Order, StandingOrder

FIELDS = (
    *("id", "customer_id", "status", "every_days", "days_ahead", "next_day", "ends_on"),
    *("items", "details", "is_invoiced", "problem", "created_at", "updated_at"),
)
DETAILS = (
    *("delivery_method", "address", "recipient_name", "recipient_phone", "zone_id", "window"),
    *("delivery_time_text", "card_text", "comment", "payment_method", "is_anonymous"),
)
INVOICED = ("id", "order_number", "status", "standing_day", "total", "paid_amount")


def listed(
    *, by: Any, skip: int = 0, limit: int = 100, status: str | None = None, customer_id: int | None = None
) -> tuple[list[dict[str, Any]], int]:
    """A page, the next delivery first, and how many there are; two queries."""
    rows = _seen(by)
    if status:
        rows = rows.filter(status=status)
    if customer_id:
        rows = rows.filter(customer=customer_id)
    return [row(found) for found in rows.order_by("next_day", "id")[skip : skip + limit]], rows.count()


def one(*, by: Any, standing_id: int) -> dict[str, Any]:
    """One standing order. Raises `StandingOrderNotFound`."""
    return row(_one(by, standing_id))


def invoice(*, by: Any, standing_id: int, year: int, month: int) -> dict[str, Any]:
    """The deliveries of one month with their sum, cancelled ones left out. Raises `StandingOrderNotFound`."""
    standing = _one(by, standing_id)
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    orders = Order.objects.filter(standing_order=standing, standing_day__gte=first, standing_day__lt=after)
    rows = list(orders.exclude(status=Order.Status.CANCELLED).order_by("standing_day").values(*INVOICED))
    return {
        "standing_order_id": standing.pk,
        "customer": {"id": standing.customer_id, "name": standing.customer.name, "phone": standing.customer.phone},
        "month": f"{first:%Y-%m}",
        "orders": rows,
        "total": sum((found["total"] for found in rows), Decimal(0)),
        "paid": sum((found["paid_amount"] for found in rows), Decimal(0)),
    }


def row(found: Any) -> dict[str, Any]:
    """A standing order on the wire; `_seen` has counted its orders."""
    shown = {name: getattr(found, name) for name in FIELDS}
    shown["details"] = {name: found.details.get(name) for name in DETAILS}
    customer = {"id": found.customer_id, "name": found.customer.name, "phone": found.customer.phone}
    return {**shown, "customer": customer, "orders_count": found.made}


def _seen(by: Any) -> QuerySet[StandingOrder]:
    rows: QuerySet[StandingOrder] = StandingOrder.objects.visible_to(by).select_related("customer")
    return rows.annotate(made=Count("orders"))


def _one(by: Any, standing_id: int) -> Any:
    found = _seen(by).filter(pk=standing_id).first()
    if found is None:
        raise errors.StandingOrderNotFound()
    return found
