"""What an order costs: the shop's prices of this moment, its zones and slots, never a client's figures (3.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.errors import Invalid
from apps.florist import errors
from apps.florist.actions.windows import Place
from apps.florist.models import DeliveryZone, Order, OrderItem, Product, ProductVariant, Shop

MOST_LINES = 50
MOST_PIECES = 1000
LARGEST = Decimal("9999999999.99")
"""What the columns hold."""


@dataclass(frozen=True)
class LineWish:
    """So many pieces of a product, in one of its sizes or as it is."""

    product_id: int
    quantity: int
    variant_id: int | None = None


@dataclass(frozen=True)
class Line:
    """A wish with its price of today."""

    product: Product
    variant: ProductVariant | None
    quantity: int

    @property
    def price(self) -> Decimal:
        """Of one piece."""
        return self.variant.price if self.variant else self.product.current_price

    @property
    def total(self) -> Decimal:
        """Of all pieces."""
        return self.price * self.quantity

    def as_item(self, order: Order) -> OrderItem:
        """The order's line: name, category and price of this day."""
        name = f"{self.product.name} ({self.variant.name})" if self.variant else self.product.name
        return OrderItem(
            order=order,
            product=self.product,
            variant=self.variant,
            factor=self.variant.factor if self.variant else Decimal(1),
            product_name=name[:200],
            product_category=self.product.category,
            quantity=self.quantity,
            price=self.price,
            total=self.total,
        )


def lines(*, shop: Shop, wishes: Sequence[LineWish]) -> list[Line]:
    """The wishes with prices. At most two queries.

    Raises `ProductNotFound` (also for another shop's), `VariantNotFound`, `ProductNotForSale`, `Invalid`.
    """
    _ensure_sizes(wishes)
    products = {row.pk: row for row in Product.objects.alive().filter(shop=shop, pk__in={w.product_id for w in wishes})}
    wanted = {wish.variant_id for wish in wishes if wish.variant_id}
    rows = ProductVariant.objects.filter(pk__in=wanted, product__in=products).select_related("product")
    variants = {row.pk: row for row in rows} if wanted else {}
    return [_line(wish, products, variants) for wish in wishes]


def ensure_room(count: int) -> None:
    """Raises `Invalid` when an order has all the lines that it may have."""
    if count >= MOST_LINES:
        raise Invalid.field("items", f"Value error, at most {MOST_LINES} lines in one order", given=count)


def _ensure_sizes(wishes: Sequence[LineWish]) -> None:
    ensure_room(len(wishes) - 1)
    for wish in wishes:
        ensure_pieces(wish.quantity)


def ensure_pieces(quantity: int) -> None:
    """Raises `Invalid` outside 1 to 1000 (contract 1.2: −3 was taken once)."""
    if not 1 <= quantity <= MOST_PIECES:
        raise Invalid.field("quantity", f"Value error, 1 to {MOST_PIECES} pieces", given=quantity)


def _line(wish: LineWish, products: dict[int, Product], variants: dict[int, ProductVariant]) -> Line:
    product = products.get(wish.product_id)
    if product is None:
        raise errors.ProductNotFound()
    if not product.is_active:
        raise errors.ProductNotForSale(product_id=product.pk)
    variant = variants.get(wish.variant_id) if wish.variant_id else None
    if wish.variant_id and (variant is None or variant.product_id != product.pk):
        raise errors.VariantNotFound()
    return Line(product, variant, wish.quantity)


def goods(found: Iterable[Line]) -> Decimal:
    """The sum of lines."""
    return sum((line.total for line in found), Decimal(0))


def fee(*, shop: Shop, method: str, place: Place, typed: Decimal | None = None) -> Decimal:
    """The zone's price with the slot's surcharge; nothing for pickup.

    Without a zone the figure that somebody of the shop has typed, else the price of the shop's first zone.
    """
    if method == Order.Method.SELF_PICKUP:
        return Decimal(0)
    if place.zone is None and typed is not None:
        return typed
    zone = place.zone or DeliveryZone.objects.filter(shop=shop, is_active=True).first()
    return (zone.price if zone else Decimal(0)) + place.surcharge


def ensure_minimum(place: Place, flower_sum: Decimal) -> None:
    """Raises `OrderTooSmall`."""
    if place.zone is not None and flower_sum < place.zone.min_order:
        raise errors.OrderTooSmall(least=place.zone.min_order)


def ensure_sane(*sums: Decimal) -> None:
    """Raises `Invalid` for sums below zero or beyond the columns."""
    for value in sums:
        if not 0 <= value <= LARGEST:
            raise Invalid.field("total", f"Value error, sums are 0 to {LARGEST}", given=str(value))
