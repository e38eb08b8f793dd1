"""Standing orders: the same flowers every so many days, made some days ahead, each day once (contract 6, 3.18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.core import events, states
from apps.core.access import ensure
from apps.core.errors import Invalid, Refused
from apps.florist import errors
from apps.florist.access import ensure_may
from apps.florist.actions import lifecycle, orders, pricing, windows
from apps.florist.actions.orders import OrderDraft
from apps.florist.actions.pricing import LineWish
from apps.florist.events import StandingOrderStopped
from apps.florist.models import Customer, DeliveryZone, Order, Shop, StandingOrder
from apps.florist.queries.windows import today_of, zone_of

SOURCE = "standing"
MORNING_HOUR = 9
"""From this hour of the shop's day on, standing orders are made and dates are told (contract 3.18)."""
MOST_DAYS_AHEAD = 60
LATEST_BEGIN = timedelta(days=731)
DUE_AT_ONCE = 2000
"""Standing orders looked at in one run; the rest waits for the next."""
DRAFTED = (
    *("delivery_method", "recipient_name", "recipient_phone", "address", "zone_id", "delivery_time_text"),
    *("payment_method", "comment", "card_text", "is_anonymous"),
)
"""What `details` says of an order, beside `window`: a pair of times of the day."""

Status = StandingOrder.Status


@dataclass(frozen=True)
class Rhythm:
    """When: the next day, how often, how early the order is made, until when."""

    next_day: date
    every_days: int = 7
    days_ahead: int = 2
    ends_on: date | None = None


@dataclass(frozen=True)
class Contents:
    """What, and how it is delivered."""

    items: tuple[LineWish, ...]
    details: Mapping[str, Any] = field(default_factory=dict)


def create(
    *, by: Any, shop: Shop, customer_id: int, rhythm: Rhythm, contents: Contents, is_invoiced: bool = False
) -> StandingOrder:
    """A buyer wants it every so many days. Raises `CustomerNotFound`, `ProductNotFound`, `VariantNotFound`,

    `ProductNotForSale`, `ZoneNotFound`, `Invalid`.
    """
    ensure_may(by, "orders")
    customer = Customer.objects.filter(shop=shop, pk=customer_id).first()
    if customer is None:
        raise errors.CustomerNotFound()
    _ensure_days(shop, rhythm)
    return StandingOrder.objects.create(
        shop=shop, customer=customer, is_invoiced=is_invoiced, **vars(rhythm), **_checked(shop, contents)
    )


def edit(
    *,
    by: Any,
    standing_id: int,
    rhythm: Mapping[str, Any] | None = None,
    contents: Contents | None = None,
    is_invoiced: bool | None = None,
) -> StandingOrder:
    """Change what is named; orders that are made already stay. Raises `StandingOrderNotFound`, `StandingOrderEnded`

    and what `create` raises.
    """
    ensure_may(by, "orders")
    with transaction.atomic():
        found = _locked(by, standing_id)
        if rhythm:
            _write(found, **rhythm)
            _ensure_days(found.shop, _rhythm_of(found), is_new="next_day" in rhythm)
        if contents is not None:
            _write(found, **_checked(found.shop, contents))
        if is_invoiced is not None:
            _write(found, is_invoiced=is_invoiced)
        _write(found, updated_at=timezone.now())
        found.save()
    return found


def skip(*, by: Any, standing_id: int) -> StandingOrder:
    """The next one is left out. Raises `StandingOrderNotFound`, `StandingOrderEnded`."""
    ensure_may(by, "orders")
    with transaction.atomic():
        return _advance(_locked(by, standing_id))


def pause(*, by: Any, standing_id: int) -> StandingOrder:
    """Nothing is made until it is resumed. Raises `StandingOrderNotFound`, `IllegalStandingStep`."""
    ensure_may(by, "orders")
    return states.step(_seen(by, standing_id), Status.PAUSED, by=by)


def resume(*, by: Any, standing_id: int, now: datetime | None = None) -> StandingOrder:
    """On from the next day of its rhythm that is still to come. Raises like `pause`."""
    ensure_may(by, "orders")
    with transaction.atomic():
        found = states.step(_seen(by, standing_id), Status.ACTIVE, by=by)
        _write(found, problem="", next_day=_not_before(found, today_of(found.shop, now)))
        found.save(update_fields=["problem", "next_day"])
    return found


def end(*, by: Any, standing_id: int) -> StandingOrder:
    """For good. Raises like `pause`."""
    ensure_may(by, "orders")
    return states.step(_seen(by, standing_id), Status.ENDED, by=by)


# ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────────────
def make_due(*, now: datetime | None = None) -> int:
    """Make the orders whose time has come, each day of each standing order once; returns how many.

    One that cannot be made pauses with its problem, and the shop is told.
    """
    moment = now or timezone.now()
    rows = _near(moment).select_related("shop").order_by("next_day", "pk")[:DUE_AT_ONCE]
    due = [row.pk for row in rows if is_due(row, moment)]
    made = 0
    for pk in due:
        while _make_next(pk, moment):
            made += 1
    return made


def _near(now: datetime) -> QuerySet[StandingOrder]:
    """Those that may be due somewhere on earth."""
    living = StandingOrder.objects.filter(status=Status.ACTIVE, shop__is_active=True)
    tomorrow, near = now.date() + timedelta(days=1), Q(pk=None)
    for ahead in sorted(set(living.order_by().values_list("days_ahead", flat=True).distinct())):
        near |= Q(days_ahead=ahead, next_day__lte=tomorrow + timedelta(days=ahead))
    return living.filter(near)


def is_due(row: StandingOrder, now: datetime) -> bool:
    """Its shop's morning has come on the day when the next order is to be made."""
    local = now.astimezone(zone_of(row.shop))
    if local.hour < MORNING_HOUR:
        return False
    return row.next_day - timedelta(days=row.days_ahead) <= local.date()


def _make_next(pk: int, now: datetime) -> bool:
    """The next order of one standing order, if it is still due; whoever comes second waits and finds it made."""
    with transaction.atomic():
        rows = StandingOrder.objects.filter(pk=pk, status=Status.ACTIVE).select_related("shop", "customer")
        row = rows.select_for_update(of=("self",), no_key=True).first()
        if row is None or not is_due(row, now):
            return False
        row.next_day = _not_before(row, today_of(row.shop, now))
        while not _is_over(row) and Order.objects.filter(standing_order=row, standing_day=row.next_day).exists():
            row.next_day += timedelta(days=row.every_days)  # somebody put the day back over orders that are made
        row.save(update_fields=["next_day"])
        if _is_over(row):
            states.step(row, Status.ENDED, by=None, reason="last day")
            return False
        return is_due(row, now) and _made(row)


def _made(row: StandingOrder) -> bool:
    try:
        with transaction.atomic():
            order = orders.create(
                by=None,
                shop=row.shop,
                draft=draft_of(row),
                source=SOURCE,
                key=f"standing:{row.pk}:{row.next_day}",
                allow_short=True,
            )
            if row.is_invoiced and order.status == Order.Status.NEW:
                lifecycle.move(by=None, order_id=order.pk, to=Order.Status.PAID, comment="invoice", allow_short=True)
    except Refused as refused:
        _stop(row, refused)
        return False
    _advance(row)
    return True


def _stop(row: StandingOrder, refused: Refused) -> None:
    """Paused rather than tried each minute: somebody of the shop has to look."""
    stopped = states.step(row, Status.PAUSED, by=None, reason=refused.code)
    _write(stopped, problem=str(refused)[:200], next_day=row.next_day)
    stopped.save(update_fields=["problem", "next_day"])
    events.publish(StandingOrderStopped(standing_id=row.pk, shop_id=row.shop_id, code=refused.code))


def draft_of(row: StandingOrder) -> OrderDraft:
    """The order of the next day. The shop has promised it, so calendar and limits do not bind."""
    given = {name: row.details[name] for name in DRAFTED if row.details.get(name) is not None}
    clock = row.details.get("window") or {}
    window = windows.read({**clock, "date": row.next_day.isoformat()}, row.shop) if clock else None
    return OrderDraft(
        **{"delivery_method": Order.Method.DELIVERY, "payment_method": _payment(row), **given},
        customer_phone=row.customer.phone,
        customer_name=row.customer.name or "",
        items=tuple(LineWish(**line) for line in row.items),
        window=(window.starts, window.ends) if window else None,
        standing_order_id=row.pk,
        standing_day=row.next_day,
        ignores_limits=True,
    )


def _payment(row: StandingOrder) -> str:
    """By invoice is a transfer at the end of the month."""
    return Order.PaymentMethod.TRANSFER if row.is_invoiced else Order.PaymentMethod.CASH


# ── days ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _not_before(row: StandingOrder, today: date) -> date:
    """The first day of its rhythm that is not over; missed days are not made up for."""
    late = max((today - row.next_day).days, 0)
    return row.next_day + timedelta(days=-(-late // row.every_days) * row.every_days)


def _advance(row: StandingOrder) -> StandingOrder:
    """To the next day of its rhythm, or to its end."""
    _write(row, next_day=row.next_day + timedelta(days=row.every_days), updated_at=timezone.now())
    row.save(update_fields=["next_day", "updated_at"])
    return states.step(row, Status.ENDED, by=None, reason="last day") if _is_over(row) else row


def _is_over(row: StandingOrder) -> bool:
    return row.ends_on is not None and row.next_day > row.ends_on


def _ensure_days(shop: Shop, rhythm: Rhythm, *, is_new: bool = True) -> None:
    today = today_of(shop)
    if is_new and not today <= rhythm.next_day <= today + LATEST_BEGIN:
        raise Invalid.field("next_day", "Value error, between today and two years from now", given=str(rhythm.next_day))
    if rhythm.ends_on is not None and rhythm.ends_on < rhythm.next_day:
        raise Invalid.field("ends_on", "Value error, the last day is before the next", given=str(rhythm.ends_on))


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _seen(by: Any, standing_id: int) -> StandingOrder:
    found = StandingOrder.objects.visible_to(by).filter(pk=standing_id).first()
    if found is None:
        raise errors.StandingOrderNotFound()
    return found


def _locked(by: Any, standing_id: int) -> StandingOrder:
    rows = StandingOrder.objects.visible_to(by).select_related("shop")
    found = rows.lock(errors.StandingOrderNotFound, pk=standing_id)
    ensure(found.status != Status.ENDED, errors.StandingOrderEnded)
    return found


def _write(row: StandingOrder, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(row, name, value)


def _rhythm_of(row: StandingOrder) -> Rhythm:
    return Rhythm(row.next_day, row.every_days, row.days_ahead, row.ends_on)


def _checked(shop: Shop, contents: Contents) -> dict[str, Any]:
    """Columns of what was asked for, after the shop's own products and zones."""
    pricing.lines(shop=shop, wishes=contents.items)
    zone_id = contents.details.get("zone_id")
    if zone_id and not DeliveryZone.objects.filter(shop=shop, is_active=True, pk=zone_id).exists():
        raise errors.ZoneNotFound()
    if clock := contents.details.get("window"):
        windows.read({**clock, "date": today_of(shop).isoformat()}, shop)
    items = [{name: value for name, value in vars(wish).items() if value is not None} for wish in contents.items]
    return {"items": items, "details": dict(contents.details)}
