"""Taking orders and changing what they say (contract florist 1.2, 3.4, 3.6). `create` is the one way into being."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import events, phones
from apps.core.access import ensure
from apps.core.errors import Invalid, Refused
from apps.core.idempotency import KeyReused, KeyTooLong, fingerprint
from apps.florist import access, errors
from apps.florist.actions import customers, journal, lifecycle, pricing, records, windows
from apps.florist.actions.pricing import Line, LineWish
from apps.florist.actions.windows import Manners, Place
from apps.florist.events import OrderCreated, OrderEdited
from apps.florist.models import Employee, Order, OrderHistory, OrderItem, Shop
from apps.florist.queries.windows import Window

COUNTRY = "KZ"
"""How a phone without its country is read (contract 3.4)."""
STOREFRONT = "storefront"
"""Source of orders that strangers place themselves: lead times, zones' minimums and holds are for them."""
LONGEST_KEY = 64
NUMBER_TRIES = 5

Method, PaymentMethod = Order.Method, Order.PaymentMethod
OPEN_FOR_EDITS = (Order.Status.NEW, Order.Status.PAID, Order.Status.ASSEMBLED, Order.Status.ISSUE)
"""States in which method and window may still change."""


@dataclass(frozen=True)
class OrderDraft:
    """What somebody orders, in our words. Prices are looked up; the sums at the end are for orders without lines.

    `window` is a pair of aware times. `delivery_fee` is honoured when a person of the shop typed it and no zone is
    named; `total` below the sum is a discount.
    """

    customer_phone: str
    delivery_method: str
    customer_name: str = ""
    items: tuple[LineWish, ...] = ()
    recipient_phone: str | None = None
    recipient_name: str | None = None
    address: str | None = None
    address_needs_clarification: bool = False
    zone_id: int | None = None
    window: tuple[datetime, datetime] | None = None
    delivery_time_text: str | None = None
    payment_method: str | None = None
    comment: str | None = None
    card_text: str | None = None
    is_anonymous: bool = False
    florist_id: int | None = None
    courier_id: int | None = None
    courier_phone: str | None = None
    courier_name: str | None = None
    standing_order_id: int | None = None
    standing_day: date | None = None
    ignores_limits: bool = False
    flower_sum: Decimal | None = None
    delivery_fee: Decimal | None = None
    total: Decimal | None = None


# ── Coming into being ───────────────────────────────────────────────────────────────────────────────────────────────
def create(
    *,
    by: Any,
    shop: Shop,
    draft: OrderDraft,
    source: str = "crm",
    key: str = "",
    allow_short: bool = False,
    now: datetime | None = None,
) -> Order:
    """Take an order: prices of this moment, room in its window, its buyer, its stems, all in one transaction.

    `by` is None for strangers and the clock. The same `key` and content give the same order. `allow_short` takes it
    as a backorder when stems are missing. Raises `NotEnoughPermissions`, `ShopNotFound`, `Invalid`, `InvalidPhone`,
    `ProductNotFound`, `VariantNotFound`, `ProductNotForSale`, `ZoneNotFound`, `WindowNotOffered`, `OrderTooSmall`,
    `EmployeeNotFound`, `NotAFlorist`, `NotACourier`, `StockShort`, `KeyReused`, `KeyTooLong`.
    """
    ensure(len(key) <= LONGEST_KEY, KeyTooLong)
    access.ensure_may(by, "orders")
    ensure(getattr(by, "shop_id", shop.pk) == shop.pk, errors.ShopNotFound)
    moment = now or timezone.now()
    mark = fingerprint(dataclasses.asdict(draft)) if key else ""

    def make() -> Order:
        return _written(by, shop, draft, source, (key, mark), allow_short, moment)

    return _once(shop, key, mark, make)


def _once(shop: Shop, key: str, mark: str, make: Callable[[], Order]) -> Order:
    if known := _known(shop, key, mark):
        return known
    try:
        with transaction.atomic():
            return make()
    except (IntegrityError, Refused):
        # The twin was quicker: it has the key, or the last stem, or the last place.
        if known := _known(shop, key, mark):
            return known
        raise


def _known(shop: Shop, key: str, mark: str) -> Order | None:
    found = Order.objects.filter(shop=shop, key=key).first() if key else None
    if found is not None and found.fingerprint != mark:
        raise KeyReused()
    return found


def _written(
    by: Any, shop: Shop, draft: OrderDraft, source: str, key: tuple[str, str], allow_short: bool, now: datetime
) -> Order:
    strict = by is None and source == STOREFRONT
    shop = Shop.objects.get(pk=shop.pk)
    lines = pricing.lines(shop=shop, wishes=draft.items)
    order = _addressed(shop, draft, strict)
    place = windows.claim(
        shop=shop,
        method=draft.delivery_method,
        window=Window(*draft.window) if draft.window else None,
        zone_id=draft.zone_id,
        manners=Manners(strict, draft.ignores_limits),
        now=now,
    )
    _put_in_place(order, place)
    _sum_up(order, lines, draft, place, strict)
    order.source, (order.key, order.fingerprint) = source, key
    order.created_at = order.updated_at = now
    order.reserved_until = _held_until(strict, now)
    customers.note_order(order, name=draft.customer_name)
    _save(order)
    OrderItem.objects.bulk_create(line.as_item(order) for line in lines)
    author = records.BUYER if strict else ""
    records.write(order, OrderHistory.Event.CREATED, by=by, new=order.status, by_text=author)
    if lines and shop.reserve_at == Shop.ReserveAt.CREATED:
        lifecycle.hold(order, by=by, allow_short=allow_short)
    events.publish(OrderCreated(order_id=order.pk, shop_id=shop.pk, source=source))
    return order


def _addressed(shop: Shop, draft: OrderDraft, strict: bool) -> Order:
    """The order with whom it is for and where it goes; nothing about money yet."""
    phone = phones.normalise(draft.customer_phone, COUNTRY)
    recipient = phones.normalise(draft.recipient_phone, COUNTRY) if draft.recipient_phone else None
    address = (draft.address or "").strip() or None
    delivers = draft.delivery_method == Method.DELIVERY
    if strict and delivers and not address:
        raise Invalid.field("address", "Value error, delivery needs an address")
    return Order(
        shop=shop,
        customer_phone=phone,
        recipient_phone=recipient or (phone if delivers else None),
        recipient_name=draft.recipient_name or None,
        address=address,
        address_needs_clarification=draft.address_needs_clarification or (delivers and not address),
        delivery_method=draft.delivery_method,
        delivery_time_text=draft.delivery_time_text or None,
        payment_method=draft.payment_method or None,
        comment=draft.comment or None,
        card_text=draft.card_text or None,
        is_anonymous=draft.is_anonymous,
        standing_order_id=draft.standing_order_id,
        standing_day=draft.standing_day,
        tracking_token=secrets.token_urlsafe(32),
        **_people(shop, draft),
    )


def _people(shop: Shop, draft: OrderDraft) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if draft.florist_id is not None:
        florist = lifecycle.colleague(shop.pk, draft.florist_id)
        ensure(florist.role == Employee.Role.FLORIST, errors.NotAFlorist)
        found["assigned_florist"] = florist
    if draft.courier_id is not None or draft.courier_phone:
        phone, name = draft.courier_phone or "", draft.courier_name or ""
        found |= lifecycle.courier_fields(shop.pk, draft.courier_id, phone, name)
    return found


def _put_in_place(order: Order, place: Place) -> None:
    order.delivery_zone = place.zone
    order.delivery_from, order.delivery_to = place.window or (None, None)


def _sum_up(order: Order, lines: list[Line], draft: OrderDraft, place: Place, strict: bool) -> None:
    """Goods, delivery, discount, total. Strangers' figures are not looked at."""
    order.flower_sum = pricing.goods(lines) if lines else draft.flower_sum or Decimal(0)
    if not lines and (strict or draft.flower_sum is None):
        raise Invalid.field("items", "Value error, an order needs at least one line", given=[])
    if strict:
        pricing.ensure_minimum(place, order.flower_sum)
    typed = None if strict else draft.delivery_fee
    order.delivery_fee = pricing.fee(shop=order.shop, method=order.delivery_method, place=place, typed=typed)
    _count(order, None if strict or lines else draft.total)


def _count(order: Order, total: Decimal | None) -> None:
    """`total`, and the discount when somebody of the shop names a smaller one. Raises `Invalid`."""
    whole = order.flower_sum + order.delivery_fee
    if total is not None:
        if total > whole:
            raise Invalid.field("total", f"Value error, more than goods and delivery, {whole}", given=str(total))
        order.discount = whole - total
    order.discount = min(order.discount, whole)
    order.total = whole - order.discount
    pricing.ensure_sane(order.flower_sum, order.delivery_fee, order.total)


def _held_until(strict: bool, now: datetime) -> datetime | None:
    """Strangers' orders keep their stems for a while unless paid, or accepted when it is cash; see `expiry`."""
    return now + timedelta(minutes=settings.FLORIST.hold_minutes) if strict else None


def _save(order: Order) -> None:
    """Under a number that no other order of the shop has. Raises `IntegrityError` for a key that is there."""
    for attempt in range(NUMBER_TRIES):
        order.order_number = str(secrets.randbelow(900_000_000) + 100_000_000)
        try:
            with transaction.atomic():
                order.save(force_insert=True)
            return
        except IntegrityError:
            is_taken = Order.objects.filter(shop=order.shop_id, order_number=order.order_number).exists()
            if not is_taken or attempt == NUMBER_TRIES - 1:
                raise


# ── Changing ────────────────────────────────────────────────────────────────────────────────────────────────────────
PLAIN = (
    *("recipient_name", "address", "address_needs_clarification", "payment_method", "payment_date"),
    *("comment", "card_text", "is_anonymous", "delivery_time_text"),
)
"""Fields that are written as they come."""
PHONES = ("customer_phone", "recipient_phone")
SUMS = ("flower_sum", "delivery_fee", "total")
PLACES = ("delivery_method", "window", "zone_id")


def edit(
    *,
    by: Any,
    order_id: int,
    changes: Mapping[str, Any],
    ignores_limits: bool = False,
    version: int | None = None,
    now: datetime | None = None,
) -> Order:
    """Change what is named: plain fields, phones, `delivery_method`, `window` (a pair or None), `zone_id`, sums.

    A new zone, slot or method brings its own fee unless one is typed. Raises `OrderNotFound`, `NotEnoughPermissions`,
    `NotEditable`, `ChangedMeanwhile`, `WindowNotOffered`, `ZoneNotFound`, `Invalid`, `InvalidPhone`, and
    `IllegalStopStep` for another method while a courier carries it.
    """
    access.ensure_may(by, "orders")
    with transaction.atomic():
        order = records.lock(by, order_id)
        records.ensure_version(order, version)
        ensure(not order.is_over, errors.NotEditable, status=order.status)
        before = _snapshot(order)
        _write_plain(order, changes)
        if places := _new_places(order, changes):
            _move_place(order, places, Manners(ignores_limits=ignores_limits), now)
        _write_sums(order, changes)
        after = _snapshot(order)
        changed = [name for name in after if before[name] != after[name]]
        if changed:
            _keep(order, changed, by)
    return order


def _snapshot(order: Order) -> dict[str, Any]:
    names = [*PLAIN, *PHONES, *SUMS, "discount", "delivery_method", "delivery_from", "delivery_to", "delivery_zone_id"]
    return {name: getattr(order, name) for name in names}


def _write_plain(order: Order, changes: Mapping[str, Any]) -> None:
    for name in PLAIN:
        if name in changes:
            setattr(order, name, changes[name])
    for name in PHONES:
        if name in changes:
            setattr(order, name, phones.normalise(changes[name], COUNTRY) if changes[name] else None)
    if not order.customer_phone:
        raise Invalid.field("customer_phone", "Value error, an order has a buyer's phone")


def _new_places(order: Order, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What moves: forms send the window along with an address that is corrected on a day that is full by now."""
    present: dict[str, Any] = {
        "delivery_method": order.delivery_method,
        "window": _window_of(order),
        "zone_id": order.delivery_zone_id,
    }
    return {name: changes[name] for name in PLACES if name in changes and changes[name] != present[name]}


def _window_of(order: Order) -> Window | None:
    return Window(order.delivery_from, order.delivery_to) if order.delivery_from and order.delivery_to else None


def _move_place(order: Order, changes: Mapping[str, Any], manners: Manners, now: datetime | None) -> None:
    ensure(order.status in OPEN_FOR_EDITS, errors.NotEditable, status=order.status)
    delivered = order.delivery_method == Method.DELIVERY
    order.delivery_method = changes.get("delivery_method") or order.delivery_method
    wanted = changes.get("window", _window_of(order))
    place = windows.claim(
        shop=order.shop,
        method=order.delivery_method,
        window=Window(*wanted) if wanted else None,
        zone_id=changes.get("zone_id", order.delivery_zone_id),
        manners=manners,
        order_id=order.pk,
        now=now,
    )
    _put_in_place(order, place)
    # Without a zone the fee of a delivery was typed or agreed, and stays.
    agreed = order.delivery_fee if delivered else None
    order.delivery_fee = pricing.fee(shop=order.shop, method=order.delivery_method, place=place, typed=agreed)


def _write_sums(order: Order, changes: Mapping[str, Any]) -> None:
    """Goods are the sum of the lines where there are lines."""
    typed = changes.get("flower_sum")
    if typed is not None and typed != order.flower_sum:
        if order.items.exists():
            raise Invalid.field("flower_sum", "Value error, it is the sum of the lines", given=str(typed))
        order.flower_sum = typed
    if changes.get("delivery_fee") is not None:
        order.delivery_fee = changes["delivery_fee"]
    _count(order, changes.get("total"))


def _keep(order: Order, changed: list[str], by: Any) -> None:
    fields: dict[str, Any] = {name: getattr(order, name) for name in changed}
    records.save(order, **fields, refund_due=journal.due_back(order, order.paid_amount))
    if "customer_phone" in changed:
        former = order.customer_id
        customers.note_order(order)
        customers.recount(former)
    names = ", ".join(name.removesuffix("_id") for name in changed)
    records.write(order, OrderHistory.Event.EDITED, by=by, comment=names)
    events.publish(OrderEdited(order_id=order.pk, shop_id=order.shop_id, what=tuple(changed)))


def resum(order: Order) -> None:
    """Goods and total from the lines of a locked order; a discount stays as far as it fits."""
    order.flower_sum = sum(order.items.values_list("total", flat=True), Decimal(0))
    _count(order, None)
    sums: dict[str, Any] = {"flower_sum": order.flower_sum, "discount": order.discount, "total": order.total}
    records.save(order, **sums, refund_due=journal.due_back(order, order.paid_amount))
