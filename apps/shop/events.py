"""Facts that the shop announces."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True)
class StockRanLow(Event):
    """A product has fallen to the figure at which staff want to know; each fall has its own `fell_at` (ISO 8601)."""

    slipper_id: int
    name: str
    size: str
    quantity: int
    fell_at: str


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class OrderPlaced(Event):
    """A customer wants these goods; they are off the shelf. `total_amount` is text, because facts are JSON."""

    order_id: int
    customer_id: int
    total_amount: str
    currency: str


@dataclass(frozen=True)
class OrderConfirmed(Event):
    """The money for an order is here, or staff have said so."""

    order_id: int
    customer_id: int


@dataclass(frozen=True)
class OrderMovedOn(Event):
    """The shop works on a paid order: `status` is preparing, ready or delivered."""

    order_id: int
    customer_id: int
    status: str


@dataclass(frozen=True)
class OrderCancelled(Event):
    """An unpaid order was given up; `cancelled_by` is buyer, staff or timer. Its goods are back on the shelf."""

    order_id: int
    customer_id: int
    cancelled_by: str


@dataclass(frozen=True)
class OrderRefunded(Event):
    """All the money of an order went back."""

    order_id: int
    customer_id: int


# ── Money ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class OrdersAndMoneyDisagree(Event):
    """The nightly comparison found orders and payments that do not fit (contract shop 4.4.6)."""

    count: int
    order_ids: list[int]
