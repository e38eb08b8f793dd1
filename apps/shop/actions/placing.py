"""Placing an order: goods off the shelf, prices of this moment, lines written (contract shop 1.6, 3.3).

The hot path is a handful of fixed statements (design 3.25): the goods in the order of their ids, the order, its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.core import events
from apps.core.errors import Invalid, Refused
from apps.core.idempotency import KeyReused, fingerprint
from apps.shop import access, errors
from apps.shop.actions import cart as carts
from apps.shop.actions import stock
from apps.shop.actions.stock import Goods
from apps.shop.events import OrderPlaced
from apps.shop.models import CartItem, Customer, Order, OrderItem, OrderRequest

LONGEST_KEY = 64
MOST_LINES = carts.MOST_LINES
"""Products of one order."""

LARGEST_TOTAL = Decimal("999999999999.99")

_INSERT_ORDER = """
INSERT INTO shop_order (customer_id, status, total_amount, currency, notes, stock_reserved_until, cancelled_by,
    cart_cleared_at, created_at, updated_at)
VALUES (%s, %s, %s, %s, %s, %s, '', %s, %s, %s) RETURNING id
"""
_INSERT_LINES = """
INSERT INTO shop_orderitem (order_id, slipper_id, quantity, unit_price, total_price, notes, name, size, image) VALUES
"""
_LINE = "(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Wish:
    """So many pieces of one product, as a client asks for them."""

    slipper_id: int
    quantity: int
    notes: str | None = None


def place(
    *,
    by: Customer,
    wishes: Iterable[Wish],
    notes: str | None = None,
    customer_id: int | None = None,
    key: str = "",
    merge: bool = False,
    now: datetime | None = None,
) -> Order:
    """Order goods; with `merge`, into the buyer's newest pending order when it is young and nobody has begun to pay it.

    `customer_id` is honoured for administrators only (K7). The same `key` and content give the same order. Raises
    `Invalid`, `CustomerNotFound`, `SlipperNotFound`, `NotEnoughStock`, `KeyReused`.
    """
    wanted = _merged(wishes)
    buyer_id = _buyer_id(by, customer_id)
    moment = now or timezone.now()

    def make() -> Order:
        young = _young_order(buyer_id, moment) if merge else None
        return _grown(young, wanted, notes) if young else _written(buyer_id, wanted, notes, moment)

    content = [[wish.slipper_id, wish.quantity, wish.notes] for wish in wanted.values()]
    return _once(buyer_id, key, [content, notes, merge], make)


def place_from_cart(*, by: Customer, clear_cart: bool = False, key: str = "", now: datetime | None = None) -> Order:
    """Order everything in the cart; `clear_cart` empties it now and not after payment.

    Raises `CartEmpty`, `Invalid` for a line above the order's limit, `NotEnoughStock`, `KeyReused`.
    """
    moment = now or timezone.now()

    def make() -> Order:
        cart = carts.lock(by.pk)
        lines = CartItem.objects.filter(cart=cart).order_by("id") if cart else CartItem.objects.none()
        wanted = _merged(Wish(line.slipper_id, line.quantity) for line in lines)
        if not wanted:
            raise errors.CartEmpty()
        order = _written(by.pk, wanted, None, moment, cart_cleared_at=moment if clear_cart else None)
        if clear_cart:
            lines.delete()
        return order

    return _once(by.pk, key, ["cart", clear_cart], make)


# ── Same key, same order ────────────────────────────────────────────────────────────────────────────────────────────
def _once(buyer_id: int, key: str, content: Any, make: Callable[[], Order]) -> Order:
    """Make the order, or find the one of this key; of two at once the unique index lets one through (D22)."""
    if not key:
        with transaction.atomic():
            return make()
    mark = fingerprint(content)
    if known := _known(buyer_id, key, mark):
        return known
    try:
        with transaction.atomic():
            order = make()
            OrderRequest.objects.create(customer_id=buyer_id, key=key, request_hash=mark, order=order)
            return order
    except (IntegrityError, Refused):
        # The twin was quicker: it has the key, or the last piece, or has emptied the cart.
        if known := _known(buyer_id, key, mark):
            return known
        raise


def _known(buyer_id: int, key: str, mark: str) -> Order | None:
    found = OrderRequest.objects.filter(customer_id=buyer_id, key=key).select_related("order").first()
    if found is not None and found.request_hash != mark:
        raise KeyReused()
    return found.order if found else None


# ── What is wanted ──────────────────────────────────────────────────────────────────────────────────────────────────
def _merged(wishes: Iterable[Wish]) -> dict[int, Wish]:
    """One wish per product: pieces add up, the first note that says something stays."""
    found: dict[int, Wish] = {}
    for wish in wishes:
        known = found.get(wish.slipper_id, Wish(wish.slipper_id, 0))
        found[wish.slipper_id] = Wish(wish.slipper_id, known.quantity + wish.quantity, known.notes or wish.notes)
    for wish in found.values():
        _ensure_pieces(wish.quantity)
    _ensure_lines(len(found))
    return found


def _ensure_lines(count: int) -> None:
    if count > MOST_LINES:
        raise Invalid.field("items", f"Value error, at most {MOST_LINES} products in one order", given=count)


def _ensure_pieces(quantity: int) -> None:
    most = settings.SHOP.order_max_qty_per_item
    if not 1 <= quantity <= most:
        raise Invalid.field("quantity", f"Value error, 1 to {most} pieces of one product", given=quantity)


def _ensure_total(total: Decimal) -> None:
    if total > LARGEST_TOTAL:
        raise Invalid.field("items", f"Value error, an order costs at most {LARGEST_TOTAL}", given=str(total))


def _buyer_id(by: Customer, customer_id: int | None) -> int:
    if customer_id in (None, by.pk) or not access.is_admin(by):
        return by.pk
    if not Customer.objects.filter(pk=customer_id, deleted_at=None).exists():
        raise errors.CustomerNotFound()
    return int(customer_id or by.pk)


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _written(
    buyer_id: int,
    wanted: Mapping[int, Wish],
    notes: str | None,
    now: datetime,
    cart_cleared_at: datetime | None = None,
) -> Order:
    goods = stock.reserve({pk: wish.quantity for pk, wish in wanted.items()})
    order = Order(
        customer_id=buyer_id,
        total_amount=_cost(wanted, goods),
        currency=settings.SHOP.currency,
        notes=notes,
        stock_reserved_until=now + timedelta(minutes=settings.SHOP.order_reserve_minutes),
        cart_cleared_at=cart_cleared_at,
        created_at=now,
        updated_at=now,
    )
    _ensure_total(order.total_amount)
    _insert(order)
    _insert_lines(order, wanted, goods)
    events.publish(
        OrderPlaced(
            order_id=order.pk, customer_id=buyer_id, total_amount=str(order.total_amount), currency=order.currency
        )
    )
    return order


def _cost(wanted: Mapping[int, Wish], goods: Mapping[int, Goods]) -> Decimal:
    return sum((goods[pk].price * wish.quantity for pk, wish in wanted.items()), Decimal(0))


def _insert(order: Order) -> None:
    stored = connection.ops.adapt_datetimefield_value
    values = [
        *(order.customer_id, order.status, order.total_amount, order.currency, order.notes),
        *(stored(order.stock_reserved_until), order.cart_cleared_at and stored(order.cart_cleared_at)),
        *(stored(order.created_at), stored(order.updated_at)),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_ORDER, values)
        order.pk = cursor.fetchone()[0]
    order._state.adding = False


def _insert_lines(order: Order, wanted: Mapping[int, Wish], goods: Mapping[int, Goods]) -> None:
    values: list[Any] = []
    for pk, wish in wanted.items():
        sold = goods[pk]
        values += (order.pk, pk, wish.quantity, sold.price, sold.price * wish.quantity, wish.notes)
        values += (sold.name, sold.size, sold.image)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_LINES + ", ".join([_LINE] * len(wanted)), values)


# ── Adding to a young order ─────────────────────────────────────────────────────────────────────────────────────────
def _young_order(buyer_id: int, now: datetime) -> Order | None:
    """The newest unpaid order of the last minutes, locked; None when there is none or its payment has begun."""
    rows = Order.objects.filter(
        customer_id=buyer_id,
        status=Order.Status.PENDING,
        payment_begun_at=None,
        created_at__gte=now - timedelta(minutes=settings.SHOP.merge_minutes),
    )
    return rows.select_for_update(of=("self",)).order_by("-created_at", "-id").first()


def _grown(order: Order, wanted: Mapping[int, Wish], notes: str | None) -> Order:
    """The order with more in it; a product that it has already keeps the price it was ordered at."""
    known = OrderItem.objects.filter(order=order)
    lines: dict[Any, OrderItem] = {line.slipper_id: line for line in known.filter(slipper_id__in=wanted)}
    _ensure_lines(known.count() + len(wanted) - len(lines))
    for pk, line in lines.items():
        _ensure_pieces(line.quantity + wanted[pk].quantity)
    goods = stock.reserve({pk: wish.quantity for pk, wish in wanted.items()})
    new = {pk: wish for pk, wish in wanted.items() if pk not in lines}
    longer = sum((line.unit_price * wanted[pk].quantity for pk, line in lines.items()), Decimal(0))
    added = _cost(new, goods) + longer
    _ensure_total(order.total_amount + added)
    for pk, line in lines.items():
        _lengthen(line, wanted[pk])
    if new:
        _insert_lines(order, new, goods)
    order.total_amount += added
    order.notes = order.notes or notes
    order.updated_at = timezone.now()
    order.save(update_fields=["total_amount", "notes", "updated_at"])
    return order


def _lengthen(line: OrderItem, wish: Wish) -> None:
    line.quantity += wish.quantity
    line.total_price = line.unit_price * line.quantity
    line.notes = line.notes or wish.notes
    line.save(update_fields=["quantity", "total_price", "notes"])
