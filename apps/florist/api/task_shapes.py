"""How tasks look on the wire (contract florist 1.0, 1.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from apps.core.wire import Shape
from apps.florist.actions import uploads, workbench
from apps.florist.api import order_shapes
from apps.florist.api.base import Body, Id, Paging
from apps.florist.models import ProductionTask, TaskItem
from apps.florist.queries import production as questions

PriorityWord = Literal["urgent", "high", "normal", "low"]
Status = ProductionTask.Status
Kind = ProductionTask.Type
Notes = Annotated[str, StringConstraints(max_length=2000)]
Photos = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=500)]], Field(max_length=10)]
Minutes = Annotated[int, Field(ge=0, le=10_000)]
Score = Annotated[int, Field(ge=1, le=5)]


def _aware(moment: datetime) -> datetime:
    """A time without a zone is UTC, as the original read it."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[order_shapes.Moment, AfterValidator(_aware)]


class TaskPath(Shape):
    """Which task."""

    task_id: Id


class TaskItemPath(Shape):
    """Which line of a task."""

    item_id: Id


class TaskItemOut(Shape):
    """A line of a task."""

    id: int
    task_id: int
    order_item_id: int
    quantity: int
    is_completed: bool
    completed_at: datetime | None
    quality_approved: bool | None
    quality_notes: str | None


class TaskRow(Shape):
    """A task as lists show it."""

    id: int
    order_id: int
    task_type: Kind
    priority: PriorityWord
    estimated_minutes: int
    deadline: datetime | None
    instructions: str | None
    florist_id: int | None
    status: Status
    created_at: datetime
    assigned_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    actual_minutes: int | None
    quality_score: int | None
    work_photos: list[str]
    result_photos: list[str]
    florist_notes: str | None
    quality_notes: str | None
    is_overdue: bool
    time_spent: int


class TaskOut(TaskRow):
    """A task with its lines."""

    items: list[TaskItemOut]


class TaskPage(Shape):
    """A page of tasks."""

    items: list[TaskRow]
    total: int


class TaskFilter(Paging):
    """Which tasks."""

    status: Status | None = None
    priority: PriorityWord | None = None
    florist_id: Id | None = None
    order_id: Id | None = None


class Line(Body):
    """So many pieces of a line of the order."""

    order_item_id: Id
    quantity: Annotated[int, Field(gt=0, le=1000)]


class TaskIn(Body):
    """A task by hand."""

    order_id: Id
    items: Annotated[list[Line], Field(max_length=100)]
    task_type: Kind = Kind.BOUQUET
    priority: PriorityWord | None = None
    estimated_minutes: Annotated[int, Field(ge=5, le=480)] = 30
    deadline: Moment | None = None
    instructions: Notes | None = None


class TaskChange(Body):
    """Any part of it; `status` takes the step that leads there."""

    florist_id: Id | None = None
    status: Status | None = None
    priority: PriorityWord | None = None
    deadline: Moment | None = None
    instructions: Notes | None = None
    florist_notes: Notes | None = None
    quality_notes: Notes | None = None
    quality_score: Score | None = None
    actual_minutes: Minutes | None = None
    work_photos: Photos | None = None
    result_photos: Photos | None = None

    def changes(self) -> dict[str, Any]:
        """What was sent; nothing instead of a list or a word that a task always has is no change."""
        sent = self.model_dump(exclude_unset=True)
        lasting = ("status", "priority", "work_photos", "result_photos")
        found = {name: value for name, value in sent.items() if value is not None or name not in lasting}
        if "priority" in found:
            found["priority"] = weight(found["priority"])
        return found


class Assigned(Body):
    """To whom."""

    florist_id: Id


class Started(Body):
    """With a note."""

    florist_notes: Notes | None = None


class Completed(Body):
    """What the florist hands in."""

    actual_minutes: Minutes | None = None
    florist_notes: Notes | None = None
    result_photos: Photos | None = None


class Checked(Body):
    """What the check found; a return needs words."""

    quality_score: Score
    quality_approved: bool
    quality_notes: Notes | None = None


class ItemChange(Body):
    """A tick, or what the check found."""

    is_completed: bool | None = None
    quality_approved: bool | None = None
    quality_notes: Annotated[str, StringConstraints(max_length=1000)] | None = None


class ItemDone(Shape):
    """What the check found, in the query string as the original had it."""

    quality_approved: bool | None = None
    quality_notes: Annotated[str, StringConstraints(max_length=1000)] | None = None


class StemOut(Shape):
    """A flower of the stem list; `key` ticks it."""

    key: str
    order_item_id: int
    variety: str
    height_cm: int | None
    qty: int
    missing: int
    instead_of: str
    batches: list[dict[str, Any]]
    is_ticked: bool


class StemList(Shape):
    """The flowers of a task."""

    items: list[StemOut]
    total: int


class Tick(Body):
    """Which flower; false takes the tick back."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=140)]
    is_ticked: bool = True


class Shortage(Body):
    """What cannot be found."""

    note: Annotated[str, StringConstraints(max_length=500)] = ""


class Exchange(Body):
    """One flower for another: instead of stems of a batch, or of a flower that is missing, by the key of its stem."""

    order_item_id: Id
    from_batch_id: Id | None = None
    missing_key: Annotated[str, StringConstraints(max_length=140)] = ""
    to_batch_id: Id
    qty: Annotated[int, Field(gt=0, le=10_000)]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.from_batch_id is None) is not bool(self.missing_key):
            raise ValueError("either from_batch_id or missing_key")
        return self

    def wish(self) -> dict[str, Any]:
        """As `workbench.substitute` takes it."""
        given = self.model_dump(exclude={"from_batch_id", "missing_key"})
        return {**given, "instead_of": self.from_batch_id or self.missing_key}


class SubstitutionOut(Shape):
    """What was taken instead."""

    id: int
    task_id: int
    order_item_id: int | None
    from_batch_id: int | None
    for_variety: str
    for_height_cm: int | None
    to_batch_id: int
    qty: int
    reason: str
    created_at: datetime


class TaskPhotoOut(Shape):
    """The picture's signed address."""

    url: str


def weight(word: str) -> int:
    """The number behind a priority's word."""
    return ProductionTask.Priority[word.upper()].value


def row(task: ProductionTask) -> dict[str, Any]:
    """A task without its lines."""
    plain = set(TaskRow.model_fields) - {"priority", "work_photos", "result_photos", "is_overdue", "time_spent"}
    return {
        **{name: getattr(task, name) for name in plain},
        "priority": ProductionTask.Priority(task.priority).name.lower(),
        "work_photos": [uploads.link(url) for url in task.work_photos],
        "result_photos": [uploads.link(url) for url in task.result_photos],
        "is_overdue": questions.is_overdue(task),
        "time_spent": questions.minutes_spent(task),
    }


def whole(task: ProductionTask) -> dict[str, Any]:
    """A task with its lines."""
    return {**row(task), "items": [line(item) for item in task.items.all()]}


def line(item: TaskItem) -> TaskItemOut:
    """A line of a task."""
    return TaskItemOut.model_validate(item)


class PhotoKind(Shape):
    """Of the result, unless told otherwise."""

    kind: workbench.PhotoKind = "result"
