"""Asking to be paid: the row first and committed, the gateway after it (design 3.10)."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import idempotency
from apps.core.money import Money
from apps.core.states import actor_label
from apps.core.texts import language_of
from apps.integrations.ports import BasketLine, VendorBusy, VendorRefused, VendorUnsure
from apps.payments import errors, gateways
from apps.payments.actions import settling
from apps.payments.actions.locking import lock_all_of
from apps.payments.gateways import Contact
from apps.payments.models import Payment

log = logging.getLogger(__name__)

LARGEST = 10**12
CASH_DAYS = 30
"""How long cash on delivery may take."""


def offered_methods() -> list[str]:
    """The ways to pay that are set up, in the operator's order."""
    return gateways.offered()


def offered_wallets() -> list[str]:
    """The wallets that are set up: CryptoBot, Stars, YooKassa. Which of them is offered is the product's choice."""
    return gateways.offered_wallets()


def start(
    *,
    by: Any,
    payer: Any,
    purpose: str,
    reference: str,
    amount: Money,
    method: str,
    description: str,
    key: str,
    return_url: str,
    basket: Iterable[BasketLine] | None = None,
    two_stage: bool | None = None,
    contact: Contact | None = None,
    lifetime: timedelta | None = None,
    language: str = "",
    now: datetime | None = None,
) -> Payment:
    """Ask `payer` (a person, or None) for `amount`; send them to the result's `pay_url`. Not inside a transaction.

    Same key and content: the same payment. An open payment of the same thing, method and amount is used again instead
    of a second one. `contact` is where the gateway may send its receipt to, by default the payer's proved addresses;
    `lifetime` is how long it can be paid, by default the operator's figure for the method.
    Raises `AlreadyPaid`, `KeyReused`, `idempotency.KeyTooLong`, `MethodNotOffered`, `WrongAmount`, `GatewayRefused`;
    and `GatewayDown` and `GatewaySilent`, after which the row stays and the same key asks again.
    """
    _ensure_possible(key, method, amount)
    moment = now or timezone.now()
    draft = Payment(
        purpose=purpose,
        reference=reference,
        payer=payer,
        method=method,
        is_two_stage=_is_two_stage(method, two_stage),
        amount=amount.amount,
        currency=amount.currency,
        description=description[:255],
        basket=[gateways.row_of(line) for line in basket or ()],
        return_url=return_url[:500],
        language=language or language_of(payer),
        key=key,
        fingerprint=_fingerprint(payer, amount, method),
        **_times(moment, lifetime or _lifetime(method)),
    )
    return _sent(_written(draft, moment), by, contact)


def _ensure_possible(key: str, method: str, amount: Money) -> None:
    idempotency.ensure_key(key)
    gateways.ensure_offered(method)
    if not amount.is_exact() or not 0 < amount.amount < LARGEST:
        raise errors.WrongAmount.field("amount", "must be above 0 and no finer than the smallest coin")


def _is_two_stage(method: str, wanted: bool | None) -> bool:
    if method != Payment.Method.OCTO:
        return False
    return not settings.PAYMENTS.octo_auto_capture if wanted is None else wanted


def _fingerprint(payer: Any, amount: Money, method: str) -> str:
    return idempotency.fingerprint([getattr(payer, "pk", None), amount.minor_units(), amount.currency, method])


def _times(made_at: datetime, lifetime: timedelta) -> dict[str, datetime]:
    first_question = timedelta(seconds=settings.PAYMENTS.reconcile_after_seconds)
    return {"created_at": made_at, "expires_at": made_at + lifetime, "check_at": made_at + first_question}


def _lifetime(method: str) -> timedelta:
    conf = settings.PAYMENTS
    if method == Payment.Method.CASH:
        return timedelta(days=CASH_DAYS)
    return timedelta(minutes=conf.octo_minutes if method == Payment.Method.OCTO else conf.link_minutes)


def _written(draft: Payment, now: datetime) -> Payment:
    """The row, committed: new, the one of this key, or an open one that serves. A lost race reads the winner's."""
    for _try in range(3):
        try:
            with transaction.atomic(durable=True):
                return _found_or_created(draft, now)
        except IntegrityError:
            draft.pk = None
    raise errors.AlreadyPaid()


def _found_or_created(draft: Payment, now: datetime) -> Payment:
    rows = lock_all_of(draft.purpose, draft.reference)
    if same := next((row for row in rows if row.key == draft.key), None):
        return _same(same, draft)
    if any(row.status in (Payment.Status.PAID, Payment.Status.HELD) for row in rows):
        raise errors.AlreadyPaid()
    for row in rows:
        if row.is_open and not row.is_superseded:
            if _serves(row, draft, now):
                return row
            Payment.objects.filter(pk=row.pk).update(is_superseded=True)
    if not gateways.has_gateway(draft.method):
        draft.status, draft.check_at = Payment.Status.PENDING, None
    draft.save(force_insert=True)
    return draft


def _same(found: Payment, draft: Payment) -> Payment:
    if found.fingerprint != draft.fingerprint:
        raise errors.KeyReused()
    return found


def _serves(row: Payment, draft: Payment, now: datetime) -> bool:
    """An open payment of the same content that can still be paid."""
    same = row.fingerprint == draft.fingerprint and row.is_two_stage == draft.is_two_stage
    return same and row.expires_at > now


def _sent(payment: Payment, by: Any, contact: Contact | None) -> Payment:
    """Ask the gateway when it has not answered yet; the transaction id makes repeating free."""
    log.info("payment asked for", extra={"payment_id": payment.pk, "by": actor_label(by)})
    if payment.status == Payment.Status.FAILED and not payment.pay_url:
        raise errors.GatewayRefused(text=payment.note)
    if payment.status != Payment.Status.CREATED:
        return payment
    try:
        standing = gateways.of(payment.method).start(gateways.order_of(payment, contact))
    except VendorRefused as problem:
        settling.fail(payment_id=payment.pk, status=Payment.Status.FAILED, reason=problem.reason)
        raise errors.GatewayRefused(text=problem.reason) from problem
    except VendorUnsure as problem:
        log.warning("a payment is unsure", extra={"payment_id": payment.pk})
        raise errors.GatewaySilent() from problem
    except VendorBusy as problem:
        raise errors.GatewayDown(retry_after=problem.retry_after) from problem
    return settling.apply(payment_id=payment.pk, standing=standing, source="start")
