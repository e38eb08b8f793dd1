"""What a florist does to a task while it is made: ticks, notes, pictures, missing flowers (contract florist 1.6, 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from django.db import transaction
from django.utils import timezone

from apps.core import events
from apps.core.access import ensure
from apps.florist import access, errors
from apps.florist.actions import production, stock, uploads
from apps.florist.events import ShortageReported
from apps.florist.models import OrderItem, ProductionTask, Substitution, TaskItem, TaskStem
from apps.florist.queries import stock as stems
from apps.florist.queries.recipes import Flower

Status = ProductionTask.Status
PhotoKind = Literal["work", "result"]

MOST_PHOTOS = 10
"""Of a kind, on one task."""

IN_HAND = (Status.ASSIGNED, Status.IN_PROGRESS)
"""While a florist has it, lines and flowers are ticked."""

MAKERS_WORDS = frozenset({"florist_notes", "work_photos", "result_photos", "actual_minutes"})
"""What the maker may write while it is in hand; the rest is the manager's."""
CHECKERS_WORDS = frozenset({"quality_score", "quality_notes"})
STEERING = frozenset({"status", "florist_id"})


def edit(*, by: Any, task_id: int, changes: Mapping[str, Any]) -> ProductionTask:
    """Change fields and, with `status` or `florist_id`, take the step that leads there: never a status by itself.

    Raises `TaskNotFound`, `NotEnoughPermissions`, and whatever the step raises.
    """
    aside = STEERING | (CHECKERS_WORDS if "status" in changes else frozenset())
    with transaction.atomic():
        _write_words(by, task_id, {name: value for name, value in changes.items() if name not in aside})
        if "florist_id" in changes:
            _hand_to(by, task_id, changes["florist_id"])
        if "status" in changes:
            _lead_to(by, task_id, changes["status"], changes)
        return production.held(by, task_id)


def _write_words(by: Any, task_id: int, words: dict[str, Any]) -> None:
    task = production.held(by, task_id)
    if not words:
        return
    if set(words) <= MAKERS_WORDS:
        production.ensure_maker(by, task)
        in_turn = task.status in IN_HAND or access.may(by, "production")
        ensure(in_turn, errors.IllegalTaskStep, from_status=task.status, to_status=task.status)
    else:
        access.ensure_may(by, "production")
    if task.status == Status.QUALITY_CHECK:
        ensure(bool(words.get("result_photos", True)), errors.ResultPhotoMissing)
    if "deadline" in words:
        production.set_deadline(task, words.pop("deadline"))
    for name, value in words.items():
        is_pictures = name in ("work_photos", "result_photos")
        setattr(task, name, production.own_pictures(task.shop_id, value) if is_pictures else value)
    task.updated_at = timezone.now()
    task.save()


def _hand_to(by: Any, task_id: int, florist_id: int | None) -> None:
    task = production.held(by, task_id)
    if task.florist_id == florist_id:
        return
    if task.status != Status.PENDING:
        production.hand_back(by=by, task_id=task_id)
    if florist_id is not None:
        production.assign(by=by, task_id=task_id, florist_id=florist_id)


def _lead_to(by: Any, task_id: int, status: str, changes: Mapping[str, Any]) -> None:
    """One entry per word that a board may drop a card on."""
    task = production.held(by, task_id)
    if task.status == status:
        return None
    who = access.employee_of(by)
    if status == Status.IN_PROGRESS and task.status == Status.PENDING and who and who.role == who.Role.FLORIST:
        production.assign(by=by, task_id=task_id, florist_id=who.pk)
    if status == Status.IN_PROGRESS and task.status == Status.QUALITY_CHECK:
        return _check(by, task_id, changes, approved=False)
    steps: dict[str, Callable[[], Any]] = {
        Status.PENDING: lambda: production.hand_back(by=by, task_id=task_id),
        Status.ASSIGNED: lambda: _refuse(task, status),
        Status.IN_PROGRESS: lambda: production.start(by=by, task_id=task_id),
        Status.QUALITY_CHECK: lambda: production.complete(
            by=by, task_id=task_id, actual_minutes=changes.get("actual_minutes")
        ),
        Status.COMPLETED: lambda: _check(by, task_id, changes, approved=True),
        Status.CANCELLED: lambda: production.cancel(by=by, task_id=task_id),
    }
    steps[status]()
    return None


def _refuse(task: ProductionTask, status: str) -> None:
    """Nobody is named: assigning needs `florist_id`."""
    raise errors.IllegalTaskStep(from_status=task.status, to_status=status)


def _check(by: Any, task_id: int, changes: Mapping[str, Any], *, approved: bool) -> None:
    ensure(changes.get("quality_score") is not None, errors.MarkMissing)
    production.check(
        by=by,
        task_id=task_id,
        quality_score=changes["quality_score"],
        quality_approved=approved,
        quality_notes=changes.get("quality_notes"),
    )


# ── Lines and flowers ───────────────────────────────────────────────────────────────────────────────────────────────
def change_item(*, by: Any, item_id: int, changes: Mapping[str, Any]) -> TaskItem:
    """Tick a line, or say what the check found: `is_completed`, `quality_approved`, `quality_notes`.

    Raises `TaskItemNotFound`, `NotEnoughPermissions`, `OwnWork` for a maker who judges, `IllegalTaskStep` when over.
    """
    access.ensure_may(by, "production", "own")
    with transaction.atomic():
        item = _item(by, item_id)
        _ensure_may_change(by, item.task, changes)
        if "is_completed" in changes and changes["is_completed"] != item.is_completed:
            item.is_completed = changes["is_completed"]
            item.completed_at = timezone.now() if item.is_completed else None
        item.quality_approved = changes.get("quality_approved", item.quality_approved)
        item.quality_notes = changes.get("quality_notes", item.quality_notes)
        item.save()
        return item


def _item(by: Any, item_id: int) -> TaskItem:
    """The line with its task, which is locked."""
    found = TaskItem.objects.filter(pk=item_id, task__in=ProductionTask.objects.readable_by(by)).first()
    if found is None:
        raise errors.TaskItemNotFound()
    found.task = production.held(by, found.task_id)
    return found


def _ensure_may_change(by: Any, task: ProductionTask, changes: Mapping[str, Any]) -> None:
    ensure(
        task.status not in ProductionTask.CLOSED,
        errors.IllegalTaskStep,
        from_status=task.status,
        to_status=task.status,
    )
    if "is_completed" in changes:
        production.ensure_maker(by, task)
    if changes.get("quality_approved") is not None or changes.get("quality_notes") is not None:
        who = access.employee_of(by)
        ensure(who is None or who.pk != task.florist_id, errors.OwnWork)


def tick(*, by: Any, task_id: int, key: str, is_ticked: bool = True) -> None:
    """Tick a flower of the stem list, or take the tick back. `key` is the stem's.

    Raises `TaskNotFound`, `NotEnoughPermissions`, `IllegalTaskStep`, `NothingToMake` for a flower of another task.
    """
    with transaction.atomic():
        task = _in_hand(by, task_id)
        ensure(key in stem_keys(task), errors.NothingToMake)
        if is_ticked:
            TaskStem.objects.get_or_create(task=task, component_key=key)
        else:
            TaskStem.objects.filter(task=task, component_key=key).delete()


def stem_keys(task: ProductionTask) -> set[str]:
    """Keys of all flowers of the task's lines."""
    lists = stems.stem_list(list(task.items.values_list("order_item_id", flat=True)))
    return {stem.key for rows in lists.values() for stem in rows}


def report_shortage(*, by: Any, task_id: int, note: str = "") -> ProductionTask:
    """The florist cannot find the flowers; managers are told. Raises like `tick`."""
    with transaction.atomic():
        task = _in_hand(by, task_id)
        task.is_short, task.shortage_note, task.updated_at = True, note, timezone.now()
        task.save(update_fields=["is_short", "shortage_note", "updated_at"])
        events.publish(ShortageReported(task_id=task.pk, shop_id=task.shop_id))
        return task


def substitute(
    *, by: Any, task_id: int, order_item_id: int, instead_of: int | str, to_batch_id: int, qty: int, reason: str
) -> Substitution:
    """One flower for another; the order's price stays. `instead_of` is a batch, or the key of a stem that is missing.

    Raises like `tick`, and what `stock.substitute` raises.
    """
    with transaction.atomic():
        task = _in_hand(by, task_id)
        item = OrderItem.objects.filter(pk=order_item_id, order_id=task.order_id).first()
        if item is None or not task.items.filter(order_item_id=order_item_id).exists():
            raise errors.NothingToMake()
        made = stock.substitute(
            by=by,
            task=task,
            order_item=item,
            instead_of=instead_of if isinstance(instead_of, int) else _missing(item, instead_of),
            to_batch_id=to_batch_id,
            qty=qty,
            reason=reason,
        )
        ProductionTask.objects.filter(pk=task.pk).update(is_short=False, updated_at=timezone.now())
        return made


def _missing(item: OrderItem, key: str) -> Flower:
    """The flower of the line's stem list that lies nowhere, by its key. Raises `NothingToSubstitute`."""
    found = (stem for stem in stems.stem_list([item.pk])[item.pk] if stem.key == key and stem.missing)
    if (stem := next(found, None)) is None:
        raise errors.NothingToSubstitute()
    return Flower(stem.variety, stem.height_cm)


def _in_hand(by: Any, task_id: int) -> ProductionTask:
    task = production.held(by, task_id)
    production.ensure_maker(by, task)
    ensure(task.status in IN_HAND, errors.IllegalTaskStep, from_status=task.status, to_status=Status.IN_PROGRESS)
    return task


# ── Pictures ────────────────────────────────────────────────────────────────────────────────────────────────────────
def add_photo(*, by: Any, task_id: int, file: Any, kind: PhotoKind = "result") -> str:
    """Keep a picture of the work or of the result; returns its path, which `uploads.link` opens.

    Raises like `tick`, `TooManyTaskPhotos`, and what `uploads.store` raises.
    """
    with transaction.atomic():
        task = _in_hand(by, task_id)
        column = f"{kind}_photos"
        kept = getattr(task, column)
        ensure(len(kept) < MOST_PHOTOS, errors.TooManyTaskPhotos, most=MOST_PHOTOS)
        path = uploads.path_of(uploads.store(by=by, shop=task.shop, file=file, is_public=False))
        setattr(task, column, [*kept, path])
        task.save(update_fields=[column])
        return path
