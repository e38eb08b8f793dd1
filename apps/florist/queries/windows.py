"""Which delivery windows a shop offers on a day, and what speaks against one (contract florist 3.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from apps.florist import errors
from apps.florist.models import DeliverySlot, DeliveryZone, Order, Shop, SpecialDay

USUAL_HOURS = ((9, 11), (11, 13), (13, 15), (15, 17), (17, 19), (19, 21))
"""Slots of a shop that has set none."""
PICKUP_STEP = timedelta(hours=1)
SOFT = ("past", "too_soon", "too_far", "closed")
"""Reasons that bind strangers; the shop's own people know what they promise."""


class Window(NamedTuple):
    """From when until when, aware."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Offer:
    """A window of a day. `left` is how many orders still fit, None without a limit; `reason` says why it is shut."""

    starts: datetime
    ends: datetime
    surcharge: Decimal
    left: int | None
    reason: str

    @property
    def is_open(self) -> bool:
        """Whether strangers may choose it."""
        return not self.reason


def zone_of(shop: Shop) -> ZoneInfo:
    """The shop's time zone."""
    return ZoneInfo(shop.timezone)


def today_of(shop: Shop, now: datetime | None = None) -> date:
    """Which day it is at the shop."""
    return (now or timezone.now()).astimezone(zone_of(shop)).date()


def day_bounds(shop: Shop, day: date) -> tuple[datetime, datetime]:
    """First moment of the shop's day and of the next."""
    return at(shop, day, time()), at(shop, day + timedelta(days=1), time())


def at(shop: Shop, day: date, clock: time) -> datetime:
    """That time of that day on the shop's clock."""
    return datetime.combine(day, clock, zone_of(shop)).astimezone(UTC)


def offered(shop: Shop, day: date, method: str = Order.Method.DELIVERY, *, now: datetime | None = None) -> list[Offer]:
    """All windows of the day in their order, open ones and shut ones. At most three queries."""
    moment = now or timezone.now()
    special = SpecialDay.objects.filter(shop=shop, day=day).first()
    taken = list(_orders_of(shop, day).values_list("delivery_from", "delivery_method"))
    is_day_full = _is_full(special.capacity if special else None, len(taken))
    if method == Order.Method.SELF_PICKUP:
        return _pickups(shop, day, special, is_day_full, moment)
    starts = [begins for begins, how in taken if begins and how == Order.Method.DELIVERY]
    return [_offer(shop, day, slot, special, starts, is_day_full, moment) for slot in slots_of(shop)]


def slots_of(shop: Shop) -> list[DeliverySlot]:
    """The shop's slots in use, or the usual hours when it has set none."""
    found = list(DeliverySlot.objects.filter(shop=shop, is_active=True).order_by("starts_at", "id"))
    return found or [
        DeliverySlot(shop=shop, starts_at=time(begin), ends_at=time(end), surcharge=Decimal(0))
        for begin, end in USUAL_HOURS
    ]


def slot_at(slots: Sequence[DeliverySlot], clock: time) -> DeliverySlot | None:
    """The slot in which a window that begins at `clock` counts."""
    return next((slot for slot in slots if slot.starts_at <= clock < slot.ends_at), None)


def reason_against(
    shop: Shop, special: SpecialDay | None, starts: datetime, lead: timedelta, now: datetime, *, delivers: bool = True
) -> str:
    """What the calendar and the clock say, or an empty text: blackout, past, too_soon, too_far."""
    if delivers and special is not None and special.kind == SpecialDay.Kind.BLACKOUT:
        return "blackout"
    if starts <= now:
        return "past"
    if starts - lead <= now:
        return "too_soon"
    ahead = shop.days_ahead
    if special is not None and special.preorder_days is not None:
        ahead = max(ahead, special.preorder_days)
    last = today_of(shop, now) + timedelta(days=ahead)
    return "too_far" if starts.astimezone(zone_of(shop)).date() > last else ""


def lead_of(shop: Shop, slot: DeliverySlot | None) -> timedelta:
    """Time between an order and its slot."""
    own = slot.cutoff_minutes if slot is not None else None
    return timedelta(minutes=shop.lead_minutes if own is None else own)


def orders_between(shop: Shop, starts: datetime, ends: datetime) -> QuerySet[Order]:
    """Orders that take room: all but the cancelled ones whose window begins there."""
    rows = Order.objects.filter(shop=shop, delivery_from__gte=starts, delivery_from__lt=ends)
    return rows.exclude(status=Order.Status.CANCELLED).order_by()


def open_shop(shop_id: int) -> Shop:
    """The shop as strangers find it. Raises `ShopNotFound` for one that is closed."""
    found = Shop.objects.filter(pk=shop_id, is_active=True).first()
    if found is None:
        raise errors.ShopNotFound()
    return found


def zones(shop: Shop) -> list[DeliveryZone]:
    """Zones in use in the shop's order; at most a hundred."""
    return list(DeliveryZone.objects.filter(shop=shop, is_active=True)[:100])


def _orders_of(shop: Shop, day: date) -> QuerySet[Order]:
    return orders_between(shop, *day_bounds(shop, day))


def _is_full(capacity: int | None, taken: int) -> bool:
    return capacity is not None and taken >= capacity


def _offer(
    shop: Shop,
    day: date,
    slot: DeliverySlot,
    special: SpecialDay | None,
    taken: Sequence[datetime],
    is_day_full: bool,
    now: datetime,
) -> Offer:
    starts, ends = at(shop, day, slot.starts_at), at(shop, day, slot.ends_at)
    used = sum(starts <= begins < ends for begins in taken)
    reason = reason_against(shop, special, starts, lead_of(shop, slot), now)
    if not reason and is_day_full:
        reason = "day_full"
    if not reason and _is_full(slot.capacity, used):
        reason = "full"
    left = None if slot.capacity is None else max(0, slot.capacity - used)
    return Offer(starts, ends, slot.surcharge, left, reason)


def _pickups(shop: Shop, day: date, special: SpecialDay | None, is_day_full: bool, now: datetime) -> list[Offer]:
    """Hours in which the shop is open."""
    lead, found = timedelta(minutes=shop.pickup_lead_minutes), []
    starts, closes = at(shop, day, shop.opens_at), at(shop, day, shop.closes_at)
    while starts < closes:
        ends = min(starts + PICKUP_STEP, closes)
        reason = reason_against(shop, special, starts, lead, now, delivers=False)
        found.append(Offer(starts, ends, Decimal(0), None, reason or ("day_full" if is_day_full else "")))
        starts = ends
    return found
