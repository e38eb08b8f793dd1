"""Tasks from orders: once, by kind, with priority and minutes; they follow the order (contract florist 3.9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.testing import assert_refused, deliver
from apps.florist import errors
from apps.florist.actions import items, lifecycle, orders, production
from apps.florist.actions.orders import LineWish
from apps.florist.models import Employee, Order, ProductionTask, Shop
from apps.florist.tests import cast, workshop

Status, Kind, Priority = ProductionTask.Status, ProductionTask.Type, ProductionTask.Priority


def tasks_of(order: Order) -> list[ProductionTask]:
    return list(order.tasks.order_by("id"))


def test_a_paid_order_gets_one_task_for_each_kind_of_work(rosa: Shop) -> None:
    lines = [
        (cast.product(rosa, "Roses"), 2),
        (cast.product(rosa, "Big roses"), 1),
        (cast.product(rosa, "Basket", category="composition"), 1),
        (cast.product(rosa, "Оформление зала", category="other"), 3),
    ]
    made = tasks_of(workshop.order(rosa, *lines))
    assert [(task.task_type, task.estimated_minutes, task.items.count()) for task in made] == [
        (Kind.BOUQUET, 60, 2),
        (Kind.COMPOSITION, 40, 1),
        (Kind.DECORATION, 45, 1),
    ]
    assert {(task.status, task.florist_id, task.shop_id) for task in made} == {(Status.PENDING, None, rosa.pk)}


def test_no_task_before_the_payment(rosa: Shop) -> None:
    assert tasks_of(workshop.order(rosa, paid=False)) == []


@pytest.mark.parametrize(
    ("category", "name", "kind"),
    [
        ("bouquet", "Композиция из роз", Kind.BOUQUET),
        ("composition", "Букет", Kind.COMPOSITION),
        ("other", "Композиция «Лето»", Kind.COMPOSITION),
        ("other", "Корзина роз", Kind.COMPOSITION),
        ("other", "ОФОРМЛЕНИЕ арки", Kind.DECORATION),
        ("potted", "Декор стола", Kind.DECORATION),
        ("potted", "Orchid", Kind.BOUQUET),
    ],
)
def test_the_category_goes_before_the_name(category: str, name: str, kind: str) -> None:
    assert production.kind_of(category, name) == kind


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (1.9, Priority.URGENT),
        (-5, Priority.URGENT),
        (3.9, Priority.HIGH),
        (4.1, Priority.NORMAL),
        (None, Priority.NORMAL),
    ],
)
def test_priority_is_the_time_left(hours: float | None, expected: int) -> None:
    deadline = None if hours is None else timezone.now() + timedelta(hours=hours)
    assert production.urgency(deadline) == expected


@pytest.mark.parametrize(("pieces", "minutes"), [(1, 20), (24, 480), (25, 480)])
def test_minutes_are_clamped(rosa: Shop, pieces: int, minutes: int) -> None:
    [task] = tasks_of(workshop.order(rosa, (cast.product(rosa), pieces)))
    assert task.estimated_minutes == minutes


def test_deadline_and_instructions_come_from_the_order(rosa: Shop) -> None:
    order = workshop.order(rosa, comment="No lilies", card_text="Happy birthday")
    [task] = tasks_of(order)
    assert task.deadline == order.delivery_from
    assert task.instructions == "No lilies\n«Happy birthday»"


def test_creating_again_makes_nothing_new(rosa: Shop, bek: Employee) -> None:
    order = workshop.order(rosa)
    before = tasks_of(order)
    again = production.create_from_order(by=bek, order_id=order.pk)
    assert [task.pk for task in again] == [task.pk for task in before] == [task.pk for task in tasks_of(order)]


def test_tasks_are_made_for_paid_and_new_orders_only(rosa: Shop, bek: Employee, aida: Employee, dana: Employee) -> None:
    order = workshop.assembled(rosa)
    rows = [ProductionTask.objects.all()]
    make = production.create_from_order
    assert_refused(errors.OrderNotMakeable, lambda: make(by=bek, order_id=order.pk), unchanged=rows)
    assert_refused(errors.NotEnoughPermissions, lambda: make(by=aida, order_id=order.pk), unchanged=rows)
    assert_refused(errors.OrderNotFound, lambda: make(by=dana, order_id=order.pk), unchanged=rows)


def test_a_line_added_later_joins_the_open_task(rosa: Shop, bek: Employee) -> None:
    order = workshop.order(rosa, (cast.product(rosa), 1))
    items.add(by=bek, order_id=order.pk, wish=LineWish(product_id=cast.product(rosa, "Tulips").pk, quantity=2))
    [task] = tasks_of(order)
    assert (task.items.count(), task.estimated_minutes) == (2, 60)


def test_pieces_follow_the_line(rosa: Shop, bek: Employee) -> None:
    order = workshop.order(rosa, (cast.product(rosa), 1))
    items.change(by=bek, order_id=order.pk, item_id=order.items.get().pk, quantity=4)
    [task] = tasks_of(order)
    assert (task.items.get().quantity, task.estimated_minutes) == (4, 80)


def test_a_task_goes_with_its_last_line(rosa: Shop, bek: Employee) -> None:
    lines = [(cast.product(rosa), 1), (cast.product(rosa, "Basket", category="composition"), 1)]
    order = workshop.order(rosa, *lines)
    line = order.items.order_by("id").first()
    assert line is not None
    items.remove(by=bek, order_id=order.pk, item_id=line.pk)
    assert [task.status for task in tasks_of(order)] == [Status.CANCELLED, Status.PENDING]


def test_a_new_card_text_is_on_the_task(rosa: Shop, bek: Employee) -> None:
    order = workshop.order(rosa)
    orders.edit(by=bek, order_id=order.pk, changes={"card_text": "For mother"})
    assert [task.instructions for task in tasks_of(order)] == ["«For mother»"]


def test_the_deadline_follows_the_window(rosa: Shop, bek: Employee) -> None:
    order = workshop.order(rosa, due_in=timedelta(hours=1))
    ProductionTask.objects.update(late_at=timezone.now())
    starts = timezone.now() + timedelta(hours=9)
    orders.edit(by=bek, order_id=order.pk, changes={"window": (starts, starts + timedelta(hours=2))})
    [task] = tasks_of(order)
    assert (task.deadline, task.priority, task.late_at) == (starts, Priority.NORMAL, None)


@pytest.mark.parametrize("end", ["cancel", "back to new", "assembled by hand"])
def test_tasks_go_when_nobody_needs_them(rosa: Shop, bek: Employee, aida: Employee, end: str) -> None:
    task = workshop.started(rosa, aida)
    if end == "cancel":
        lifecycle.cancel(by=bek, order_id=task.order_id, reason="changed his mind")
    elif end == "back to new":
        lifecycle.rollback(by=bek, order_id=task.order_id, to="new", reason="not paid")
    else:
        lifecycle.move(by=bek, order_id=task.order_id, to="assembled")
    task.refresh_from_db()
    assert task.status == Status.CANCELLED


def test_paid_again_is_made_again(rosa: Shop, bek: Employee) -> None:
    order = workshop.order(rosa)
    lifecycle.rollback(by=bek, order_id=order.pk, to="new", reason="by mistake")
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    assert [task.status for task in tasks_of(order)] == [Status.CANCELLED, Status.PENDING]


@pytest.mark.parametrize("by_issue", [False, True])
@pytest.mark.parametrize("back_to", ["paid", "new"])
def test_what_was_approved_is_made_again(
    rosa: Shop, bek: Employee, aida: Employee, by_issue: bool, back_to: str
) -> None:
    task = workshop.handed_in(rosa, aida)
    production.check(by=bek, task_id=task.pk, quality_score=5, quality_approved=True)
    order = task.order
    if by_issue:
        lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="quality_issue", comment="wilted")
    lifecycle.rollback(by=bek, order_id=order.pk, to=back_to, reason="another one")
    if back_to == "new":
        lifecycle.move(by=bek, order_id=order.pk, to="paid")
    deliver()
    order.refresh_from_db()
    old, new = tasks_of(order)
    assert (order.status, old.status, new.status) == ("paid", Status.COMPLETED, Status.PENDING)
    assert [row.quantity for row in new.items.all()] == [1]
    production.cancel(by=bek, task_id=new.pk, reason="he thinks about it")
    deliver()
    order.refresh_from_db()
    assert order.status == "paid"  # what was undone assembles nothing
    assert [made.pk in (old.pk, new.pk) for made in production.create_from_order(by=bek, order_id=order.pk)] == [
        True,
        False,
    ]


def test_a_florist_named_before_the_payment_gets_the_task(rosa: Shop, aida: Employee) -> None:
    [task] = tasks_of(workshop.order(rosa, florist_id=aida.pk))
    assert (task.status, task.florist_id) == (Status.ASSIGNED, aida.pk)


def test_a_florist_named_later_gets_what_is_free(rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    order = workshop.order(rosa)
    lifecycle.assign_florist(by=bek, order_id=order.pk, florist_id=aida.pk)
    [task] = tasks_of(order)
    assert (task.status, task.florist_id) == (Status.ASSIGNED, aida.pk)
    lifecycle.assign_florist(by=bek, order_id=order.pk, florist_id=gulnar.pk)
    task.refresh_from_db()
    assert task.florist_id == aida.pk


def test_who_takes_the_first_task_becomes_the_orders_florist(rosa: Shop, aida: Employee) -> None:
    lines = [(cast.product(rosa), 1), (cast.product(rosa, "Basket", category="composition"), 1)]
    order = workshop.order(rosa, *lines)
    first, second = tasks_of(order)
    production.assign(by=aida, task_id=first.pk, florist_id=aida.pk)
    deliver()
    order.refresh_from_db()
    second.refresh_from_db()
    assert order.assigned_florist_id == aida.pk
    assert second.status == Status.PENDING


def test_who_hands_his_only_task_back_is_not_given_it_again(rosa: Shop, bek: Employee, aida: Employee) -> None:
    lines = [(cast.product(rosa), 1), (cast.product(rosa, "Basket", category="composition"), 1)]
    order = workshop.order(rosa, *lines, florist_id=aida.pk)
    first, second = tasks_of(order)
    assert first.florist_id == second.florist_id == aida.pk
    production.hand_back(by=aida, task_id=first.pk)
    order.refresh_from_db()
    assert order.assigned_florist_id == aida.pk  # she still makes the other one
    production.hand_back(by=aida, task_id=second.pk)
    orders.edit(by=bek, order_id=order.pk, changes={"comment": "with a card"})
    order.refresh_from_db()
    assert order.assigned_florist_id is None
    assert {(task.status, task.florist_id) for task in tasks_of(order)} == {(Status.PENDING, None)}


# ── By hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_manager_adds_a_task_by_hand(rosa: Shop, bek: Employee) -> None:
    order = workshop.order(rosa)
    line = order.items.get()
    task = production.create(by=bek, order_id=order.pk, items=[(line.pk, 1)], task_type=Kind.DECORATION)
    assert (task.task_type, task.estimated_minutes, task.deadline) == (Kind.DECORATION, 30, order.delivery_from)


def test_a_task_by_hand_fits_the_order(rosa: Shop, bek: Employee, aida: Employee, dana: Employee) -> None:
    order, other = workshop.order(rosa), workshop.order(rosa)
    mine, foreign = order.items.get().pk, other.items.get().pk
    rows = [ProductionTask.objects.all()]

    def add(by: Employee = bek, lines: tuple[tuple[int, int], ...] = ((mine, 1),), **more: str) -> None:
        production.create(by=by, order_id=order.pk, items=lines, **more)

    decoration = {"task_type": Kind.DECORATION}
    assert_refused(errors.NothingToMake, lambda: add(lines=((foreign, 1),), **decoration), unchanged=rows)
    assert_refused(errors.NothingToMake, lambda: add(lines=((mine, 2),), **decoration), unchanged=rows)
    assert_refused(errors.NothingToMake, lambda: add(lines=((mine, 1), (mine, 1)), **decoration), unchanged=rows)
    assert_refused(errors.NothingToMake, lambda: add(lines=(), **decoration), unchanged=rows)
    assert_refused(errors.TaskKindOpen, add, unchanged=rows)
    assert_refused(errors.NotEnoughPermissions, lambda: add(by=aida), unchanged=rows)
    assert_refused(errors.OrderNotFound, lambda: add(by=dana), unchanged=rows)
