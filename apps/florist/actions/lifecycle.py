"""How an order moves on, back, aside and out (contract florist 3.5): one table per deed, one lock, history, stock.

Lock order: an order's payments, the order, batches. What others do about it (tasks, messages, figures) hears the fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from apps.core import events, phones, states
from apps.core.access import ensure
from apps.core.errors import Invalid, Refused
from apps.core.states import Step
from apps.florist import access, errors
from apps.florist.actions import journal, records, stock
from apps.florist.events import OrderEdited
from apps.florist.models import Employee, Order, OrderHistory, Shop
from apps.florist.states import CANCEL, FORWARD, ISSUE, ROLLBACK

Status, Event = Order.Status, OrderHistory.Event
Table = Mapping[tuple[str, str], Step]

STEPS_OF_OWN: dict[str, tuple[str, ...]] = {
    Employee.Role.FLORIST: (Status.ASSEMBLED,),
    Employee.Role.COURIER: (Status.DELIVERY, Status.DELIVERED),
}
"""Where a role may move what is its own (contract 1.2)."""

BY_HAND = (Order.PaymentMethod.KASPI, Order.PaymentMethod.TRANSFER, Order.PaymentMethod.QR, Order.PaymentMethod.CARD)
"""With these, "paid" pressed by a manager says that he has seen the money; with cash it is still to be collected."""

LEFT_THE_SHOP = (Status.DELIVERY, Status.SELF_PICKUP, Status.DELIVERED)
"""Flowers that went away do not come back to the shelf when the order is given up or made anew."""

COMPLETE_AFTER = timedelta(days=3)
"""A delivered order that nobody complains about is completed."""
COMPLETED_AT_ONCE = 500

STAMPS: dict[str, tuple[str, ...]] = {
    Status.NEW: ("assembled_at", "dispatched_at", "delivered_at"),
    Status.PAID: ("assembled_at", "dispatched_at", "delivered_at"),
    Status.ASSEMBLED: ("dispatched_at", "delivered_at"),
    Status.DELIVERY: ("delivered_at",),
    Status.SELF_PICKUP: ("delivered_at",),
}
"""Times that a rollback to this status makes untrue."""


# ── On ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def move(
    *,
    by: Any,
    order_id: int,
    to: str,
    comment: str = "",
    version: int | None = None,
    allow_short: bool = False,
) -> Order:
    """One step forward, or out with `cancelled`; `allow_short` takes it though stems are missing.

    Raises `OrderNotFound`, `NotEnoughPermissions`, `IllegalTransition`, `CannotCancel`, `StockShort`,
    `ChangedMeanwhile`.
    """
    with transaction.atomic():
        order = records.lock(by, order_id)
        records.ensure_version(order, version)
        _ensure_may_move(by, order, to)
        if to == Status.CANCELLED:
            return _cancelled(order, by, comment or "cancelled")
        return _forward(order, to, by, comment, allow_short)


def _ensure_may_move(by: Any, order: Order, to: str) -> None:
    access.ensure_may(by, "orders", "own")
    if access.level(by, "orders") != "own":
        return
    ensure(to in STEPS_OF_OWN.get(by.role, ()), errors.NotEnoughPermissions)
    ensure(is_own(by, order), errors.NotEnoughPermissions)


def is_own(by: Employee, order: Order) -> bool:
    """Assigned to this florist or courier."""
    return by.pk == (order.courier_id if by.role == Employee.Role.COURIER else order.assigned_florist_id)


def _forward(order: Order, to: str, by: Any, comment: str = "", allow_short: bool = False) -> Order:
    old, changes = order.status, {}
    if to == Status.PAID:
        # From here on nobody waits for money.
        changes = {"reserved_until": None, "payment_date": order.payment_date or timezone.now()}
    moved = _stepped(order, FORWARD, errors.IllegalTransition, to, by, comment, **changes)
    if to == Status.PAID:
        _write_down(moved, by)
    _stock_follows(moved, old, by, allow_short)
    records.write(moved, Event.STATUS_CHANGED, by=by, old=old, new=to, comment=comment)
    return moved


def _write_down(order: Order, by: Any) -> None:
    """The money that a manager says he has seen."""
    if by is not None and order.payment_method in BY_HAND and order.outstanding:
        journal.enter(
            order,
            source=journal.Source.HAND,
            method=str(order.payment_method),
            amount=order.outstanding,
            key=f"paid:{order.version}",
            by=by,
        )


def pay(order: Order, *, by: Any = None) -> Order:
    """The money of a locked new order is here: it moves on, short of stems or not; any other stays where it is."""
    return _forward(order, Status.PAID, by, allow_short=True) if order.status == Status.NEW else order


def assembled(*, order_id: int, by: Any) -> Order:
    """Every task is done. An order that is not (or no longer) waiting for it stays as it is."""
    return _reached(order_id, by, Status.ASSEMBLED, (Status.PAID,))


def dispatched(*, order_id: int, by: Any) -> Order:
    """A courier has it; a repeat changes nothing. Raises `OrderNotFound`, `IllegalTransition`."""
    done = (Status.DELIVERY, Status.DELIVERED, Status.COMPLETED)
    return _reached(order_id, by, Status.DELIVERY, tuple(set(Status.values) - set(done)))


def delivered(*, order_id: int, by: Any) -> Order:
    """It was handed over; a repeat changes nothing. Raises `OrderNotFound`, `IllegalTransition`."""
    done = (Status.DELIVERED, Status.COMPLETED)
    return _reached(order_id, by, Status.DELIVERED, tuple(set(Status.values) - set(done)))


def _reached(order_id: int, by: Any, to: str, origins: tuple[str, ...]) -> Order:
    """For our own tasks and stops, which have checked who does it."""
    with transaction.atomic():
        order = records.lock(None, order_id)
        return _forward(order, to, by, allow_short=True) if order.status in origins else order


# ── Back, aside, out ────────────────────────────────────────────────────────────────────────────────────────────────
def rollback(*, by: Any, order_id: int, to: str, reason: str, version: int | None = None) -> Order:
    """Back by the rollback map, with a reason. Raises `OrderNotFound`, `NotEnoughPermissions`, `CannotRollBack`,

    `StockShort` when its stems were given away meanwhile, `ChangedMeanwhile`, `Invalid` without a reason.
    """
    access.ensure_may(by, "orders")
    words = _reason(reason, "reason")
    with transaction.atomic():
        order = records.lock(by, order_id)
        records.ensure_version(order, version)
        old = order.status
        # Whoever rolls back has the order in hand: the clock does not end it.
        changes: dict[str, Any] = dict.fromkeys((*STAMPS.get(to, ()), "reserved_until"))
        if old == Status.ISSUE:
            changes["has_issue"] = False
        moved = _stepped(order, ROLLBACK, errors.CannotRollBack, to, by, words, **changes)
        if to == Status.NEW:
            _take_back(moved, by)
        _stock_follows(moved, old, by, moved.is_backorder)
        records.write(moved, Event.STATUS_CHANGED, by=by, old=old, new=to, comment=words)
        return moved


def _take_back(order: Order, by: Any) -> None:
    """ "Paid" was pressed by mistake: what it wrote down and nobody paid back is undone. Money that came stays."""
    wrong = min(journal.by_hand(order), order.paid_amount)
    if wrong > 0:
        journal.enter(
            order,
            source=journal.Source.HAND,
            method=str(order.payment_method or "hand"),
            amount=-wrong,
            key=f"paid:{order.version}",
            by=by,
        )


def report_issue(*, by: Any, order_id: int, issue_type: str, comment: str) -> Order:
    """Something is wrong; the status before is kept for the way back.

    Raises `OrderNotFound`, `NotEnoughPermissions` for what is not one's own, `IllegalTransition`, `Invalid`.
    """
    access.ensure_may(by, "orders", "own")
    words = _reason(comment, "comment")
    with transaction.atomic():
        order = records.lock(by, order_id)
        if access.level(by, "orders") == "own":
            ensure(is_own(by, order), errors.NotEnoughPermissions)
        old = order.status
        changes = {"has_issue": True, "issue_type": issue_type, "issue_comment": words, "status_before_issue": old}
        moved = _stepped(order, ISSUE, errors.IllegalTransition, Status.ISSUE, by, words, **changes)
        _stock_follows(moved, old, by, True)
        records.write(moved, Event.ISSUE_REPORTED, by=by, old=old, new=Status.ISSUE, comment=f"{issue_type}: {words}")
        return moved


def cancel(*, by: Any, order_id: int, reason: str, version: int | None = None) -> Order:
    """Give the order up: stems and tasks are freed, what was paid is due back.

    Raises `OrderNotFound`, `NotEnoughPermissions`, `CannotCancel`, `ChangedMeanwhile`, `Invalid` without a reason.
    """
    access.ensure_may(by, "orders")
    words = _reason(reason, "cancellation_reason")
    with transaction.atomic():
        order = records.lock(by, order_id)
        records.ensure_version(order, version)
        return _cancelled(order, by, words)


def _cancelled(order: Order, by: Any, reason: str) -> Order:
    old = order.status
    changes = {"cancel_reason": reason[:500], "refund_due": order.paid_amount, "reserved_until": None}
    moved = _stepped(order, CANCEL, errors.CannotCancel, Status.CANCELLED, by, reason, **changes)
    _stock_follows(moved, old, by, True)
    records.write(moved, Event.STATUS_CHANGED, by=by, old=old, new=Status.CANCELLED, comment=reason)
    return moved


def _reason(text: str, field: str) -> str:
    words = text.strip()
    if not words:
        raise Invalid.field(field, "Value error, a reason is required", given=text)
    return words


def _stepped(
    order: Order, table: Table, refusal: type[Refused], to: str, by: Any, reason: str, **changes: Any
) -> Order:
    """The step with its other columns, when this deed's table knows it; a guard's no is the deed's no."""
    facts: dict[str, Any] = {"from_status": order.status, "to_status": to}
    if (order.status, to) not in table:
        raise refusal(**facts)
    try:
        moved = states.step(order, to, by=by, reason=reason)
    except errors.IllegalTransition as problem:
        raise refusal(**facts) from problem
    moved.shop = order.shop
    records.save(moved, **changes)
    return moved


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def hold(order: Order, *, by: Any, allow_short: bool) -> None:
    """Reserve the order's stems; short of them only when allowed, and then it is marked. Raises `StockShort`."""
    try:
        with transaction.atomic():
            stock.reserve(order, by=by)
    except errors.StockShort:
        if not allow_short:
            raise
        stock.reserve(order, by=by, allow_short=True)
        records.save(order, is_backorder=True)


def _stock_follows(order: Order, old: str, by: Any, allow_short: bool) -> None:
    """Held until assembled, written off once from then on, given back on the way back or out (contract 3.11)."""
    if order.status in Order.WRITTEN_OFF:
        stock.write_off(order, by=by)
    elif order.status == Status.CANCELLED:
        _free(order, old, by)
    elif order.status == Status.ISSUE:
        if old not in Order.WRITTEN_OFF:
            stock.release(order, by=by)
    elif _has_left(order, old):
        stock.use_up(order)
        _hold_when_due(order, by, allow_short)
    elif order.items.filter(is_written_off=True).exists():
        stock.put_back(order, by=by)
    else:
        _hold_when_due(order, by, allow_short)


def _hold_when_due(order: Order, by: Any, allow_short: bool) -> None:
    if order.status == Status.PAID or order.shop.reserve_at == Shop.ReserveAt.CREATED:
        # Whoever took the order without stems has decided already.
        hold(order, by=by, allow_short=allow_short or order.is_backorder)


def _has_left(order: Order, old: str) -> bool:
    """Whether it had a problem away from the shop; a step back without one says that the flowers never went."""
    return old == Status.ISSUE and order.status_before_issue in LEFT_THE_SHOP


def _free(order: Order, old: str, by: Any) -> None:
    if _has_left(order, old):
        return
    if order.items.filter(is_written_off=True).exists():
        stock.put_back(order, by=by)
    stock.release(order, by=by)


# ── Who makes it, who brings it ─────────────────────────────────────────────────────────────────────────────────────
def assign_florist(*, by: Any, order_id: int, florist_id: int) -> Order:
    """Name the florist. Raises `OrderNotFound`, `EmployeeNotFound`, `NotAFlorist`, `NotEnoughPermissions`."""
    access.ensure_may(by, "orders")
    with transaction.atomic():
        order = records.lock(by, order_id)
        florist = colleague(order.shop_id, florist_id)
        ensure(florist.role == Employee.Role.FLORIST, errors.NotAFlorist)
        records.save(order, assigned_florist=florist)
        records.write(order, Event.FLORIST_ASSIGNED, by=by, comment=florist.name)
        events.publish(OrderEdited(order_id=order.pk, shop_id=order.shop_id, what=("assigned_florist",)))
        return order


def assign_courier(*, by: Any, order_id: int, courier_id: int | None = None, phone: str = "", name: str = "") -> Order:
    """Name one of the shop's couriers, or somebody from outside by phone and name.

    Raises `OrderNotFound`, `EmployeeNotFound`, `NotACourier`, `InvalidPhone`, `Invalid` when nobody is named,
    `NotEnoughPermissions`.
    """
    access.ensure_may(by, "orders")
    with transaction.atomic():
        order = records.lock(by, order_id)
        records.save(order, **courier_fields(order.shop_id, courier_id, phone, name))
        words = order.courier.name if order.courier else order.courier_name or ""
        records.write(order, Event.COURIER_ASSIGNED, by=by, comment=words)
        events.publish(OrderEdited(order_id=order.pk, shop_id=order.shop_id, what=("courier",)))
        return order


def forget_courier(order: Order, *, reason: str) -> None:
    """A locked order has no courier any more: somebody else is to be named."""
    records.save(order, courier=None, courier_phone=None, courier_name=None)
    records.write(order, Event.COURIER_ASSIGNED, by=None, comment=reason)
    events.publish(OrderEdited(order_id=order.pk, shop_id=order.shop_id, what=("courier",)))


def courier_fields(shop_id: int, courier_id: int | None, phone: str = "", name: str = "") -> dict[str, Any]:
    """The order's three columns about its courier. Raises as `assign_courier` does."""
    if courier_id is not None:
        courier = colleague(shop_id, courier_id)
        ensure(courier.role == Employee.Role.COURIER, errors.NotACourier)
        return {"courier": courier, "courier_phone": courier.phone, "courier_name": courier.name}
    if not phone:
        raise Invalid.field("courier_id", "Value error, courier_id or courier_phone is required")
    return {"courier": None, "courier_phone": phones.normalise(phone, "KZ"), "courier_name": name or None}


def colleague(shop_id: int, employee_id: int) -> Employee:
    """Somebody who works in this shop. Raises `EmployeeNotFound`."""
    found = Employee.objects.filter(shop_id=shop_id, pk=employee_id, is_active=True).first()
    if found is None:
        raise errors.EmployeeNotFound()
    return found


# ── By the clock ────────────────────────────────────────────────────────────────────────────────────────────────────
def complete_delivered(*, now: datetime | None = None) -> int:
    """Complete what was delivered some days ago, oldest first; returns how many. Safe side by side."""
    limit = (now or timezone.now()) - COMPLETE_AFTER
    due = Order.objects.filter(status=Status.DELIVERED, delivered_at__lte=limit).order_by("delivered_at", "id")
    ids = list(due.values_list("id", flat=True)[:COMPLETED_AT_ONCE])
    return sum(_completed(order_id) for order_id in ids)


def _completed(order_id: int) -> bool:
    skip = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        rows = Order.objects.filter(pk=order_id, status=Status.DELIVERED).select_related("shop")
        order = rows.select_for_update(of=("self",), skip_locked=skip).first()
        if order is None:
            return False
        _forward(order, Status.COMPLETED, None)
    return True
