"""Whoever leaves takes no work along: tasks return to the queue, orders and runs are free (contract 3.2, 3.9)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.core.testing import assert_refused, deliver, outcomes, race
from apps.florist import errors
from apps.florist.actions import leaving, lifecycle, orders, people, production, queue, runs, stops, workbench
from apps.florist.actions.runs import StopWish
from apps.florist.actions.stops import Proof
from apps.florist.models import DeliveryRun, Employee, Order, OrderHistory, ProductionTask, Shop, Stop
from apps.florist.queries import deliveries
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Role

T, R = ProductionTask.Status, DeliveryRun.Status

Leaving = Callable[[Employee, Employee], object]


def dismissed(by: Employee, who: Employee) -> None:
    people.dismiss(by=by, employee_id=who.pk)


def switched_off(by: Employee, who: Employee) -> None:
    people.update(by=by, employee_id=who.pk, is_active=False)


def moved_on(by: Employee, who: Employee) -> None:
    people.update(by=by, employee_id=who.pk, role=Role.MANAGER)


def erased(by: Employee, who: Employee) -> None:
    accounts.erase(by=who.user, user=who.user)


WAYS = pytest.mark.parametrize("leave", [dismissed, switched_off, moved_on, erased])


@pytest.fixture
def timur(rosa: Shop) -> Employee:
    """The second courier of Rosa."""
    return cast.employee(rosa, Role.COURIER, "Timur")


def fresh(task: ProductionTask) -> ProductionTask:
    return ProductionTask.objects.get(pk=task.pk)


def plan(by: Employee, courier: Employee, *made: Order) -> DeliveryRun:
    return runs.plan(by=by, courier_id=courier.pk, stops=[StopWish(order.pk) for order in made], keeps_order=True)


def rows() -> list[object]:
    return [Order.objects.all(), ProductionTask.objects.all(), DeliveryRun.objects.all(), Stop.objects.all()]


# ── Florists ────────────────────────────────────────────────────────────────────────────────────────────────────────
@WAYS
def test_tasks_in_hand_return_to_the_queue(
    rosa: Shop, olga: Employee, aida: Employee, gulnar: Employee, leave: Leaving
) -> None:
    taken = workshop.task(rosa, florist_id=aida.pk, due_in=timedelta(hours=5))
    begun = workshop.started(rosa, aida)
    ProductionTask.objects.filter(pk=begun.pk).update(started_at=timezone.now() - timedelta(minutes=10))
    leave(olga, aida)
    deliver()
    for task in (taken, begun):
        found = fresh(task)
        assert (found.status, found.florist_id, found.order.assigned_florist_id) == (T.PENDING, None, None)
    assert 600 <= fresh(begun).seconds_worked < 660
    assert queue.take_next(by=gulnar) == taken
    orders.edit(by=olga, order_id=begun.order_id, changes={"comment": "soon"})
    assert fresh(begun).status == T.PENDING


def test_an_order_whose_florist_left_before_the_payment_is_made_by_another(
    rosa: Shop, olga: Employee, aida: Employee, gulnar: Employee
) -> None:
    order = workshop.order(rosa, paid=False, florist_id=aida.pk)
    assert order not in Order.objects.visible_to(gulnar)
    dismissed(olga, aida)
    deliver()
    assert order in Order.objects.visible_to(gulnar)
    lifecycle.move(by=None, order_id=order.pk, to="paid")
    assert ProductionTask.objects.get().status == T.PENDING


def test_what_is_made_keeps_the_makers_name(rosa: Shop, olga: Employee, bek: Employee, aida: Employee) -> None:
    handed_in, done = workshop.handed_in(rosa, aida), workshop.handed_in(rosa, aida)
    production.check(by=bek, task_id=done.pk, quality_score=5, quality_approved=True)
    deliver()
    dismissed(olga, aida)
    deliver()
    assert [(fresh(task).status, fresh(task).florist_id) for task in (handed_in, done)] == [
        (T.QUALITY_CHECK, aida.pk),
        (T.COMPLETED, aida.pk),
    ]
    assert [fresh(task).order.assigned_florist_id for task in (handed_in, done)] == [aida.pk, aida.pk]
    production.check(by=bek, task_id=handed_in.pk, quality_score=5, quality_approved=True)
    assert fresh(handed_in).order.status == "assembled"


def test_what_is_returned_to_somebody_who_left_goes_to_the_queue(
    rosa: Shop, olga: Employee, bek: Employee, aida: Employee, gulnar: Employee
) -> None:
    gone, here = workshop.handed_in(rosa, aida), workshop.handed_in(rosa, gulnar)
    dismissed(olga, aida)
    deliver()
    for task in (gone, here):
        production.check(by=bek, task_id=task.pk, quality_score=2, quality_approved=False, quality_notes="wilted")
    deliver()
    assert (fresh(gone).status, fresh(gone).florist_id, fresh(gone).returns) == (T.PENDING, None, 1)
    assert (fresh(here).status, fresh(here).florist_id) == (T.IN_PROGRESS, gulnar.pk)
    production.assign(by=gulnar, task_id=gone.pk, florist_id=gulnar.pk)
    production.start(by=gulnar, task_id=gone.pk)
    workbench.add_photo(by=gulnar, task_id=gone.pk, file=workshop.picture())
    assert production.complete(by=gulnar, task_id=gone.pk).status == T.QUALITY_CHECK


# ── Couriers ────────────────────────────────────────────────────────────────────────────────────────────────────────
@WAYS
def test_a_run_that_has_not_begun_is_cancelled_and_its_orders_are_free(
    rosa: Shop, olga: Employee, bek: Employee, ruslan: Employee, timur: Employee, leave: Leaving
) -> None:
    order, named = workshop.assembled(rosa, due_in=timedelta(minutes=1)), workshop.order(rosa, courier_id=ruslan.pk)
    run = plan(bek, ruslan, order)
    leave(olga, ruslan)
    deliver()
    run.refresh_from_db()
    assert (run.status, run.stops.get().status) == (R.CANCELLED, Stop.Status.REMOVED)
    for one in (order, named):
        one.refresh_from_db()
        assert (one.courier_id, one.courier_phone, one.courier_name) == (None, None, None)
    assert order in deliveries.to_plan(by=bek, day=run.day)
    line = OrderHistory.objects.filter(order=named).order_by("-id")[0]
    assert (line.event_type, line.comment, line.by_text) == ("courier_assigned", runs.GONE, "system")
    assert plan(bek, timur, order, named).stops.count() == 2


def test_what_he_carries_is_brought_by_another(
    rosa: Shop, olga: Employee, bek: Employee, ruslan: Employee, timur: Employee
) -> None:
    done, carried, waiting = (workshop.assembled(rosa) for _ in range(3))
    run = plan(bek, ruslan, done, carried, waiting)
    first, second, _third = run.stops.order_by("position")
    stops.deliver(by=ruslan, stop_id=first.pk, proof=Proof(receiver_name="Asel"))
    stops.pick_up(by=ruslan, stop_id=second.pk)
    dismissed(olga, ruslan)
    deliver()
    run.refresh_from_db()
    assert run.status == R.FINISHED
    assert list(run.stops.order_by("position").values_list("status", flat=True)) == ["delivered", "removed", "removed"]
    found = {order.pk: order for order in Order.objects.all()}
    assert [(found[one.pk].status, found[one.pk].courier_id) for one in (done, carried, waiting)] == [
        ("delivered", ruslan.pk),
        ("delivery", None),
        ("assembled", None),
    ]
    again = plan(bek, timur, carried, waiting).stops.get(order=carried)
    assert again.cash_due == Decimal(workshop.TOTAL)
    stops.deliver(by=timur, stop_id=again.pk, proof=Proof(receiver_name="Asel"))
    carried.refresh_from_db()
    assert (carried.status, carried.courier_id) == ("delivered", timur.pk)


# ── Who stays, and repeats ──────────────────────────────────────────────────────────────────────────────────────────
def test_nothing_of_others_moves_and_a_repeat_is_free(
    rosa: Shop, olga: Employee, bek: Employee, aida: Employee, ruslan: Employee, dana: Employee
) -> None:
    there = cast.employee(dana.shop, Role.FLORIST)
    workshop.started(dana.shop, there)
    workshop.started(rosa, aida)
    plan(bek, ruslan, workshop.assembled(rosa))
    deliver()
    people.set_permissions(by=olga, employee_id=aida.pk, permissions={"customers": True})
    people.set_permissions(by=olga, employee_id=ruslan.pk, permissions={"customers": True})
    stranger = lambda: people.dismiss(by=dana, employee_id=aida.pk)  # noqa: E731
    assert_refused(errors.EmployeeNotFound, stranger, unchanged=rows())
    before = [list(found.values()) for found in rows()]
    deliver()
    assert [list(found.values()) for found in rows()] == before
    dismissed(olga, aida)
    dismissed(olga, ruslan)
    deliver()
    assert fresh(ProductionTask.objects.get(shop=dana.shop)).florist_id == there.pk
    before = [list(found.values()) for found in rows()]
    for who in (aida, ruslan):
        leaving.free_work(employee_id=who.pk)
    assert [list(found.values()) for found in rows()] == before


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def gone(who: Employee, pause: float) -> None:
    """Dismissed a little later, and what follows from it."""
    time.sleep(pause)
    Employee.objects.filter(pk=who.pk).update(is_active=False)
    leaving.free_work(employee_id=who.pk)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_who_is_leaving_while_he_takes_work_is_left_with_none() -> None:
    where = cast.shop()
    boss = cast.employee(where, Role.MANAGER)
    for pause in (0, 0.02, 0.05, 0.1):
        aida, ruslan = cast.employee(where, Role.FLORIST), cast.employee(where, Role.COURIER)
        made = [workshop.assembled(where) for _ in range(5)]
        plan(boss, ruslan, made[4])
        workshop.task(where)

        def deed(number: int, aida: Any = aida, ruslan: Any = ruslan, made: Any = made, pause: float = pause) -> object:
            if number < 4:
                return plan(boss, ruslan, made[number])
            return queue.take_next(by=aida) if number == 4 else gone((aida, ruslan)[number - 5], pause)

        found = outcomes(race(7, deed))
        assert set(found) <= {"ok", "EmployeeNotFound"}, found
        assert not ProductionTask.objects.filter(florist=aida).exists()
        assert not Order.objects.filter(courier=ruslan).exists()
        assert not Stop.objects.open().filter(run__courier=ruslan).exists()
        assert not DeliveryRun.objects.filter(courier=ruslan).exclude(status=R.CANCELLED).exists()
