"""The queue and its figures over HTTP (contract florist 1.6)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from pydantic import model_validator

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.access import Area, Level
from apps.florist.actions import production, queue
from apps.florist.api.base import Id
from apps.florist.api.order_shapes import PlainDay
from apps.florist.api.production import ProductionView
from apps.florist.api.task_shapes import TaskOut, whole
from apps.florist.queries import production as questions
from apps.florist.queries.windows import zone_of


class QueuedOrderPath(Shape):
    """Which order."""

    order_id: Id


class FloristPath(Shape):
    """Which florist."""

    florist_id: Id


class Distributed(Shape):
    """What `distribute` did."""

    distributed: int
    skipped: int
    total_pending: int


class Updated(Shape):
    """How many tasks were late."""

    updated_tasks: int


class QueueStats(Shape):
    """Open tasks in figures."""

    pending_tasks: int
    assigned_tasks: int
    in_progress_tasks: int
    overdue_tasks: int
    urgent_tasks: int
    tasks_by_type: dict[str, int]
    tasks_by_priority: dict[str, int]


class Load(Shape):
    """What a florist has to do; `current_task` is its id."""

    active_tasks: int
    completed_today: int
    estimated_minutes_remaining: int
    current_task: int | None


class FloristStats(Shape):
    """A florist's work; times in minutes."""

    florist_id: int
    total_tasks: int
    completed_tasks: int
    in_progress_tasks: int
    average_quality_score: float | None
    average_completion_time: float | None
    overdue_tasks: int
    returned_tasks: int


class FloristRow(Shape):
    """`available`, `busy` or `off`."""

    id: int
    name: str
    status: str
    current_tasks: int


class FloristPage(Shape):
    """Florists of the shop."""

    items: list[FloristRow]
    total: int


class Days(Shape):
    """From a day to a day, both included, by the shop's clock; a month at most a year."""

    date_from: PlainDay
    date_to: PlainDay

    @model_validator(mode="after")
    def _forward(self) -> Days:
        if not timedelta(0) <= self.date_to - self.date_from <= timedelta(days=366):
            raise ValueError("date_to must be at most a year after date_from")
        return self

    def between(self, shop: Any) -> tuple[datetime, datetime]:
        """As moments."""
        zone = zone_of(shop)
        until = datetime.combine(self.date_to, time.min, zone) + timedelta(days=1)
        return datetime.combine(self.date_from, time.min, zone), until


class QualityRow(Shape):
    """What a florist completed in a time."""

    florist_id: int
    name: str
    completed: int
    on_time: int
    returned: int
    minutes: int
    average_score: float | None


class QualityPage(Shape):
    """Florists, who made most first."""

    items: list[QualityRow]
    total: int


class CreateFromOrder(ProductionView):
    """Tasks of an order."""

    @endpoint(
        path=QueuedOrderPath,
        login="required",
        answers={201: list[TaskOut]},
        refusals=[errors.OrderNotFound, errors.OrderNotMakeable],
        summary="Make an order's tasks",
    )
    def post(self, request: Any, *, order_id: int) -> list[dict[str, Any]]:
        """Happens by itself when an order is paid; repeating it is free."""
        return [whole(task) for task in production.create_from_order(by=request.member, order_id=order_id)]


class NextTask(ProductionView):
    """Taking the next task."""

    @endpoint(
        path=FloristPath,
        login="required",
        answers={201: TaskOut | None},
        refusals=[errors.NotAFlorist],
        summary="Take the next task",
    )
    def post(self, request: Any, *, florist_id: int) -> Any:
        """For oneself; null while one is active, or when nothing is free."""
        if florist_id != request.member.pk:
            raise errors.NotEnoughPermissions()
        task = queue.take_next(by=request.member)
        return whole(task) if task else (201, b"null")


class Distribute(ProductionView):
    """Giving out what is free."""

    @endpoint(login="required", answers={201: Distributed}, summary="Give free tasks to free florists")
    def post(self, request: Any) -> dict[str, Any]:
        """One to each florist on shift who has none."""
        return asdict(queue.distribute(by=request.member))


class CheckOverdue(ProductionView):
    """Moving up what is late."""

    @endpoint(login="required", answers={201: Updated}, summary="Make late tasks urgent")
    def post(self, request: Any) -> dict[str, Any]:
        """Happens by itself each minute."""
        return {"updated_tasks": queue.check_overdue(by=request.member)}


class Stats(ProductionView):
    """The queue in figures."""

    @endpoint(login="required", answers={200: QueueStats}, summary="The queue in figures")
    def get(self, request: Any) -> dict[str, Any]:
        """Open tasks of the shop."""
        return asdict(questions.stats(by=request.member))


class Workload(ProductionView):
    """Who has how much to do."""

    @endpoint(login="required", answers={200: dict[str, Load]}, summary="Load of the florists")
    def get(self, request: Any) -> dict[str, Any]:
        """By the florist's id."""
        return {str(key): asdict(load) for key, load in questions.workload(by=request.member).items()}


class OneFlorist(ProductionView):
    """A florist's figures."""

    @endpoint(
        path=FloristPath,
        login="required",
        answers={200: FloristStats},
        refusals=[errors.EmployeeNotFound],
        summary="A florist's figures",
    )
    def get(self, request: Any, *, florist_id: int) -> dict[str, Any]:
        """Of all times."""
        return asdict(questions.florist_stats(by=request.member, florist_id=florist_id))


class Florists(ProductionView):
    """Who makes bouquets."""

    @endpoint(login="required", answers={200: FloristPage}, summary="Florists of the shop")
    def get(self, request: Any) -> dict[str, Any]:
        """By name, with tasks in hand."""
        rows = [asdict(found) for found in questions.florists(by=request.member)]
        return self.wire.paged(rows, len(rows))


class Quality(ProductionView):
    """Who made how much, how well."""

    needs: ClassVar[tuple[Area, Level] | None] = ("production", "write")

    @endpoint(query=Days, login="required", answers={200: QualityPage}, summary="Florists' work in a time")
    def get(self, request: Any, *, query: Days) -> dict[str, Any]:
        """Of completed tasks, for managers."""
        since, until = query.between(request.member.shop)
        found = questions.quality(shop=request.member.shop, since=since, until=until)
        return self.wire.paged([asdict(found_row) for found_row in found], len(found))


BASE = "api/production"
urlpatterns = [
    path(f"{BASE}/queue/create-from-order/<str:order_id>", CreateFromOrder, name="queue-create"),
    path(f"{BASE}/queue/get-next-task/<str:florist_id>", NextTask, name="queue-next"),
    path(f"{BASE}/queue/distribute", Distribute, name="queue-distribute"),
    path(f"{BASE}/queue/check-overdue", CheckOverdue, name="queue-overdue"),
    path(f"{BASE}/queue/stats", Stats, name="queue-stats"),
    path(f"{BASE}/queue/workload", Workload, name="queue-workload"),
    path(f"{BASE}/florists", Florists, name="florists"),
    path(f"{BASE}/florists/quality", Quality, name="florists-quality"),
    path(f"{BASE}/florists/<str:florist_id>/stats", OneFlorist, name="florist-stats"),
]
