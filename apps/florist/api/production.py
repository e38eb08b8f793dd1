"""Tasks over HTTP: the board, the steps, the lines (contract florist 1.6, 3.9)."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser

from apps.core.errors import Invalid, TooLarge
from apps.core.routing import path
from apps.core.wire import Shape, endpoint, read_shape
from apps.florist import errors
from apps.florist.access import Area, Level
from apps.florist.actions import production, uploads, workbench
from apps.florist.api import task_shapes as shapes
from apps.florist.api.base import FloristView, Paging
from apps.florist.api.uploads import sent_files
from apps.florist.queries import production as questions

# ── Views ───────────────────────────────────────────────────────────────────────────────────────────────────────────
STEP = (errors.TaskNotFound, errors.IllegalTaskStep)


class ProductionView(FloristView):
    """Florists see their own and free tasks, managers all of the shop's; what is a manager's, the action knows."""

    tag = "florist production"
    needs: ClassVar[tuple[Area, Level] | None] = ("production", "own")
    refusals = (errors.NotEnoughPermissions,)


class Tasks(ProductionView):
    """All tasks."""

    @endpoint(query=shapes.TaskFilter, login="required", answers={200: shapes.TaskPage}, summary="List tasks")
    def get(self, request: Any, *, query: shapes.TaskFilter) -> dict[str, Any]:
        """Most urgent first."""
        wanted = query.model_dump()
        wanted["priority"] = shapes.weight(query.priority) if query.priority else None
        rows, total = questions.page(by=request.member, **wanted)
        return self.wire.paged([shapes.row(task) for task in rows], total)

    @endpoint(
        body=shapes.TaskIn,
        login="required",
        answers={201: shapes.TaskOut},
        refusals=[errors.OrderNotFound, errors.OrderNotMakeable, errors.NothingToMake, errors.TaskKindOpen],
        summary="Add a task",
    )
    def post(self, request: Any, *, body: shapes.TaskIn) -> dict[str, Any]:
        """Managers, beside the tasks that orders make themselves."""
        given = body.model_dump(exclude={"items", "priority"})
        lines = [(item.order_item_id, item.quantity) for item in body.items]
        urgency = shapes.weight(body.priority) if body.priority else None
        return shapes.whole(production.create(by=request.member, items=lines, priority=urgency, **given))


class Pending(ProductionView):
    """Free tasks."""

    @endpoint(query=Paging, login="required", answers={200: shapes.TaskPage}, summary="Free tasks")
    def get(self, request: Any, *, query: Paging) -> dict[str, Any]:
        """Most urgent first."""
        rows, total = questions.pending(by=request.member, **query.model_dump())
        return self.wire.paged([shapes.row(task) for task in rows], total)


class Overdue(ProductionView):
    """Late tasks."""

    @endpoint(query=Paging, login="required", answers={200: list[shapes.TaskOut]}, summary="Late tasks")
    def get(self, request: Any, *, query: Paging) -> list[dict[str, Any]]:
        """The oldest deadline first."""
        return [shapes.whole(task) for task in questions.overdue(by=request.member, **query.model_dump())]


class OneTask(ProductionView):
    """One task."""

    @endpoint(
        path=shapes.TaskPath,
        login="required",
        answers={200: shapes.TaskOut},
        refusals=[errors.TaskNotFound],
        summary="Show a task",
    )
    def get(self, request: Any, *, task_id: int) -> dict[str, Any]:
        """Own, free, or waiting for a check."""
        return shapes.whole(questions.one(by=request.member, task_id=task_id))

    @endpoint(
        path=shapes.TaskPath,
        body=shapes.TaskChange,
        login="required",
        answers={200: shapes.TaskOut},
        refusals=[*STEP, errors.EmployeeNotFound, errors.NotAFlorist, errors.MarkMissing, errors.ResultPhotoMissing],
        summary="Change a task",
    )
    def put(self, request: Any, *, task_id: int, body: shapes.TaskChange) -> dict[str, Any]:
        """What is sent; a status out of turn is 400."""
        return shapes.whole(workbench.edit(by=request.member, task_id=task_id, changes=body.changes()))

    patch = put


class TaskItems(ProductionView):
    """Lines of a task."""

    @endpoint(
        path=shapes.TaskPath,
        login="required",
        answers={200: list[shapes.TaskItemOut]},
        refusals=[errors.TaskNotFound],
        summary="Lines of a task",
    )
    def get(self, request: Any, *, task_id: int) -> list[shapes.TaskItemOut]:
        """In the order of the order."""
        return [shapes.line(item) for item in questions.one(by=request.member, task_id=task_id).items.all()]


class Assign(ProductionView):
    """Giving a task to a florist."""

    @endpoint(
        path=shapes.TaskPath,
        body=shapes.Assigned,
        login="required",
        answers={201: shapes.TaskOut},
        refusals=[*STEP, errors.EmployeeNotFound, errors.NotAFlorist],
        summary="Assign a task",
    )
    def post(self, request: Any, *, task_id: int, body: shapes.Assigned) -> dict[str, Any]:
        """Managers to anybody, florists to themselves; 400 unless free."""
        return shapes.whole(production.assign(by=request.member, task_id=task_id, florist_id=body.florist_id))


class Start(ProductionView):
    """Beginning to work."""

    @endpoint(
        path=shapes.TaskPath,
        body=shapes.Started,
        body_optional=True,
        login="required",
        answers={201: shapes.TaskOut},
        refusals=STEP,
        summary="Start a task",
    )
    def post(self, request: Any, *, task_id: int, body: shapes.Started) -> dict[str, Any]:
        """Its florist, or a manager; 400 unless assigned."""
        return shapes.whole(production.start(by=request.member, task_id=task_id, florist_notes=body.florist_notes))


class Complete(ProductionView):
    """Handing in."""

    @endpoint(
        path=shapes.TaskPath,
        body=shapes.Completed,
        body_optional=True,
        login="required",
        answers={201: shapes.TaskOut},
        refusals=[*STEP, errors.ResultPhotoMissing],
        summary="Hand a task in for the check",
    )
    def post(self, request: Any, *, task_id: int, body: shapes.Completed) -> dict[str, Any]:
        """With at least one picture, sent here or before; 400 unless in work."""
        return shapes.whole(production.complete(by=request.member, task_id=task_id, **body.model_dump()))


class Check(ProductionView):
    """The check by somebody else."""

    @endpoint(
        path=shapes.TaskPath,
        body=shapes.Checked,
        login="required",
        answers={201: shapes.TaskOut},
        refusals=[*STEP, errors.OwnWork, errors.ReasonMissing],
        summary="Approve a task or return it",
    )
    def post(self, request: Any, *, task_id: int, body: shapes.Checked) -> dict[str, Any]:
        """A manager or another florist; 400 unless handed in."""
        return shapes.whole(production.check(by=request.member, task_id=task_id, **body.model_dump()))


class Cancel(ProductionView):
    """Giving a task up."""

    @endpoint(
        path=shapes.TaskPath, login="required", answers={201: shapes.TaskOut}, refusals=STEP, summary="Cancel a task"
    )
    def post(self, request: Any, *, task_id: int) -> dict[str, Any]:
        """Managers; 400 when it is over."""
        return shapes.whole(production.cancel(by=request.member, task_id=task_id))


class OneItem(ProductionView):
    """One line of a task."""

    @endpoint(
        path=shapes.TaskItemPath,
        body=shapes.ItemChange,
        login="required",
        answers={200: shapes.TaskItemOut},
        refusals=[errors.TaskItemNotFound, errors.IllegalTaskStep, errors.OwnWork],
        summary="Change a line of a task",
    )
    def put(self, request: Any, *, item_id: int, body: shapes.ItemChange) -> shapes.TaskItemOut:
        """The maker ticks, somebody else judges."""
        return shapes.line(workbench.change_item(by=request.member, item_id=item_id, changes=_sent(body)))


class ItemComplete(ProductionView):
    """Ticking a line."""

    @endpoint(
        path=shapes.TaskItemPath,
        query=shapes.ItemDone,
        login="required",
        answers={201: shapes.TaskItemOut},
        refusals=[errors.TaskItemNotFound, errors.IllegalTaskStep, errors.OwnWork],
        summary="Tick a line of a task",
    )
    def post(self, request: Any, *, item_id: int, query: shapes.ItemDone) -> shapes.TaskItemOut:
        """The maker, or a manager."""
        changes = {"is_completed": True, **_sent(query)}
        return shapes.line(workbench.change_item(by=request.member, item_id=item_id, changes=changes))


def _sent(shape: Shape) -> dict[str, Any]:
    return shape.model_dump(exclude_none=True)


class Stems(ProductionView):
    """The stem list."""

    @endpoint(
        path=shapes.TaskPath,
        login="required",
        answers={200: shapes.StemList},
        refusals=[errors.TaskNotFound],
        summary="Stem list",
    )
    def get(self, request: Any, *, task_id: int) -> dict[str, Any]:
        """Which flowers from which batches; no prices."""
        sheet = questions.sheet(by=request.member, task_id=task_id)
        rows = [_stem(of.order_item.pk, row) for of in sheet.lines for row in of.stems]
        return self.wire.paged(rows, len(rows))

    @endpoint(
        path=shapes.TaskPath,
        body=shapes.Tick,
        login="required",
        answers={200: shapes.StemList},
        refusals=[*STEP, errors.NothingToMake],
        summary="Tick a flower",
    )
    def post(self, request: Any, *, task_id: int, body: shapes.Tick) -> dict[str, Any]:
        """Repeating it is free."""
        workbench.tick(by=request.member, task_id=task_id, **body.model_dump())
        sheet = questions.sheet(by=request.member, task_id=task_id)
        rows = [_stem(of.order_item.pk, row) for of in sheet.lines for row in of.stems]
        return self.wire.paged(rows, len(rows))


def _stem(order_item_id: int, found: questions.SheetStem) -> dict[str, Any]:
    stem = found.stem
    return {
        "key": stem.key,
        "order_item_id": order_item_id,
        "variety": stem.variety,
        "height_cm": stem.height_cm,
        "qty": stem.qty,
        "missing": stem.missing,
        "instead_of": stem.instead_of,
        "batches": [{"id": place.batch_id, "sku": place.sku, "qty": place.qty} for place in stem.batches],
        "is_ticked": found.is_ticked,
    }


class Shortages(ProductionView):
    """Flowers that cannot be found."""

    @endpoint(
        path=shapes.TaskPath,
        body=shapes.Shortage,
        login="required",
        answers={201: shapes.TaskOut},
        refusals=STEP,
        summary="Report",
    )
    def post(self, request: Any, *, task_id: int, body: shapes.Shortage) -> dict[str, Any]:
        """Managers are told."""
        return shapes.whole(workbench.report_shortage(by=request.member, task_id=task_id, note=body.note))


class Substitutions(ProductionView):
    """One flower for another."""

    @endpoint(
        path=shapes.TaskPath,
        body=shapes.Exchange,
        login="required",
        answers={201: shapes.SubstitutionOut},
        refusals=[*STEP, errors.NothingToMake, errors.BatchNotFound, errors.StockShort],
        summary="Substitute a flower",
    )
    def post(self, request: Any, *, task_id: int, body: shapes.Exchange) -> shapes.SubstitutionOut:
        """The order's price stays."""
        made = workbench.substitute(by=request.member, task_id=task_id, **body.wish())
        return shapes.SubstitutionOut.model_validate(made)


class TaskPhotos(ProductionView):
    """Pictures of a task."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        request={
            "multipart/form-data": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "kind": {"type": "string", "enum": ["work", "result"], "default": "result"},
                },
                "required": ["file"],
            }
        }
    )
    @endpoint(
        path=shapes.TaskPath,
        login="required",
        answers={201: shapes.TaskPhotoOut},
        refusals=[*STEP, errors.TooManyTaskPhotos, TooLarge, Invalid],
        summary="Add a picture of the work",
    )
    def post(self, request: Any, *, task_id: int) -> dict[str, Any]:
        """Multipart, field `file`; `kind` is `result` or `work`."""
        [file] = sent_files(request, "file")
        kind = read_shape(shapes.PhotoKind, request.POST.dict(), "body").kind
        kept = workbench.add_photo(by=request.member, task_id=task_id, file=file, kind=kind)
        return {"url": uploads.link(kept)}


BASE = "api/production"
urlpatterns = [
    path(f"{BASE}/tasks/", Tasks, name="tasks"),
    path(f"{BASE}/tasks/pending", Pending, name="tasks-pending"),
    path(f"{BASE}/tasks/overdue", Overdue, name="tasks-overdue"),
    path(f"{BASE}/tasks/<str:task_id>", OneTask, name="task"),
    path(f"{BASE}/tasks/<str:task_id>/items", TaskItems, name="task-items"),
    path(f"{BASE}/tasks/<str:task_id>/assign", Assign, name="task-assign"),
    path(f"{BASE}/tasks/<str:task_id>/start", Start, name="task-start"),
    path(f"{BASE}/tasks/<str:task_id>/complete", Complete, name="task-complete"),
    path(f"{BASE}/tasks/<str:task_id>/quality-check", Check, name="task-check"),
    path(f"{BASE}/tasks/<str:task_id>/cancel", Cancel, name="task-cancel"),
    path(f"{BASE}/tasks/<str:task_id>/stems", Stems, name="task-stems"),
    path(f"{BASE}/tasks/<str:task_id>/shortage", Shortages, name="task-shortage"),
    path(f"{BASE}/tasks/<str:task_id>/substitutions", Substitutions, name="task-substitutions"),
    path(f"{BASE}/tasks/<str:task_id>/photos", TaskPhotos, name="task-photos"),
    path(f"{BASE}/task-items/<str:item_id>", OneItem, name="task-item"),
    path(f"{BASE}/task-items/<str:item_id>/complete", ItemComplete, name="task-item-complete"),
]
