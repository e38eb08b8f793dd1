"""Last year's order again, by one tap on a signed link (contract florist 6, reminders of dates)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.core import signing

from apps.florist import errors
from apps.florist.actions import orders, pricing
from apps.florist.actions.orders import STOREFRONT, OrderDraft
from apps.florist.actions.pricing import Line, LineWish
from apps.florist.models import DeliveryZone, ImportantDate, Order, OrderItem, Product
from apps.florist.queries.windows import at, zone_of

SALT = "florist.repeat"
LINK_LIVES = timedelta(days=60)
ABOUT_A_YEAR = timedelta(days=365)
NEARBY = timedelta(days=14)
"""Around the date a year ago; without an order there, the last one that was sold."""


@dataclass(frozen=True)
class Offer:
    """What would be ordered: the old order with the prices of today. `missing` are names that are not on sale."""

    order: Order
    day: date
    lines: tuple[Line, ...]
    missing: tuple[str, ...]
    key: str

    @property
    def flower_sum(self) -> Decimal:
        """Without delivery."""
        return pricing.goods(self.lines)


def link(*, important: ImportantDate, day: date) -> str:
    """The path of a page that repeats the order, or an empty text when there is none to repeat."""
    order = past_order(important.customer_id, day)
    if order is None:
        return ""
    signed = signing.dumps([order.pk, important.pk, day.toordinal()], salt=SALT)  # short: it travels in a message
    return f"/track/repeat/{signed}"


def past_order(customer_id: int, day: date) -> Order | None:
    """The buyer's order nearest to the date of last year, else his last one."""
    sold = Order.objects.filter(customer=customer_id, status__in=Order.PAID_OR_LATER, items__isnull=False).distinct()
    a_year_ago = day - ABOUT_A_YEAR
    near = sold.filter(created_at__date__range=(a_year_ago - NEARBY, a_year_ago + NEARBY))
    return near.order_by("created_at").last() or sold.order_by("created_at").last()


def read(token: str) -> Offer:
    """What the link offers. Raises `LinkDead` for one that is not ours or too old, `NothingToRepeat`."""
    try:
        order_id, date_id, ordinal = signing.loads(token, salt=SALT, max_age=LINK_LIVES)
    except signing.BadSignature as problem:
        raise errors.LinkDead() from problem
    order = Order.objects.select_related("shop", "customer").filter(pk=order_id, shop__is_active=True).first()
    if order is None:
        raise errors.LinkDead()
    day = date.fromordinal(ordinal)
    lines, missing = _of_today(order)
    return Offer(order, day, lines, missing, f"repeat:{date_id}:{day.year}")


def repeat(token: str) -> Order:
    """Order it again for that day; the link orders once, whoever presses it how often.

    Raises `LinkDead`, `NothingToRepeat`, and what `orders.create` raises.
    """
    offer = read(token)
    if known := Order.objects.filter(shop=offer.order.shop_id, key=offer.key).first():
        return known
    if not offer.lines:
        raise errors.NothingToRepeat()
    try:
        return _placed(offer, _window(offer))
    except errors.WindowNotOffered:
        return _placed(offer, None)


def _placed(offer: Offer, window: tuple[datetime, datetime] | None) -> Order:
    """Without a window the shop agrees the time; the day stands in the order in words."""
    old = offer.order
    draft = OrderDraft(
        customer_phone=old.customer.phone if old.customer else old.customer_phone,
        delivery_method=old.delivery_method,
        items=tuple(
            LineWish(row.product.pk, row.quantity, row.variant.pk if row.variant else None) for row in offer.lines
        ),
        recipient_phone=old.recipient_phone,
        recipient_name=old.recipient_name,
        address=old.address,
        zone_id=_zone(old),
        window=window,
        delivery_time_text=None if window else f"{offer.day:%d.%m.%Y}",
        payment_method=old.payment_method or Order.PaymentMethod.CASH,
        card_text=old.card_text,
        is_anonymous=old.is_anonymous,
    )
    return orders.create(by=None, shop=old.shop, draft=draft, source=STOREFRONT, key=offer.key)


def _window(offer: Offer) -> tuple[datetime, datetime] | None:
    """The same hours on the new day."""
    old = offer.order
    if not old.delivery_from or not old.delivery_to:
        return None
    starts = at(old.shop, offer.day, old.delivery_from.astimezone(zone_of(old.shop)).time())
    return starts, starts + (old.delivery_to - old.delivery_from)


def _zone(order: Order) -> int | None:
    """The zone, while the shop still has it."""
    if order.delivery_zone_id is None:
        return None
    zones = DeliveryZone.objects.filter(shop=order.shop_id, is_active=True, pk=order.delivery_zone_id)
    return zones.values_list("pk", flat=True).first()


def _of_today(order: Order) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    items = list(OrderItem.objects.filter(order=order).select_related("variant").order_by("pk"))
    on_sale = set(
        Product.objects.on_sale_now().filter(pk__in=[item.product_id for item in items]).values_list("pk", flat=True)
    )
    wishes = [LineWish(item.product_id, item.quantity, item.variant_id) for item in items if item.product_id in on_sale]
    missing = tuple(item.product_name for item in items if item.product_id not in on_sale)
    return tuple(pricing.lines(shop=order.shop, wishes=wishes)), missing
