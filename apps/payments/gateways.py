"""Which gateway collects by which method; cash is collected by people (design 3.14: one port, several vendors)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings

from apps.integrations.ports import BasketLine, CardGateway, CardOrder, port
from apps.payments import errors
from apps.payments.models import Payment


def of(method: str) -> CardGateway:
    """The gateway of a method. Raises `MethodNotOffered` for cash and for words we do not know."""
    if method not in (Payment.Method.OCTO, Payment.Method.PAYME, Payment.Method.CLICK):
        raise errors.MethodNotOffered()
    gateway: CardGateway = port(str(method))
    return gateway


def has_gateway(method: str) -> bool:
    """Whether somebody outside can be asked about such a payment."""
    return method != Payment.Method.CASH


def ensure_offered(method: str) -> None:
    """Raise `MethodNotOffered` unless the operator offers the method and its keys are there."""
    if method not in settings.PAYMENTS.methods or method not in Payment.Method.values:
        raise errors.MethodNotOffered()
    if has_gateway(method) and not of(method).is_configured():
        raise errors.MethodNotOffered()


def offered() -> list[str]:
    """The methods that can be paid by at this moment, in the operator's order."""
    known = [method for method in settings.PAYMENTS.methods if method in Payment.Method.values]
    return [method for method in known if not has_gateway(method) or of(method).is_configured()]


def order_of(payment: Payment) -> CardOrder:
    """The payment as its gateway is asked to collect it."""
    payer = payment.payer
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
        payer_phone=(payer.phone or "") if payer else "",
        payer_email=(payer.email or "") if payer else "",
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
