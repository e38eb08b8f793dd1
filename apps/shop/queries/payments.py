"""What people may see of payments (contract shop 1.7), and whether orders and money tell the same story (4.4.6)."""

from __future__ import annotations

from typing import Any

from apps.payments import actions as payments
from apps.payments import queries as money
from apps.payments.models import Payment, Refund
from apps.shop.access import is_admin
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.models import Order


def one(*, by: Any, number: str) -> Payment:
    """A payment by OCTO's number, for the buyer and for administrators. Raises `UnknownPayment`."""
    payment = money.by_gateway_number(Payment.Method.OCTO, number)
    if payment is None or payment.purpose != PAYMENT_PURPOSE or not _concerns(by, payment):
        raise payments.UnknownPayment()
    return payment


def _concerns(by: Any, payment: Payment) -> bool:
    return is_admin(by) or Order.objects.visible_to(by).filter(pk=int(payment.reference)).exists()


def listed(*, status: str = "", order_id: int | None = None, skip: int = 0, limit: int = 20) -> tuple[list[Any], int]:
    """One page for administrators, newest first, and how many there are in all. Two queries."""
    reference = "" if order_id is None else str(order_id)
    rows, total = money.listed(PAYMENT_PURPOSE, status=status, reference=reference, skip=skip, limit=limit)
    return [shown(payment) for payment in rows], total


def begun(payment: Payment) -> dict[str, Any]:
    """What beginning to pay answers; `pay_url` is the name of the seed's day."""
    return {
        "order_id": int(payment.reference),
        "redirect_url": payment.pay_url,
        "pay_url": payment.pay_url,
        "payment_uuid": payment.vendor_id,
        "shop_transaction_id": payment.shop_transaction_id,
        "amount": payment.amount,
        "currency": payment.currency,
        "status": payment.status,
    }


def refunded(refund: Refund) -> dict[str, Any]:
    """What a refund answers: both forms of the original, and how money and order stand now."""
    payment = refund.payment
    payment.refresh_from_db()
    status = Order.objects.values_list("status", flat=True).get(pk=int(payment.reference))
    is_done = refund.status == Refund.Status.SUCCEEDED
    return {
        "order_id": int(payment.reference),
        # The original's clients look for this word in capitals.
        "status": "REFUNDED" if status == Order.Status.REFUNDED else status,
        "success": True,
        "message": "Refund completed" if is_done else "Refund accepted",
        "refund_id": refund.shop_refund_id,
        "refund_status": refund.status,
        "refunded_amount": payment.refunded_amount,
        "payment_status": payment.status,
    }


def shown(payment: Payment) -> dict[str, Any]:
    """A payment as clients see it."""
    return {
        "order_id": int(payment.reference),
        "payment_uuid": payment.vendor_id,
        "shop_transaction_id": payment.shop_transaction_id,
        "method": payment.method,
        "status": payment.status,
        "amount": payment.amount,
        "currency": payment.currency,
        "captured_amount": payment.captured_amount,
        "refunded_amount": payment.refunded_amount,
        "needs_attention": payment.needs_attention,
        "created_at": payment.created_at,
        "expires_at": payment.expires_at,
        "paid_at": payment.paid_at,
        "refunded_at": payment.refunded_at,
    }
