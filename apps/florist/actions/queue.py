"""The queue of free tasks: the next one to whoever asks, fairly, and what is late moves up (contract florist 3.9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps.core import events
from apps.core.access import ensure
from apps.florist import access, errors
from apps.florist.actions import production
from apps.florist.events import TaskLate
from apps.florist.models import Employee, Order, ProductionTask

Status = ProductionTask.Status
BATCH = 500
"""Late tasks that one round looks at."""
PATIENCE = 5
"""Held tasks that one call waits for."""

_NEXT = """
    SELECT task.id
    FROM florist_productiontask task JOIN florist_order o ON o.id = task.order_id
    WHERE task.shop_id = %s AND task.status = %s AND o.status = ANY(%s)
    ORDER BY task.priority, task.deadline NULLS LAST, task.id
    LIMIT 1
    FOR UPDATE OF task SKIP LOCKED FOR KEY SHARE OF o SKIP LOCKED
"""
# The order's key too: PostgreSQL checks foreign keys of a row written twice when the transaction ends, and waiting for
# an order there, behind somebody who waits for our task, would be a deadlock.


@dataclass(frozen=True)
class Distribution:
    """`distributed` tasks found a florist; `skipped` florists got none, being busy or because nothing was left."""

    distributed: int
    skipped: int
    total_pending: int


def take_next(*, by: Employee) -> ProductionTask | None:
    """The most urgent free task, now assigned to `by`; None while one is active or when nothing is free.

    Many may ask at once: each gets another task. Raises `NotEnoughPermissions`, `NotAFlorist`.
    """
    access.ensure_may(by, "production", "own")
    ensure(access.employee_of(by) is not None and by.role == Employee.Role.FLORIST, errors.NotAFlorist)
    return _next_for(by, by=by)


def distribute(*, by: Any) -> Distribution:
    """One task to each florist on shift who has none. Raises `NotEnoughPermissions`."""
    access.ensure_may(by, "production")
    waiting = _free(by.shop_id).count()
    given = [_next_for(florist, by=by) is not None for florist in _on_shift(by.shop_id)]
    return Distribution(distributed=sum(given), skipped=len(given) - sum(given), total_pending=waiting)


def raise_late(*, shop_id: int | None = None) -> int:
    """Tasks past their deadline become urgent and are told once; of one shop, or of all. Returns how many."""
    with transaction.atomic():
        late = ProductionTask.objects.open().filter(deadline__lt=timezone.now(), late_at=None)
        late = late if shop_id is None else late.filter(shop_id=shop_id)
        skip = connection.features.has_select_for_update_skip_locked
        rows = list(late.select_for_update(of=("self",), skip_locked=skip).order_by("deadline")[:BATCH])
        ProductionTask.objects.filter(pk__in=[row.pk for row in rows]).update(
            priority=ProductionTask.Priority.URGENT, late_at=timezone.now()
        )
        events.publish(*(TaskLate(task_id=row.pk, shop_id=row.shop_id, florist_id=row.florist_id) for row in rows))
    return len(rows)


def check_overdue(*, by: Any) -> int:
    """`raise_late` for the manager's own shop. Raises `NotEnoughPermissions`."""
    access.ensure_may(by, "production")
    return raise_late(shop_id=by.shop_id)


def _next_for(florist: Employee, *, by: Any) -> ProductionTask | None:
    with transaction.atomic():
        # Two presses of one thumb: the second waits here, then finds the first's task active. So does a dismissal.
        held = Employee.objects.select_for_update(of=("self",), no_key=True).get(pk=florist.pk)
        busy = ProductionTask.objects.filter(florist=florist, status__in=ProductionTask.ACTIVE).exists()
        if busy or not held.is_active:
            return None
        task = _keeping(partial(_at_once, florist.shop_id)) or _patiently(florist.shop_id)
        return production.give(task, florist, by=by) if task else None


def _at_once(shop_id: int) -> ProductionTask | None:
    """The next free task, locked, passing over what others hold; SQLite lets only one of us write at all."""
    if not connection.features.has_select_for_update_skip_locked:
        return _free(shop_id).first()
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [shop_id, Status.PENDING, list(production.MAKEABLE)])
        found = cursor.fetchone()
    return ProductionTask.objects.get(pk=found[0]) if found else None


def _patiently(shop_id: int) -> ProductionTask | None:
    """What is left is held by others, perhaps only because its order is being edited: wait for one at a time."""
    for task_id, order_id in _free(shop_id).values_list("pk", "order_id")[:PATIENCE]:
        if task := _keeping(partial(_waited_for, shop_id, task_id, order_id)):
            return task
    return None


def _waited_for(shop_id: int, task_id: int, order_id: int) -> ProductionTask | None:
    Order.objects.select_for_update(of=("self",)).get(pk=order_id)
    return _free(shop_id).select_for_update(of=("self",)).filter(pk=task_id).first()


def _keeping(look: Callable[[], ProductionTask | None]) -> ProductionTask | None:
    """What `look` finds and locks. When it finds nothing, the rows that it has locked on its way are let go:

    PostgreSQL keeps the lock of a task that was passed over because its order is held, and whoever holds that order
    may be waiting for the task.
    """
    before = transaction.savepoint()
    found = look()
    if found is None:
        transaction.savepoint_rollback(before)
    else:
        transaction.savepoint_commit(before)
    return found


def _free(shop_id: int) -> QuerySet[ProductionTask]:
    rows = ProductionTask.objects.filter(shop_id=shop_id, status=Status.PENDING, order__status__in=production.MAKEABLE)
    return rows.order_by("priority", F("deadline").asc(nulls_last=True), "id")


def _on_shift(shop_id: int) -> list[Employee]:
    return list(
        Employee.objects.filter(shop_id=shop_id, role=Employee.Role.FLORIST, is_active=True, is_on_shift=True).order_by(
            "id"
        )[:200]
    )
