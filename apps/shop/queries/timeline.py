"""All that happened to an order: placed, its steps, its money and what the gateways told."""

from __future__ import annotations

from dataclasses import replace

from apps.core import states
from apps.payments import queries as payments
from apps.payments.models import Payment
from apps.payments.queries import Moment
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Order


def payments_of(order: Order) -> list[Payment]:
    """Every payment of the order, newest first. One query."""
    return list(payments.of(PAYMENT_PURPOSE, str(order.pk)))


def of(order: Order) -> list[Moment]:
    """Oldest first; one query for the order's steps and a constant number for each of its payments."""
    found = [Moment(order.created_at, "order", "placed", str(order.customer))]
    found += [
        Moment(row.at, "order", f"{row.from_status} → {row.to_status} {row.reason}".strip(), row.by)
        for row in states.history(order)
    ]
    for payment in payments_of(order):
        found += [replace(row, kind=f"{row.kind} #{payment.pk}") for row in payments.timeline(payment)]
    return sorted(found)
