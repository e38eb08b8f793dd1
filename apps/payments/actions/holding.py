"""Money that is set aside: take it, all or a part, or let it go (contract integrations 1, set_accept)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core.money import Money
from apps.core.states import actor_label
from apps.integrations.ports import CardStanding, VendorError, VendorRefused
from apps.payments import errors, gateways
from apps.payments.actions import flagging, settling
from apps.payments.actions.locking import is_nested, lock
from apps.payments.models import Payment

log = logging.getLogger(__name__)

CLAIM = timedelta(minutes=1)


def capture(*, by: Any, payment: Payment, amount: Money | Decimal | None = None) -> Payment:
    """Take held money; a smaller `amount` gives the rest back to the card. The caller has checked that `by` may.

    The decision is written first and the gateway told after commit (before this returns, outside a transaction).
    Repeating with the same amount is free. Raises `NotHeld`, `WrongAmount`, `KeyReused` for another amount.
    """
    asked = amount.amount if isinstance(amount, Money) else amount
    with transaction.atomic():
        locked = lock(payment.pk)
        whole = locked.amount if asked is None else asked
        currency = getattr(amount, "currency", locked.currency)
        if currency != locked.currency or not 0 < whole <= locked.amount or not Money(whole, currency).is_exact():
            raise errors.WrongAmount.field("amount", f"must be above 0 and at most {locked.amount}")
        if not _is_repeat(locked, Payment.Wish.CAPTURE, whole):
            settling.decide(locked, Payment.Wish.CAPTURE, whole)
            log.info("held money is taken", extra={"payment_id": locked.pk, "by": actor_label(by)})
    return _told(payment.pk)


def cancel_hold(*, by: Any, payment: Payment, reason: str = "") -> Payment:
    """Let held money go. The caller has checked that `by` may. Repeating is free. Raises `NotHeld`, `KeyReused`."""
    with transaction.atomic():
        locked = lock(payment.pk)
        if locked.status == Payment.Status.CANCELLED:
            return locked
        if not _is_repeat(locked, Payment.Wish.CANCEL, None):
            settling.decide(locked, Payment.Wish.CANCEL, None)
            log.info("held money goes", extra={"payment_id": locked.pk, "by": actor_label(by), "reason": reason})
    return _told(payment.pk)


def _is_repeat(payment: Payment, wish: Payment.Wish, amount: Decimal | None) -> bool:
    """Whether the same has been decided before. Raises `NotHeld`, `KeyReused`."""
    decided = payment.wish == wish and payment.wish_amount == amount
    if payment.status == Payment.Status.HELD and not payment.wish:
        return False
    if decided and payment.status in (Payment.Status.HELD, *Payment.SETTLED):
        return True
    raise errors.KeyReused() if payment.status == Payment.Status.HELD else errors.NotHeld()


def _told(payment_id: int) -> Payment:
    if not is_nested():
        carry_out(payment_id=payment_id)
    return Payment.objects.get(pk=payment_id)


def carry_out(*, payment_id: int, now: datetime | None = None) -> Payment:
    """Tell the gateway what was decided about held money. Trouble is not raised: the row's time comes again."""
    payment = _claim(payment_id, now or timezone.now())
    if payment is None:
        return Payment.objects.get(pk=payment_id)
    try:
        standing = _tell(payment)
    except VendorError as problem:
        log.warning("held money is undecided", extra={"payment_id": payment_id, "problem": type(problem).__name__})
        return payment
    return settling.apply(payment_id=payment_id, standing=standing, source=str(payment.wish))


def _claim(payment_id: int, now: datetime) -> Payment | None:
    with transaction.atomic():
        payment = lock(payment_id)
        is_over = payment.is_settled or not payment.wish or not payment.vendor_id
        if is_over or payment.check_at is None or payment.check_at > now:
            return None
        payment.check_at, payment.checks_count = now + CLAIM, payment.checks_count + 1
        payment.save(update_fields=["check_at", "checks_count"])
    return payment


def _tell(payment: Payment) -> CardStanding:
    """One call; when the gateway refuses it, its own word on the payment decides (it may have been done before)."""
    gateway, number = gateways.of(payment.method), payment.vendor_id or ""
    try:
        if payment.wish == Payment.Wish.CAPTURE:
            return gateway.capture(vendor_id=number, amount=payment.final_amount)
        return gateway.cancel(vendor_id=number, amount=payment.amount)
    except VendorRefused as problem:
        standing = gateway.ask(transaction_id=payment.shop_transaction_id, vendor_id=number, on=payment.created_at)
        if standing.state == "held":
            with transaction.atomic():
                flagging.look_needed(payment, f"{payment.wish} was refused: {problem.reason}")
        return standing
