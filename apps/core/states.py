"""Life cycles as tables, and the only writer of a status field (design 3.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils import timezone

from apps.core import events
from apps.core.errors import Conflict, Refused
from apps.core.models import StepLog

M = TypeVar("M", bound=models.Model)

LONGEST_REASON = 500
"""Characters of a reason that the log keeps; PostgreSQL refuses a longer one where SQLite takes it."""


class IllegalStep(Conflict):
    """The table does not know this step."""

    code = "illegal_step"
    detail = "Cannot change status from {from_status} to {to_status}"


@dataclass(frozen=True)
class Step:
    """One allowed step. `stamp` names the datetime field to set; `guard(obj, by)` raises a Refused;

    `event(obj, by, reason)` makes the fact to publish; `who` and `note` are words for the README's table.
    """

    stamp: str = ""
    guard: Callable[[Any, Any], None] | None = None
    event: Callable[[Any, Any, str], events.Event] | None = None
    who: str = ""
    note: str = ""


@dataclass(frozen=True)
class Machine:
    """The table of one life cycle: (from, to) → Step."""

    steps: Mapping[tuple[str, str], Step]
    refusal: type[Refused] = IllegalStep
    status_field: str = "status"

    def allowed_from(self, status: str) -> list[str]:
        """Where one may go from `status`."""
        return [to for (origin, to) in self.steps if origin == status]

    def find(self, origin: str, to: str) -> Step:
        """The step, or the machine's refusal."""
        step = self.steps.get((origin, to))
        if step is None:
            raise self.refusal(from_status=origin, to_status=to)
        return step

    def as_markdown(self) -> str:
        """The table as it stands in the product's README; a test compares the two."""
        rows = [f"| {origin} | {to} | {step.who} | {step.note} |" for (origin, to), step in self.steps.items()]
        return "\n".join(["| from | to | who | what |", "|---|---|---|---|", *rows])


_machines: dict[type[models.Model], Machine] = {}


def register(model: type[models.Model], machine: Machine) -> None:
    """Bind a table to its model; called once at the foot of the app's `states.py`."""
    _machines[model] = machine


def machine_of(model: type[models.Model]) -> Machine:
    """The table of a model. Raises `KeyError` when it has none."""
    return _machines[model]


def step(obj: M, to: str, *, by: Any, reason: str = "") -> M:
    """Move `obj` to status `to`: lock the row, check the table and guard, write where the status is still the old one,

    stamp, log and publish. Returns the locked, fresh object. Raises the machine's refusal or the guard's.
    """
    machine = _machines[type(obj)]
    manager = type(obj)._default_manager
    with transaction.atomic():
        fresh = manager.select_for_update(of=("self",)).get(pk=obj.pk)
        origin = str(getattr(fresh, machine.status_field))
        rule = machine.find(origin, to)
        if rule.guard:
            rule.guard(fresh, by)
        _write([fresh], machine, rule, origin, to)
        _log_of(fresh, origin, to, by, reason).save(force_insert=True)
        if rule.event:
            events.publish(rule.event(fresh, by, reason))
    return fresh


def step_all(rows: Sequence[M], to: str, *, by: Any, reason: str = "") -> None:
    """`step` for many rows of one model and one status that the caller has locked; four statements, all or none.

    Raises the machine's refusal or a guard's; `ValueError` for rows of different states.
    """
    if not rows:
        return
    machine = _machines[type(rows[0])]
    origins = {str(getattr(row, machine.status_field)) for row in rows}
    if len(origins) != 1:
        raise ValueError("rows that step together stand in one state")
    origin = origins.pop()
    rule = machine.find(origin, to)
    with transaction.atomic():
        for row in rows if rule.guard else ():
            rule.guard(row, by)  # type: ignore[misc]
        _write(rows, machine, rule, origin, to)
        StepLog.objects.bulk_create(_log_of(row, origin, to, by, reason) for row in rows)
        if rule.event:
            events.publish(*(rule.event(row, by, reason) for row in rows))


def _write(rows: Sequence[models.Model], machine: Machine, rule: Step, origin: str, to: str) -> None:
    now, kind = timezone.now(), type(rows[0])
    values: dict[str, Any] = {machine.status_field: to}
    if rule.stamp:
        values[rule.stamp] = now
    if any(f.name == "updated_at" for f in kind._meta.fields):
        values["updated_at"] = now
    still = {"pk__in": [row.pk for row in rows], machine.status_field: origin}
    if kind._default_manager.filter(**still).update(**values) != len(rows):
        raise machine.refusal(from_status=origin, to_status=to)
    for row in rows:
        for name, value in values.items():
            setattr(row, name, value)


def _log_of(obj: models.Model, origin: str, to: str, by: Any, reason: str) -> StepLog:
    return StepLog(
        model=obj._meta.label,
        object_id=str(obj.pk),
        from_status=origin,
        to_status=to,
        by=actor_label(by),
        reason=reason[:LONGEST_REASON],
    )


def actor_label(by: Any) -> str:
    """Who did it, for logs: `system`, or model and key; never a phone."""
    return "system" if by is None else f"{by._meta.label_lower}:{by.pk}"


def history(obj: models.Model) -> models.QuerySet[StepLog]:
    """The steps of one object, oldest first."""
    return StepLog.objects.filter(model=obj._meta.label, object_id=str(obj.pk)).order_by("id")
