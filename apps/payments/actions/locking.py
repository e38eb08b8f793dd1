"""Locks of payments, always in the same order, and whether a caller's transaction is open."""

from __future__ import annotations

from django.db import connection

from apps.payments import errors
from apps.payments.models import Payment


def is_nested() -> bool:
    """Whether the caller holds a transaction open; the one that a test case wraps around itself does not count."""
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def lock(payment_id: int) -> Payment:
    """One payment, locked and fresh. Raises `UnknownPayment`."""
    payment = Payment.objects.select_for_update(of=("self",)).filter(pk=payment_id).first()
    if payment is None:
        raise errors.UnknownPayment()
    return payment


def lock_all_of(purpose: str, reference: str) -> list[Payment]:
    """Every payment of one thing, locked in the order of their ids."""
    rows = Payment.objects.filter(purpose=purpose, reference=reference)
    return list(rows.select_for_update(of=("self",)).order_by("id"))


def lock_with_siblings(payment_id: int) -> tuple[Payment, list[Payment]]:
    """One payment and the others of the same thing. Raises `UnknownPayment`."""
    found = Payment.objects.filter(pk=payment_id).values_list("purpose", "reference").first()
    if found is None:
        raise errors.UnknownPayment()
    rows = lock_all_of(*found)
    payment = next(row for row in rows if row.pk == payment_id)
    return payment, [row for row in rows if row.pk != payment_id]
