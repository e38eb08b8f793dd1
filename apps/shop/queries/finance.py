"""Orders by their money (contract shop 1.6 `finance`, 3.4, 4.4.6): what was paid, what went back, what does not fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast

from apps.payments import queries as payments
from apps.payments.models import Payment
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Customer, Order
from apps.shop.queries import orders
from apps.shop.queries.orders import MOST

WORDS = {Payment.Status.PAID: "success", Payment.Status.REFUNDED: "refunded"}
"""`payment_status` on the wire. A part paid back leaves the payment paid."""


def listed(*, by: Customer, skip: int = 0, limit: int = MOST) -> list[dict[str, Any]]:
    """Orders with a settled payment, one row each, newest first. Three queries.

    What counts is the latest settled payment: a later attempt that failed does not hide a paid order (D15, K14).
    """
    rows = _with_money(Order.objects.visible_to(by)).order_by("-created_at", "-id")
    ids = list(rows.values_list("pk", flat=True)[skip : skip + limit])
    counting = payments.latest_of(PAYMENT_PURPOSE, map(str, ids))
    return [
        {**order, "payment_status": WORDS[Payment.Status(counting[order["order_id"]].status)]}
        for order in orders.by_ids(ids)
    ]


def _with_money(rows: QuerySet[Order]) -> QuerySet[Order]:
    settled = payments.settled_references(PAYMENT_PURPOSE)
    return rows.annotate(reference=Cast("pk", CharField())).filter(reference__in=settled)


@dataclass(frozen=True)
class Mismatch:
    """An order and its money that do not fit."""

    order_id: int
    what: str


def mismatches() -> list[Mismatch]:
    """Paid payments whose order is not paid, and paid orders without such a payment. Two queries.

    An order that staff confirmed by hand is among the latter: somebody should know.
    """
    paid = payments.paid_references(PAYMENT_PURPOSE)
    rows = Order.objects.annotate(reference=Cast("pk", CharField()))
    unpaid = rows.filter(status__in=Order.PAID).exclude(reference__in=paid)
    kept = rows.exclude(status__in=Order.PAID).filter(reference__in=paid)
    return [
        *(Mismatch(pk, "paid, and no payment is") for pk in unpaid.order_by("id").values_list("pk", flat=True)),
        *(Mismatch(pk, "not paid, and its payment is") for pk in kept.order_by("id").values_list("pk", flat=True)),
    ]
