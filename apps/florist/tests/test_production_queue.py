"""Take next, distribution, what is late (contract florist 3.9, 3.18)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused, outcomes, race
from apps.florist import errors
from apps.florist.actions import lifecycle, production, queue
from apps.florist.models import Employee, Order, ProductionTask, Shop
from apps.florist.tasks.production import raise_late_tasks
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Role

Status, Priority = ProductionTask.Status, ProductionTask.Priority


def plain_task(where: Shop, order: Order, kind: str = "bouquet", **more: Any) -> ProductionTask:
    return ProductionTask.objects.create(shop=where, order=order, task_type=kind, **more)


def test_the_most_urgent_then_the_earliest_is_next(rosa: Shop, aida: Employee) -> None:
    now = timezone.now()
    rows = {
        "low": {"priority": Priority.LOW, "deadline": now},
        "normal, no deadline": {"priority": Priority.NORMAL},
        "normal, later": {"priority": Priority.NORMAL, "deadline": now + timedelta(hours=9)},
        "normal, sooner": {"priority": Priority.NORMAL, "deadline": now + timedelta(hours=5)},
        "high": {"priority": Priority.HIGH, "deadline": now + timedelta(hours=9)},
        "urgent": {"priority": Priority.URGENT, "deadline": now + timedelta(hours=9)},
    }
    for name, figures in rows.items():
        plain_task(rosa, workshop.order(rosa, paid=False), instructions=name, **figures)
    seen = []
    while found := queue.take_next(by=aida):
        seen.append(found.instructions)
        ProductionTask.objects.filter(pk=found.pk).update(status=Status.COMPLETED)
    assert seen == ["urgent", "high", "normal, sooner", "normal, later", "normal, no deadline", "low"]


def test_one_at_a_time(rosa: Shop, aida: Employee) -> None:
    first, second = workshop.task(rosa), workshop.task(rosa)
    taken = queue.take_next(by=aida)
    assert taken is not None and (taken.pk, taken.status, taken.florist_id) == (first.pk, Status.ASSIGNED, aida.pk)
    assert queue.take_next(by=aida) is None
    production.start(by=aida, task_id=first.pk)
    assert queue.take_next(by=aida) is None
    second.refresh_from_db()
    assert second.status == Status.PENDING


def test_a_handed_in_task_leaves_the_hands_free(rosa: Shop, aida: Employee) -> None:
    workshop.handed_in(rosa, aida)
    second = workshop.task(rosa)
    taken = queue.take_next(by=aida)
    assert taken is not None and taken.pk == second.pk


def test_nothing_is_free(aida: Employee) -> None:
    assert queue.take_next(by=aida) is None


@pytest.mark.parametrize("status", ["issue", "cancelled", "assembled"])
def test_orders_that_wait_or_are_over_are_not_made(rosa: Shop, aida: Employee, status: str) -> None:
    task = workshop.task(rosa)
    Order.objects.filter(pk=task.order_id).update(status=status)
    assert queue.take_next(by=aida) is None


def test_only_florists_take_and_only_of_their_shop(rosa: Shop, tulip: Shop, bek: Employee, ruslan: Employee) -> None:
    workshop.task(rosa)
    rows = [ProductionTask.objects.all()]
    assert_refused(errors.NotAFlorist, lambda: queue.take_next(by=bek), unchanged=rows)
    assert_refused(errors.NotEnoughPermissions, lambda: queue.take_next(by=ruslan), unchanged=rows)
    assert queue.take_next(by=cast.employee(tulip, Role.FLORIST)) is None


def test_free_tasks_are_dealt_to_free_florists_on_shift(
    rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee
) -> None:
    resting = cast.employee(rosa, Role.FLORIST, "Resting", is_on_shift=False)
    workshop.started(rosa, aida)
    for _ in range(3):
        workshop.task(rosa)
    done = queue.distribute(by=bek)
    assert (done.distributed, done.skipped, done.total_pending) == (1, 1, 3)
    assert ProductionTask.objects.filter(florist=gulnar, status=Status.ASSIGNED).count() == 1
    assert not ProductionTask.objects.filter(florist=resting).exists()
    assert_refused(errors.NotEnoughPermissions, lambda: queue.distribute(by=aida))


# ── Late ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_late_tasks_become_urgent_and_are_told_once(rosa: Shop, aida: Employee) -> None:
    late = workshop.started(rosa, aida)
    in_time = workshop.task(rosa)
    over = workshop.task(rosa)
    ProductionTask.objects.filter(pk__in=[late.pk, over.pk]).update(deadline=workshop.ago(minutes=1))
    ProductionTask.objects.filter(pk=over.pk).update(status=Status.COMPLETED)
    assert (raise_late_tasks(), raise_late_tasks()) == (1, 0)
    for task in (late, in_time, over):
        task.refresh_from_db()
    assert (late.priority, in_time.priority, over.priority) == (Priority.URGENT, Priority.NORMAL, Priority.NORMAL)


def test_a_manager_raises_the_late_ones_of_his_shop(rosa: Shop, tulip: Shop, bek: Employee, aida: Employee) -> None:
    mine, theirs = workshop.task(rosa), workshop.task(tulip)
    ProductionTask.objects.update(deadline=workshop.ago(hours=1))
    assert queue.check_overdue(by=bek) == 1
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.priority, theirs.priority) == (Priority.URGENT, Priority.NORMAL)
    assert_refused(errors.NotEnoughPermissions, lambda: queue.check_overdue(by=aida))


def test_a_new_deadline_may_be_missed_anew(rosa: Shop, bek: Employee) -> None:
    task = workshop.task(rosa)
    ProductionTask.objects.update(deadline=workshop.ago(hours=1))
    assert raise_late_tasks() == 1
    production.set_deadline(task, workshop.ago(minutes=1))
    task.save()
    assert raise_late_tasks() == 1


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_thirty_florists_get_thirty_tasks() -> None:
    where = cast.shop()
    people = [cast.employee(where, Role.FLORIST) for _ in range(30)]
    for _ in range(30):
        plain_task(where, workshop.order(where, paid=False))
    results = race(30, lambda number: queue.take_next(by=people[number]))
    assert outcomes(results) == {"ok": 30}
    assert len({task.pk for task in results}) == 30
    held = ProductionTask.objects.filter(status=Status.ASSIGNED).values_list("florist_id", flat=True)
    assert sorted(held) == sorted(person.pk for person in people)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_presses_of_one_florist_take_one_task() -> None:
    where = cast.shop()
    florist = cast.employee(where, Role.FLORIST)
    for _ in range(5):
        workshop.task(where)
    results = race(10, lambda _: queue.take_next(by=florist))
    assert sum(task is not None for task in results) == 1
    assert ProductionTask.objects.filter(florist=florist).count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_ten_payments_make_one_task() -> None:
    where = cast.shop()
    order = workshop.order(where)
    ProductionTask.objects.all().delete()
    results = race(10, lambda _: production.create_from_order(order_id=order.pk))
    assert outcomes(results) == {"ok": 10}
    assert ProductionTask.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_taking_and_cancelling_do_not_lock_each_other_out() -> None:
    where = cast.shop()
    people = [cast.employee(where, Role.FLORIST) for _ in range(10)]
    orders = [workshop.order(where) for _ in range(10)]

    def deed(number: int) -> Any:
        if number < 10:
            return queue.take_next(by=people[number])
        return lifecycle.cancel(by=None, order_id=orders[number - 10].pk, reason="changed his mind")

    assert outcomes(race(20, deed)) == {"ok": 20}
    assert not ProductionTask.objects.open().exists()
    assert not OutboxMessage.objects.filter(dead_at__isnull=False).exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_tasks_of_one_order_go_to_two_florists_at_once() -> None:
    where = cast.shop()
    people = [cast.employee(where, Role.FLORIST) for _ in range(2)]
    order = workshop.order(where, paid=False)
    for kind in ("bouquet", "composition"):
        plain_task(where, order, kind)
    results = race(2, lambda number: queue.take_next(by=people[number]))
    assert outcomes(results) == {"ok": 2}
    assert len({task.pk for task in results}) == 2
