"""Frames of what moved: for one fact, and for a client that was away (contract florist 3.10).

Frames hold ids, states and times; names, phones and addresses are fetched over HTTP, where rights are looked at.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.florist import access
from apps.florist.models import Employee, Order, OrderHistory, ProductionTask

ORDERS = frozenset({"order_created", "order_update", "order_updated", "status_changed"})
MAKING = frozenset({"task_assigned", "task_updated", "task_completed"})

AREAS: tuple[access.Area, ...] = ("orders", "production")
"""Whose frames these are; a switched-off area is silent."""

MOST = 100
"""Rows of each kind that are told after a break; beyond, the client is told to load its list anew."""

Frame = dict[str, Any]


def order_frames(order: Order, *kinds: str) -> list[Frame]:
    """The order as its card shows it, under each of these names."""
    data = {
        "id": order.pk,
        "status": order.status,
        "delivery_method": order.delivery_method,
        "delivery_window": _window(order),
        "total": float(order.total),
        "has_issue": order.has_issue,
        "assigned_florist_id": order.assigned_florist_id,
        "courier_id": order.courier_id,
        "updated_at": _iso(order.updated_at),
    }
    return [_frame(kind, order.shop_id, order_id=order.pk, data=data) for kind in kinds]


def _window(order: Order) -> dict[str, str] | None:
    if order.delivery_from is None or order.delivery_to is None:
        return None
    return {"from": _iso(order.delivery_from), "to": _iso(order.delivery_to)}


def status_frame(order: Order, old_status: str, new_status: str, at: datetime | None = None) -> Frame:
    """`status_changed`."""
    words = {"order_id": order.pk, "old_status": old_status, "new_status": new_status}
    return _frame("status_changed", order.shop_id, at=at, **words)


def task_frame(kind: str, task: ProductionTask, **more: Any) -> Frame:
    """`task_assigned`, `task_updated`, `task_completed`."""
    return _frame(kind, task.shop_id, task_id=task.pk, order_id=task.order_id, status=task.status, **more)


def _frame(kind: str, shop_id: int, *, at: datetime | None = None, **words: Any) -> Frame:
    return {"type": kind, "shop_id": shop_id, **words, "timestamp": _iso(at or timezone.now())}


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def since(member: Employee, moment: datetime, kinds: frozenset[str]) -> list[Frame]:
    """What `member` may see and what moved after `moment`, oldest first; `resync` when it is too much to tell."""
    hears_orders, hears_tasks = (access.may(member, area, "own") for area in AREAS)
    orders = _moved_orders(member, moment) if hears_orders and "order_update" in kinds else []
    steps = _steps(member, moment) if hears_orders and "status_changed" in kinds else []
    tasks = _moved_tasks(member, moment) if hears_tasks and "task_updated" in kinds else []
    if max(len(orders), len(steps), len(tasks)) > MOST:
        return [_frame("resync", member.shop_id)]
    return [
        *(status_frame(step.order, step.old_status or "", step.new_status or "", step.created_at) for step in steps),
        *(frame for order in orders for frame in order_frames(order, "order_update", "order_updated")),
        *(task_frame("task_updated", task, updated_by=None) for task in tasks),
    ]


def _moved_orders(member: Employee, moment: datetime) -> list[Order]:
    rows = Order.objects.visible_to(member).filter(updated_at__gt=moment)
    return list(rows.order_by("updated_at", "id")[: MOST + 1])


def _steps(member: Employee, moment: datetime) -> list[OrderHistory]:
    rows = OrderHistory.objects.filter(
        order__in=Order.objects.visible_to(member), created_at__gt=moment, new_status__isnull=False
    )
    return list(rows.exclude(event_type=OrderHistory.Event.CREATED).select_related("order").order_by("id")[: MOST + 1])


def _moved_tasks(member: Employee, moment: datetime) -> list[ProductionTask]:
    rows: Any = ProductionTask.objects.visible_to(member).filter(updated_at__gt=moment)
    return list(rows.order_by("updated_at", "id")[: MOST + 1])
