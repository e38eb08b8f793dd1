"""Which gateway collects by which method; cash is collected by people (design 3.14: one port, several vendors)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from apps.integrations.ports import BasketLine, CardGateway, CardOrder, CardStanding, VendorError, port
from apps.payments import errors
from apps.payments.models import Payment
from apps.payments.wallets import CryptoBotWallet, Question, StarsWallet, Wallet, YukassaWallet

Method = Payment.Method
CARDS = (Method.OCTO, Method.PAYME, Method.CLICK)
WALLETS: dict[str, Wallet] = {
    Method.CRYPTO_BOT: CryptoBotWallet(),
    Method.STARS: StarsWallet(),
    Method.YUKASSA: YukassaWallet(),
}
"""Which wallet is offered to whom is the product's choice, hence none of `PAYMENT_METHODS`."""

ASKED_TOGETHER = (Method.CRYPTO_BOT, Method.STARS)
"""One question answers for all their payments."""

ENDS_BY_ITSELF = (Method.CRYPTO_BOT, Method.YUKASSA)
"""They say when a payment is over: what they call open is not ended by our clock."""

NOT_REFUNDABLE = (Method.CRYPTO_BOT, Method.YUKASSA)
"""Money goes back by people, in the vendor's cabinet or not at all."""

STARTS_AGAIN = (Method.YUKASSA,)
"""A start whose answer got lost is asked about by starting again under the same name."""


def of(method: str) -> CardGateway:
    """The gateway of a method. Raises `MethodNotOffered` for cash and for words we do not know."""
    if method in WALLETS:
        wallet: Any = WALLETS[method]
        return wallet  # type: ignore[no-any-return]
    if method not in CARDS:
        raise errors.MethodNotOffered()
    gateway: CardGateway = port(str(method))
    return gateway


def standing_of(payment: Payment) -> CardStanding:
    """How the gateway says that a payment stands. Raises the vendor's errors, `MethodNotOffered` for cash."""
    gateway = of(payment.method)
    is_waited_for = payment.is_open and timezone.now() < payment.expires_at
    if payment.method in STARTS_AGAIN and not payment.vendor_id and is_waited_for:
        return gateway.start(order_of(payment))
    return gateway.ask(
        transaction_id=payment.shop_transaction_id, vendor_id=payment.vendor_id or "", on=payment.created_at
    )


def standings_of(payments: list[Payment]) -> dict[int, CardStanding | VendorError]:
    """By primary key, for those that are asked about together; the others are asked one by one."""
    found: dict[int, CardStanding | VendorError] = {}
    for method in ASKED_TOGETHER:
        rows = [row for row in payments if row.method == method]
        found |= _answers(WALLETS[method], rows) if rows else {}
    return found


def _answers(wallet: Wallet, rows: list[Payment]) -> dict[int, CardStanding | VendorError]:
    asked = [Question(row.shop_transaction_id, row.vendor_id or "", row.created_at) for row in rows]
    try:
        said = wallet.ask_many(asked)
    except VendorError as problem:
        return {row.pk: problem for row in rows}
    return {row.pk: said.get(row.shop_transaction_id, CardStanding("unknown")) for row in rows}


def has_gateway(method: str) -> bool:
    """Whether somebody outside can be asked about such a payment."""
    return method != Payment.Method.CASH


def ensure_offered(method: str) -> None:
    """Raise `MethodNotOffered` unless the operator offers the method and its keys are there."""
    is_known = method in Payment.Method.values and (method in WALLETS or method in settings.PAYMENTS.methods)
    if not is_known:
        raise errors.MethodNotOffered()
    if has_gateway(method) and not of(method).is_configured():
        raise errors.MethodNotOffered()


def offered() -> list[str]:
    """The methods that can be paid by at this moment, in the operator's order."""
    known = [word for word in settings.PAYMENTS.methods if word in Payment.Method.values and word not in WALLETS]
    return [method for method in known if not has_gateway(method) or of(method).is_configured()]


def offered_wallets() -> list[str]:
    """The wallets that are set up."""
    return [method for method, wallet in WALLETS.items() if of(method).is_configured()]


@dataclass(frozen=True)
class Contact:
    """Where a gateway may send its receipt to, as the buyer told us; passed on and not kept."""

    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)


def order_of(payment: Payment, contact: Contact | None = None) -> CardOrder:
    """The payment as its gateway is asked to collect it."""
    payer = payment.payer
    contact = contact or Contact(*((payer.phone or "", payer.email or "") if payer else ()))
    return CardOrder(
        transaction_id=payment.shop_transaction_id,
        amount=payment.amount,
        currency=payment.currency,
        description=payment.description,
        return_url=payment.return_url,
        language=payment.language,
        is_two_stage=payment.is_two_stage,
        lifetime_minutes=max(1, round((payment.expires_at - payment.created_at).total_seconds() / 60)),
        basket=tuple(line_of(row) for row in payment.basket),
        payer_id=str(payer.pk) if payer else "",
        payer_phone=contact.phone,
        payer_email=contact.email,
        asked_at=payment.created_at,
    )


def row_of(line: BasketLine) -> dict[str, Any]:
    """A basket line as it is stored."""
    return {
        "title": line.title,
        "count": line.count,
        "price": str(line.price),
        "spic": line.spic,
        "package_code": line.package_code,
        "vat_percent": line.vat_percent,
        "inn": line.inn,
    }


def line_of(row: dict[str, Any]) -> BasketLine:
    """A stored basket line."""
    return BasketLine(**{**row, "price": Decimal(row["price"])})
