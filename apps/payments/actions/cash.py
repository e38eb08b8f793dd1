"""Money that a person hands over to another."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.payments import errors
from apps.payments.actions import settling
from apps.payments.actions.locking import lock
from apps.payments.models import Payment


def take_cash(*, by: Any, payment: Payment) -> Payment:
    """`by` has the money in hand. The caller has checked that they may. Repeating is free.

    Raises `MethodNotOffered` for a payment by another method, `UnknownPayment`.
    """
    if payment.method != Payment.Method.CASH:
        raise errors.MethodNotOffered()
    with transaction.atomic():
        lock(payment.pk)
        return settling.settle(payment_id=payment.pk, told=None, source="cash", by=by)
