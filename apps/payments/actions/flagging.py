"""Calling people: something about a payment does not fit."""

from __future__ import annotations

import logging

from apps.core import events
from apps.payments.events import LookNeeded
from apps.payments.models import Payment

log = logging.getLogger(__name__)


def look_needed(payment: Payment, why: str) -> None:
    """Flag the payment for a person; announced once per reason."""
    if payment.needs_attention and payment.note == why[:500]:
        return
    log.error("a payment needs a look", extra={"payment_id": payment.pk, "why": why})
    payment.needs_attention, payment.note = True, why[:500]
    Payment.objects.filter(pk=payment.pk).update(needs_attention=True, note=why[:500])
    events.publish(
        LookNeeded(payment_id=payment.pk, purpose=payment.purpose, reference=payment.reference, why=why[:500])
    )
