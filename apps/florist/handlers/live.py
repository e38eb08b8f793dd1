"""Open screens move: frames follow facts, to those who may see them (contract florist 3.10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apps.core import events
from apps.florist import access, live
from apps.florist.events import (
    CommentAdded,
    OrderCreated,
    OrderEdited,
    OrderMoved,
    PhotoAdded,
    PhotoJudged,
    TaskAssigned,
    TaskMoved,
)
from apps.florist.models import Comment, Employee, Order, OrderPhoto, ProductionTask
from apps.florist.queries import changes
from apps.notifications.live import send_many

Status = ProductionTask.Status

SHOWN = (OrderPhoto.Type.PRE_DELIVERY, OrderPhoto.Type.COMPLETION, OrderPhoto.Type.DELIVERY_PROOF)
"""Pictures that a buyer may look at."""


@events.after(OrderCreated)
def show_the_new_order(event: OrderCreated) -> None:
    """At the desk."""
    if (order := _order(event.order_id)) is not None:
        _send_order(order, changes.order_frames(order, "order_created"))


@events.after(OrderEdited)
def show_the_edited_order(event: OrderEdited) -> None:
    """At the desk, and to its florist and courier; the seed's name and the one that clients listen for."""
    if (order := _order(event.order_id)) is not None:
        _send_order(order, changes.order_frames(order, "order_update", "order_updated"))
        _send_buyer(order, "order_update")


@events.after(OrderMoved)
def show_the_moved_order(event: OrderMoved) -> None:
    """The step, and the order as it is now."""
    if (order := _order(event.order_id)) is not None:
        step = changes.status_frame(order, event.old_status, event.new_status)
        _send_order(order, [step, *changes.order_frames(order, "order_update", "order_updated")])
        _send_buyer(order, "status_changed")


@events.after(PhotoAdded)
def show_the_picture(event: PhotoAdded) -> None:
    """To the buyer, when it is for him."""
    order = _order(event.order_id)
    if order is not None:
        _send_order(order, changes.order_frames(order, "order_update", "order_updated"))
        if event.photo_type in SHOWN:
            _send_buyer(order, "photo_added")


@events.after(PhotoJudged)
def show_the_judgement(event: PhotoJudged) -> None:
    """At the desk, and to the florist."""
    if (order := _order(event.order_id)) is not None:
        _send_order(order, changes.order_frames(order, "order_update", "order_updated"))


@events.after(CommentAdded)
def show_the_comment(event: CommentAdded) -> None:
    """At the desk; to the buyer only what he may read."""
    comment = Comment.objects.select_related("order").filter(pk=event.comment_id).first()
    order = _order(event.order_id)
    if comment is not None and order is not None:
        _send_order(order, changes.order_frames(order, "order_update", "order_updated"))
        if comment.is_public or comment.author_type == Comment.Author.CUSTOMER:
            _send_buyer(order, "comment_added")


@events.after(TaskAssigned)
def show_the_assigned_task(event: TaskAssigned) -> None:
    """To the production, and to its florist."""
    task = _task(event.task_id)
    if task is not None and task.florist_id == event.florist_id:
        _send_task(task, changes.task_frame("task_assigned", task, florist_id=task.florist_id))


@events.after(TaskMoved)
def show_the_moved_task(event: TaskMoved) -> None:
    """To the production and its florist; that a task waits, or waits no more, to every florist of the shop."""
    task = _task(event.task_id)
    if task is None:
        return
    frame = changes.task_frame("task_updated", task, updated_by=event.by_id) | {"status": event.status}
    _send_task(task, frame)
    if event.status in (Status.PENDING, Status.ASSIGNED, Status.CANCELLED):
        send_many([(live.queue(task.shop_id), frame | {"updated_by": None})])
    if event.status == Status.COMPLETED:
        _send_task(task, changes.task_frame("task_completed", task))


def _order(order_id: int) -> Order | None:
    rows = Order.objects.select_related("assigned_florist", "courier")
    return rows.filter(pk=order_id).first()


def _task(task_id: int) -> ProductionTask | None:
    return ProductionTask.objects.select_related("florist").filter(pk=task_id).first()


def _send_order(order: Order, frames: Iterable[dict[str, Any]]) -> None:
    own = _only_own([order.assigned_florist, order.courier], "orders")
    groups = [live.desk(order.shop_id), *map(live.person, own)]
    send_many((group, frame) for frame in frames for group in groups)


def _send_task(task: ProductionTask, frame: dict[str, Any]) -> None:
    groups = [live.making(task.shop_id), *map(live.person, _only_own([task.florist], "production"))]
    send_many((group, frame) for group in groups)


def _only_own(people: list[Employee | None], area: access.Area) -> list[Employee]:
    """Those who hear of their own only: who sees everything is in the shop's group and must not hear it twice."""
    found = {person.pk: person for person in people if person is not None and person.is_active}
    return [person for person in found.values() if access.level(person, area) == "own"]


def _send_buyer(order: Order, kind: str) -> None:
    """That something moved, and to which status; the page fetches the rest, masked."""
    frame = {"type": kind, "status": order.status, "updated_at": order.updated_at.isoformat().replace("+00:00", "Z")}
    send_many([(live.track(order.tracking_token), frame)])
