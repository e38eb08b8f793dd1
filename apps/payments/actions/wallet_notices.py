"""Notices of CryptoBot (signed) and YooKassa (unsigned) about payments of ours (contract urgent 3.7, 4.4, 10)."""

from __future__ import annotations

import logging
import re
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.core import throttle
from apps.core.throttle import Limit
from apps.integrations.ports import port
from apps.payments import errors
from apps.payments.actions import flagging, settling
from apps.payments.actions.asking import ask_gateway
from apps.payments.models import Payment, PaymentEvent

log = logging.getLogger(__name__)

Method = Payment.Method
WORD = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""What a payment may be called at YooKassa, and what we may call it there."""

NOTICES_PER_PAYMENT = Limit(30, 3600)
"""Unsigned notices: whoever knows a payment's id could make us ask and ask."""


def receive_crypto_notice(*, raw: bytes, signature: str) -> None:
    """CryptoBot says that something was paid. Raises `NoticeForged`, `NoticeMalformed`.

    The signature proves the sender, CryptoBot is asked for the truth, the amount is ours. When it cannot be asked the
    proven notice stands, as contract urgent 3.7 has it; when it contradicts the notice, nothing moves and people look.
    """
    if not port("crypto").is_genuine(raw, signature):
        raise errors.NoticeForged()
    notice = _read_crypto(raw)
    if notice is None:
        return
    number, name, update_id = notice
    payment = _crypto_payment(number, name)
    if payment is None:
        log.warning("a notice about no payment of ours", extra={"method": "crypto_bot", "number": number})
        return
    _keep(payment, external_id=str(update_id or f"invoice:{number}"), word="invoice_paid", is_genuine=True)
    if not payment.is_settled:
        _believe(payment)


def _believe(payment: Payment) -> None:
    try:
        is_paid = ask_gateway(payment, source="notice").is_settled
    except errors.GatewayDown:
        settling.settle(payment_id=payment.pk, told=None, source="notice")
        PaymentEvent.objects.filter(payment=payment, processed_at=None).update(
            processed_at=timezone.now(), result="believed: nobody could be asked"
        )
        return
    if not is_paid:
        with transaction.atomic():
            flagging.look_needed(payment, "a notice said paid, the gateway does not")


def _keep(payment: Payment, *, external_id: str, word: str, is_genuine: bool) -> None:
    """The receipt; a repeat only counts."""
    event, is_new = PaymentEvent.objects.get_or_create(
        method=payment.method,
        external_id=external_id[:200],
        defaults={
            "payment": payment,
            "word": word,
            "is_genuine": is_genuine,
            "processed_at": timezone.now() if payment.is_settled else None,
        },
    )
    if not is_new:
        PaymentEvent.objects.filter(pk=event.pk).update(repeats_count=F("repeats_count") + 1)


def _json(raw: bytes) -> dict[str, Any]:
    try:
        notice = orjson.loads(raw)
    except orjson.JSONDecodeError as problem:
        raise errors.NoticeMalformed() from problem
    if not isinstance(notice, dict):
        raise errors.NoticeMalformed()
    return notice


def _read_crypto(raw: bytes) -> tuple[int, str, Any] | None:
    """Invoice number, our name for it and the update's id; `None` for kinds that are not ours."""
    notice = _json(raw)
    if notice.get("update_type") != "invoice_paid":
        return None
    bill = notice.get("payload")
    if not isinstance(bill, dict):
        raise errors.NoticeMalformed()
    number = bill.get("invoice_id")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**63:
        raise errors.NoticeMalformed()
    return number, str(bill.get("payload") or "").replace("\x00", ""), _scalar(notice.get("update_id"))


def _scalar(given: Any) -> Any:
    return given if isinstance(given, int) or (isinstance(given, str) and WORD.fullmatch(given)) else None


def _crypto_payment(number: int, name: str) -> Payment | None:
    """By CryptoBot's number, or by our own name when the answer that held the number never reached us."""
    ours = Payment.objects.filter(method=Method.CRYPTO_BOT)
    if found := ours.filter(vendor_id=str(number)).first():
        return found
    found = ours.filter(shop_transaction_id=name, vendor_id=None).first() if name else None
    if found is not None:
        Payment.objects.filter(pk=found.pk, vendor_id=None).update(vendor_id=str(number))
        found.vendor_id = str(number)
    return found


def receive_yukassa_notice(*, raw: bytes) -> None:
    """YooKassa, or anybody else, says that something happened to a payment.

    Its notices carry no signature, so nothing in them is believed: they name a payment of ours, YooKassa is asked.
    Raises `NoticeMalformed`; `GatewayDown` when it cannot be asked and `TooMany` when there are too many about one
    payment: a real notice is sent again.
    """
    notice = _read_yukassa(raw)
    payment = _yukassa_payment(*notice) if notice else None
    if payment is None or payment.is_settled:
        return
    throttle.hit("payments-yukassa-notice", payment.pk, NOTICES_PER_PAYMENT)
    if ask_gateway(payment, source="notice").is_settled:
        _keep(payment, external_id=payment.vendor_id or "", word="payment.succeeded", is_genuine=False)
        PaymentEvent.objects.filter(payment=payment, processed_at=None).update(
            processed_at=timezone.now(), result="asked: succeeded"
        )


def _read_yukassa(raw: bytes) -> tuple[str, str] | None:
    """YooKassa's id and our name; `None` for kinds that are not ours."""
    notice = _json(raw)
    event, thing = notice.get("event"), notice.get("object")
    if notice.get("type") != "notification" or not isinstance(event, str):
        raise errors.NoticeMalformed()
    if not event.startswith("payment."):
        return None
    if not isinstance(thing, dict) or not isinstance(thing.get("id"), str) or not WORD.fullmatch(thing["id"]):
        raise errors.NoticeMalformed()
    metadata = thing.get("metadata")
    name = metadata.get("invoice") if isinstance(metadata, dict) else None
    return thing["id"], name if isinstance(name, str) and WORD.fullmatch(name) else ""


def _yukassa_payment(number: str, name: str) -> Payment | None:
    """By YooKassa's id, or by our own name when the answer that held the id never reached us.

    The id of the second kind is the notice's claim: it is asked about, and kept when YooKassa confirms it.
    """
    ours = Payment.objects.filter(method=Method.YUKASSA)
    if found := ours.filter(vendor_id=number).first():
        return found
    found = ours.filter(shop_transaction_id=name, vendor_id=None).first() if name else None
    if found is None:
        log.warning("a notice about no payment of ours", extra={"method": "yukassa"})
        return None
    found.vendor_id = number
    return found
