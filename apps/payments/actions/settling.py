"""What a gateway's word does to a payment. Nothing here believes a notice: callers have asked the gateway first."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.core import events, states
from apps.integrations.ports import CardStanding
from apps.payments import errors
from apps.payments.actions import flagging, refunding
from apps.payments.actions.locking import lock, lock_with_siblings
from apps.payments.events import CaptureAsked, PaymentSettled, SurplusTaken
from apps.payments.models import WORDS_LENGTH, Payment

log = logging.getLogger(__name__)

Status = Payment.Status

STRAY = "stray"
"""Purpose of money that came for nothing we know."""

LAST_LOOK_AFTER = timedelta(hours=1)
"""A payment that we gave up by the clock is asked about once more: the buyer may have paid in the last second."""


def apply(*, payment_id: int, standing: CardStanding, source: str) -> Payment:
    """Do what the gateway's answer demands (contract shop 4.4, the transition table); repeating changes nothing."""
    with transaction.atomic():
        payment = _remember(payment_id, standing)
        if _went_back(payment, standing):
            _take_over_refunds(payment, standing)
        elif standing.state == "paid":
            settle(payment_id=payment_id, told=standing.amount, source=source)
        elif standing.state == "held":
            hold(payment_id=payment_id, told=standing.amount, source=source)
        elif standing.state in ("failed", "over"):
            fail(payment_id=payment_id, status=_ending(standing), reason=f"{source}: {standing.word}")
        elif standing.state == "open":
            _accepted(payment_id, standing, source)
    return Payment.objects.get(pk=payment_id)


def _ending(standing: CardStanding) -> str:
    return Status.FAILED if standing.state == "failed" else Status.CANCELLED


def _went_back(payment: Payment, standing: CardStanding) -> bool:
    """Whether the gateway speaks of money that was given back. What is left over of a partial capture is none."""
    if standing.state == "refunded":
        return True
    return bool(standing.state == "paid" and standing.refunded and payment.status != Status.HELD)


def _take_over_refunds(payment: Payment, standing: CardStanding) -> None:
    """Of a settled payment the refunds are written down; money that went back before we saw it come calls for a look;
    what had been given up stays so (contract shop 4.4, the last column of the table).
    """
    if payment.is_settled:
        left_over = payment.amount - payment.captured_amount
        whole = payment.captured_amount if standing.refunded is None else standing.refunded - left_over
        refunding.record_from_gateway(payment_id=payment.pk, refunded=whole)
    elif payment.is_open:
        flagging.look_needed(payment, "the gateway paid back what we never saw come")


def _remember(payment_id: int, standing: CardStanding) -> Payment:
    """The gateway's number is taken from its own answer, never from a notice; the first one stays."""
    payment = lock(payment_id)
    if standing.vendor_id and not payment.vendor_id:
        _ensure_new(payment, standing.vendor_id)
        payment.vendor_id, payment.vendor_payer = standing.vendor_id, standing.payer_id
    if standing.pay_url and not payment.pay_url:
        payment.pay_url, payment.mini_app_url = standing.pay_url, standing.mini_app_url
    payment.vendor_word = (standing.word or payment.vendor_word)[:40]
    payment.save(update_fields=["vendor_id", "vendor_payer", "pay_url", "mini_app_url", "vendor_word"])
    return payment


def _ensure_new(payment: Payment, vendor_id: str) -> None:
    """A number that we have met before comes from another network of the gateway: nobody may pay by it."""
    if Payment.objects.filter(method=payment.method, vendor_id=vendor_id).exclude(pk=payment.pk).exists():
        log.error("a gateway gave a number twice", extra={"payment_id": payment.pk})
        raise errors.GatewayDown()


def _accepted(payment_id: int, standing: CardStanding, source: str) -> None:
    payment = lock(payment_id)
    if payment.status == Status.CREATED:
        states.step(payment, Status.PENDING, by=None, reason=source)
    if standing.refunded and not payment.is_settled:
        flagging.look_needed(payment, "the gateway paid back what it never took")


def settle(*, payment_id: int, told: Decimal | None, source: str, by: Any = None) -> Payment:
    """The gateway, asked, says that the money is there: once per payment, once per (purpose, reference).

    `told` is the amount it named, None when it names none; another than ours moves nothing and calls for a look.
    Money for something that is paid already goes back by itself. Raises `UnknownPayment`.
    """
    with transaction.atomic():
        payment, siblings = lock_with_siblings(payment_id)
        if payment.is_settled:
            return payment
        if told is not None and told not in (payment.final_amount, payment.amount):
            flagging.look_needed(payment, f"the gateway says {told}, we asked for {payment.amount}")
            return payment
        is_late = payment.status in Payment.ENDED
        payment.captured_amount = payment.final_amount
        payment.is_surplus = any(row.status == Status.PAID and not row.is_surplus for row in siblings)
        payment.check_at = None
        payment.save(update_fields=["captured_amount", "is_surplus", "check_at"])
        paid = states.step(payment, Status.PAID, by=by, reason=source)
        for row in siblings:
            if row.status == Status.HELD and not row.wish:
                _decide(row, Payment.Wish.CANCEL, None)
        _announce(paid, is_late)
    return paid


def _announce(payment: Payment, is_late: bool) -> None:
    if payment.is_surplus:
        _send_back(payment)
        return
    events.publish(
        PaymentSettled(
            payment_id=payment.pk,
            purpose=payment.purpose,
            reference=payment.reference,
            method=payment.method,
            amount=str(payment.captured_amount),
            currency=payment.currency,
            payer_id=payment.payer_id or 0,
            is_late=is_late,
        )
    )


def _send_back(payment: Payment) -> None:
    """A second success for one thing: never kept, never ignored (design 3.10)."""
    log.error("a thing was paid twice", extra={"payment_id": payment.pk})
    events.publish(
        SurplusTaken(
            payment_id=payment.pk,
            purpose=payment.purpose,
            reference=payment.reference,
            amount=str(payment.captured_amount),
            currency=payment.currency,
        )
    )
    try:
        refunding.refund(by=None, payment=payment, amount=None, key="surplus", reason="paid twice")
    except (errors.RefundTooSmall, errors.NotRefundable) as refused:  # the gateway does not: people do it
        flagging.look_needed(payment, f"paid twice, and it does not go back by itself: {refused}")


def take_in_stray(
    *, method: str, vendor_id: str, payer_id: int, amount: int, currency: str, of: Payment | None
) -> Payment:
    """Money that a gateway took twice, or for nothing we know: written down and sent back; a repeat finds the row.

    `of` is the payment that it names, if any; `amount` is in `currency`, 0 when it is not known.
    """
    with transaction.atomic():
        now = timezone.now()
        stray, is_new = Payment.objects.get_or_create(
            method=method,
            vendor_id=vendor_id,
            defaults={
                "purpose": of.purpose if of else STRAY,
                "reference": of.reference if of else f"{method}:{vendor_id}"[:WORDS_LENGTH],
                "key": f"stray:{uuid.uuid4().hex}",
                "amount": max(1, amount),
                "captured_amount": max(1, amount),
                "currency": currency,
                "description": "stray",
                "vendor_payer": str(payer_id),
                "is_superseded": True,
                "is_surplus": True,
                "created_at": now,
                "expires_at": now,
            },
        )
        if is_new:
            states.step(stray, Status.PAID, by=None, reason="stray")
            _send_back(stray)
    return stray


def hold(*, payment_id: int, told: Decimal | None, source: str) -> Payment:
    """The gateway, asked, says that the money is set aside. One-stage payments are captured at once; money for
    something that is paid, given up, or of another amount is let go. Raises `UnknownPayment`.
    """
    with transaction.atomic():
        payment, siblings = lock_with_siblings(payment_id)
        if payment.is_settled or payment.status == Status.HELD:
            return payment
        is_wanted = payment.is_open and not any(row.status in (Status.PAID, Status.HELD) for row in siblings)
        if told is not None and told != payment.amount:
            flagging.look_needed(payment, f"the gateway holds {told}, we asked for {payment.amount}")
            is_wanted = False
        if not is_wanted:
            return _decide(payment, Payment.Wish.CANCEL, None)
        payment.hold_until = timezone.now() + timedelta(minutes=settings.PAYMENTS.hold_minutes)
        payment.save(update_fields=["hold_until"])
        held = states.step(payment, Status.HELD, by=None, reason=source)
        held.refresh_from_db()
        return held if held.is_two_stage or held.wish else _decide(held, Payment.Wish.CAPTURE, held.amount)


def _decide(payment: Payment, wish: Payment.Wish, amount: Decimal | None) -> Payment:
    payment.wish, payment.wish_amount, payment.check_at = wish, amount, timezone.now()
    payment.save(update_fields=["wish", "wish_amount", "check_at"])
    events.publish(CaptureAsked(payment_id=payment.pk))
    return payment


def decide(payment: Payment, wish: Payment.Wish, amount: Decimal | None) -> Payment:
    """Write down what becomes of held money; the gateway is told after commit. The row must be locked."""
    return _decide(payment, wish, amount)


def fail(*, payment_id: int, status: str, reason: str, by: Any = None) -> Payment:
    """No money will come: `failed` or `cancelled`. A payment that is settled or ended stays what it is.

    A settled one is flagged: the gateway contradicts itself (contract shop 4.4). Raises `UnknownPayment`.
    """
    with transaction.atomic():
        payment = lock(payment_id)
        if payment.is_settled:
            if not payment.refunding_amount:
                flagging.look_needed(payment, f"paid, but {reason}")
            return payment
        if not payment.is_open:
            Payment.objects.filter(pk=payment.pk).update(check_at=None)
            return payment
        Payment.objects.filter(pk=payment.pk).update(check_at=None, note=reason[:500])
        return states.step(payment, status, by=by, reason=reason[:500])


def expire(*, payment_id: int, now: datetime | None = None) -> Payment:
    """The time to pay is over and the gateway, asked, knows of no money. It is asked once more an hour later."""
    with transaction.atomic():
        ended = fail(payment_id=payment_id, status=Status.CANCELLED, reason="expired")
        if ended.status == Status.CANCELLED:
            Payment.objects.filter(pk=payment_id).update(check_at=(now or timezone.now()) + LAST_LOOK_AFTER)
    return ended
