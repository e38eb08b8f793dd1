"""What staff do with the inbox of notices and with payments that need a look."""

from __future__ import annotations

from typing import Any

from apps.payments import access, errors
from apps.payments.actions.asking import ask_gateway
from apps.payments.models import Payment, PaymentEvent


def ask_about_event(*, by: Any, event: PaymentEvent) -> Payment:
    """Ask the gateway about the payment of a notice, now. Raises `NotPermitted`, `UnknownPayment`, `GatewayDown`."""
    access.ensure_can_handle(by)
    if event.payment is None:
        raise errors.UnknownPayment()
    return ask_gateway(event.payment, by=by, source="staff asked")


def looked_at(*, by: Any, payment: Payment) -> Payment:
    """A person has looked: the flag goes, the note stays. Raises `NotPermitted`."""
    access.ensure_can_handle(by)
    Payment.objects.filter(pk=payment.pk).update(needs_attention=False)
    payment.needs_attention = False
    return payment
