"""Tasks: made from an order once, given out, worked on, checked by somebody else (contract florist 1.6, 3.9).

Locks go order → tasks, as in everything that moves an order; `queue` alone locks a free task and touches no order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from apps.core import events, states
from apps.core.access import ensure
from apps.core.errors import Invalid
from apps.florist import access, errors
from apps.florist.actions import lifecycle, photos, records, uploads
from apps.florist.events import OrderEdited, TaskAssigned, TaskMoved
from apps.florist.models import Employee, Order, OrderItem, OrderPhoto, Product, ProductionTask, StoredFile, TaskItem
from apps.florist.models.production import TaskQuerySet

Status = ProductionTask.Status
Kind = ProductionTask.Type
Priority = ProductionTask.Priority

MAKEABLE = (Order.Status.NEW, Order.Status.PAID)
"""Orders that can still be made; later ones are made, others wait for a decision."""

BY_CATEGORY: dict[str, str] = {
    Product.Category.BOUQUET: Kind.BOUQUET,
    Product.Category.COMPOSITION: Kind.COMPOSITION,
}
BY_STEM = {
    "композиц": Kind.COMPOSITION,
    "корзин": Kind.COMPOSITION,
    "оформлен": Kind.DECORATION,
    "декор": Kind.DECORATION,
}
"""Parts of Russian names that tell the work where the category does not."""

MINUTES = {Kind.BOUQUET: 20, Kind.COMPOSITION: 40, Kind.DECORATION: 15}
"""Per piece."""
SHORTEST, LONGEST = 5, 480
MOST_MINUTES = 32_767
"""What the column holds; a task that was forgotten for weeks has no more."""
URGENT_WITHIN, HIGH_WITHIN = timedelta(hours=2), timedelta(hours=4)
INSTRUCTIONS_LENGTH = 2000
GONE = "its florist works here no more"
"""Why a task is free again, for its log."""


# ── Making tasks ────────────────────────────────────────────────────────────────────────────────────────────────────
def create_from_order(*, order_id: int, by: Any = None) -> list[ProductionTask]:
    """A task for each kind of work that the order's lines need; lines that have one already are left alone.

    Repeating it is free; a line added later joins the open task of its kind; what was undone is made again. Returns
    the order's tasks without the cancelled ones. Raises `NotEnoughPermissions`, `OrderNotFound`, `OrderNotMakeable`.
    """
    access.ensure_may(by, "production")
    with transaction.atomic():
        order = _makeable(by, order_id)
        covered = TaskItem.objects.filter(task__order=order, task__is_undone=False)
        covered = covered.exclude(task__status=Status.CANCELLED)
        known = set(covered.values_list("order_item_id", flat=True))
        bare = [line for line in order.items.all() if line.pk not in known]
        for kind, lines in _by_kind(bare).items():
            _cover(order, kind, lines, by)
    return list(order.tasks.exclude(status=Status.CANCELLED).prefetch_related("items").order_by("id"))


def create(
    *,
    by: Any,
    order_id: int,
    items: Sequence[tuple[int, int]],
    task_type: str = Kind.BOUQUET,
    priority: int | None = None,
    estimated_minutes: int = 30,
    deadline: datetime | None = None,
    instructions: str | None = None,
) -> ProductionTask:
    """A task by hand; `items` are (line of the order, pieces). Priority and deadline come from the order when absent.

    Raises `NotEnoughPermissions`, `OrderNotFound`, `OrderNotMakeable`, `NothingToMake`, `TaskKindOpen`.
    """
    access.ensure_may(by, "production")
    with transaction.atomic():
        order = _makeable(by, order_id)
        lines = _lines(order, items)
        task = _new(order, task_type, by)
        task.estimated_minutes = estimated_minutes
        task.deadline = deadline or task.deadline
        task.priority = urgency(task.deadline) if priority is None else priority
        task.instructions = task.instructions if instructions is None else instructions
        _store(task, lines)
    return task


def urgency(deadline: datetime | None) -> int:
    """Priority by the time that is left: under two hours urgent, under four high."""
    if deadline is None:
        return Priority.NORMAL
    left = deadline - timezone.now()
    if left < URGENT_WITHIN:
        return Priority.URGENT
    return Priority.HIGH if left < HIGH_WITHIN else Priority.NORMAL


def kind_of(category: str, name: str) -> str:
    """What kind of work a product is: its category first, then its name."""
    if category in BY_CATEGORY:
        return BY_CATEGORY[category]
    low = name.lower()
    return next((kind for stem, kind in BY_STEM.items() if stem in low), Kind.BOUQUET)


def _by_kind(lines: Iterable[OrderItem]) -> dict[str, list[tuple[OrderItem, int]]]:
    found: dict[str, list[tuple[OrderItem, int]]] = {}
    for line in lines:
        found.setdefault(kind_of(line.product_category, line.product_name), []).append((line, line.quantity))
    return found


def _cover(order: Order, kind: str, lines: list[tuple[OrderItem, int]], by: Any) -> None:
    task = ProductionTask.objects.open().filter(order=order, task_type=kind).first()
    if task is None:
        task = _new(order, kind, by)
        task.estimated_minutes = _minutes(kind, sum(pieces for _, pieces in lines))
        _store(task, lines)
        _give_to_the_orders_florist(task, order, by)
    else:
        _add_lines(task, lines)
        _recount_minutes(task)


def _new(order: Order, kind: str, by: Any) -> ProductionTask:
    return ProductionTask(
        shop_id=order.shop_id,
        order=order,
        task_type=kind,
        deadline=order.delivery_from,
        priority=urgency(order.delivery_from),
        instructions=_instructions(order),
    )


def _store(task: ProductionTask, lines: list[tuple[OrderItem, int]]) -> None:
    try:
        with transaction.atomic():
            task.save(force_insert=True)
    except IntegrityError as problem:
        raise errors.TaskKindOpen() from problem
    _add_lines(task, lines)
    events.publish(
        TaskMoved(task_id=task.pk, shop_id=task.shop_id, order_id=task.order_id, status=task.status, by_id=None)
    )


def _add_lines(task: ProductionTask, lines: list[tuple[OrderItem, int]]) -> None:
    TaskItem.objects.bulk_create(TaskItem(task=task, order_item=line, quantity=pieces) for line, pieces in lines)


def _recount_minutes(task: ProductionTask) -> None:
    pieces = task.items.aggregate(all=Sum("quantity"))["all"] or 0
    task.estimated_minutes = _minutes(task.task_type, pieces)
    task.save(update_fields=["estimated_minutes"])


def _minutes(kind: str, pieces: int) -> int:
    return max(SHORTEST, min(LONGEST, pieces * MINUTES[Kind(kind)]))


def _instructions(order: Order) -> str | None:
    words = [word for word in (order.comment, order.card_text and f"«{order.card_text}»") if word]
    return "\n".join(words)[:INSTRUCTIONS_LENGTH] or None


def _lines(order: Order, items: Sequence[tuple[int, int]]) -> list[tuple[OrderItem, int]]:
    known = {line.pk: line for line in order.items.all()}
    fits = all(item_id in known and pieces <= known[item_id].quantity for item_id, pieces in items)
    ensure(bool(items) and fits and len({item_id for item_id, _ in items}) == len(items), errors.NothingToMake)
    return [(known[item_id], pieces) for item_id, pieces in items]


def _makeable(by: Any, order_id: int) -> Order:
    """The order, locked."""
    rows = Order.objects.all() if by is None else Order.objects.visible_to(by)
    order = rows.lock(errors.OrderNotFound, pk=order_id)
    ensure(order.status in MAKEABLE, errors.OrderNotMakeable, status=order.status)
    return order


def _give_to_the_orders_florist(task: ProductionTask, order: Order, by: Any) -> None:
    """A manager who named a florist before the payment meant this."""
    florist = _florists(order.shop_id).filter(pk=order.assigned_florist_id).first()
    if florist:
        give(task, florist, by=by)


def undo(*, order_id: int, came_from: str) -> None:
    """An order that was made is to be made again: its approved tasks cover nothing any more. Repeating is free.

    The caller holds the order, which has just come from another status.
    """
    if _was_made(Order.objects.get(pk=order_id), came_from):
        ProductionTask.objects.filter(order_id=order_id, status=Status.COMPLETED).update(is_undone=True)


def _was_made(order: Order, came_from: str) -> bool:
    before = order.status_before_issue if came_from == Order.Status.ISSUE else came_from
    return before in Order.WRITTEN_OFF


# ── Following the order ─────────────────────────────────────────────────────────────────────────────────────────────
def drop(*, order_id: int, reason: str) -> None:
    """Cancel what is open: the order is not to be made, or was made without us. The caller holds the order."""
    for task in ProductionTask.objects.open().filter(order_id=order_id).select_for_update(of=("self",)).order_by("id"):
        states.step(task, Status.CANCELLED, by=None, reason=reason)


def follow_order(*, order_id: int, what: Collection[str] = ()) -> None:
    """Open tasks take over the order's pieces, new lines and florist, and a window that was edited.

    The caller holds the order; `what` names the fields that changed.
    """
    order = Order.objects.get(pk=order_id)
    if order.status not in MAKEABLE or not ProductionTask.objects.open().filter(order=order).exists():
        return
    if order.status == Order.Status.PAID:
        create_from_order(order_id=order_id)
    _follow_pieces(order)
    for task in ProductionTask.objects.open().filter(order=order).select_for_update(of=("self",)).order_by("id"):
        _follow(task, order, what)


def _follow(task: ProductionTask, order: Order, what: Collection[str]) -> None:
    if not task.items.exists():
        states.step(task, Status.CANCELLED, by=None, reason="its lines were taken out")
        return
    if "delivery_from" in what:
        set_deadline(task, order.delivery_from)
    if "comment" in what or "card_text" in what:
        task.instructions = _instructions(order)
    task.save(update_fields=["deadline", "priority", "late_at", "instructions"])
    if task.status == Status.PENDING and _is_meant(task, order):
        _give_to_the_orders_florist(task, order, None)


def _follow_pieces(order: Order) -> None:
    """Lines with other pieces than their tasks; a line that was taken out has taken its row with it."""
    stale = TaskItem.objects.filter(task__in=ProductionTask.objects.open().filter(order=order))
    for row in stale.select_related("order_item", "task"):
        if row.quantity != row.order_item.quantity:
            row.quantity = row.order_item.quantity
            row.save(update_fields=["quantity"])
            _recount_minutes(row.task)


def set_deadline(task: ProductionTask, deadline: datetime | None) -> None:
    """A new deadline with the priority that follows from it; it may be missed anew. The caller saves."""
    task.deadline, task.priority, task.late_at = deadline, urgency(deadline), None


def _is_meant(task: ProductionTask, order: Order) -> bool:
    """Whether the order's florist has no task of it yet: one who took a single task has not asked for the others."""
    mine = ProductionTask.objects.filter(order=order, florist_id=order.assigned_florist_id)
    return order.assigned_florist_id is not None and not mine.exclude(status=Status.CANCELLED).exists()


def name_the_florist(*, task_id: int) -> None:
    """The order's florist is who took its first task, unless somebody is named already, or he has left since."""
    task = ProductionTask.objects.select_related("order").filter(pk=task_id).first()
    if task is None or task.florist_id is None or not _is_here(task):
        return
    if task.order.assigned_florist_id is None and not task.order.is_over:
        lifecycle.assign_florist(by=None, order_id=task.order_id, florist_id=task.florist_id)


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def assign(*, by: Any, task_id: int, florist_id: int) -> ProductionTask:
    """Give a free task to a florist; florists may take one for themselves.

    Raises `TaskNotFound`, `EmployeeNotFound`, `NotAFlorist`, `NotEnoughPermissions`, `IllegalTaskStep` unless free.
    """
    with transaction.atomic():
        task = held(by, task_id)
        access.ensure_own(by, "production", florist_id)
        florist = _florist_called(task.shop_id, florist_id)
        return give(task, florist, by=by)


def give(task: ProductionTask, florist: Employee, *, by: Any) -> ProductionTask:
    """Pending → assigned; the caller holds the task and has checked rights. Raises `IllegalTaskStep`."""
    given = states.step(task, Status.ASSIGNED, by=by)
    given.florist = florist
    given.save(update_fields=["florist"])
    who = access.employee_of(by)
    events.publish(
        TaskAssigned(
            task_id=given.pk, shop_id=given.shop_id, florist_id=florist.pk, by_id=who.pk if who is not None else None
        )
    )
    return given


def hand_back(*, by: Any, task_id: int, reason: str = "") -> ProductionTask:
    """Back into the queue: by its florist before work begins, by a manager also afterwards.

    Raises `TaskNotFound`, `NotEnoughPermissions`, `IllegalTaskStep`.
    """
    with transaction.atomic():
        task = held(by, task_id)
        _ensure_maker(by, task)
        if task.status == Status.IN_PROGRESS:
            access.ensure_may(by, "production")
        return _put_back(task, by, reason)


def _put_back(task: ProductionTask, by: Any, reason: str) -> ProductionTask:
    worked, maker_id = _worked(task), task.florist_id
    task = states.step(task, Status.PENDING, by=by, reason=reason)
    task.florist, task.seconds_worked = None, worked
    task.save(update_fields=["florist", "seconds_worked"])
    _forget_the_florist(task.order_id, maker_id)
    return task


def _forget_the_florist(order_id: int, maker_id: int | None) -> None:
    """Who handed the order's last task of his back is its florist no more, else the next edit gives it to him again."""
    mine = ProductionTask.objects.open().filter(order_id=order_id, florist_id=maker_id)
    order = Order.objects.get(pk=order_id)
    if maker_id is not None and order.assigned_florist_id == maker_id and not mine.exists():
        records.save(order, assigned_florist=None)
        events.publish(OrderEdited(order_id=order.pk, shop_id=order.shop_id, what=("assigned_florist",)))


def free_the_work_of(*, florist_id: int) -> None:
    """Somebody makes nothing here any more: his tasks wait for others, and orders that he was to make have no florist.

    What he has handed in is checked as it is. Each order is a transaction of its own; repeating is free.
    """
    in_hand = ProductionTask.objects.filter(florist_id=florist_id, status__in=ProductionTask.ACTIVE)
    named = Order.objects.filter(assigned_florist_id=florist_id, assembled_at=None)
    named = named.filter(status__in=(*MAKEABLE, Order.Status.ISSUE))
    for order_id in sorted({*in_hand.values_list("order_id", flat=True), *named.values_list("id", flat=True)}):
        with transaction.atomic():
            Order.objects.select_for_update(of=("self",)).get(pk=order_id)
            for task in in_hand.filter(order_id=order_id).select_for_update(of=("self",)).order_by("id"):
                _put_back(task, None, GONE)
            _forget_the_florist(order_id, florist_id)


def start(*, by: Any, task_id: int, florist_notes: str | None = None) -> ProductionTask:
    """Assigned → in work. Raises `TaskNotFound`, `NotEnoughPermissions`, `IllegalTaskStep`."""
    with transaction.atomic():
        task = held(by, task_id)
        _ensure_maker(by, task)
        task = states.step(task, Status.IN_PROGRESS, by=by)
        task.first_started_at = task.first_started_at or task.started_at
        task.florist_notes = task.florist_notes if florist_notes is None else florist_notes
        task.save(update_fields=["first_started_at", "florist_notes"])
        return task


def complete(
    *,
    by: Any,
    task_id: int,
    actual_minutes: int | None = None,
    florist_notes: str | None = None,
    result_photos: Sequence[str] | None = None,
) -> ProductionTask:
    """In work → handed in for the check, with a picture. Stated minutes go before the clock; rounds add up.

    Raises `TaskNotFound`, `NotEnoughPermissions`, `IllegalTaskStep`, `ResultPhotoMissing`.
    """
    with transaction.atomic():
        task = held(by, task_id)
        _ensure_maker(by, task)
        spent = _worked(task) if actual_minutes is None else task.seconds_worked + actual_minutes * 60
        task = states.step(task, Status.QUALITY_CHECK, by=by)
        task.seconds_worked, task.actual_minutes = spent, min(round_minutes(spent), MOST_MINUTES)
        task.florist_notes = task.florist_notes if florist_notes is None else florist_notes
        task.result_photos = own_pictures(task.shop_id, [*task.result_photos, *(result_photos or ())])
        ensure(bool(task.result_photos), errors.ResultPhotoMissing)
        task.is_short = False
        task.save()
        return task


def check(
    *, by: Any, task_id: int, quality_score: int, quality_approved: bool, quality_notes: str | None = None
) -> ProductionTask:
    """Approve what somebody else made, or return it with the reason. The last approval makes the order assembled.

    Raises `TaskNotFound`, `NotEnoughPermissions`, `OwnWork`, `IllegalTaskStep`, `ReasonMissing`.
    """
    with transaction.atomic():
        task = held(by, task_id)
        access.ensure_may(by, "production", "own")
        checker = access.employee_of(by)
        ensure(checker is None or checker.pk != task.florist_id, errors.OwnWork)
        ensure(quality_approved or bool((quality_notes or "").strip()), errors.ReasonMissing)
        task = states.step(
            task, Status.COMPLETED if quality_approved else Status.IN_PROGRESS, by=by, reason=quality_notes or ""
        )
        task.quality_score, task.checked_by = quality_score, checker
        task.quality_notes = task.quality_notes if quality_notes is None else quality_notes
        if quality_approved:
            return _approved(task, by)
        task = _returned(task)
        return task if _is_here(task) else _put_back(task, by, GONE)


def _approved(task: ProductionTask, by: Any) -> ProductionTask:
    task.save()
    task.items.filter(is_completed=False).update(is_completed=True, completed_at=timezone.now())
    task.items.update(quality_approved=True)
    for url in task.result_photos:
        photos.add(by=None, order_id=task.order_id, url=url, photo_type=OrderPhoto.Type.PRE_DELIVERY)
    _settle(task.order_id, by)
    return task


def _returned(task: ProductionTask) -> ProductionTask:
    """The picture of what was returned is kept as one of the work: the next round needs its own."""
    task.returns += 1
    task.work_photos, task.result_photos = [*task.work_photos, *task.result_photos], []
    task.actual_minutes = None
    task.save()
    return task


def cancel(*, by: Any, task_id: int, reason: str = "") -> ProductionTask:
    """Not needed any more. Raises `NotEnoughPermissions`, `TaskNotFound`, `IllegalTaskStep` when it is over."""
    access.ensure_may(by, "production")
    with transaction.atomic():
        task = states.step(held(by, task_id), Status.CANCELLED, by=by, reason=reason)
        _settle(task.order_id, by)
        return task


def settle(*, order_id: int, came_from: str) -> None:
    """The order came to be made, `came_from` another status; if all its tasks were approved meanwhile, it is assembled.

    One that was assembled before and put back is not: whoever put it back wants something of it. Repeating is free.
    """
    with transaction.atomic():
        order = records.lock(None, order_id)
        if not _was_made(order, came_from):
            _settle(order_id, None)


def _settle(order_id: int, by: Any) -> None:
    """All tasks done: the order is assembled. The caller holds the order."""
    kept = set(
        ProductionTask.objects.filter(order_id=order_id, is_undone=False)
        .exclude(status=Status.CANCELLED)
        .values_list("status", flat=True)
    )
    if kept == {Status.COMPLETED} and Order.objects.filter(pk=order_id, status=Order.Status.PAID).exists():
        lifecycle.assembled(order_id=order_id, by=by)


# ── What the others need ────────────────────────────────────────────────────────────────────────────────────────────
def held(by: Any, task_id: int) -> ProductionTask:
    """The task that `by` may read, locked, its order before it. Raises `TaskNotFound`, `NotEnoughPermissions`."""
    access.ensure_may(by, "production", "own")
    rows: TaskQuerySet = ProductionTask.objects.readable_by(by)
    order_id = rows.filter(pk=task_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise errors.TaskNotFound()
    Order.objects.select_for_update(of=("self",)).get(pk=order_id)
    return rows.lock(errors.TaskNotFound, pk=task_id)


def _ensure_maker(by: Any, task: ProductionTask) -> None:
    """A free task has no maker yet: the table of steps says what may be done with it."""
    if task.florist_id is None:
        access.ensure_may(by, "production", "own")
    else:
        access.ensure_own(by, "production", task.florist_id)


def ensure_maker(by: Any, task: ProductionTask) -> None:
    """Its florist, or whoever runs the shop. Raises `NotEnoughPermissions`."""
    access.ensure_own(by, "production", task.florist_id)


def own_pictures(shop_id: int, urls: Sequence[str]) -> list[str]:
    """Each picture once, the shop's own by their paths; those are private from then on.

    Raises `Invalid` for what is neither hers nor on https.
    """
    paths = list(dict.fromkeys(_path(url) for url in urls))
    names = [path.removeprefix(uploads.PREFIX) for path in paths if path.startswith(uploads.PREFIX)]
    stored = list(StoredFile.objects.filter(shop_id=shop_id, name__in=names))
    known = {picture.name for picture in stored}
    for path in paths:
        if path.removeprefix(uploads.PREFIX) not in known and not path.startswith("https://"):
            raise Invalid.field("photos", "Value error, an uploaded picture or an https address", given=path)
    uploads.hide(stored)
    return paths


def _path(url: str) -> str:
    """An address of ours without its host and signature."""
    before, ours, name = url.split("?", 1)[0].rpartition(uploads.PREFIX)
    return f"{ours}{name}" if ours else url


def round_minutes(seconds: int) -> int:
    """Whole minutes, half up."""
    return int((Decimal(seconds) / 60 + Decimal("0.5")).to_integral_value("ROUND_FLOOR"))


def _worked(task: ProductionTask) -> int:
    """Seconds of all rounds until now."""
    if task.status != Status.IN_PROGRESS or task.started_at is None:
        return task.seconds_worked
    return task.seconds_worked + max(0, int((timezone.now() - task.started_at).total_seconds()))


def _florists(shop_id: int) -> Any:
    return Employee.objects.filter(shop_id=shop_id, role=Employee.Role.FLORIST, is_active=True)


def _is_here(task: ProductionTask) -> bool:
    """Whether its florist still makes bouquets in this shop."""
    return task.florist_id is not None and _florists(task.shop_id).filter(pk=task.florist_id).exists()


def _florist_called(shop_id: int, florist_id: int) -> Employee:
    found = Employee.objects.filter(shop_id=shop_id, pk=florist_id).first()
    if found is None:
        raise errors.EmployeeNotFound()
    ensure(found.role == Employee.Role.FLORIST and found.is_active, errors.NotAFlorist)
    return found
