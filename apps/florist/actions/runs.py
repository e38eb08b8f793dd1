"""Couriers' runs: planned, changed by hand, handed over, driven (contract florist 4, 6).

Locks go orders (by id) → run → stops. What comes from a courier's phone carries a key and counts once, hours later too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from apps.core import events, states
from apps.core.access import ensure
from apps.core.idempotency import KeyReused
from apps.florist import access, errors
from apps.florist.actions import courier_day, lifecycle
from apps.florist.events import RunChanged
from apps.florist.models import CourierAction, DeliveryRun, Employee, Order, Shop, Stop
from apps.florist.queries import deliveries, routes
from apps.florist.queries.routes import Place
from apps.florist.queries.windows import today_of

Status = DeliveryRun.Status
DELIVERABLE = (Order.Status.PAID, Order.Status.ASSEMBLED, Order.Status.DELIVERY)
ALIVE = (Status.PLANNED, Status.ACCEPTED, Status.STARTED)
MOST_STOPS = 60
GONE = "its courier works here no more"
"""Why an order is free again, for its history."""


@dataclass(frozen=True)
class StopWish:
    """An order for a run, with its place on the map when somebody knows it."""

    order_id: int
    latitude: float | None = None
    longitude: float | None = None

    @property
    def place(self) -> Place | None:
        """Both or nothing."""
        return None if self.latitude is None or self.longitude is None else (self.latitude, self.longitude)

    def at(self, place: Place | None) -> StopWish:
        """The same with a place, unless it has one."""
        return self if self.place or not place else StopWish(self.order_id, *place)


# ── Planning ────────────────────────────────────────────────────────────────────────────────────────────────────────
def plan(
    *,
    by: Any,
    courier_id: int,
    stops: Sequence[StopWish],
    day: date | None = None,
    start: Place | None = None,
    keeps_order: bool = False,
) -> DeliveryRun:
    """A run for a courier, today by default; stops in the proposed order unless `keeps_order`.

    The courier becomes the courier of these orders. Raises `NotEnoughPermissions`, `EmployeeNotFound`, `NotACourier`,
    `OrderNotFound`, `OrderNotDeliverable`, `OrderOnARun`, `TooManyStops`, `DayClosed`.
    """
    access.ensure_may(by, "orders")
    with transaction.atomic():
        run = DeliveryRun(shop_id=by.shop_id, day=day or today_of(by.shop))
        run.courier = _courier(run, courier_id)
        orders = _lock_orders(by, [wish.order_id for wish in stops])
        placed = _placed(by.shop, orders, stops)
        run.save(force_insert=True)
        _add(run, orders, placed if keeps_order else _sorted(orders, placed, start), by)
        tell(run)
        return run


def add_stops(*, by: Any, run_id: int, stops: Sequence[StopWish]) -> DeliveryRun:
    """More orders at the end of a run that is not over. Raises as `plan` does, `RunNotFound`, `IllegalRunStep`."""
    access.ensure_may(by, "orders")
    with transaction.atomic():
        seen = visible_run(by, run_id)
        _courier(seen, seen.courier_id)
        orders = _lock_orders(by, [wish.order_id for wish in stops])
        run = _alive(by, run_id)
        _add(run, orders, _placed(by.shop, orders, stops), by)
        tell(run)
        return run


def remove_stop(*, by: Any, run_id: int, stop_id: int) -> Stop:
    """Take an order that still lies in the shop off its run. Raises `StopNotFound`, `IllegalStopStep`."""
    access.ensure_may(by, "orders")
    with transaction.atomic():
        stop = hold_stop(by, stop_id)
        ensure(stop.run_id == run_id, errors.StopNotFound)
        run = stop.run
        ensure(
            stop.status == Stop.Status.WAITING,
            errors.IllegalStopStep,
            from_status=stop.status,
            to_status=Stop.Status.REMOVED,
        )
        stop = states.step(stop, Stop.Status.REMOVED, by=by)
        finish_if_done(run.pk, by=by)
        tell(run)
        return stop


def reorder(*, by: Any, run_id: int, stop_ids: Sequence[int]) -> DeliveryRun:
    """The open stops in this order, by the courier or a manager. Raises `RunNotFound`, `ChangedMeanwhile` when these

    are not exactly the open stops.
    """
    with transaction.atomic():
        run = _alive(by, run_id)
        stops = {stop.pk: stop for stop in run.stops.filter(status__in=Stop.OPEN).select_for_update(of=("self",))}
        ensure(sorted(stops) == sorted(stop_ids), errors.ChangedMeanwhile)
        for number, stop_id in enumerate(stop_ids, start=1):
            stops[stop_id].position, stops[stop_id].updated_at = number, timezone.now()
        Stop.objects.bulk_update(stops.values(), ["position", "updated_at"])
        tell(run)
        return run


def hand_over(*, by: Any, run_id: int, courier_id: int, stop_ids: Sequence[int] | None = None) -> DeliveryRun:
    """Open stops go on with another courier, all of them unless named; what was picked up stays picked up.

    By the courier himself or a manager. Returns the other's new run. Raises `RunNotFound`, `StopNotFound`,
    `EmployeeNotFound`, `NotACourier`, `IllegalRunStep`, `DayClosed`.
    """
    with transaction.atomic():
        seen = visible_run(by, run_id)
        ensure(courier_id != seen.courier_id, errors.NotACourier)
        courier = _courier(seen, courier_id)
        wanted = _hold_stops(by, run_id, stop_ids)
        old = _alive(by, run_id)
        new = DeliveryRun.objects.create(shop_id=old.shop_id, courier=courier, day=old.day)
        for number, stop in enumerate(wanted, start=1):
            _pass_on(stop, new, number, by)
        finish_if_done(old.pk, by=by)
        tell(old)
        tell(new)
        return new


def proposal(*, by: Any, stops: Sequence[StopWish], start: Place | None = None) -> list[StopWish]:
    """In which order these would be driven. Raises `NotEnoughPermissions`, `OrderNotFound`."""
    access.ensure_may(by, "orders")
    ids = [wish.order_id for wish in stops]
    rows = Order.objects.visible_to(by).filter(pk__in=ids).select_related("delivery_zone").order_by("pk")
    orders = {order.pk: order for order in rows}
    ensure(orders.keys() == set(ids), errors.OrderNotFound)
    return _sorted(orders, _placed(by.shop, orders, stops), start)


def _placed(shop: Shop, orders: dict[int, Order], stops: Sequence[StopWish]) -> list[StopWish]:
    """Places that nobody named are those where a courier stood before at the same address."""
    unknown = {address for wish in stops if not wish.place and (address := orders[wish.order_id].address)}
    known = deliveries.known_places(shop=shop, addresses=unknown) if unknown else {}
    return [wish.at(known.get(orders[wish.order_id].address or "")) for wish in stops]


def _sorted(orders: dict[int, Order], stops: Sequence[StopWish], start: Place | None) -> list[StopWish]:
    known = {wish.order_id: wish for wish in stops}
    rows = [
        routes.Wish(
            order_id=order.pk,
            starts=order.delivery_from,
            zone=order.delivery_zone.position if order.delivery_zone else 0,
            place=known[order.pk].place,
        )
        for order in orders.values()
    ]
    return [known[wish.order_id] for wish in routes.propose(rows, start)]


def _add(run: DeliveryRun, orders: dict[int, Order], stops: Sequence[StopWish], by: Any) -> None:
    last = run.stops.aggregate(last=Max("position"))["last"] or 0
    open_stops = run.stops.filter(status__in=Stop.OPEN).count()
    ensure(open_stops + len(stops) <= MOST_STOPS, errors.TooManyStops, most=MOST_STOPS)
    for number, wish in enumerate(stops, start=last + 1):
        order = orders[wish.order_id]
        if order.courier_id != run.courier_id:
            lifecycle.assign_courier(by=by, order_id=order.pk, courier_id=run.courier_id)
        _store(
            Stop(
                run=run,
                order=order,
                position=number,
                latitude=wish.latitude,
                longitude=wish.longitude,
            )
        )


def _store(stop: Stop) -> None:
    try:
        with transaction.atomic():
            stop.save(force_insert=True)
    except IntegrityError as problem:
        raise errors.OrderOnARun(order_id=stop.order_id) from problem


def _pass_on(stop: Stop, new: DeliveryRun, number: int, by: Any) -> None:
    """Off one run and on the other; the courier of the order changes between the two."""
    was_picked_up = stop.status == Stop.Status.PICKED_UP
    states.step(stop, Stop.Status.REMOVED, by=by, reason=f"handed over to run {new.pk}")
    lifecycle.assign_courier(by=None, order_id=stop.order_id, courier_id=new.courier_id)
    again = Stop(
        run=new,
        order_id=stop.order_id,
        position=number,
        latitude=stop.latitude,
        longitude=stop.longitude,
    )
    _store(again)
    if was_picked_up:
        states.step(again, Stop.Status.PICKED_UP, by=by, reason="handed over")


def _courier(run: DeliveryRun, courier_id: int) -> Employee:
    """One of the shop's couriers, held, who has not closed that day."""
    courier_day.hold_courier(lifecycle.colleague(run.shop_id, courier_id).pk)
    found = lifecycle.colleague(run.shop_id, courier_id)  # again: he may have been dismissed while we waited
    ensure(found.role == Employee.Role.COURIER, errors.NotACourier)
    courier_day.ensure_open(found.pk, run.day)
    return found


def _lock_orders(by: Any, ids: Sequence[int]) -> dict[int, Order]:
    """Orders of the shop that can be brought, locked in the order of their ids."""
    ensure(0 < len(ids) <= MOST_STOPS, errors.TooManyStops, most=MOST_STOPS)
    visible = set(Order.objects.visible_to(by).filter(pk__in=ids).values_list("pk", flat=True))
    ensure(visible == set(ids), errors.OrderNotFound)
    found = _lock_rows(ids)
    for order in found.values():
        fits = order.status in DELIVERABLE and order.delivery_method == Order.Method.DELIVERY
        ensure(fits, errors.OrderNotDeliverable, order_id=order.pk)
    ensure(len(set(ids)) == len(ids), errors.OrderOnARun, order_id=ids[0])
    taken = Stop.objects.open().filter(order_id__in=ids).values_list("order_id", flat=True).first()
    ensure(taken is None, errors.OrderOnARun, order_id=taken)
    return found


def _lock_rows(ids: Sequence[int]) -> dict[int, Order]:
    rows = Order.objects.filter(pk__in=ids).select_related("shop", "delivery_zone").order_by("pk")
    return {order.pk: order for order in rows.select_for_update(of=("self",))}


# ── Driving ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def accept(*, by: Any, run_id: int, key: str = "") -> DeliveryRun:
    """The courier has seen it; later than that it changes nothing. Raises `RunNotFound`, `IllegalRunStep`."""
    return _drive(by, run_id, Status.ACCEPTED, key, done=(Status.ACCEPTED, Status.STARTED, Status.FINISHED))


def start(*, by: Any, run_id: int, key: str = "") -> DeliveryRun:
    """Off; later than that it changes nothing. Raises `RunNotFound`, `IllegalRunStep`."""
    return _drive(by, run_id, Status.STARTED, key, done=(Status.STARTED, Status.FINISHED))


def finish(*, by: Any, run_id: int, key: str = "") -> DeliveryRun:
    """Back, with no open stop. Raises `RunNotFound`, `OpenStopsLeft`, `IllegalRunStep`."""
    return _drive(by, run_id, Status.FINISHED, key, done=(Status.FINISHED,))


def _drive(by: Any, run_id: int, to: str, key: str, done: tuple[str, ...]) -> DeliveryRun:
    run = visible_run(by, run_id)

    def step() -> None:
        held = _lock_run(by, run.pk)
        if held.status in done:
            return
        if to == Status.FINISHED:
            left = held.stops.filter(status__in=Stop.OPEN).count()
            ensure(left == 0, errors.OpenStopsLeft, count=left)
        states.step(held, to, by=by)

    once(by=by, key=key, what=f"run:{to}:{run.pk}", deed=step)
    return visible_run(by, run_id)


def cancel(*, by: Any, run_id: int, reason: str = "") -> DeliveryRun:
    """Not driven: its stops are free for other runs. Raises `NotEnoughPermissions`, `RunNotFound`, and

    `IllegalRunStep`, also while its courier carries flowers: they are handed over.
    """
    access.ensure_may(by, "orders")
    with transaction.atomic():
        stops = _hold_stops(by, run_id, None)
        run = _lock_run(by, run_id)
        lie_in_the_shop = all(stop.status == Stop.Status.WAITING for stop in stops)
        ensure(lie_in_the_shop, errors.IllegalRunStep, from_status=run.status, to_status=Status.CANCELLED)
        run = states.step(run, Status.CANCELLED, by=by, reason=reason)
        for stop in stops:
            states.step(stop, Stop.Status.REMOVED, by=by, reason="run cancelled")
        return run


def free_the_orders_of(*, courier_id: int) -> None:
    """Somebody brings nothing here any more: his runs end, and what he has not brought is free for another courier.

    Also what he carries: the order stays on its way until its flowers are in other hands. Repeating is free.
    """
    with transaction.atomic():
        courier_day.hold_courier(courier_id)
        orders = _undelivered(courier_id)
        alive = DeliveryRun.objects.filter(courier_id=courier_id, status__in=ALIVE).order_by("pk")
        for run in alive.select_for_update(of=("self",)):
            for stop in run.stops.filter(status__in=Stop.OPEN).order_by("pk"):
                states.step(stop, Stop.Status.REMOVED, by=None, reason=GONE)
            finish_if_done(run.pk, by=None)
        for order in orders:
            lifecycle.forget_courier(order, reason=GONE)


def _undelivered(courier_id: int) -> list[Order]:
    """A courier's orders that are not brought yet, locked in the order of their ids."""
    over = (Order.Status.DELIVERED, Order.Status.COMPLETED, Order.Status.CANCELLED)
    rows = Order.objects.filter(courier_id=courier_id).exclude(status__in=over).select_related("shop").order_by("pk")
    return list(rows.select_for_update(of=("self",)))


def start_if_waiting(run_id: int, *, by: Any) -> None:
    """The first thing a courier does on a run begins it, whatever his phone sends first. The caller holds the run."""
    run = DeliveryRun.objects.get(pk=run_id)
    if run.status in (Status.PLANNED, Status.ACCEPTED):
        states.step(run, Status.STARTED, by=by)


def finish_if_done(run_id: int, *, by: Any) -> None:
    """The last stop ends a run; one that lost all its stops before it began is cancelled. The caller holds the run."""
    run = DeliveryRun.objects.get(pk=run_id)
    if run.status not in ALIVE or run.stops.filter(status__in=Stop.OPEN).exists():
        return
    if run.status != Status.STARTED and not run.stops.exclude(status=Stop.Status.REMOVED).exists():
        states.step(run, Status.CANCELLED, by=by, reason="no stop is left")
        return
    start_if_waiting(run_id, by=by)
    states.step(run, Status.FINISHED, by=by)


# ── What the others need ────────────────────────────────────────────────────────────────────────────────────────────
def once(*, by: Any, key: str, what: str, deed: Callable[[], None]) -> None:
    """Do it unless this person's key was seen before; a refusal leaves no trace.

    Raises `KeyReused` for a key of another deed.
    """
    who = access.employee_of(by)
    with transaction.atomic():
        if key and who is not None:
            known, is_new = CourierAction.objects.get_or_create(courier=who, key=key, defaults={"what": what})
            if known.what != what:
                raise KeyReused()
            if not is_new:
                return
        deed()


def visible_run(by: Any, run_id: int) -> DeliveryRun:
    """Raises `RunNotFound`, `NotEnoughPermissions`."""
    access.ensure_may(by, "orders", "own")
    found = DeliveryRun.objects.visible_to(by).filter(pk=run_id).select_related("courier", "shop").first()
    if found is None:
        raise errors.RunNotFound()
    return found


def visible_stop(by: Any, stop_id: int) -> Stop:
    """Raises `StopNotFound`, `NotEnoughPermissions`."""
    access.ensure_may(by, "orders", "own")
    found = Stop.objects.visible_to(by).filter(pk=stop_id).select_related("run__shop", "run__courier", "order").first()
    if found is None:
        raise errors.StopNotFound()
    return found


def hold_stop(by: Any, stop_id: int) -> Stop:
    """The stop, fresh, with its order and run locked before it. Raises `StopNotFound`, `NotEnoughPermissions`."""
    seen = visible_stop(by, stop_id)
    _lock_rows([seen.order_id])
    run = _lock_run(by, seen.run_id)
    stop = Stop.objects.select_for_update(of=("self",)).select_related("order").get(pk=stop_id)
    stop.run = run
    return stop


def _hold_stops(by: Any, run_id: int, stop_ids: Sequence[int] | None) -> list[Stop]:
    """Open stops of a run, or those named, with their orders and the run locked before them."""
    _lock_rows(list(Stop.objects.visible_to(by).open().filter(run_id=run_id).values_list("order_id", flat=True)))
    _lock_run(by, run_id)
    found = list(Stop.objects.open().filter(run_id=run_id).order_by("position", "id"))
    if stop_ids is None:
        return found
    ensure(bool(stop_ids) and set(stop_ids) <= {stop.pk for stop in found}, errors.StopNotFound)
    return [stop for stop in found if stop.pk in set(stop_ids)]


def _lock_run(by: Any, run_id: int) -> DeliveryRun:
    rows = DeliveryRun.objects.visible_to(by).select_related("courier", "shop")
    return rows.lock(errors.RunNotFound, pk=run_id)


def _alive(by: Any, run_id: int) -> DeliveryRun:
    access.ensure_may(by, "orders", "own")
    run = _lock_run(by, run_id)
    ensure(run.status in ALIVE, errors.IllegalRunStep, from_status=run.status, to_status=run.status)
    return run


def tell(run: DeliveryRun) -> None:
    """Say that the run's stops are not what they were."""
    fresh = DeliveryRun.objects.only("status", "shop_id", "courier_id").get(pk=run.pk)
    events.publish(RunChanged(run_id=fresh.pk, shop_id=fresh.shop_id, courier_id=fresh.courier_id, status=fresh.status))
