"""Buyers with their addresses, dates and marks (contract florist 1.0 CustomerOut, 3.14)."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.florist import errors
from apps.florist.models import Customer, CustomerAddress, ImportantDate, Order
from apps.florist.models.catalogue import searchable

FIELDS = (
    *("id", "phone", "name", "email", "notes", "preferences", "source"),
    *("orders_count", "total_spent", "last_order_date", "created_at", "updated_at"),
)
ADDRESS_FIELDS = (
    *("id", "customer_id", "address", "label", "is_primary"),
    *("usage_count", "last_used_at", "created_at"),
)
DATE_FIELDS = ("id", "customer_id", "date", "description", "remind_days_before", "last_reminded_year", "created_at")
RECENT_DAYS = ((30, 5), (60, 4), (120, 3), (240, 2))
"""The last order is at most so many days old → so many points; older or none: 1."""
MONEY_STEP = Decimal(50_000)
LEAST_DIGITS = 3
"""Fewer digits are no piece of a phone."""


def listed(*, by: Any, skip: int = 0, limit: int = 100, search: str = "") -> tuple[list[dict[str, Any]], int]:
    """A page of the shop's buyers, newest first, and how many there are; four queries."""
    found = Customer.objects.visible_to(by).filter(sought(search))
    page = found.order_by("-created_at", "-id").prefetch_related("addresses", "important_dates")[skip : skip + limit]
    return [row(customer) for customer in page], found.count()


def one(*, by: Any, customer_id: int) -> dict[str, Any]:
    """One buyer. Raises `CustomerNotFound`."""
    known: QuerySet[Customer] = Customer.objects.visible_to(by).prefetch_related("addresses", "important_dates")
    found = known.filter(pk=customer_id).first()
    if found is None:
        raise errors.CustomerNotFound()
    return row(found)


def orders_of(*, by: Any, customer_id: int) -> QuerySet[Order]:
    """His orders, newest first. Raises `CustomerNotFound`."""
    if not Customer.objects.visible_to(by).filter(pk=customer_id).exists():
        raise errors.CustomerNotFound()
    return Order.objects.visible_to(by).filter(customer_id=customer_id).order_by("-created_at", "-id")


def row(customer: Customer) -> dict[str, Any]:
    """A buyer on the wire; addresses and dates are read from what was prefetched."""
    addresses = [address_row(address) for address in customer.addresses.all()]
    return {
        **{name: getattr(customer, name) for name in FIELDS},
        "addresses": addresses,
        "important_dates": [date_row(day) for day in customer.important_dates.all()],
        "primary_address": primary(addresses),
        "rfm_score": rfm(customer),
    }


def address_row(address: CustomerAddress) -> dict[str, Any]:
    """An address on the wire."""
    return {name: getattr(address, name) for name in ADDRESS_FIELDS}


def date_row(day: ImportantDate) -> dict[str, Any]:
    """An important date on the wire."""
    return {name: getattr(day, name) for name in DATE_FIELDS}


def primary(addresses: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one that somebody marked, else the one used last, else the newest."""
    marked = next((address for address in addresses if address["is_primary"]), None)
    used = [address for address in addresses if address["last_used_at"]]
    latest = max(used, key=lambda address: address["last_used_at"], default=None)
    return marked or latest or max(addresses, key=lambda address: address["id"], default=None)


def rfm(customer: Customer, *, now: datetime | None = None) -> dict[str, int]:
    """One to five points each for how lately, how often and how much, and their sum (contract 3.14)."""
    recency = _recency(customer.last_order_date, now or timezone.now())
    frequency = min(5, customer.orders_count // 3 + 1)
    monetary = min(5, int(customer.total_spent / MONEY_STEP) + 1)
    return {
        "recency": recency,
        "frequency": frequency,
        "monetary": monetary,
        "total": recency + frequency + monetary,
    }


def _recency(last: datetime | None, now: datetime) -> int:
    if last is None:
        return 1
    days = (now - last).days
    return next((points for most, points in RECENT_DAYS if days <= most), 1)


def sought(search: str) -> Q:
    """Name, e-mail, or a piece of the phone however it is written (contract 3.4)."""
    term = search.strip()
    if not term:
        return Q()
    found = Q(search_text__contains=searchable(term))
    digits = re.sub(r"\D", "", term)
    if len(digits) >= LEAST_DIGITS:
        found |= Q(phone__contains=digits)
        if digits.startswith("8"):
            found |= Q(phone__startswith=f"+7{digits[1:]}")
    return found
