"""Taking room in a delivery window: one canonical pair of times, limits that hold in a race (contract florist 3.7).

Lock order of whoever promises a time: order, feast, slot, zone, buyer, batches. What orders refer to is locked without
its key: an order that is written twice in a transaction looks at its references again at commit, its batches in hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.core.errors import Invalid
from apps.florist import errors
from apps.florist.models import DeliverySlot, DeliveryZone, Order, Shop, SpecialDay
from apps.florist.queries import windows as calendar
from apps.florist.queries.windows import Window

LONGEST = timedelta(hours=24)
USUAL_LENGTH = timedelta(hours=2)
"""Of a window that only says when it begins."""
LONGEST_WORDS = 100
YEARS = range(2000, 2101)
CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::\d{2})?")
SPAN = re.compile(r"\s*[-–—]\s*")


@dataclass(frozen=True)
class Place:
    """Where and when an order goes, with what the slot adds to the price."""

    zone: DeliveryZone | None
    window: Window | None
    surcharge: Decimal = Decimal(0)


@dataclass(frozen=True)
class Manners:
    """`strict` is for strangers: lead times, cutoffs, opening hours. `ignores_limits` is a manager's word."""

    strict: bool = False
    ignores_limits: bool = False


# ── Three forms, one pair ───────────────────────────────────────────────────────────────────────────────────────────
def read(raw: Mapping[str, Any] | None, shop: Shop) -> Window | None:
    """The window in any of the clients' forms: `from`/`to`, `from_time`/`to_time`, `date`/`time`.

    Times without a zone are the shop's. An empty time is "to be agreed": None. Raises `Invalid`.
    """
    if not raw:
        return None
    begins, ends = raw.get("from") or raw.get("from_time"), raw.get("to") or raw.get("to_time")
    if not begins and not ends:
        begins, ends = _span(raw.get("time"))
    if not begins:
        return None
    try:
        starts = _moment(begins, raw.get("date"), shop)
        return _sane(Window(starts, _moment(ends, raw.get("date"), shop) if ends else starts + USUAL_LENGTH))
    except (ValueError, TypeError, OverflowError) as problem:
        raise _malformed() from problem


def words_of(raw: Mapping[str, Any] | None, window: Window | None, words: str | None) -> str | None:
    """The wish in words: the day of a window whose time is to be agreed leads it, so that the day is not lost."""
    day = str((raw or {}).get("date") or "").strip()
    if window is not None or not day or day in (words or ""):
        return words
    return ", ".join(filter(None, (day, words)))[:LONGEST_WORDS]


def _malformed() -> Invalid:
    return Invalid.field("delivery_window", "Value error, from and to must be times, the first before the second")


def _span(text: Any) -> tuple[str, str]:
    """`10:00-12:00`, `10–12` or `10:00` as its two ends."""
    begins, *rest = SPAN.split(str(text or "").strip(), maxsplit=1)
    return begins, rest[0] if rest else ""


def _moment(given: Any, day: Any, shop: Shop) -> datetime:
    found: datetime
    text = str(given).strip()
    if clock := CLOCK.fullmatch(text):
        on = date.fromisoformat(str(day)[:10])
        found = datetime.combine(on, time(int(clock[1]), int(clock[2] or 0)))
    else:
        found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=calendar.zone_of(shop))).astimezone(UTC)


def _sane(window: Window) -> Window:
    if not window.starts < window.ends <= window.starts + LONGEST or window.starts.year not in YEARS:
        raise ValueError
    return window


# ── Taking room ─────────────────────────────────────────────────────────────────────────────────────────────────────
def claim(
    *,
    shop: Shop,
    method: str,
    window: Window | None,
    zone_id: int | None = None,
    manners: Manners = Manners(),
    order_id: int | None = None,
    now: datetime | None = None,
) -> Place:
    """Take room for one order within the caller's transaction; `order_id` is an order that moves and does not count.

    Feast, slot and zone are locked where they have a limit, so two last places are never given. Raises
    `ZoneNotFound`, `WindowNotOffered`, `Invalid` for one that ends before it begins.
    """
    moment = now or timezone.now()
    delivers = method == Order.Method.DELIVERY
    zone = _zone(shop, zone_id, manners.strict, order_id) if delivers else None
    if window is None:
        return Place(zone, None)
    if window.ends <= window.starts:
        raise _malformed()
    day = window.starts.astimezone(calendar.zone_of(shop)).date()
    special = SpecialDay.objects.filter(shop=shop, day=day).select_for_update(of=("self",), no_key=True).first()
    slot = _slot(shop, window) if delivers else None
    _ensure_calendar(shop, window, special, slot, manners, moment, delivers)
    if not manners.ignores_limits:
        _ensure_room(shop, day, special, slot, zone, order_id)
    return Place(zone, window, slot.surcharge if slot is not None else Decimal(0))


def _zone(shop: Shop, zone_id: int | None, strict: bool, order_id: int | None) -> DeliveryZone | None:
    """The named zone; for strangers who name none, the shop's first. An order keeps its own when it is retired."""
    rows = DeliveryZone.objects.filter(shop=shop)
    if zone_id is None:
        return rows.filter(is_active=True).first() if strict else None
    own = Order.objects.filter(pk__in=[order_id] if order_id else []).values("delivery_zone_id")
    zone = rows.filter(Q(is_active=True) | Q(pk__in=own), pk=zone_id).first()
    if zone is None:
        raise errors.ZoneNotFound()
    return zone


def _slot(shop: Shop, window: Window) -> DeliverySlot | None:
    clock = window.starts.astimezone(calendar.zone_of(shop)).time()
    slot = calendar.slot_at(calendar.slots_of(shop), clock)
    if slot is not None and slot.pk and slot.capacity is not None:
        return DeliverySlot.objects.select_for_update(of=("self",), no_key=True).get(pk=slot.pk)
    return slot


def _ensure_calendar(
    shop: Shop,
    window: Window,
    special: SpecialDay | None,
    slot: DeliverySlot | None,
    manners: Manners,
    now: datetime,
    delivers: bool,
) -> None:
    lead = calendar.lead_of(shop, slot) if delivers else timedelta(minutes=shop.pickup_lead_minutes)
    reason = calendar.reason_against(shop, special, window.starts, lead, now, delivers=delivers)
    if not reason and not _is_open(shop, window, slot, delivers):
        reason = "closed"
    binds = manners.strict or (reason not in calendar.SOFT and not manners.ignores_limits)
    if reason and binds:
        raise errors.WindowNotOffered(reason=reason)


def _is_open(shop: Shop, window: Window, slot: DeliverySlot | None, delivers: bool) -> bool:
    if delivers:
        return slot is not None
    local = window.starts.astimezone(calendar.zone_of(shop)).time()
    return shop.opens_at <= local < shop.closes_at


def _ensure_room(
    shop: Shop,
    day: date,
    special: SpecialDay | None,
    slot: DeliverySlot | None,
    zone: DeliveryZone | None,
    order_id: int | None,
) -> None:
    starts, ends = calendar.day_bounds(shop, day)
    of_day = calendar.orders_between(shop, starts, ends)
    if order_id is not None:
        of_day = of_day.exclude(pk=order_id)
    delivered = of_day.filter(delivery_method=Order.Method.DELIVERY)
    if special is not None and special.capacity is not None:
        _ensure_below(of_day, special.capacity, "day_full")
    if slot is not None and slot.capacity is not None:
        between = (calendar.at(shop, day, slot.starts_at), calendar.at(shop, day, slot.ends_at))
        in_slot = delivered.filter(delivery_from__gte=between[0], delivery_from__lt=between[1])
        _ensure_below(in_slot, slot.capacity, "full")
    if zone is not None and zone.daily_capacity is not None:
        DeliveryZone.objects.select_for_update(of=("self",), no_key=True).get(pk=zone.pk)
        _ensure_below(delivered.filter(delivery_zone=zone), zone.daily_capacity, "zone_full")


def _ensure_below(rows: QuerySet[Order], capacity: int, reason: str) -> None:
    if rows.count() >= capacity:
        raise errors.WindowNotOffered(reason=reason)
