"""A notice is a rumour: prove it, keep the receipt, ask the gateway, then move value (contract shop 4.4.2)."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.integrations.ports import CardNotice
from apps.payments import errors, gateways
from apps.payments.actions.asking import ask_gateway
from apps.payments.models import Payment, PaymentEvent

log = logging.getLogger(__name__)

ASK_PAUSE = timedelta(seconds=1.1)
"""OCTO answers about one payment once a second (contract integrations 1, error 11)."""

KNOWN_WORDS = frozenset(
    {"created", "wait_user_action", "waiting_user_action", "waiting_for_capture", "succeeded", "canceled", "cancelled"}
    | {"paid", "captured", "completed", "success", "paid_and_captured", "failed", "error", "refunded", "refund"}
)


def receive_notice(*, raw: bytes, content_type: str = "application/json", method: str = "octo") -> dict[str, Any]:
    """Take in one notice; returns the body to answer with status 200. Products mount it at the path of their clients.

    Held money that is decided about is answered `accept_status` capture or cancel. Raises `NoticeMalformed` (400) and
    `NoticeForged` (403). A gateway that cannot be asked leaves the payment to `reconcile`; the answer is 200 still.
    """
    gateway = gateways.of(method)
    try:
        notice = gateway.read_notice(raw, content_type)
    except ValueError as problem:
        raise errors.NoticeMalformed() from problem
    payment = Payment.objects.filter(method=method, shop_transaction_id=notice.transaction_id).first()
    if gateway.trusts_notices() and not gateway.is_genuine(notice):
        _keep_forgery(method, notice, payment)
        raise errors.NoticeForged()
    if payment is None or (payment.vendor_id and payment.vendor_id != notice.vendor_id):
        log.warning("a notice about no payment of ours", extra={"method": method, "word": notice.word[:40]})
        return {"ok": True}
    event = _receipt(method, notice, payment, is_trusted=gateway.trusts_notices())
    if event is not None:
        payment = _ask(payment, event)
    return _answer(notice, payment)


def _keep_forgery(method: str, notice: CardNotice, payment: Payment | None) -> None:
    """One row per payment and word, so that a flood of forgeries fills no table; unknown payments are only logged."""
    log.warning("a forged notice", extra={"method": method, "payment_id": payment.pk if payment else None})
    if payment is None:
        return
    word = notice.word if notice.word in KNOWN_WORDS else "other"
    event, is_new = PaymentEvent.objects.get_or_create(
        method=method,
        external_id=f"forged:{payment.pk}:{word}",
        defaults={
            "payment": payment,
            "word": word,
            "payload": dict(notice.shown),
            "result": "forged",
            "processed_at": timezone.now(),
        },
    )
    if not is_new:
        _count_repeat(event)


def _receipt(method: str, notice: CardNotice, payment: Payment, *, is_trusted: bool) -> PaymentEvent | None:
    """The row of a notice, committed together with the order to ask; None when it has been dealt with before."""
    with transaction.atomic():
        event, is_new = PaymentEvent.objects.get_or_create(
            method=method,
            external_id=_external_id(notice, payment, is_trusted),
            defaults={
                "payment": payment,
                "word": notice.word[:40],
                "is_genuine": is_trusted,
                "payload": dict(notice.shown),
            },
        )
        if not is_new:
            _count_repeat(event)
            if event.processed_at and (payment.is_settled or (is_trusted and not payment.is_open)):
                return None
        # Should we die now, the schedule asks in our place.
        Payment.objects.filter(pk=payment.pk).update(check_at=timezone.now())
    return event


def _external_id(notice: CardNotice, payment: Payment, is_trusted: bool) -> str:
    """Unproven notices get one row per payment and known word, whatever figures they bring along."""
    if not is_trusted:
        return f"pull:{payment.pk}:{notice.word if notice.word in KNOWN_WORDS else 'other'}"
    parts = f"{notice.vendor_id}:{notice.word}:{notice.refunded}"
    return parts if len(parts) <= 200 else hashlib.sha256(parts.encode()).hexdigest()


def _count_repeat(event: PaymentEvent) -> None:
    PaymentEvent.objects.filter(pk=event.pk).update(repeats_count=F("repeats_count") + 1)


def _ask(payment: Payment, event: PaymentEvent) -> Payment:
    """The gateway's own word; when it cannot be had now, the schedule gets it later."""
    if payment.checked_at and timezone.now() - payment.checked_at < ASK_PAUSE:
        Payment.objects.filter(pk=payment.pk).update(check_at=timezone.now() + ASK_PAUSE)
        return payment
    try:
        return ask_gateway(payment, source="notice")
    except errors.GatewayDown:
        log.warning("a notice waits for its gateway", extra={"payment_id": payment.pk, "event_id": event.pk})
        return payment


def _answer(notice: CardNotice, payment: Payment) -> dict[str, Any]:
    if notice.word != "waiting_for_capture":
        return {"ok": True}
    if payment.status in Payment.ENDED or payment.wish == Payment.Wish.CANCEL:
        return {"accept_status": "cancel"}
    if payment.wish == Payment.Wish.CAPTURE:
        return {"accept_status": "capture", "final_amount": float(payment.final_amount)}
    return {"ok": True}
