"""Looking at tasks: lists, the queue's figures, what each florist does (contract florist 1.6, 3.9, 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from django.db.models import Avg, Count, F, Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from apps.florist import access, errors
from apps.florist.models import Employee, Order, OrderItem, ProductionTask, Shop, Substitution, TaskItem
from apps.florist.models.production import TaskQuerySet
from apps.florist.queries import stock
from apps.florist.queries.windows import zone_of

Status, Priority = ProductionTask.Status, ProductionTask.Priority
BY_URGENCY = ("priority", F("deadline").asc(nulls_last=True), "id")
"""What is made first."""

MOST = 200
"""Rows of a screen."""


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def page(
    *,
    by: Any,
    skip: int,
    limit: int,
    status: str | None = None,
    priority: int | None = None,
    florist_id: int | None = None,
    order_id: int | None = None,
) -> tuple[list[ProductionTask], int]:
    """Tasks that `by` may see, most urgent first, and how many there are. Two queries."""
    wanted = {"status": status, "priority": priority, "florist_id": florist_id, "order_id": order_id}
    rows = ProductionTask.objects.visible_to(by).filter(**{k: v for k, v in wanted.items() if v is not None})
    return list(rows.order_by(*BY_URGENCY)[skip : skip + limit]), rows.count()


def pending(*, by: Any, skip: int, limit: int) -> tuple[list[ProductionTask], int]:
    """Free tasks, most urgent first."""
    return page(by=by, skip=skip, limit=limit, status=Status.PENDING)


def overdue(*, by: Any, skip: int = 0, limit: int = 100) -> list[ProductionTask]:
    """Open tasks past their deadline, the oldest first, with their lines."""
    rows = late(ProductionTask.objects.visible_to(by)).prefetch_related("items")
    return list(rows.order_by("deadline", "id")[skip : skip + limit])


def late(rows: TaskQuerySet) -> TaskQuerySet:
    """Of these, the open ones past their deadline."""
    return rows.open().filter(deadline__lt=timezone.now())


def one(*, by: Any, task_id: int) -> ProductionTask:
    """A task with its lines. Raises `TaskNotFound`."""
    found = ProductionTask.objects.readable_by(by).filter(pk=task_id).prefetch_related("items").first()
    if found is None:
        raise errors.TaskNotFound()
    return found


def is_overdue(task: ProductionTask) -> bool:
    """Past its deadline and not over."""
    return task.deadline is not None and task.status not in ProductionTask.CLOSED and task.deadline < timezone.now()


def minutes_spent(task: ProductionTask) -> int:
    """Minutes of work until now, all rounds together."""
    seconds = task.seconds_worked
    if task.status == Status.IN_PROGRESS and task.started_at:
        seconds += max(0, int((timezone.now() - task.started_at).total_seconds()))
    return seconds // 60


# ── The queue ───────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class QueueStats:
    """Open tasks of a shop in figures."""

    pending_tasks: int
    assigned_tasks: int
    in_progress_tasks: int
    overdue_tasks: int
    urgent_tasks: int
    tasks_by_type: dict[str, int]
    tasks_by_priority: dict[str, int]


def stats(*, by: Any) -> QueueStats:
    """Three queries, whatever the number of tasks."""
    rows = _of_shop(by).open()
    found = rows.aggregate(
        pending_tasks=Count("pk", filter=Q(status=Status.PENDING)),
        assigned_tasks=Count("pk", filter=Q(status=Status.ASSIGNED)),
        in_progress_tasks=Count("pk", filter=Q(status=Status.IN_PROGRESS)),
        overdue_tasks=Count("pk", filter=Q(deadline__lt=timezone.now())),
        urgent_tasks=Count("pk", filter=Q(priority=Priority.URGENT)),
    )
    kinds = dict(rows.order_by().values_list("task_type").annotate(many=Count("pk")))
    weights = dict(rows.order_by().values_list("priority").annotate(many=Count("pk")))
    return QueueStats(
        **found,
        tasks_by_type={kind: kinds.get(kind, 0) for kind in ProductionTask.Type.values},
        tasks_by_priority={each.name.lower(): weights.get(each.value, 0) for each in Priority},
    )


@dataclass(frozen=True)
class Load:
    """What a florist has to do now."""

    active_tasks: int = 0
    completed_today: int = 0
    estimated_minutes_remaining: int = 0
    current_task: int | None = None


def workload(*, by: Any) -> dict[int, Load]:
    """Florist → load, for everybody who makes bouquets in the shop. Three queries."""
    people = _florists(by.shop_id)
    active = _active_by_florist(by.shop_id)
    done = _done_today(by.shop)
    return {person.pk: _load(active.get(person.pk, []), done.get(person.pk, 0)) for person in people}


def _load(tasks: list[ProductionTask], completed_today: int) -> Load:
    left = sum(max(0, task.estimated_minutes - minutes_spent(task)) for task in tasks)
    working = [task for task in tasks if task.status == Status.IN_PROGRESS]
    current = (working or tasks)[0].pk if tasks else None
    return Load(len(tasks), completed_today, left, current)


def _active_by_florist(shop_id: int) -> dict[int, list[ProductionTask]]:
    found: dict[int, list[ProductionTask]] = {}
    rows = ProductionTask.objects.filter(shop_id=shop_id, status__in=ProductionTask.ACTIVE, florist__isnull=False)
    for task in rows.order_by(*BY_URGENCY):
        found.setdefault(int(task.florist_id or 0), []).append(task)
    return found


def _done_today(shop: Shop) -> dict[int, int]:
    rows = ProductionTask.objects.filter(shop=shop, status=Status.COMPLETED, completed_at__gte=midnight(shop))
    return dict(rows.order_by().values_list("florist_id").annotate(many=Count("pk")))


def midnight(shop: Shop) -> datetime:
    """When today began by the shop's clock."""
    return datetime.combine(stock.today_of(shop), time.min, zone_of(shop))


@dataclass(frozen=True)
class FloristStats:
    """A florist's work of all times."""

    florist_id: int
    total_tasks: int
    completed_tasks: int
    in_progress_tasks: int
    average_quality_score: float | None
    average_completion_time: float | None
    overdue_tasks: int
    returned_tasks: int


def florist_stats(*, by: Any, florist_id: int) -> FloristStats:
    """Averages are of completed tasks; the time in minutes. Raises `EmployeeNotFound`."""
    if not Employee.objects.visible_to(by).filter(pk=florist_id, role=Employee.Role.FLORIST).exists():
        raise errors.EmployeeNotFound()
    rows = _of_shop(by).filter(florist_id=florist_id)
    done = Q(status=Status.COMPLETED)
    found = rows.aggregate(
        total_tasks=Count("pk"),
        completed_tasks=Count("pk", filter=done),
        in_progress_tasks=Count("pk", filter=Q(status=Status.IN_PROGRESS)),
        average_quality_score=Avg("quality_score", filter=done),
        average_completion_time=Avg("actual_minutes", filter=done),
        overdue_tasks=Count("pk", filter=Q(deadline__lt=timezone.now()) & ~Q(status__in=ProductionTask.CLOSED)),
        returned_tasks=Count("pk", filter=Q(returns__gt=0)),
    )
    return FloristStats(florist_id=florist_id, **found)


@dataclass(frozen=True)
class FloristRow:
    """A florist and how many tasks are in hand."""

    id: int
    name: str
    status: str
    current_tasks: int


def florists(*, by: Any) -> list[FloristRow]:
    """Real florists of the shop: `available`, `busy`, or `off` when not on shift. Two queries."""
    active = _active_by_florist(by.shop_id)
    return [_florist_row(person, len(active.get(person.pk, []))) for person in _florists(by.shop_id)]


def _florist_row(person: Employee, tasks: int) -> FloristRow:
    status = "busy" if tasks else "available"
    return FloristRow(person.pk, person.name, status if person.is_on_shift else "off", tasks)


def _florists(shop_id: int) -> QuerySet[Employee]:
    rows = Employee.objects.filter(shop_id=shop_id, role=Employee.Role.FLORIST, is_active=True)
    return rows.order_by("name", "id")[:MOST]


def _of_shop(by: Any) -> TaskQuerySet:
    """Figures are of the whole shop, for florists too."""
    return ProductionTask.objects.filter(shop_id=by.shop_id)


# ── Screens ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Bench:
    """A florist's day: the task in hand or to be taken next, own ones, free ones, what is late and done."""

    current: ProductionTask | None
    upcoming: ProductionTask | None
    mine: list[ProductionTask]
    free: list[ProductionTask]
    overdue: list[ProductionTask]
    to_check: list[ProductionTask]
    done_today: int


def bench(*, by: Any) -> Bench:
    """Everything on a florist's first page. Constant number of queries."""
    rows = list(_with_order(ProductionTask.objects.readable_by(by).open()).order_by(*BY_URGENCY)[:MOST])
    mine = [task for task in rows if task.florist_id == by.pk and task.status != Status.QUALITY_CHECK]
    free = [task for task in rows if task.status == Status.PENDING]
    active = sorted(mine, key=lambda task: task.status != Status.IN_PROGRESS)
    return Bench(
        current=active[0] if active else None,
        upcoming=free[0] if free else None,
        mine=mine,
        free=free,
        overdue=[task for task in [*mine, *free] if is_overdue(task)],
        to_check=[task for task in rows if task.status == Status.QUALITY_CHECK and task.florist_id != by.pk],
        done_today=_done_today(by.shop).get(by.pk, 0),
    )


def to_check(*, by: Any) -> list[ProductionTask]:
    """What somebody else has handed in, most urgent first."""
    rows = ProductionTask.objects.readable_by(by).filter(status=Status.QUALITY_CHECK)
    who = access.employee_of(by)
    rows = rows.exclude(florist=who) if who is not None else rows
    return list(_with_order(rows).order_by(*BY_URGENCY)[:MOST])


def _with_order(rows: TaskQuerySet) -> QuerySet[ProductionTask]:
    lines = Prefetch("items", queryset=TaskItem.objects.select_related("order_item"))
    return rows.select_related("order", "florist").prefetch_related(lines)


@dataclass(frozen=True)
class SheetStem:
    """A flower of a line, and whether it is ticked."""

    stem: stock.Stem
    is_ticked: bool


@dataclass(frozen=True)
class SheetLine:
    """A line of a task: the product with its picture, and its flowers."""

    item: TaskItem
    order_item: OrderItem
    stems: list[SheetStem]

    @property
    def image_url(self) -> str:
        """The product's picture, or nothing."""
        return self.order_item.product.image_url or ""


@dataclass(frozen=True)
class Sheet:
    """A task as its florist needs it: what to make of what, for when, with which card."""

    task: ProductionTask
    order: Order
    lines: list[SheetLine]
    preferences: str
    substitutions: list[Substitution] = field(default_factory=list)

    @property
    def missing(self) -> list[stock.Stem]:
        """Flowers that lie nowhere."""
        return [row.stem for line in self.lines for row in line.stems if row.stem.missing]


def sheet(*, by: Any, task_id: int) -> Sheet:
    """Everything on a task's page; no cost, no customer history. Raises `TaskNotFound`."""
    rows = ProductionTask.objects.readable_by(by).filter(pk=task_id)
    task = rows.select_related("order__customer", "florist", "checked_by").first()
    if task is None:
        raise errors.TaskNotFound()
    order, buyer = task.order, task.order.customer
    return Sheet(
        task=task,
        order=order,
        lines=_lines(task),
        preferences=(buyer.preferences or "") if buyer else "",
        substitutions=list(task.substitutions.select_related("from_batch", "to_batch", "by")[:MOST]),
    )


def _lines(task: ProductionTask) -> list[SheetLine]:
    items = list(task.items.select_related("order_item__product").order_by("id")[:MOST])
    ticked = set(task.ticks.values_list("component_key", flat=True))
    lists: Mapping[int, Iterable[stock.Stem]] = stock.stem_list([item.order_item_id for item in items])
    return [
        SheetLine(
            item=item,
            order_item=item.order_item,
            stems=[SheetStem(stem, stem.key in ticked) for stem in lists.get(item.order_item_id, ())],
        )
        for item in items
    ]


# ── Figures ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Quality:
    """A florist's work in a time: how much, how fast, how good."""

    florist_id: int
    name: str
    completed: int
    on_time: int
    returned: int
    minutes: int
    average_score: float | None


def quality(*, shop: Shop, since: datetime, until: datetime) -> list[Quality]:
    """Per florist, of what was completed in that time; most first. One query."""
    rows = ProductionTask.objects.filter(
        shop=shop, status=Status.COMPLETED, completed_at__gte=since, completed_at__lt=until, florist__isnull=False
    )
    on_time = Q(deadline=None) | Q(finished_at__lte=F("deadline"))
    found = (
        rows.order_by()
        .values("florist_id", "florist__name")
        .annotate(
            completed=Count("pk"),
            on_time=Count("pk", filter=on_time),
            returned=Count("pk", filter=Q(returns__gt=0)),
            minutes=Sum("actual_minutes"),
            average_score=Avg("quality_score"),
        )
    )
    return [
        Quality(
            florist_id=row["florist_id"],
            name=row["florist__name"],
            completed=row["completed"],
            on_time=row["on_time"],
            returned=row["returned"],
            minutes=row["minutes"] or 0,
            average_score=row["average_score"],
        )
        for row in found.order_by("-completed", "florist_id")[:MOST]
    ]
