"""Telegram tells our bot about Stars: the question before a payment, the payment, money that went back

(contract urgent 3.7, 4.4; contract integrations 7). The update's secret has been proved by whoever calls this.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import texts
from apps.integrations.ports import VendorRefused, port
from apps.payments.actions import refunding, settling
from apps.payments.actions.locking import lock
from apps.payments.models import Payment

log = logging.getLogger(__name__)

STARS = Payment.Method.STARS
CURRENCY = "XTR"


def answer_stars_question(question: Mapping[str, Any], *, language: str) -> None:
    """Say yes or no to a payment that is about to happen; a repeat is answered again, the first may have been lost.

    Raises `VendorBusy` when Telegram does not take the answer.
    """
    problem = _problem_with(question)
    with texts.speaking(language):
        words = str(problem) if problem else ""
    try:
        port("bot").answer_pre_checkout(query_id=_text(question, "id"), ok=problem is None, error=words)
    except VendorRefused:  # too late: Telegram has cancelled the payment by itself
        log.warning("a pre-checkout answer was refused")


def _problem_with(question: Mapping[str, Any]) -> Any:
    """Why this payment must not happen, in words for the payer; `None` when it may. Anybody may pay for anybody."""
    payment = _named(question)
    if payment is None:
        return _("This invoice does not exist")
    if question.get("currency") != CURRENCY or question.get("total_amount") != payment.amount:
        return _("The amount does not match the invoice")
    if not payment.is_open or payment.is_superseded or timezone.now() >= payment.expires_at:
        return _("This invoice is over, please make a new one")
    return None


def receive_stars(told: Mapping[str, Any], *, payer_id: int) -> Payment | None:
    """Stars have arrived, told once or often. What we did not ask for, or have already, goes back to the payer.

    `told` is Telegram's `successful_payment`. Returns the payment that holds the money.
    """
    charge_id, stars = _text(told, "telegram_payment_charge_id")[:255], told.get("total_amount")
    if not charge_id:
        log.error("a Stars payment without a charge id")
        return None
    paid = stars if isinstance(stars, int) and 0 < stars < 2**31 else 0
    payment = _named(told)
    if payment is None or told.get("currency") != CURRENCY or paid != payment.amount:
        log.error("a Stars payment that we did not ask for", extra={"stars": paid})
        return _stray(charge_id, payer_id, paid, payment)
    with transaction.atomic():
        locked = lock(payment.pk)
        if locked.vendor_id not in (None, charge_id):
            return _stray(charge_id, payer_id, paid, locked)
        Payment.objects.filter(pk=locked.pk).update(vendor_id=charge_id, vendor_payer=str(payer_id))
        return settling.settle(payment_id=locked.pk, told=Decimal(paid), source="successful_payment")


def _stray(charge_id: str, payer_id: int, stars: int, of: Payment | None) -> Payment:
    return settling.take_in_stray(
        method=STARS, vendor_id=charge_id, payer_id=payer_id, amount=stars, currency=CURRENCY, of=of
    )


def stars_went_back(told: Mapping[str, Any]) -> Payment | None:
    """Telegram has given Stars back, by itself or as we asked; `told` is its `refunded_payment`."""
    charge_id = _text(told, "telegram_payment_charge_id")
    payment = Payment.objects.filter(method=STARS, vendor_id=charge_id).first() if charge_id else None
    if payment is None or not payment.is_settled:
        return payment
    refunding.record_from_gateway(payment_id=payment.pk, refunded=payment.captured_amount, word="refunded by Telegram")
    return Payment.objects.get(pk=payment.pk)


def _named(told: Mapping[str, Any]) -> Payment | None:
    name = _text(told, "invoice_payload")
    return Payment.objects.filter(method=STARS, shop_transaction_id=name).first() if name else None


def _text(source: Mapping[str, Any], name: str) -> str:
    value = source.get(name)
    return value.replace("\x00", "") if isinstance(value, str) else ""
