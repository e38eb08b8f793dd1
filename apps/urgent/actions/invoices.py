"""Top-ups: a payment for the wish, roubles when it is settled, roubles back when it is paid back (contract urgent 3.7).

A payment is started outside of transactions and lives in `payments`; what is here runs in the transaction in which
that payment was settled or its refund was asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from apps.core import events, texts, throttle
from apps.core.money import Money
from apps.core.throttle import Limit
from apps.ledger import actions as ledger
from apps.ledger import queries as ledger_queries
from apps.payments import actions as payments
from apps.payments.models import Payment
from apps.urgent import access, errors
from apps.urgent.conf import BOOK, CURRENCY, PROVIDERS, TOPUP
from apps.urgent.events import InvoicePaid, InvoiceRefunded
from apps.urgent.models import Invoice, Member
from apps.urgent.queries import members as people

log = logging.getLogger(__name__)

HOUSE_ACCOUNTS = {
    Payment.Method.CRYPTO_BOT: "urgent:topup:crypto_bot",
    Payment.Method.STARS: "urgent:topup:stars",
    Payment.Method.YUKASSA: "urgent:topup:yukassa",
}
"""Where the money of a provider comes from in the ledger."""

NO_ANSWER = (payments.GatewayRefused, payments.GatewayDown, payments.GatewaySilent)


def create(*, by: Member, amount: int, provider: str = "") -> Invoice:
    """A bill of `amount` roubles for `by`. Call it outside a transaction: the row must survive what the provider does.

    Raises `PaymentsNotConfigured`, `TooManyRecharges`, `PaymentProviderFailed`.
    """
    access.ensure_not_blocked(by)
    invoice = Invoice(member=by, amount=amount)
    order = _order(invoice, provider)
    throttle.hit(
        "urgent-recharge", by.pk, Limit(settings.URGENT.recharges_per_hour, 3600), refusal=errors.TooManyRecharges
    )
    invoice.save()
    try:
        payments.start(by=by, payer=by.user, reference=str(invoice.pk), key=str(invoice.pk), **order)
    except NO_ANSWER as problem:
        raise errors.PaymentProviderFailed() from problem
    return invoice


def _order(invoice: Invoice, provider: str) -> dict[str, Any]:
    """What the named provider is asked for, or the operator's choice, or the first one that is set up."""
    offered = payments.offered_wallets()
    for name in sorted(PROVIDERS, key=lambda name: name != settings.URGENT.payment_provider):
        price = _price(invoice.amount, name)
        if provider in ("", name) and name in offered and price:
            return _words(invoice, name, price)
    raise errors.PaymentsNotConfigured()


def _price(amount: int, provider: str) -> Money | None:
    """Roubles, or as many whole Stars as they cost: rounded up, the house never loses. None without a rate."""
    if provider != Payment.Method.STARS:
        return Money(Decimal(amount), CURRENCY)
    rate = settings.URGENT.stars_rub_rate
    return Money((Decimal(amount) / rate).to_integral_value(ROUND_CEILING), "XTR") if rate > 0 else None


def _words(invoice: Invoice, provider: str, price: Money) -> dict[str, Any]:
    language, bot = texts.language_of(invoice.member), settings.URGENT.bot_username
    with texts.speaking(language):
        description = gettext("Balance top-up: {amount} RUB").format(amount=invoice.amount)
    return {
        "purpose": TOPUP,
        "method": provider,
        "amount": price,
        "description": description,
        "return_url": f"https://t.me/{bot}" if bot else settings.PUBLIC_URL,
        "language": language,
        "lifetime": timedelta(seconds=settings.URGENT.crypto_invoice_seconds),
    }


def receive_notice(*, raw: bytes, signature: str) -> None:
    """CryptoBot says that something happened. Raises `NoticeForged` (401) and `NoticeMalformed` (400), see D12."""
    _translated(lambda: payments.receive_crypto_notice(raw=raw, signature=signature))


def receive_yukassa_notice(*, raw: bytes) -> None:
    """YooKassa, or anybody else, says that something happened to a payment (contract urgent 10).

    Raises `NoticeMalformed` (400); `PaymentProviderFailed` (502) when YooKassa cannot be asked and `TooMany` (429) when
    there are too many about one payment: a real notice is sent again.
    """
    _translated(lambda: payments.receive_yukassa_notice(raw=raw))


def _translated(deed: Callable[[], None]) -> None:
    """The refusals of `payments` in the words of our clients."""
    try:
        deed()
    except payments.NoticeForged as problem:
        raise errors.NoticeForged() from problem
    except payments.NoticeMalformed as problem:
        raise errors.NoticeMalformed() from problem
    except payments.GatewayDown as problem:
        raise errors.PaymentProviderFailed() from problem


# What follows from payments -------------------------------------------------------------------------------------------


def credit(*, invoice_id: int, method: str) -> None:
    """The money is here: our stored amount goes on the balance, once. In the payment's own transaction."""
    invoice = _locked(invoice_id)
    if invoice is None or invoice.entry_id:
        return
    invoice.entry = _move(invoice, invoice.amount, method, key=f"invoice:{invoice.pk}", reason="recharge")
    invoice.save(update_fields=["entry"])
    events.publish(InvoicePaid(invoice_id=invoice.pk, member_id=invoice.member_id, amount=invoice.amount))


def debit(*, invoice_id: int, refund_id: int, method: str) -> None:
    """A refund has been asked for: the roubles go off the balance first. Raises `ledger.NotEnoughBalance`, and then
    nothing is paid back.
    """
    invoice = _locked(invoice_id)
    if invoice is not None and invoice.entry_id:
        _move(invoice, -invoice.amount, method, key=_refund_key(refund_id), reason="recharge_refund")
        _announce_refund(invoice)


def debit_what_is_left(*, invoice_id: int, refund_id: int, payment: Payment) -> None:
    """The provider has given money back by itself: debit what is left of it; the rest is noted as a shortfall, and
    staff are called.
    """
    invoice = _locked(invoice_id)
    if invoice is None or not invoice.entry_id or _is_debited(invoice, refund_id):
        return
    invoice.shortfall = invoice.amount - _debit_at_most(invoice, refund_id, payment.method)
    invoice.save(update_fields=["shortfall"])
    if invoice.shortfall:
        payments.look_needed(payment, f"paid back after {invoice.shortfall} RUB of it had been spent")
    _announce_refund(invoice)


def undo_debit(*, invoice_id: int, refund_id: int, method: str) -> None:
    """The provider did not give the money back after all: the roubles return to the balance."""
    invoice = _locked(invoice_id)
    if invoice is not None and _is_debited(invoice, refund_id):
        key = f"{_refund_key(refund_id)}:undone"
        _move(invoice, invoice.amount, method, key=key, reason="recharge_refund_undone")


def _locked(invoice_id: int) -> Invoice | None:
    rows = Invoice.objects.select_for_update(of=("self",)).select_related("member__user")
    invoice = rows.filter(pk=invoice_id).first()
    if invoice is None:
        log.error("money for no top-up of ours", extra={"invoice_id": invoice_id})
    return invoice


def _refund_key(refund_id: int) -> str:
    return f"topup-refund:{refund_id}"


def _is_debited(invoice: Invoice, refund_id: int) -> bool:
    holder = people.holder_of(invoice.member)
    return ledger_queries.entries_of(holder, BOOK, CURRENCY).filter(key=_refund_key(refund_id)).exists()


def _debit_at_most(invoice: Invoice, refund_id: int, method: str) -> int:
    """Debit at most the balance, which a take at the same moment may make smaller; returns the roubles debited."""
    holder = people.holder_of(invoice.member)
    while left := min(int(ledger_queries.balance(holder, BOOK, CURRENCY)), invoice.amount):
        try:
            with transaction.atomic():
                _move(invoice, -left, method, key=_refund_key(refund_id), reason="recharge_refund")
        except ledger.NotEnoughBalance:
            continue
        return left
    return 0


def _move(invoice: Invoice, amount: int, method: str, *, key: str, reason: str) -> Any:
    return ledger.post(
        by=None,
        holder=people.holder_of(invoice.member),
        book=BOOK,
        amount=Money(Decimal(amount), CURRENCY),
        key=key,
        reason=reason,
        house=HOUSE_ACCOUNTS[Payment.Method(method)],
        reference=f"invoice:{invoice.pk}",
    )


def _announce_refund(invoice: Invoice) -> None:
    events.publish(InvoiceRefunded(invoice_id=invoice.pk, member_id=invoice.member_id, amount=invoice.amount))
