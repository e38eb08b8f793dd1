"""A timeout is not a no: ask again, until the gateway has said what became of the money (contract shop 4.4.6)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.integrations.ports import CardStanding, VendorBusy, VendorError
from apps.payments import errors, gateways
from apps.payments.actions import flagging, refunding, settling
from apps.payments.actions.holding import carry_out
from apps.payments.models import Attempt, Payment, PaymentEvent, Refund

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=5)
"""A payment stays open this long past its end: the gateway's clock and its notice may be late."""

BATCH = 100
STUCK_AFTER = timedelta(days=1)
"""A gateway that cannot be asked for so long past the end of a payment: a person must look."""

PAYME_LIFETIME = timedelta(hours=12)
"""A transaction of Payme may be performed this long after it was created (contract integrations 2)."""


def ask_gateway(payment: Payment, *, by: Any = None, source: str = "asked") -> Payment:
    """Ask the gateway how a payment stands and do what its answer demands; open refunds are asked about as well.

    Raises `MethodNotOffered` for cash, `GatewayDown` when it cannot be asked.
    """
    try:
        standing = gateways.standing_of(payment)
    except VendorBusy as problem:
        raise errors.GatewayDown(retry_after=problem.retry_after) from problem
    except VendorError as problem:
        raise errors.GatewayDown() from problem
    settling.apply(payment_id=payment.pk, standing=_believable(payment, standing), source=source)
    _mark_asked(payment.pk, standing)
    now = timezone.now()
    for refund_id in payment.refunds.filter(status__in=Refund.OPEN).values_list("id", flat=True):
        refunding.send_refund(refund_id=refund_id, now=now)
    return carry_out(payment_id=payment.pk, now=now)


def _believable(payment: Payment, standing: CardStanding) -> CardStanding:
    """Money that came beside a payment and goes back does not pay it. Click names no amount when asked: only a payment
    whose amount Prepare has compared counts as paid.
    """
    if _is_stray(payment, standing):
        return CardStanding("unknown", word="goes back")
    is_compared = payment.method != Payment.Method.CLICK or payment.attempts.filter(state__gt=0).exists()
    if standing.state != "paid" or is_compared:
        return standing
    with transaction.atomic():
        flagging.look_needed(payment, "Click says paid, but never asked us to prepare it")
    return CardStanding("unknown", word=standing.word)


def _is_stray(payment: Payment, standing: CardStanding) -> bool:
    if not standing.vendor_id or standing.vendor_id == payment.vendor_id:
        return False
    return Payment.objects.filter(method=payment.method, vendor_id=standing.vendor_id, is_surplus=True).exists()


def _mark_asked(payment_id: int, standing: CardStanding) -> None:
    """Notices that waited for this answer are dealt with."""
    now = timezone.now()
    Payment.objects.filter(pk=payment_id).update(checked_at=now)
    waiting = PaymentEvent.objects.filter(payment_id=payment_id, processed_at=None)
    waiting.update(processed_at=now, result=f"asked: {standing.word or standing.state}"[:200])


def reconcile(*, now: datetime | None = None, limit: int = 1000) -> dict[str, int]:
    """Ask about every payment, hold and refund whose turn it is; ends what is over. Returns counts.

    Heals whatever a killed process left: any number of rounds may run side by side.
    """
    moment = now or timezone.now()
    counts = {"payments": 0, "refunds": 0}
    while counts["payments"] < limit and (batch := _claim(moment)):
        said = gateways.standings_of(batch)
        for payment in batch:
            _apart(payment, lambda payment=payment: _look(payment, moment, said.get(payment.pk)))  # type: ignore[misc]  # noqa: B023
        counts["payments"] += len(batch)
    for refund in Refund.objects.due(moment).select_related("payment")[:limit]:
        _apart(refund.payment, lambda refund=refund: refunding.send_refund(refund_id=refund.pk, now=moment))  # type: ignore[misc]
        counts["refunds"] += 1
    return counts


def _apart(payment: Payment, deed: Callable[[], object]) -> None:
    """A product whose handler falls over one payment must not keep the others waiting behind it, round after round."""
    try:
        deed()
    except Exception as problem:
        log.exception("a payment could not be looked after", extra={"payment_id": payment.pk})
        with transaction.atomic():
            flagging.look_needed(payment, f"our own side fell over it: {type(problem).__name__}")


def _claim(now: datetime) -> list[Payment]:
    """Take due payments by moving their next turn; a job that dies leaves them to the next round."""
    pause = timedelta(seconds=settings.PAYMENTS.reconcile_after_seconds)
    with transaction.atomic():
        due = list(Payment.objects.due(now).select_for_update(skip_locked=True, of=("self",))[:BATCH])
        for payment in due:
            payment.checks_count += 1
            payment.check_at = now + pause * (1 if payment.checks_count < 30 else 10)
        Payment.objects.bulk_update(due, ["check_at", "checks_count"])
    return due


def _look(payment: Payment, now: datetime, said: CardStanding | VendorError | None) -> None:
    """One payment whose turn it is; `said` is its gateway's word, `None` when it has not been asked yet."""
    try:
        if isinstance(said, VendorError):
            raise said
        standing = _believable(payment, said or gateways.standing_of(payment))
    except VendorError as problem:
        _not_answered(payment, now, type(problem).__name__)
        return
    if standing.state == "unknown" and payment.vendor_id:  # it knew this payment once
        _not_answered(payment, now, standing.word)
        return
    fresh = settling.apply(payment_id=payment.pk, standing=standing, source="reconcile")
    _mark_asked(payment.pk, standing)
    if fresh.wish and not fresh.is_settled and standing.state == "held":
        Payment.objects.filter(pk=payment.pk).update(check_at=now)
        carry_out(payment_id=payment.pk, now=now)
    elif fresh.is_settled or (not fresh.is_open and now > fresh.expires_at + GRACE + settling.LAST_LOOK_AFTER):
        Payment.objects.filter(pk=payment.pk).update(check_at=None)
    elif standing.state in ("paid", "refunded"):
        return  # money is there that we do not take as ours: it waits for people, not for the clock
    elif standing.state == "open" and payment.method in gateways.ENDS_BY_ITSELF:
        return
    elif fresh.is_open and fresh.status != Payment.Status.HELD and _is_over(fresh, now):
        settling.expire(payment_id=payment.pk, now=now)


def _is_over(payment: Payment, now: datetime) -> bool:
    """Past its time, and nobody is in the middle of paying it."""
    if now < payment.expires_at + GRACE:
        return False
    return not payment.attempts.filter(state=Attempt.State.CREATED, created_at__gt=now - PAYME_LIFETIME).exists()


def _not_answered(payment: Payment, now: datetime, problem: str) -> None:
    log.warning("a gateway cannot be asked", extra={"payment_id": payment.pk, "problem": problem})
    if now > payment.expires_at + STUCK_AFTER:
        with transaction.atomic():
            flagging.look_needed(payment, "the gateway could not be asked for a day")
