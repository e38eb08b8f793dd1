"""Giving money back: reserved first, sent after commit, done only when the gateway says done (contract shop 4.4.5)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.core import events, idempotency, states
from apps.core.money import Money
from apps.core.states import actor_label
from apps.integrations.ports import RefundStanding, VendorBusy, VendorRefused, VendorUnsure
from apps.payments import access, errors, gateways
from apps.payments.actions import flagging
from apps.payments.actions.locking import is_nested, lock
from apps.payments.events import RefundAsked, RefundFailed, RefundSettled
from apps.payments.models import Payment, Refund

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=2)
"""Whoever sends a refund has it alone for this long; a sender that dies leaves it to the next round."""

LONGEST_PAUSE = timedelta(hours=6)


def refund(
    *, by: Any, payment: Payment, amount: Money | Decimal | None, key: str, reason: str, now: datetime | None = None
) -> Refund:
    """Give `amount` (None: all that is left) of a paid payment back. The caller has checked that `by` may.

    Written and reserved in one transaction, sent after its commit; outside a transaction it is sent before this
    returns. What comes back may be `pending` (accepted is not done) or `failed` (the gateway's words in `note`).
    Same key and content: the same refund. Above the gateway's largest call the key stands for several rows and the
    first is returned. Raises `NotPaid`, `AlreadyRefunded`, `WrongAmount`, `RefundTooSmall`, `RefundOnlyWhole`,
    `KeyReused`, `idempotency.KeyTooLong`, `ReasonMissing`.
    """
    idempotency.ensure_key(key)
    if not reason.strip():
        raise errors.ReasonMissing.field("reason", "a reason is required")
    moment = now or timezone.now()
    asked = amount.amount if isinstance(amount, Money) else amount
    mark = idempotency.fingerprint([str(asked), getattr(amount, "currency", payment.currency)])
    with transaction.atomic():
        locked = lock(payment.pk)
        parts = list(locked.refunds.filter(key=key).order_by("part"))
        if parts:
            return _same(parts[0], mark)
        whole = _allowed(locked, asked, getattr(amount, "currency", locked.currency))
        parts = _reserve(locked, whole, key, mark, reason.strip()[:500], by, moment)
        events.publish(*(_asked(part, locked) for part in parts))
    if not is_nested():
        for part in parts:
            send_refund(refund_id=part.pk, now=moment)
        parts[0].refresh_from_db()
    return parts[0]


def _asked(refund: Refund, payment: Payment) -> RefundAsked:
    return RefundAsked(
        refund_id=refund.pk,
        payment_id=payment.pk,
        purpose=payment.purpose,
        reference=payment.reference,
        amount=str(refund.amount),
        currency=payment.currency,
        is_surplus=payment.is_surplus,
    )


def refund_by_staff(*, by: Any, payment: Payment, amount: Money | Decimal | None, key: str, reason: str) -> Refund:
    """The same from the back office, for staff with the right. Raises `NotPermitted`, and as `refund` does."""
    access.ensure_can_refund(by)
    return refund(by=by, payment=payment, amount=amount, key=key, reason=reason)


def _same(found: Refund, mark: str) -> Refund:
    if found.fingerprint != mark:
        raise errors.KeyReused()
    return found


def _allowed(payment: Payment, asked: Decimal | None, currency: str) -> Decimal:
    """The amount to give back, or a refusal."""
    if payment.status == Payment.Status.REFUNDED:
        raise errors.AlreadyRefunded()
    if payment.status != Payment.Status.PAID:
        raise errors.NotPaid()
    if payment.refundable <= 0:
        raise errors.AlreadyRefunded()
    whole = payment.refundable if asked is None else asked
    if currency != payment.currency or not Money(whole, currency).is_exact() or not 0 < whole <= payment.refundable:
        raise errors.WrongAmount.field("amount", f"must be above 0 and at most {payment.refundable}", given=str(asked))
    _ensure_gateway_can(payment, whole)
    return whole


def _ensure_gateway_can(payment: Payment, whole: Decimal) -> None:
    if not gateways.has_gateway(payment.method):
        return
    if payment.method in gateways.NOT_REFUNDABLE:
        raise errors.NotRefundable()
    if not gateways.of(payment.method).refunds_in_parts and whole != payment.captured_amount:
        raise errors.RefundOnlyWhole()
    least = settings.PAYMENTS.octo_usd_uzs_rate.quantize(Decimal(1), ROUND_HALF_UP)
    if payment.method == Payment.Method.OCTO and payment.currency == "UZS" and whole < least:
        raise errors.RefundTooSmall(least=least)


def _reserve(
    payment: Payment, whole: Decimal, key: str, mark: str, reason: str, by: Any, now: datetime
) -> list[Refund]:
    """Set the amount aside on the payment and write one row per call; the check constraint is the last guard."""
    payment.refunding_amount += whole
    payment.save(update_fields=["refunding_amount"])
    return [
        Refund.objects.create(
            payment=payment,
            amount=share,
            currency=payment.currency,
            key=key,
            part=number,
            fingerprint=mark,
            reason=reason,
            asked_by=access.person_of(by),
            created_at=now,
            check_at=now,
        )
        for number, share in enumerate(_shares(payment.method, whole), start=1)
    ]


def _shares(method: str, whole: Decimal) -> list[Decimal]:
    """Equal-looking calls of at most the gateway's largest; the last two share the rest, so none is tiny."""
    most = gateways.of(method).largest_refund if gateways.has_gateway(method) else None
    if not most or whole <= most:
        return [whole]
    shares: list[Decimal] = []
    while whole > 2 * most:
        shares.append(most)
        whole -= most
    half = (whole / 2).quantize(Decimal("0.01"))
    return [*shares, half, whole - half]


def send_refund(*, refund_id: int, now: datetime | None = None) -> Refund:
    """Tell the gateway about one refund, or ask how it stands: the call is the same and moves money once.

    Trouble is not raised: the row stays open and its time comes again.
    """
    refund = _claim(refund_id, now or timezone.now())
    if refund is None:
        return Refund.objects.get(pk=refund_id)
    payment = refund.payment
    if not gateways.has_gateway(payment.method):
        return conclude(refund_id=refund.pk, standing=RefundStanding("done", word="cash"))
    try:
        standing = gateways.of(payment.method).refund(
            vendor_id=payment.vendor_id or "",
            refund_id=refund.shop_refund_id,
            amount=refund.amount,
            payer_id=payment.vendor_payer,
        )
    except VendorRefused as problem:
        standing = _refusal(refund, problem.reason)
    except VendorUnsure:
        standing = RefundStanding("pending", word="no answer")
    except VendorBusy as problem:
        log.warning("a refund could not be sent", extra={"refund_id": refund.pk, "problem": problem.reason})
        return refund
    return conclude(refund_id=refund.pk, standing=standing)


def _refusal(refund: Refund, words: str) -> RefundStanding:
    """A refusal of the first call means that nothing went. Of a later one it does not: the gateway took the wish, or
    may have, and may now be refusing the repeat; freeing the amount could send it twice, so people look.
    """
    if refund.status == Refund.Status.NEW:
        return RefundStanding("failed", word=words)
    with transaction.atomic():
        flagging.look_needed(refund.payment, f"a refund is on its way, but its repeat was refused: {words}")
    return RefundStanding("pending", word=words)


def conclude_by_staff(*, by: Any, refund: Refund, went_back: bool, reason: str) -> Refund:
    """Staff have seen in the gateway's cabinet, or in hand, what became of a refund that is on its way.

    Repeating is free. Raises `NotPermitted`, `ReasonMissing`, `RefundSettled` when it ended otherwise or was not sent.
    """
    access.ensure_can_refund(by)
    if not reason.strip():
        raise errors.ReasonMissing.field("reason", "a reason is required")
    outcome: Literal["done", "failed"] = "done" if went_back else "failed"
    ended = Refund.Status.SUCCEEDED if went_back else Refund.Status.FAILED
    with transaction.atomic():
        lock(refund.payment_id)
        seen = Refund.objects.get(pk=refund.pk)
        if seen.status not in (Refund.Status.PENDING, ended):
            raise errors.RefundSettled(from_status=seen.status, to_status=ended)
        log.info("staff concluded a refund", extra={"refund_id": refund.pk, "by": actor_label(by), "outcome": outcome})
        return conclude(refund_id=refund.pk, standing=RefundStanding(outcome, word=f"{actor_label(by)}: {reason}"))


def _claim(refund_id: int, now: datetime) -> Refund | None:
    """Take the row for one call by moving its next turn; a second sender finds it moved."""
    with transaction.atomic():
        due = Refund.objects.due(now).filter(pk=refund_id).select_related("payment")
        refund = due.select_for_update(skip_locked=True, of=("self",)).first()
        if refund is None:
            return None
        refund.checks_count += 1
        refund.sent_at = refund.sent_at or now
        refund.check_at = now + min(CLAIM * 2 ** min(refund.checks_count - 1, 10), LONGEST_PAUSE)
        refund.save(update_fields=["checks_count", "sent_at", "check_at"])
    return refund


def conclude(*, refund_id: int, standing: RefundStanding) -> Refund:
    """What the gateway says about a refund, applied once: done moves the payment on, failed frees the amount."""
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id)
    with transaction.atomic():
        payment = lock(payment_id)
        refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund_id)
        if refund.status not in Refund.OPEN:
            return refund
        refund.vendor_word = standing.word[:40]
        refund.vendor_refund_id = standing.vendor_id or refund.vendor_refund_id
        refund.save(update_fields=["vendor_word", "vendor_refund_id"])
        if standing.state == "done":
            return _done(refund, payment)
        if standing.state == "failed":
            return _refused(refund, payment, standing.word)
        if refund.status == Refund.Status.NEW:
            return states.step(refund, Refund.Status.PENDING, by=None, reason=standing.word)
        return refund


def _done(refund: Refund, payment: Payment) -> Refund:
    done = states.step(refund, Refund.Status.SUCCEEDED, by=refund.asked_by, reason=refund.reason)
    payment.refunded_amount += refund.amount
    payment.save(update_fields=["refunded_amount"])
    is_full = payment.refunded_amount == payment.captured_amount
    if is_full:
        states.step(payment, Payment.Status.REFUNDED, by=refund.asked_by, reason=refund.reason)
    events.publish(
        RefundSettled(
            refund_id=refund.pk,
            payment_id=payment.pk,
            purpose=payment.purpose,
            reference=payment.reference,
            amount=str(refund.amount),
            currency=payment.currency,
            refunded_amount=str(payment.refunded_amount),
            is_full=is_full,
            is_surplus=payment.is_surplus,
            payer_id=payment.payer_id or 0,
        )
    )
    return done


def _refused(refund: Refund, payment: Payment, words: str) -> Refund:
    failed = states.step(refund, Refund.Status.FAILED, by=None, reason=words[:500])
    Refund.objects.filter(pk=refund.pk).update(note=words[:500])
    failed.note = words[:500]
    payment.refunding_amount -= refund.amount
    payment.needs_attention, payment.note = True, f"a refund failed: {words}"[:500]
    payment.save(update_fields=["refunding_amount", "needs_attention", "note"])
    events.publish(
        RefundFailed(
            refund_id=refund.pk,
            payment_id=payment.pk,
            purpose=payment.purpose,
            reference=payment.reference,
            amount=str(refund.amount),
            currency=payment.currency,
            is_surplus=payment.is_surplus,
            reason=words,
        )
    )
    return failed


def record_from_gateway(*, payment_id: int, refunded: Decimal, word: str = "by the gateway") -> None:
    """The gateway says that `refunded` has gone back in all: our open refunds are done when it covers them, and what
    exceeds them was given back in the gateway's own cabinet. More than was taken calls for a look.
    """
    with transaction.atomic():
        payment = lock(payment_id)
        if refunded > payment.captured_amount:
            flagging.look_needed(payment, f"the gateway paid {refunded} back, we took {payment.captured_amount}")
        if not payment.refunding_amount <= refunded <= payment.captured_amount:
            return
        for refund_id in payment.refunds.filter(status__in=Refund.OPEN).order_by("id").values_list("id", flat=True):
            conclude(refund_id=refund_id, standing=RefundStanding("done", word=word))
        payment = lock(payment_id)
        beyond = refunded - payment.refunding_amount
        if beyond > 0:
            key = f"gateway:{refunded}"
            row = _reserve(payment, beyond, key, idempotency.fingerprint(key), word, None, timezone.now())
            for part in row:
                conclude(refund_id=part.pk, standing=RefundStanding("done", word=word))
