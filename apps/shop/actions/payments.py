"""Money for orders (contract shop 1.7, 4.4). Who pays what is decided here; how money moves is `apps.payments`'.

Lock order: the payments of an order, then the order, its cart, products. So nothing here calls `payments` while it
holds an order, except inside the handlers of payments' own facts, which hold the payments already.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from apps.core import events
from apps.core.errors import Invalid
from apps.core.money import Money
from apps.payments import actions as payments
from apps.payments import queries as money
from apps.payments.actions import BasketLine, Contact
from apps.payments.models import Payment, Refund
from apps.shop import access, errors
from apps.shop.actions import orders, placing
from apps.shop.actions.placing import Wish
from apps.shop.conf import PAYMENT_PURPOSE
from apps.shop.events import OrdersAndMoneyDisagree
from apps.shop.models import CartItem, Customer, Order, OrderItem
from apps.shop.queries import finance
from apps.shop.queries import payments as questions

log = logging.getLogger(__name__)

CARD = Payment.Method.OCTO
TIYIN = Decimal("0.01")

RECONCILED_AT_ONCE = 100
"""Payments asked about by one press of the button; the schedule does the rest."""

SHOWN_AT_ONCE = 20
"""Orders that an alert names; the log names all."""


@dataclass(frozen=True)
class ToPay:
    """What a buyer wants to pay: an order of his, or goods, or (with neither) his cart.

    `amount` is only compared with the order's total. `key` makes repeating free; empty is one that nobody repeats.
    """

    order_id: int | None = None
    wishes: tuple[Wish, ...] = ()
    amount: Decimal | None = None
    description: str = ""
    key: str = ""


# ── Paying ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def begin(*, by: Customer, what: ToPay) -> Payment:
    """Ask the bank to collect an order's total and return the payment; send the buyer to its `pay_url`.

    Not inside a transaction. Goods and carts become an order first. An open payment of the order is used again; when
    the bank refuses or is silent the order stays, and the next call pays the same one. Raises `PaymentsNotSetUp`;
    `OrderNotFound`, `OrderOfAnother`, `OrderNotPending`, `OrderPaidBack`; what placing raises; `Invalid` for another
    amount; `AlreadyPaid`, `KeyReused`, `GatewayRefused`, `GatewayDown`, `GatewaySilent`.
    """
    if CARD not in payments.offered_methods():
        raise errors.PaymentsNotSetUp()
    order = _closed_order(by, what)
    basket = _basket(order)
    return payments.start(
        by=by,
        payer=by.user,
        purpose=PAYMENT_PURPOSE,
        reference=str(order.pk),
        amount=Money(order.total_amount, order.currency),
        method=CARD,
        description=what.description or f"Order #{order.pk}",
        key=what.key or uuid4().hex,
        return_url=settings.SHOP.return_url or f"{settings.PUBLIC_URL}/shop",
        basket=basket,
        # The shop never asks its buyers for a language: the operator's word counts, as in the original.
        language=settings.INTEGRATIONS.octo_language,
        # Receipts go to the buyer; without one the bank need not know who he is.
        contact=Contact(by.phone_number or "", by.email or "") if basket else Contact(),
    )


def _closed_order(by: Customer, what: ToPay) -> Order:
    """The order to pay, committed, with nothing to be added to it any more."""
    with transaction.atomic():
        # The buyer's two clicks wait for each other: the second finds the first one's order.
        Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
        order = _own(by, what.order_id) if what.order_id else _ordered(by, what)
        if order.status == Order.Status.PENDING or not _is_repeat(order, what.key):
            order = _begun(by, order)
        _ensure_amount(order, what.amount)
    return order


def _begun(by: Customer, order: Order) -> Order:
    """The order, locked and closed. Raises the contract's own word for orders that cannot be paid any more."""
    try:
        return orders.begin_payment(by=by, order_id=order.pk)
    except errors.OrderNotPending as refusal:
        if refusal.facts["status"] == Order.Status.REFUNDED:
            raise errors.OrderPaidBack() from refusal
        if refusal.facts["status"] in Order.PAID:
            raise payments.AlreadyPaid() from refusal
        raise


def _own(by: Customer, order_id: int) -> Order:
    """Not even an administrator pays for others (contract shop 1.7)."""
    order = Order.objects.filter(pk=order_id, deleted_at=None).first()
    if order is None:
        raise errors.OrderNotFound()
    if order.customer_id != by.pk:
        raise errors.OrderOfAnother()
    return order


def _is_repeat(order: Order, key: str) -> bool:
    """Whether this key has begun a payment that the bank knows: it is answered again, whatever has become of it."""
    known = money.of(PAYMENT_PURPOSE, str(order.pk)).exclude(status=Payment.Status.CREATED)
    return bool(key) and known.filter(key=key).exists()


def _ensure_amount(order: Order, given: Decimal | None) -> None:
    """A cross-check, never the price (D5). Clients count in floats: what is finer than a tiyin is noise."""
    if given is not None and given.quantize(TIYIN) != order.total_amount:
        raise Invalid.field("amount", f"Value error, the order costs {order.total_amount}", given=str(given))


def _ordered(by: Customer, what: ToPay) -> Order:
    """Goods or cart as an order; without a key, an unpaid order of the same goods is paid instead of a second one."""
    twin = None if what.key else _twin(by, what.wishes)
    if twin:
        return twin
    # Keys of paying are not keys of ordering: the same text may mean one thing there and another here.
    key = f"pay:{hashlib.sha256(what.key.encode()).hexdigest()[:48]}" if what.key else ""
    if what.wishes:
        return placing.place(by=by, wishes=what.wishes, key=key)
    return placing.place_from_cart(by=by, key=key)


def _twin(by: Customer, wishes: Iterable[Wish]) -> Order | None:
    """A pending order of exactly these goods that the buyer has begun to pay."""
    wanted = _pieces((wish.slipper_id, wish.quantity) for wish in wishes) or _pieces(
        CartItem.objects.filter(cart__customer=by).values_list("slipper_id", "quantity")
    )
    begun = Order.objects.filter(customer=by, status=Order.Status.PENDING, deleted_at=None)
    for order in begun.exclude(payment_begun_at=None).order_by("-id").prefetch_related("items")[:10]:
        if wanted == _pieces((line.slipper_id, line.quantity) for line in order.items.all()):
            return order
    return None


def _pieces(rows: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for slipper_id, quantity in rows:
        found[slipper_id] = found.get(slipper_id, 0) + quantity
    return found


def _basket(order: Order) -> list[BasketLine]:
    """Lines of the fiscal receipt, all or none: OCTO refuses a payment with a line that the tax office cannot place."""
    if not settings.SHOP.fiscal_inn:
        return []
    lines = [_receipt_line(line) for line in order.items.select_related("slipper").order_by("id")]
    known = [line for line in lines if line is not None]
    return known if len(known) == len(lines) else []


def _receipt_line(line: OrderItem) -> BasketLine | None:
    """None for goods without their codes."""
    goods = line.slipper
    if goods is None or not goods.spic or not goods.package_code:
        return None
    return BasketLine(
        title=f"{line.name}, {line.size}",
        count=line.quantity,
        price=line.unit_price,
        spic=goods.spic,
        package_code=goods.package_code,
        vat_percent=settings.SHOP.fiscal_vat_percent,
        inn=settings.SHOP.fiscal_inn,
    )


def take_cash(*, by: Any, order_id: int) -> Payment:
    """`by` has the money for a pending order in hand. Not inside a transaction.

    Raises `MayNotHandleOrders`, `OrderNotFound`, `OrderNotPending`, `AlreadyPaid`, `MethodNotOffered`.
    """
    access.ensure_can_handle_orders(by, access.HANDLE_MONEY)
    order = Order.objects.select_related("customer__user").filter(pk=order_id, deleted_at=None).first()
    if order is None:
        raise errors.OrderNotFound()
    closed = orders.begin_payment(by=order.customer, order_id=order.pk)
    payment = payments.start(
        by=by,
        payer=order.customer.user,
        purpose=PAYMENT_PURPOSE,
        reference=str(order.pk),
        amount=Money(closed.total_amount, closed.currency),
        method=Payment.Method.CASH,
        description=f"Order #{order.pk}",
        key=uuid4().hex,
        return_url="",
    )
    return payments.take_cash(by=by, payment=payment)


# ── Giving back, taking and letting go ──────────────────────────────────────────────────────────────────────────────
def refund(
    *,
    by: Any,
    order_id: int | None = None,
    number: str = "",
    amount: Decimal | None = None,
    key: str = "",
    reason: str = "",
) -> Refund:
    """Give back what was paid for an order, named by its id or by OCTO's number of any of its payments.

    Without an amount all that is left. What comes back may be `pending`: accepted is not done. Raises
    `MayNotHandleOrders`, `OrderNotFound`, `UnknownPayment`, `NoPayment`, `NotPaid`, `AlreadyRefunded`, `WrongAmount`,
    `RefundTooSmall`, `KeyReused`, `Invalid` for an id and a number that do not go together; `GatewayRefused` with the
    bank's words.
    """
    access.ensure_can_handle_orders(by, access.REFUND)
    done = payments.refund(
        by=by,
        payment=_paid_one(order_id, number),
        amount=amount,
        key=key or uuid4().hex,
        reason=reason or "refund",
    )
    if done.status == Refund.Status.FAILED:
        raise payments.GatewayRefused(text=done.note)
    return done


def _paid_one(order_id: int | None, number: str) -> Payment:
    """The payment that was paid, whichever attempt the caller has kept the number of (D9)."""
    if number:
        named = money.by_gateway_number(CARD, number)
        if named is None or named.purpose != PAYMENT_PURPOSE:
            raise payments.UnknownPayment()
        if order_id is not None and named.reference != str(order_id):
            raise Invalid.field("order_id", "Value error, the payment is another order's", given=order_id)
        return named if named.is_surplus else money.settled_of(PAYMENT_PURPOSE, named.reference) or named
    if order_id is None:
        raise Invalid.field("order_id", "Value error, octo_payment_UUID, payment_uuid or order_id is required")
    if not Order.objects.filter(pk=order_id).exists():
        raise errors.OrderNotFound()
    paid = money.settled_of(PAYMENT_PURPOSE, str(order_id)) or money.of(PAYMENT_PURPOSE, str(order_id)).first()
    if paid is None:
        raise errors.NoPayment()
    return paid


def capture(*, by: Any, number: str, amount: Decimal | None = None) -> Payment:
    """Take held money, all or a part. Raises `MayNotHandleOrders`, `UnknownPayment`, `NotHeld`, `WrongAmount`,
    `KeyReused`.
    """
    access.ensure_can_handle_orders(by, access.HANDLE_MONEY)
    return payments.capture(by=by, payment=questions.one(by=by, number=number), amount=amount)


def cancel_hold(*, by: Any, number: str) -> Payment:
    """Let held money go; the order waits on. Raises `MayNotHandleOrders`, `UnknownPayment`, `NotHeld`, `KeyReused`."""
    access.ensure_can_handle_orders(by, access.HANDLE_MONEY)
    return payments.cancel_hold(by=by, payment=questions.one(by=by, number=number))


def reconcile(*, by: Any) -> dict[str, int]:
    """Ask the gateways about whose turn it is. Raises `MayNotHandleOrders`."""
    access.ensure_can_handle_orders(by, access.HANDLE_MONEY)
    return payments.reconcile(limit=RECONCILED_AT_ONCE)


def compare_with_orders() -> int:
    """Announce paid orders without money and money without its order (contract shop 4.4.6); returns how many."""
    wrong = finance.mismatches()
    for row in wrong:
        log.error("an order and its money disagree", extra={"order_id": row.order_id, "what": row.what})
    if wrong:
        ids = [row.order_id for row in wrong[:SHOWN_AT_ONCE]]
        with transaction.atomic():
            events.publish(OrdersAndMoneyDisagree(count=len(wrong), order_ids=ids))
    return len(wrong)


# ── What money does to orders: inside the transactions of payments' facts ───────────────────────────────────────────
def money_came(*, order_id: int, payment_id: int) -> None:
    """Confirm the order; money that no order wants any more goes back by itself (contract shop 4.4, the table)."""
    if orders.confirm(order_id=order_id, reason=f"payment #{payment_id}"):
        return
    log.warning("money came for an order that does not take it", extra={"order_id": order_id, "payment_id": payment_id})
    payment = money.of(PAYMENT_PURPOSE, str(order_id)).get(pk=payment_id)
    try:
        payments.refund(by=None, payment=payment, amount=None, key="unwanted", reason="the order is over")
    except payments.RefundTooSmall:
        # Less than the bank gives back: the nightly comparison shows it to staff every day until they have.
        log.error("money cannot go back by itself", extra={"order_id": order_id, "payment_id": payment_id})


def money_is_held(*, order_id: int, payment_id: int) -> None:
    """A pending order keeps its goods while money is held (`expiry`); for one that is over the money is let go."""
    # Locked: whoever gives the order up at this moment is either seen here, or sees the money (`let_held_money_go`).
    order = Order.objects.select_for_update(of=("self",)).filter(pk=order_id, deleted_at=None).first()
    if order is not None and order.status == Order.Status.PENDING:
        return
    payment = money.of(PAYMENT_PURPOSE, str(order_id)).get(pk=payment_id)
    payments.cancel_hold(by=None, payment=payment, reason="the order is over")


def let_held_money_go(*, order_id: int) -> None:
    """A person gave the order up: what is held for it returns to the card. Not inside a transaction.

    Money that is being taken already stays what was decided, and comes back when it arrives (`money_came`).
    """
    for payment in money.of(PAYMENT_PURPOSE, str(order_id)).filter(status=Payment.Status.HELD):
        try:
            payments.cancel_hold(by=None, payment=payment, reason="the order is over")
        except (payments.NotHeld, payments.KeyReused) as refusal:
            log.info("held money is decided already", extra={"payment_id": payment.pk, "code": refusal.code})


def money_went(*, order_id: int, payment_id: int, refund_id: int) -> None:
    """All of an order's money went back: so the order is paid back. A surplus that goes back concerns no order."""
    paid = money.settled_of(PAYMENT_PURPOSE, str(order_id))
    if paid is None or paid.pk != payment_id:
        return
    back = money.refunds_of(paid).select_related("asked_by").get(pk=refund_id)
    orders.mark_refunded(order_id=order_id, by=back.asked_by, reason=back.reason)
