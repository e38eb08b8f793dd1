"""The florist's pages: today, one task, the check of others' work (contract florist 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from apps.florist.access import employee_of
from apps.florist.actions import production, queue, uploads, workbench
from apps.florist.models import Employee, ProductionTask
from apps.florist.pages import forms, words
from apps.florist.pages.deeds import Deed, perform
from apps.florist.pages.desk import did, for_staff, show
from apps.florist.queries import production as making
from apps.florist.queries import stock as shelves

T = ProductionTask.Status
makes = for_staff(("production", "own"))


@dataclass(frozen=True)
class TaskCard:
    """A task as a list shows it; `minutes` are left until its deadline, below zero when it is late."""

    task: ProductionTask
    tone: str
    minutes: int | None

    @property
    def is_late(self) -> bool:
        """Its time has passed."""
        return self.minutes is not None and self.minutes < 0

    @property
    def minutes_late(self) -> int:
        """How long ago its time passed."""
        return -(self.minutes or 0)


def _cards(tasks: Iterable[ProductionTask], now: datetime) -> list[TaskCard]:
    return [_card(task, now) for task in tasks]


def _card(task: ProductionTask, now: datetime) -> TaskCard:
    left = None if task.deadline is None else int((task.deadline - now).total_seconds() // 60)
    return TaskCard(task, words.PRIORITY_TONE[ProductionTask.Priority(task.priority)], left)


@require_safe
@makes
def today(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/florist/: what is in hand on top, then the queue by priority and deadline."""
    now, bench = timezone.now(), making.bench(by=by)
    context: dict[str, Any] = {
        "mine": _cards(bench.mine, now),
        "free": _cards(bench.free, now),
        "bench": bench,
        "may_take": by.role == Employee.Role.FLORIST and not bench.mine,
    }
    return show(request, "florist/today.html", by=by, here="today", **context)


@require_POST
@makes
def take(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """POST /desk/florist/take: the most urgent free task, and straight to its page."""
    given: list[ProductionTask | None] = []
    said = did(request, lambda: given.append(queue.take_next(by=by)), "")
    if said and given[0] is not None:
        return HttpResponseRedirect(reverse("florist-pages:task", args=[given[0].pk]))
    if said:
        did(request, lambda: None, say("Nothing is free right now"))
    return HttpResponseRedirect(reverse("florist-pages:today"))


@require_safe
@makes
def task(request: HttpRequest, task_id: int, *, by: Employee) -> HttpResponse:
    """GET /desk/florist/tasks/<id>/: the stem list with its batches, the card, the picture, and what can be done."""
    sheet = making.sheet(by=by, task_id=task_id)
    found = sheet.task
    context: dict[str, Any] = {
        "sheet": sheet,
        "task": found,
        "card": _card(found, timezone.now()),
        "lines": [(line, uploads.link(line.image_url)) for line in sheet.lines],
        "open_stems": sum(not stem.is_ticked for line in sheet.lines for stem in line.stems),
        "photos": [uploads.link(path) for path in found.result_photos],
        "work_photos": [uploads.link(path) for path in found.work_photos],
        "batches": shelves.in_stock(by.shop)[:200] if found.status == T.IN_PROGRESS else [],
        **_rights(by, found),
    }
    return show(request, "florist/task.html", by=by, here="today", **context)


def _rights(by: Employee, found: ProductionTask) -> dict[str, bool]:
    is_maker = found.florist_id == by.pk or by.is_manager
    return {
        "may_take": found.status == T.PENDING and by.role == Employee.Role.FLORIST,
        "may_start": found.status == T.ASSIGNED and is_maker,
        "may_work": found.status == T.IN_PROGRESS and is_maker,
        "may_check": found.status == T.QUALITY_CHECK and found.florist_id != by.pk,
    }


def _finish(by: Employee, task_id: int, fields: dict[str, Any]) -> None:
    """The picture first: a task without one is not handed in."""
    if fields["file"]:
        workbench.add_photo(by=by, task_id=task_id, file=fields["file"], kind="result")
    production.complete(by=by, task_id=task_id, florist_notes=fields["florist_notes"] or None)


def _judge(by: Employee, task_id: int, fields: dict[str, Any]) -> None:
    production.check(
        by=by,
        task_id=task_id,
        quality_score=fields["quality_score"],
        quality_approved=fields["verdict"] == "approve",
        quality_notes=fields["quality_notes"] or None,
    )


def _take_this(by: Employee, task_id: int, fields: dict[str, Any]) -> None:
    who = employee_of(by)
    production.assign(by=by, task_id=task_id, florist_id=who.pk if who else 0)


DEEDS = {
    "take": Deed(_take_this, said=_("It is yours")),
    "start": Deed(lambda by, pk, f: production.start(by=by, task_id=pk)),
    "hand-back": Deed(lambda by, pk, f: production.hand_back(by=by, task_id=pk), said=_("Back in the queue")),
    "tick": Deed(lambda by, pk, f: workbench.tick(by=by, task_id=pk, **f), forms.Tick),
    "substitute": Deed(
        lambda by, pk, f: workbench.substitute(by=by, task_id=pk, **f),
        forms.Substitute,
        _("Written down. The price stays."),
    ),
    "short": Deed(
        lambda by, pk, f: workbench.report_shortage(by=by, task_id=pk, note=f["note"]),
        forms.Note,
        _("The manager has been told"),
    ),
    "note": Deed(
        lambda by, pk, f: workbench.edit(by=by, task_id=pk, changes={"florist_notes": f["note"]}),
        forms.Note,
        _("Kept"),
    ),
    "photo": Deed(
        lambda by, pk, f: workbench.add_photo(by=by, task_id=pk, file=f["file"], kind="work"),
        forms.Picture,
        _("The picture is kept"),
    ),
    "finish": Deed(_finish, forms.Finish, _("Handed in for the check")),
    "judge": Deed(_judge, forms.Judge, _("Thank you, the verdict is written down")),
}
"""Buttons of a task's page."""


@require_POST
@makes
def deed(request: HttpRequest, task_id: int, name: str, *, by: Employee) -> HttpResponse:
    """POST /desk/florist/tasks/<id>/<deed>."""
    back = reverse("florist-pages:task", args=[task_id])
    return perform(request, DEEDS, name, by=by, subject=task_id, back=back)


@require_safe
@makes
def check(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/florist/check/: what others have finished, with picture and recipe; one's own work is not here."""
    now = timezone.now()
    waiting = making.to_check(by=by)
    rows = [(_card(task, now), [uploads.link(path) for path in task.result_photos]) for task in waiting]
    return show(request, "florist/check.html", by=by, here="check", rows=rows)
