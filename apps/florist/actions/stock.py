"""Stems of orders: set aside, let go, written off once, put back, taken one for another (contract florist 3.11).

All of it happens inside the caller's transaction, and callers have asked who may do it. The order is locked before its
batches, so one order's stems never move twice at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core import events, states
from apps.florist import access, errors
from apps.florist.actions import records, shelf
from apps.florist.actions.shelf import Cause, Reason, Shelf
from apps.florist.errors import Shortage
from apps.florist.events import OrderEdited
from apps.florist.models import (
    Batch,
    Order,
    OrderHistory,
    OrderItem,
    Product,
    ProductionTask,
    ShowcaseBouquet,
    StockReservation,
    Substitution,
)
from apps.florist.queries import recipes
from apps.florist.queries.recipes import Flower, Line, Needs

State = StockReservation.State
ORDER = "order"
"""What movements of orders are about."""
MOST_STEMS = 2**31 - 1
"""More than any shelf holds."""


# ── Set aside and let go ────────────────────────────────────────────────────────────────────────────────────────────
def reserve(order: Order, *, by: Any, allow_short: bool = False) -> None:
    """Set the stems of every line aside, oldest deliveries first; lines that have theirs are left alone.

    Raises `StockShort` with every shortage and takes nothing. With `allow_short` it takes what there is; a line that
    lacks stems stays `is_reserved=False`.
    """
    with transaction.atomic():
        _reserve(order, _lock_lines(order, is_written_off=False), allow_short)


def reserve_line(item: OrderItem, *, by: Any, allow_short: bool = False) -> None:
    """`reserve` for one line. Raises `StockShort`."""
    with transaction.atomic():
        _reserve(item.order, _lock_lines(item.order, pk=item.pk, is_written_off=False), allow_short)
        item.refresh_from_db(fields=["is_reserved", "reserved_at"])


def release(order: Order, *, by: Any) -> None:
    """Let go of what is set aside; what is written off already stays so. Bouquets off the showcase go back to it."""
    with transaction.atomic():
        _release(order, _lock_lines(order, is_written_off=False), by)


def release_line(item: OrderItem, *, by: Any) -> None:
    """`release` for one line."""
    with transaction.atomic():
        _release(item.order, _lock_lines(item.order, pk=item.pk, is_written_off=False), by)
        item.refresh_from_db(fields=["is_reserved", "reserved_at"])


def shortages_of(items: Sequence[Line]) -> tuple[Shortage, ...]:
    """What the stock lacks for these lines of one shop, without setting anything aside; a question, not a promise."""
    wanted = _summed(recipes.needs_of(items))
    product = Product.objects.select_related("shop").filter(pk__in=[item.product_id for item in items]).first()
    if product is None or not wanted:
        return ()
    rows = Batch.objects.filter(shop=product.shop, variety__in={flower.variety for flower in wanted})
    return _short(Shelf(product.shop, rows), wanted)


# ── Leave the stock and come back ───────────────────────────────────────────────────────────────────────────────────
def write_off(order: Order, *, by: Any) -> None:
    """The bouquets are made: reserved stems leave the stock, then free ones for lines that lack some. Only once.

    Of a backorder as much is written off as there is, never more.
    """
    with transaction.atomic():
        items = _lock_lines(order, is_written_off=False)
        if not items:
            return
        held = _reservations(items, State.HELD)
        missing = _missing(items, held)
        place = shelf.lock(order.shop, ids=_batches_of(held), varieties=_varieties(missing))
        # What is missing is chosen while our own stems are still reserved: else they would be counted twice.
        rows, lacking = _allot(place, items, missing, State.WRITTEN_OFF)
        gone: Counter[int] = Counter()
        for row in rows:
            gone[row.batch_id] += row.qty
        for row in held:
            place.hold(place.get(row.batch_id), -row.qty)
            gone[row.batch_id] += row.qty
        _close(held, State.WRITTEN_OFF)
        _leave(order, place, gone, by)
        _mark(items, lacking, is_written_off=True, written_off_at=timezone.now())


def put_back(order: Order, *, by: Any) -> None:
    """The bouquets are undone: their stems return to the same batches and stay set aside for the order."""
    with transaction.atomic():
        items = _lock_lines(order, is_written_off=True)
        rows = _reservations(items, State.WRITTEN_OFF)
        place = shelf.lock(order.shop, ids=_batches_of(rows))
        stems: Counter[int] = Counter()
        for row in rows:
            stems[row.batch_id] += row.qty
        for batch_id, qty in sorted(stems.items()):
            batch = place.get(batch_id)
            place.move(batch, qty, _cause(Reason.RETURN, order, by))
            place.hold(batch, qty)
        place.write()
        _close(rows, State.HELD)
        OrderItem.objects.filter(pk__in=[item.pk for item in items]).update(is_written_off=False, written_off_at=None)


def use_up(order: Order) -> None:
    """The written off bouquets have left the shop and are to be made anew: their stems stay gone, the lines lack all.

    A bouquet of the showcase belongs to no line any more; it stays sold.
    """
    with transaction.atomic():
        items = [item.pk for item in _lock_lines(order, is_written_off=True)]
        rows = StockReservation.objects.filter(order_item__in=items, state=State.WRITTEN_OFF)
        rows.update(state=State.USED_UP)
        ShowcaseBouquet.objects.filter(order_item__in=items).update(order_item=None)
        nothing: dict[str, Any] = {"is_reserved": False, "reserved_at": None}
        OrderItem.objects.filter(pk__in=items).update(is_written_off=False, written_off_at=None, **nothing)


# ── One flower for another ──────────────────────────────────────────────────────────────────────────────────────────
def substitute(
    *,
    by: Any,
    task: ProductionTask,
    order_item: OrderItem,
    instead_of: int | Flower,
    to_batch_id: int,
    qty: int,
    reason: str,
) -> Substitution:
    """Take stems of another batch for a line, reserved or written off; the order's price stays.

    `instead_of` is a batch, or a flower of the recipe that the line lacks. Raises `NotEnoughPermissions`,
    `BatchNotFound`, `NothingToSubstitute`, `StockShort`.
    """
    access.ensure_may(by, "production", "own")
    with transaction.atomic():
        order = order_item.order
        item = next(iter(_lock_lines(order, pk=order_item.pk)), None)
        if item is None or task.order_id != order.pk or qty <= 0 or instead_of == to_batch_id:
            raise errors.NothingToSubstitute()
        old_ids = [] if isinstance(instead_of, Flower) else [instead_of]
        place = shelf.lock(order.shop, ids=(to_batch_id, *old_ids))
        new = place.get(to_batch_id)
        if new.available_qty < qty:
            raise errors.StockShort((Shortage(new.variety, new.height_cm, qty, new.available_qty),))
        made = Substitution(task=task, order_item=item, to_batch=new, qty=qty, reason=reason, by=_who(by))
        if isinstance(instead_of, Flower):
            _fill_in(place, made, item, instead_of, by)
        else:
            _take_over(place, made, item, place.get(instead_of), by)
        place.write()
        made.save(force_insert=True)
        return made


def make_room(keep: Mapping[int, int], *, by: Any) -> int:
    """Move reservations off batches until no more than `keep` (batch → stems) are reserved there, newest first.

    They go to other batches of the flower as far as these reach and may keep them, else the line lacks them and its
    order is a backorder. Call before the batches are locked. Returns stems that found no place. Raises
    `ChangedMeanwhile` when an order takes stems of them right now.
    """
    with transaction.atomic():
        held = StockReservation.objects.filter(batch__in=keep, state=State.HELD)
        order_ids = set(held.values_list("order_item__order_id", flat=True))
        if not order_ids:
            return 0
        orders = list(Order.objects.filter(pk__in=order_ids).order_by("pk").select_for_update(of=("self",)))
        rows = list(held.select_related("order_item").order_by("-pk"))
        if {row.order_item.order_id for row in rows} - order_ids:
            raise errors.ChangedMeanwhile()
        place = shelf.lock(orders[0].shop, ids=keep, varieties={row.for_variety for row in rows})
        lacking = _evict(place, rows, keep)
        for order in orders:
            if lost := [f"− {stems} × {variety}" for (pk, variety), stems in lacking.items() if pk == order.pk]:
                records.save(order, is_backorder=True)
                records.write(order, OrderHistory.Event.EDITED, by=by, comment=", ".join(lost))
                events.publish(OrderEdited(order.pk, order.shop_id, ("stock",)))
        return lacking.total()


# ── How ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _lock_lines(order: Order, **where: Any) -> list[OrderItem]:
    Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    return list(OrderItem.objects.filter(order=order.pk, **where).order_by("pk"))


def _reserve(order: Order, items: list[OrderItem], allow_short: bool) -> None:
    items = [item for item in items if not item.is_reserved]
    missing = _missing(items, _reservations(items, State.HELD))
    place = shelf.lock(order.shop, varieties=_varieties(missing))
    if not allow_short and (short := _short(place, _summed(missing))):
        raise errors.StockShort(short)
    rows, lacking = _allot(place, items, missing, State.HELD)
    for row in rows:
        place.hold(place.get(row.batch_id), row.qty)
    place.write()
    _mark(items, lacking)


def _release(order: Order, items: list[OrderItem], by: Any) -> None:
    held = _reservations(items, State.HELD)
    place = shelf.lock(order.shop, ids=_batches_of(held))
    for row in held:
        place.hold(place.get(row.batch_id), -row.qty)
    place.write()
    _close(held, State.RELEASED)
    OrderItem.objects.filter(pk__in=[item.pk for item in items]).update(is_reserved=False, reserved_at=None)
    for bouquet in ShowcaseBouquet.objects.filter(order_item__in=items, state=ShowcaseBouquet.State.SOLD):
        states.step(bouquet, ShowcaseBouquet.State.SHOWN, by=by)
        ShowcaseBouquet.objects.filter(pk=bouquet.pk).update(order_item=None)


def _reservations(items: Sequence[OrderItem], state: str) -> list[StockReservation]:
    rows = StockReservation.objects.filter(order_item__in=[item.pk for item in items], state=state)
    return list(rows.order_by("pk"))


def _batches_of(rows: Sequence[StockReservation]) -> set[int]:
    return {row.batch_id for row in rows}


def _missing(items: Sequence[OrderItem], held: Sequence[StockReservation]) -> list[Needs]:
    """What each line still needs; a line that is fully reserved keeps the recipe of that day."""
    had: dict[int, Needs] = {item.pk: Counter() for item in items}
    for row in held:
        had[row.order_item_id][Flower(row.for_variety, row.for_height_cm)] += row.qty
    open_items = [item for item in items if not item.is_reserved]
    needs = dict(zip((item.pk for item in open_items), recipes.needs_of(open_items), strict=True))
    return [needs.get(item.pk, Counter()) - had[item.pk] for item in items]


def _varieties(missing: Sequence[Needs]) -> set[str]:
    return {flower.variety for needs in missing for flower in needs}


def _summed(needs: Sequence[Needs]) -> Needs:
    total: Needs = Counter()
    for one in needs:
        total.update(one)
    return total


def _short(place: Shelf, wanted: Needs) -> tuple[Shortage, ...]:
    """What is lacking when exact heights choose first; leaves the shelf as it was."""
    taken: Counter[int] = Counter()
    found = []
    for flower, stems in sorted(wanted.items(), key=lambda need: need[0].order):
        got = 0
        for batch, part in _take(place, flower, stems):
            taken[batch.pk] += part
            got += part
        if got < stems:
            found.append(Shortage(flower.variety, flower.height_cm, needed=stems, available=got))
    for batch_id, part in taken.items():
        place.hold(place.get(batch_id), -part)
    return tuple(found)


def _allot(
    place: Shelf, items: Sequence[OrderItem], missing: Sequence[Needs], state: str
) -> tuple[list[StockReservation], set[int]]:
    """Choose batches for what is missing and write the rows down; also the ids of lines that still lack stems."""
    wanted = [(flower, item, needs[flower]) for item, needs in zip(items, missing, strict=True) for flower in needs]
    rows, lacking = [], set()
    for flower, item, stems in sorted(wanted, key=lambda want: (want[0].order, want[1].pk)):
        for batch, part in _take(place, flower, stems):
            rows.append(_row(place, item, batch, flower, part, state))
            stems -= part
        if stems:
            lacking.add(item.pk)
    for row in rows:
        place.hold(place.get(row.batch_id), -row.qty)
    StockReservation.objects.bulk_create(rows)
    return rows, lacking


def _take(place: Shelf, flower: Flower, stems: int) -> list[tuple[Batch, int]]:
    found = list(place.take(flower, stems))
    for batch, part in found:
        place.hold(batch, part)
    return found


def _row(place: Shelf, item: OrderItem, batch: Batch, flower: Flower, qty: int, state: str) -> StockReservation:
    return StockReservation(
        shop=place.shop,
        order_item=item,
        batch=batch,
        for_variety=flower.variety,
        for_height_cm=flower.height_cm,
        qty=qty,
        state=state,
        closed_at=None if state == State.HELD else timezone.now(),
    )


def _leave(order: Order, place: Shelf, gone: Counter[int], by: Any) -> None:
    for batch_id, qty in sorted(gone.items()):
        place.move(place.get(batch_id), -qty, _cause(Reason.ORDER, order, by))
    place.write()


def _cause(reason: str, order: Order, by: Any) -> Cause:
    return Cause(reason, by=by, words=f"#{order.pk}", about=(ORDER, order.pk))


def _close(rows: Sequence[StockReservation], state: str) -> None:
    closed_at = None if state == State.HELD else timezone.now()
    StockReservation.objects.filter(pk__in=[row.pk for row in rows]).update(state=state, closed_at=closed_at)


def _mark(items: Sequence[OrderItem], lacking: set[int], **more: Any) -> None:
    covered = [item.pk for item in items if item.pk not in lacking and not item.is_reserved]
    OrderItem.objects.filter(pk__in=covered).update(is_reserved=True, reserved_at=timezone.now())
    if more:
        OrderItem.objects.filter(pk__in=[item.pk for item in items]).update(**more)


def _take_over(place: Shelf, made: Substitution, item: OrderItem, old: Batch, by: Any) -> None:
    """Stems that the line has change their batch."""
    new = made.to_batch
    made.from_batch, made.cost_difference = old, (new.stem_cost - old.stem_cost) * Decimal(made.qty)
    _hand_over(item, old, new, made.qty)
    _exchange(place, item, (old, new), made.qty, by)


def _fill_in(place: Shelf, made: Substitution, item: OrderItem, flower: Flower, by: Any) -> None:
    """Stems for a flower that the line lacks. Raises `NothingToSubstitute` for more than it lacks."""
    state = State.WRITTEN_OFF if item.is_written_off else State.HELD
    [lacking] = _missing([item], _reservations([item], state))
    if made.qty > lacking[flower]:
        raise errors.NothingToSubstitute()
    made.for_variety, made.for_height_cm = flower.variety, flower.height_cm
    made.cost_difference = made.to_batch.stem_cost * Decimal(made.qty)
    _row(place, item, made.to_batch, flower, made.qty, state).save(force_insert=True)
    if item.is_written_off:
        place.move(made.to_batch, -made.qty, _cause(Reason.ORDER, item.order, by))
    else:
        place.hold(made.to_batch, made.qty)
    if made.qty == lacking.total():
        _mark([item], set())


def _hand_over(item: OrderItem, old: Batch, new: Batch, qty: int) -> None:
    """Reservation rows of the line: `qty` stems change their batch, what is left of a row stays."""
    state = State.WRITTEN_OFF if item.is_written_off else State.HELD
    rows = StockReservation.objects.filter(order_item=item, batch=old, state=state).order_by("pk")
    for row in rows:
        part = min(row.qty, qty)
        if part:
            _move_row(row, new, part)
            qty -= part
    if qty:
        raise errors.NothingToSubstitute()


def _move_row(row: StockReservation, batch: Batch, part: int) -> None:
    """`part` stems of a row are from another batch now."""
    if part == row.qty:
        StockReservation.objects.filter(pk=row.pk).update(batch=batch)
        return
    StockReservation.objects.filter(pk=row.pk).update(qty=row.qty - part)
    row.pk, row.qty, row.batch, row._state.adding = None, part, batch, True
    row.save(force_insert=True)


def _exchange(place: Shelf, item: OrderItem, batches: tuple[Batch, Batch], qty: int, by: Any) -> None:
    old, new = batches
    if not item.is_written_off:
        place.hold(old, -qty)
        place.hold(new, qty)
        return
    place.move(old, qty, _cause(Reason.RETURN, item.order, by))
    place.move(new, -qty, _cause(Reason.ORDER, item.order, by))


def _who(by: Any) -> Any:
    employee = access.employee_of(by)
    if employee is None:
        raise errors.NotEnoughPermissions()
    return employee


def _evict(place: Shelf, rows: Sequence[StockReservation], keep: Mapping[int, int]) -> Counter[tuple[int, str]]:
    """Order and variety → stems that it lacks now."""
    lacking: Counter[tuple[int, str]] = Counter()
    for row in rows:
        batch = place.get(row.batch_id)
        over = min(batch.reserved_qty - keep[batch.pk], row.qty)
        if over > 0 and (lost := _rehouse(place, row, over, keep)):
            lacking[row.order_item.order_id, row.for_variety] += lost
    place.write()
    return lacking


def _rehouse(place: Shelf, row: StockReservation, over: int, keep: Mapping[int, int]) -> int:
    """Find another batch for `over` stems of a row; returns what found none and is lost to the line."""
    flower, homeless = Flower(row.for_variety, row.for_height_cm), over
    for batch, free in list(place.take(flower, MOST_STEMS)):
        part = min(free, homeless, keep.get(batch.pk, MOST_STEMS) - batch.reserved_qty)
        if part > 0:
            place.hold(batch, part)
            _row(place, row.order_item, batch, flower, part, State.HELD).save(force_insert=True)
            homeless -= part
    place.hold(place.get(row.batch_id), -over)
    if over == row.qty:
        _close([row], State.RELEASED)
    else:
        StockReservation.objects.filter(pk=row.pk).update(qty=row.qty - over)
    if homeless:
        OrderItem.objects.filter(pk=row.order_item_id).update(is_reserved=False)
    return homeless
