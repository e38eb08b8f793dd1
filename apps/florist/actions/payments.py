"""Money for orders (contract florist 1.2, 3.6): gateways through the platform, Kaspi's signed notice, cash, transfer.

Lock order: an order's payments, the order, batches. So nothing here calls `payments` while it holds an order, except
inside the handlers of payments' own facts, which hold the payments already.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.core.idempotency import KeyTooLong
from apps.core.models import WebhookReceipt
from apps.core.money import Money
from apps.florist import access, errors
from apps.florist.actions import journal, lifecycle, records
from apps.florist.actions.journal import Source
from apps.florist.conf import PAYMENT_PURPOSE
from apps.florist.models import Order, Shop
from apps.payments import actions as payments
from apps.payments import queries as money
from apps.payments.models import Payment

log = logging.getLogger(__name__)

GATEWAYS = (Payment.Method.OCTO, Payment.Method.PAYME, Payment.Method.CLICK)
GATEWAY_CURRENCY = "UZS"
"""What all three collect; a shop that sells in another currency takes Kaspi, transfers and cash."""
KASPI_VENDOR = "florist.kaspi"
LONGEST_KEY = 180

Status = Order.Status


# ── By a gateway ────────────────────────────────────────────────────────────────────────────────────────────────────
def offered(shop: Shop) -> list[str]:
    """Gateways that buyers of this shop can pay by."""
    if shop.currency != GATEWAY_CURRENCY:
        return []
    return [method for method in payments.offered_methods() if method in GATEWAYS]


def begin(*, by: Any, order_id: int, method: str, return_url: str = "", key: str = "") -> Payment:
    """Ask a gateway for what is still to be paid; send the buyer to the result's `pay_url`. Not in a transaction.

    `by` is None for a buyer who has shown his tracking link. An open payment of the same sum is used again. Raises
    `OrderNotFound`, `NotEnoughPermissions`, `NothingToPay`, `CurrencyNotTaken`, and what `payments.start` raises.
    """
    access.ensure_may(by, "orders")
    order = _seen(by, order_id)
    currency = order.shop.currency
    ensure(currency == GATEWAY_CURRENCY, errors.CurrencyNotTaken, currency=currency)
    ensure(method in GATEWAYS, payments.MethodNotOffered)
    ensure(order.outstanding > 0, errors.NothingToPay)
    return payments.start(
        by=by,
        payer=None,
        purpose=PAYMENT_PURPOSE,
        reference=str(order.pk),
        amount=Money(order.outstanding, currency),
        method=method,
        description=f"Order #{order.pk}",
        key=key or uuid4().hex,
        return_url=return_url or f"{settings.PUBLIC_URL}/track/{order.tracking_token}",
        two_stage=False,
        language="en" if order.shop.language == Shop.Language.EN else "ru",
    )


def _seen(by: Any, order_id: int) -> Order:
    rows = Order.objects.all() if by is None else Order.objects.visible_to(by)
    order = rows.select_related("shop").filter(pk=order_id).first()
    if order is None:
        raise errors.OrderNotFound()
    return order


def money_came(*, order_id: int, payment_id: int, amount: Decimal, method: str) -> None:
    """Within the fact: write it down; a new order that is paid in full moves on, what is too much goes back."""
    order = records.lock(None, order_id)
    if not journal.enter(
        order, source=Source.GATEWAY, method=method, amount=amount, key=f"payment:{payment_id}", by=None
    ):
        return
    _move_on(order)
    if order.refund_due:
        _give_back(order, money.one(payment_id), f"unwanted:{payment_id}", "the order does not take this money")


def money_went(*, order_id: int, refund_id: int, amount: Decimal, method: str) -> None:
    """Within the fact: a gateway gave money back."""
    order = records.lock(None, order_id)
    journal.enter(order, source=Source.GATEWAY, method=method, amount=-amount, key=f"refund:{refund_id}", by=None)


def refund_cancelled(*, order_id: int) -> None:
    """What a gateway collected for an order that was given up goes back. Repeating is free."""
    due = Order.objects.filter(pk=order_id, status=Status.CANCELLED, refund_due__gt=0)
    if not due.exists():
        return
    with transaction.atomic():
        order, paid = _with_money(None, order_id), _gateway_payment(order_id)
        if order.status == Status.CANCELLED and paid:
            _give_back(order, paid, f"cancelled:{order_id}", "the order was cancelled")


def _with_money(by: Any, order_id: int) -> Order:
    """The order, locked behind its payments: who gives money back sees all that others gave. Raises `OrderNotFound`."""
    rows = money.of(PAYMENT_PURPOSE, str(order_id)).order_by("id")
    list(rows.select_for_update(of=("self",)))
    return records.lock(by, order_id)


def _gateway_payment(order_id: int) -> Payment | None:
    rows = money.of(PAYMENT_PURPOSE, str(order_id))
    return rows.filter(status=Payment.Status.PAID, is_surplus=False).first()


def _give_back(order: Order, payment: Payment, key: str, reason: str) -> bool:
    """As much of this payment as is due; what the gateway cannot do by itself stays due, for people."""
    amount = min(_left(order), payment.refundable)
    if amount <= 0:
        return False
    part = None if amount == payment.refundable else amount
    try:
        payments.refund(by=None, payment=payment, amount=part, key=key, reason=reason)
    except (payments.RefundTooSmall, payments.RefundOnlyWhole, payments.NotRefundable):
        log.error("money cannot go back by itself", extra={"order_id": order.pk, "payment_id": payment.pk})
        return False
    return True


# ── In hand, by transfer, back ──────────────────────────────────────────────────────────────────────────────────────
def take_cash(*, by: Any, order_id: int, amount: Decimal, key: str = "") -> Order:
    """`by` has this much cash for the order in hand: a manager, or the courier or florist whose order it is.

    The same key counts once. Raises `OrderNotFound`, `NotEnoughPermissions`, `NothingToPay`, `Invalid` for more than
    is outstanding.
    """
    access.ensure_may(by, "orders", "own")
    return _take(by, order_id, Source.CASH, Order.PaymentMethod.CASH, amount, key)


def write_down(*, by: Any, order_id: int, method: str, amount: Decimal, key: str = "") -> Order:
    """A manager has seen a transfer, a Kaspi payment, a card at the till. Raises as `take_cash` does."""
    access.ensure_may(by, "orders")
    source = Source.CASH if method == Order.PaymentMethod.CASH else Source.HAND
    return _take(by, order_id, source, method, amount, key)


def _take(by: Any, order_id: int, source: str, method: str, amount: Decimal, key: str) -> Order:
    name = _named(source, key)
    with transaction.atomic():
        order = records.lock(by, order_id)
        if by is not None and access.level(by, "orders") == "own":
            ensure(lifecycle.is_own(by, order), errors.NotEnoughPermissions)
        if order.payments.filter(key=name).exists():
            return order
        ensure(order.outstanding > 0, errors.NothingToPay)
        if not 0 < amount <= order.outstanding:
            msg = f"Value error, above 0 and at most {order.outstanding}"
            raise Invalid.field("amount", msg, given=str(amount))
        journal.enter(order, source=source, method=method, amount=amount, key=name, by=by)
        return _move_on(order, by)


def _named(kind: str, key: str) -> str:
    """What the journal calls it; without a caller's key nobody repeats it. Raises `KeyTooLong`, never cuts."""
    ensure(len(key) <= LONGEST_KEY, KeyTooLong)
    return f"{kind}:{key or uuid4().hex}"


def _move_on(order: Order, by: Any = None) -> Order:
    return order if order.outstanding else lifecycle.pay(order, by=by)


def pay_back(*, by: Any, order_id: int, amount: Decimal | None = None, key: str = "", by_hand: bool = False) -> Order:
    """Give back what is due: through the gateway that collected it, else `by` has handed it over. Not in a transaction.

    Without an amount all that is not on its way. `by_hand`: handed over though a gateway collected it. Raises
    `OrderNotFound`, `NotEnoughPermissions`, `NothingToPayBack`, `Invalid`, and what `payments.refund` raises.
    """
    access.ensure_may(by, "orders")
    _seen(by, order_id)
    name = _named("back", key)
    with transaction.atomic():
        order, paid = _with_money(by, order_id), _gateway_payment(order_id)
        if _is_given(order, name):
            return order
        part = _due(order, amount)
        if by_hand or paid is None or paid.refundable <= 0:
            return _handed_back(order, part, name, by)
        whole = part >= paid.refundable
        payments.refund(by=by, payment=paid, amount=None if whole else part, key=name, reason="paid back by the shop")
    for refund_id in money.refunds_of(paid).filter(key=name).values_list("id", flat=True):
        payments.send_refund(refund_id=refund_id)
    return _seen(by, order_id)


def _is_given(order: Order, key: str) -> bool:
    """Whether money went back, or was promised, under this key."""
    asked = money.of(PAYMENT_PURPOSE, str(order.pk)).filter(refunds__key=key)
    return order.payments.filter(key=key).exists() or asked.exists()


def _handed_back(order: Order, part: Decimal, key: str, by: Any) -> Order:
    method = str(order.payment_method or Order.PaymentMethod.CASH)
    journal.enter(order, source=Source.HAND, method=method, amount=-part, key=key, by=by)
    return order


def _due(order: Order, amount: Decimal | None) -> Decimal:
    left = _left(order)
    ensure(left > 0, errors.NothingToPayBack)
    wanted = left if amount is None else amount
    if not 0 < wanted <= left:
        msg = f"Value error, above 0 and at most {left}"
        raise Invalid.field("amount", msg, given=str(amount))
    return wanted


def _left(order: Order) -> Decimal:
    """What is due back and not on its way yet: a refund counts as given once its gateway has taken the wish."""
    rows = money.of(PAYMENT_PURPOSE, str(order.pk)).filter(is_surplus=False)
    on_its_way: Decimal = sum((row.refunding_amount - row.refunded_amount for row in rows), Decimal(0))
    return order.refund_due - on_its_way


# ── Kaspi's notice ──────────────────────────────────────────────────────────────────────────────────────────────────
def ensure_genuine(raw: bytes, signature: str) -> None:
    """`signature` is the hex HMAC-SHA256 of the raw body under the webhook's secret; without a secret nothing is.

    Raises `NoticeNotGenuine`.
    """
    secret = settings.FLORIST.webhook_secret
    wanted = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    given = signature.strip().lower().removeprefix("sha256=")
    ensure(bool(secret) and hmac.compare_digest(wanted.encode(), given.encode()), errors.NoticeNotGenuine)


def receive_notice(*, order_id: int, payment_id: str, amount: Decimal, succeeded: bool) -> Order:
    """A proved notice: money came by Kaspi. One `payment_id` counts once, for one order.

    The whole total or what is still outstanding; money for a cancelled order is taken down as due back. Raises
    `OrderNotFound`, `PaymentNotMade`, `PaymentDiffers`.
    """
    ensure(succeeded, errors.PaymentNotMade)
    with transaction.atomic():
        order = records.lock(None, order_id)
        name, method = f"kaspi:{payment_id}", Order.PaymentMethod.KASPI
        if known := order.payments.filter(key=name).first():
            # A repeat is answered as the first was, whatever the total has become since.
            ensure(known.amount == amount, errors.PaymentDiffers)
            return order
        ensure(amount in (order.total, order.outstanding), errors.PaymentDiffers)
        if not _is_first(payment_id, order):
            return order
        journal.enter(order, source=Source.NOTICE, method=method, amount=amount, key=name, by=None)
        if order.payment_method != method:
            records.save(order, payment_method=method)
        return _move_on(order)


def _is_first(payment_id: str, order: Order) -> bool:
    receipt, is_new = WebhookReceipt.objects.get_or_create(
        vendor=KASPI_VENDOR, external_id=payment_id, defaults={"kind": str(order.pk)}
    )
    ensure(receipt.kind == str(order.pk), errors.PaymentDiffers)
    return is_new
