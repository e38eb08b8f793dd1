"""What a customer puts into his cart (contract shop 1.5). Every change locks the cart's own row first."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.core.errors import Invalid
from apps.shop import errors
from apps.shop.actions import stock
from apps.shop.models import Cart, CartItem, Customer, Order

MOST_PIECES = 999
"""Of one product in a cart (D14); an order takes fewer, see `order_max_qty_per_item`."""

MOST_LINES = 200
"""Products of one cart, and of the order that is made of it."""


def of(customer: Customer) -> Cart:
    """The one cart of a customer, made on first use."""
    return Cart.objects.get_or_create(customer=customer)[0]


def lock(customer_id: int) -> Cart | None:
    """A customer's cart, locked; None when he never had one."""
    return Cart.objects.select_for_update(of=("self",)).filter(customer_id=customer_id).first()


def add(*, by: Customer, slipper_id: int, quantity: int = 1) -> Cart:
    """Put pieces in; the same product adds up.

    Raises `SlipperNotFound`, `NotEnoughStock`, `Invalid` above 999 pieces of one product or 200 products.
    """
    with transaction.atomic():
        cart = _locked(by)
        line = CartItem.objects.filter(cart=cart, slipper_id=slipper_id).first()
        if line is None:
            _ensure_room(cart)
        total = quantity + (line.quantity if line else 0)
        _ensure_fits(total)
        stock.ensure_enough({slipper_id: total})
        CartItem.objects.update_or_create(cart=cart, slipper_id=slipper_id, defaults={"quantity": total})
    return cart


def set_quantity(*, by: Customer, item_id: int, quantity: int) -> Cart:
    """So many pieces from now on; 0 takes the line out.

    Raises `CartItemNotFound`, also for another's; `NotEnoughStock`, `Invalid` above 999 pieces.
    """
    with transaction.atomic():
        cart = _locked(by)
        line = _line(cart, item_id)
        if quantity:
            _ensure_fits(quantity)
            stock.ensure_enough({line.slipper_id: quantity})
            CartItem.objects.filter(pk=line.pk).update(quantity=quantity)
        else:
            line.delete()
    return cart


def remove(*, by: Customer, item_id: int) -> Cart:
    """Take a line out. Raises `CartItemNotFound`, also for another's."""
    with transaction.atomic():
        cart = _locked(by)
        _line(cart, item_id).delete()
    return cart


def clear(*, by: Customer) -> Cart:
    """Take everything out; an empty cart stays empty."""
    with transaction.atomic():
        cart = _locked(by)
        CartItem.objects.filter(cart=cart).delete()
    return cart


def take_out_ordered(order: Order) -> None:
    """After payment: the ordered pieces leave the cart, once; what was put in since stays (contract shop 3.3).

    The order is locked by the caller.
    """
    if order.cart_cleared_at is not None:
        return
    ordered = dict(order.items.exclude(slipper=None).values_list("slipper_id", "quantity"))
    for line in CartItem.objects.filter(cart__customer_id=order.customer_id, slipper_id__in=ordered).order_by("pk"):
        left = line.quantity - ordered[line.slipper_id]
        if left > 0:
            CartItem.objects.filter(pk=line.pk).update(quantity=left)
        else:
            line.delete()
    order.cart_cleared_at = timezone.now()
    order.save(update_fields=["cart_cleared_at"])


def _locked(by: Customer) -> Cart:
    """The caller's cart; writing its time is what locks it until the end of the transaction."""
    cart = of(by)
    Cart.objects.filter(pk=cart.pk).update(updated_at=timezone.now())
    return cart


def _line(cart: Cart, item_id: int) -> CartItem:
    found = CartItem.objects.filter(cart=cart, pk=item_id).first()
    if found is None:
        raise errors.CartItemNotFound()
    return found


def _ensure_room(cart: Cart) -> None:
    if CartItem.objects.filter(cart=cart).count() >= MOST_LINES:
        raise Invalid.field("slipper_id", f"Value error, at most {MOST_LINES} products in a cart")


def _ensure_fits(quantity: int) -> None:
    if quantity > MOST_PIECES:
        raise Invalid.field("quantity", f"Value error, at most {MOST_PIECES} pieces of one product", given=quantity)
