"""The lives of orders, tasks, runs and stops (contract florist 3.5, 3.9): the tables of what may follow what."""

from __future__ import annotations

from typing import Any

from apps.core import states
from apps.core.states import Machine, Step
from apps.florist.access import employee_of
from apps.florist.errors import (
    IllegalBouquetStep,
    IllegalRunStep,
    IllegalStandingStep,
    IllegalStopStep,
    IllegalSupplyStep,
    IllegalTaskStep,
    IllegalTransition,
)
from apps.florist.events import OrderMoved, RunChanged, TaskMoved
from apps.florist.models import DeliveryRun, Order, ProductionTask, ShowcaseBouquet, StandingOrder, Stop, Supply

S = Order.Status


def _fits(method: str) -> Any:
    def guard(order: Order, by: Any) -> None:
        if order.delivery_method != method:
            to = S.DELIVERY if method == Order.Method.DELIVERY else S.SELF_PICKUP
            raise IllegalTransition(from_status=order.status, to_status=to)

    return guard


FORWARD: dict[tuple[str, str], Step] = {
    (S.NEW, S.PAID): Step(who="manager, payment", note="accepted; cash is still to be collected"),
    (S.PAID, S.ASSEMBLED): Step(stamp="assembled_at", who="manager, florist, production", note="stems are written off"),
    (S.ASSEMBLED, S.DELIVERY): Step(
        stamp="dispatched_at", guard=_fits("delivery"), who="manager, courier", note="delivery only"
    ),
    (S.ASSEMBLED, S.SELF_PICKUP): Step(
        stamp="dispatched_at", guard=_fits("self_pickup"), who="manager", note="pickup only"
    ),
    (S.DELIVERY, S.DELIVERED): Step(stamp="delivered_at", who="manager, courier", note="handed over"),
    (S.SELF_PICKUP, S.DELIVERED): Step(stamp="delivered_at", who="manager", note="handed over"),
    (S.DELIVERED, S.COMPLETED): Step(stamp="completed_at", who="manager, timer", note="nothing more to come"),
    (S.SELF_PICKUP, S.COMPLETED): Step(stamp="completed_at", who="manager", note="handed over and done"),
}
"""What the buttons do."""

ROLLBACK: dict[tuple[str, str], Step] = {
    (S.PAID, S.NEW): Step(who="manager", note="rollback"),
    (S.ASSEMBLED, S.PAID): Step(who="manager", note="rollback: stems come back, reserved"),
    (S.ASSEMBLED, S.NEW): Step(who="manager", note="rollback: stems come back, reserved"),
    (S.DELIVERY, S.ASSEMBLED): Step(who="manager", note="rollback"),
    (S.DELIVERY, S.PAID): Step(who="manager", note="rollback: stems come back, reserved"),
    (S.SELF_PICKUP, S.ASSEMBLED): Step(who="manager", note="rollback"),
    (S.SELF_PICKUP, S.PAID): Step(who="manager", note="rollback: stems come back, reserved"),
    **{(S.ISSUE, to): Step(who="manager", note="the problem is solved") for to in (S.NEW, S.PAID, S.ASSEMBLED)},
    (S.ISSUE, S.DELIVERY): Step(guard=_fits("delivery"), who="manager", note="delivery only"),
    (S.ISSUE, S.SELF_PICKUP): Step(guard=_fits("self_pickup"), who="manager", note="pickup only"),
}
"""What the rollback path does, with a reason."""

ISSUE: dict[tuple[str, str], Step] = {
    (status, S.ISSUE): Step(who="staff", note="a problem; the status before is kept")
    for status in (S.NEW, S.PAID, S.ASSEMBLED, S.DELIVERY, S.SELF_PICKUP, S.DELIVERED)
}
"""What the issue path does."""

CANCEL: dict[tuple[str, str], Step] = {
    (status, S.CANCELLED): Step(stamp="cancelled_at", who="manager, timer", note="stems and tasks are freed")
    for status in (S.NEW, S.PAID, S.ASSEMBLED, S.ISSUE)
}
"""What the cancel path does."""


def _moved(order: Order, by: Any, reason: str) -> OrderMoved:
    """The old status is the one of the step; `step` writes before it asks for the fact, so it is read from the log."""
    log = states.history(order).last()
    who = employee_of(by)
    return OrderMoved(
        order_id=order.pk,
        shop_id=order.shop_id,
        old_status=log.from_status if log else "",
        new_status=order.status,
        by_id=who.pk if who else None,
    )


def _telling(steps: dict[tuple[str, str], Step], fact: Any) -> dict[tuple[str, str], Step]:
    return {
        key: Step(stamp=step.stamp, guard=step.guard, event=fact, who=step.who, note=step.note)
        for key, step in steps.items()
    }


ORDER = Machine(
    steps=_telling({**FORWARD, **ROLLBACK, **ISSUE, **CANCEL}, _moved),
    refusal=IllegalTransition,
)
states.register(Order, ORDER)

T = ProductionTask.Status


def _task_moved(task: ProductionTask, by: Any, reason: str) -> TaskMoved:
    who = employee_of(by)
    return TaskMoved(
        task_id=task.pk,
        shop_id=task.shop_id,
        order_id=task.order_id,
        status=task.status,
        by_id=who.pk if who else None,
    )


TASK = Machine(
    steps=_telling(
        {
            (T.PENDING, T.ASSIGNED): Step(stamp="assigned_at", who="manager, florist, queue", note="somebody makes it"),
            (T.ASSIGNED, T.PENDING): Step(who="manager, florist", note="handed back"),
            (T.ASSIGNED, T.IN_PROGRESS): Step(stamp="started_at", who="florist, manager", note="work begins"),
            (T.IN_PROGRESS, T.PENDING): Step(who="manager", note="taken away"),
            (T.IN_PROGRESS, T.QUALITY_CHECK): Step(stamp="finished_at", who="florist, manager", note="with a photo"),
            (T.QUALITY_CHECK, T.COMPLETED): Step(stamp="completed_at", who="manager, another florist", note="approved"),
            (T.QUALITY_CHECK, T.IN_PROGRESS): Step(
                stamp="started_at", who="manager, another florist", note="returned with a reason; the time adds up"
            ),
            **{
                (status, T.CANCELLED): Step(who="manager, order", note="not needed any more")
                for status in (T.PENDING, T.ASSIGNED, T.IN_PROGRESS, T.QUALITY_CHECK)
            },
        },
        _task_moved,
    ),
    refusal=IllegalTaskStep,
)
states.register(ProductionTask, TASK)

R = DeliveryRun.Status


def _run_changed(run: DeliveryRun, by: Any, reason: str) -> RunChanged:
    return RunChanged(run_id=run.pk, shop_id=run.shop_id, courier_id=run.courier_id, status=run.status)


RUN = Machine(
    steps=_telling(
        {
            (R.PLANNED, R.ACCEPTED): Step(stamp="accepted_at", who="courier", note="seen"),
            (R.PLANNED, R.STARTED): Step(stamp="started_at", who="courier", note="off without a word"),
            (R.ACCEPTED, R.STARTED): Step(stamp="started_at", who="courier", note="off"),
            (R.STARTED, R.FINISHED): Step(stamp="finished_at", who="courier, last stop", note="no open stop is left"),
            (R.PLANNED, R.CANCELLED): Step(who="manager", note="stops are freed"),
            (R.ACCEPTED, R.CANCELLED): Step(who="manager", note="stops are freed"),
        },
        _run_changed,
    ),
    refusal=IllegalRunStep,
)
states.register(DeliveryRun, RUN)

STOP = Machine(
    steps={
        (Stop.Status.WAITING, Stop.Status.PICKED_UP): Step(
            stamp="picked_up_at", who="courier", note="the order is on its way"
        ),
        (Stop.Status.PICKED_UP, Stop.Status.DELIVERED): Step(stamp="delivered_at", who="courier", note="with proof"),
        (Stop.Status.PICKED_UP, Stop.Status.FAILED): Step(
            stamp="failed_at", who="courier", note="back to the shop, or the manager calls"
        ),
        (Stop.Status.WAITING, Stop.Status.FAILED): Step(
            stamp="failed_at", who="courier", note="could not be taken along"
        ),
        (Stop.Status.WAITING, Stop.Status.REMOVED): Step(who="manager", note="another run, or no run"),
        (Stop.Status.PICKED_UP, Stop.Status.REMOVED): Step(who="manager", note="handed to another courier"),
    },
    refusal=IllegalStopStep,
)
states.register(Stop, STOP)

SUPPLY = Machine(
    steps={
        (Supply.Status.DRAFT, Supply.Status.RECEIVED): Step(who="manager", note="its lines become batches"),
        (Supply.Status.DRAFT, Supply.Status.ARCHIVED): Step(who="manager", note="never came"),
        (Supply.Status.RECEIVED, Supply.Status.ARCHIVED): Step(who="manager", note="put away"),
        (Supply.Status.ACTIVE, Supply.Status.ARCHIVED): Step(who="manager", note="put away"),
    },
    refusal=IllegalSupplyStep,
)
states.register(Supply, SUPPLY)

BOUQUET = Machine(
    steps={
        (ShowcaseBouquet.State.SHOWN, ShowcaseBouquet.State.SOLD): Step(who="manager", note="a line of an order"),
        (ShowcaseBouquet.State.SOLD, ShowcaseBouquet.State.SHOWN): Step(who="manager", note="the order let it go"),
        (ShowcaseBouquet.State.SHOWN, ShowcaseBouquet.State.APART): Step(
            who="florist, manager", note="its stems come back, the wilted ones as waste"
        ),
    },
    refusal=IllegalBouquetStep,
    status_field="state",
)
states.register(ShowcaseBouquet, BOUQUET)

STANDING = Machine(
    steps={
        (StandingOrder.Status.ACTIVE, StandingOrder.Status.PAUSED): Step(who="manager, timer", note="nothing is made"),
        (StandingOrder.Status.PAUSED, StandingOrder.Status.ACTIVE): Step(who="manager", note="on from the next day"),
        (StandingOrder.Status.ACTIVE, StandingOrder.Status.ENDED): Step(who="manager, timer", note="for good"),
        (StandingOrder.Status.PAUSED, StandingOrder.Status.ENDED): Step(who="manager", note="for good"),
    },
    refusal=IllegalStandingStep,
)
states.register(StandingOrder, STANDING)
