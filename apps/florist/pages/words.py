"""What statuses look like on the pages, and which button comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.florist.models import Order, ProductionTask

S = Order.Status

TONE = {
    S.NEW: "warm",
    S.PAID: "live",
    S.ASSEMBLED: "live",
    S.DELIVERY: "live",
    S.SELF_PICKUP: "live",
    S.DELIVERED: "good",
    S.COMPLETED: "good",
    S.ISSUE: "bad",
    S.CANCELLED: "",
}
"""Colour of a status; its word always stands beside it."""

PRIORITY_TONE = {
    ProductionTask.Priority.URGENT: "urgent",
    ProductionTask.Priority.HIGH: "high",
    ProductionTask.Priority.NORMAL: "normal",
    ProductionTask.Priority.LOW: "low",
}


@dataclass(frozen=True)
class Step:
    """The button that moves an order on."""

    to: str
    title: str | Promise


PAID = Step(S.PAID, _("Accept: paid or cash later"))
ASSEMBLED = Step(S.ASSEMBLED, _("Mark as assembled"))
AWAY = Step(S.DELIVERY, _("Hand to the courier"))
READY = Step(S.SELF_PICKUP, _("Ready for pickup"))
HANDED = Step(S.DELIVERED, _("Handed over"))
DONE = Step(S.COMPLETED, _("Complete"))


def next_step(order: Order) -> Step | None:
    """The usual way forward (contract florist 3.5), or nothing."""
    steps = {
        S.NEW: PAID,
        S.PAID: ASSEMBLED,
        S.ASSEMBLED: AWAY if order.delivery_method == Order.Method.DELIVERY else READY,
        S.DELIVERY: HANDED,
        S.SELF_PICKUP: HANDED,
        S.DELIVERED: DONE,
    }
    return steps.get(Order.Status(order.status))


@dataclass(frozen=True)
class Card:
    """An order as a list shows it."""

    order: Order
    tone: str
    step: Step | None


def cards(orders: Iterable[Order]) -> list[Card]:
    """Each with its colour and its next button."""
    return [Card(order, TONE[S(order.status)], next_step(order)) for order in orders]
