"""From free to checked: assign, start, hand in, return, approve; lines, flowers, pictures (contract 1.6, 3.9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.errors import Invalid
from apps.core.testing import assert_refused, deliver, outcomes, race
from apps.florist import errors
from apps.florist.actions import lifecycle, production, uploads, workbench
from apps.florist.models import (
    Employee,
    Order,
    OrderPhoto,
    ProductionTask,
    Shop,
    StockReservation,
    Substitution,
    TaskItem,
    TaskStem,
)
from apps.florist.queries import stock as stems
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Role

Status = ProductionTask.Status


def clock_back(task: ProductionTask, minutes: int) -> None:
    """As if work had begun so long ago."""
    ProductionTask.objects.filter(pk=task.pk).update(started_at=timezone.now() - timedelta(minutes=minutes))


# ── Giving out ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_florist_takes_a_free_task_and_a_manager_gives_one(rosa: Shop, bek: Employee, aida: Employee) -> None:
    own = production.assign(by=aida, task_id=workshop.task(rosa).pk, florist_id=aida.pk)
    given = production.assign(by=bek, task_id=workshop.task(rosa).pk, florist_id=aida.pk)
    assert (own.status, own.florist_id, given.florist_id) == (Status.ASSIGNED, aida.pk, aida.pk)
    assert own.assigned_at is not None


def test_who_may_be_given_a_task(
    rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee, ruslan: Employee, dana: Employee
) -> None:
    task = workshop.task(rosa)
    left = cast.employee(rosa, Role.FLORIST, is_active=False)
    stranger = cast.employee(dana.shop, Role.FLORIST)
    rows = [ProductionTask.objects.all()]

    def assign(by: Employee, to: int) -> None:
        production.assign(by=by, task_id=task.pk, florist_id=to)

    assert_refused(errors.NotEnoughPermissions, lambda: assign(aida, gulnar.pk), unchanged=rows)
    assert_refused(errors.NotEnoughPermissions, lambda: assign(ruslan, ruslan.pk), unchanged=rows)
    assert_refused(errors.NotAFlorist, lambda: assign(bek, ruslan.pk), unchanged=rows)
    assert_refused(errors.NotAFlorist, lambda: assign(bek, left.pk), unchanged=rows)
    assert_refused(errors.EmployeeNotFound, lambda: assign(bek, stranger.pk), unchanged=rows)
    assert_refused(errors.TaskNotFound, lambda: assign(dana, stranger.pk), unchanged=rows)


def test_a_taken_task_is_not_given_again(rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee) -> None:
    task = workshop.started(rosa, aida)
    rows = [ProductionTask.objects.all()]
    again = lambda: production.assign(by=bek, task_id=task.pk, florist_id=gulnar.pk)  # noqa: E731
    assert_refused(errors.IllegalTaskStep, again, unchanged=rows)


def test_handing_back(rosa: Shop, bek: Employee, aida: Employee) -> None:
    task = workshop.task(rosa)
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    back = production.hand_back(by=aida, task_id=task.pk)
    assert (back.status, back.florist_id) == (Status.PENDING, None)
    begun = workshop.started(rosa, aida)
    clock_back(begun, 10)
    assert_refused(errors.NotEnoughPermissions, lambda: production.hand_back(by=aida, task_id=begun.pk))
    taken = production.hand_back(by=bek, task_id=begun.pk)
    assert (taken.status, taken.florist_id, taken.seconds_worked // 60) == (Status.PENDING, None, 10)


# ── Work ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_only_its_florist_or_a_manager_starts(
    rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee, dana: Employee
) -> None:
    task = workshop.task(rosa)
    start = production.start
    assert_refused(errors.IllegalTaskStep, lambda: start(by=aida, task_id=task.pk))
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    assert_refused(errors.TaskNotFound, lambda: start(by=gulnar, task_id=task.pk))
    assert_refused(errors.TaskNotFound, lambda: start(by=dana, task_id=task.pk))
    begun = start(by=bek, task_id=task.pk, florist_notes="on it")
    assert (begun.status, begun.florist_id, begun.florist_notes) == (Status.IN_PROGRESS, aida.pk, "on it")
    assert begun.started_at == begun.first_started_at
    assert_refused(errors.IllegalTaskStep, lambda: start(by=aida, task_id=task.pk))


def test_handing_in_needs_a_picture(rosa: Shop, aida: Employee) -> None:
    task = workshop.started(rosa, aida)
    rows = [ProductionTask.objects.all()]
    hand_in = lambda: production.complete(by=aida, task_id=task.pk)  # noqa: E731
    assert_refused(errors.ResultPhotoMissing, hand_in, unchanged=rows)
    path = workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
    done = production.complete(by=aida, task_id=task.pk, florist_notes="two roses were weak")
    assert (done.status, done.result_photos, done.florist_notes) == (
        Status.QUALITY_CHECK,
        [path],
        "two roses were weak",
    )
    assert_refused(errors.IllegalTaskStep, hand_in)


def test_a_picture_is_the_shops_own_or_on_https(rosa: Shop, tulip: Shop, aida: Employee, dana: Employee) -> None:
    task = workshop.started(rosa, aida)
    theirs = uploads.path_of(uploads.store(by=dana, shop=tulip, file=workshop.picture(), is_public=False))
    mine = uploads.path_of(uploads.store(by=aida, shop=rosa, file=workshop.picture(), is_public=False))
    for address in (theirs, "/uploads/none.jpg", "javascript:alert(1)", "http://example.com/x.jpg"):
        complete = lambda address=address: production.complete(  # noqa: E731
            by=aida, task_id=task.pk, result_photos=[address]
        )
        assert_refused(Invalid, complete, unchanged=[ProductionTask.objects.all()])
    signed = f"https://mahalla.example{uploads.link(mine)}"
    outside = "https://cdn.example.com/x.jpg"
    done = production.complete(by=aida, task_id=task.pk, result_photos=[signed, mine, outside])
    assert done.result_photos == [mine, outside]


@pytest.mark.parametrize("kind", ["work_photos", "result_photos"])
def test_a_picture_of_the_work_is_private(rosa: Shop, aida: Employee, kind: str) -> None:
    task = workshop.started(rosa, aida)
    mine = uploads.store(by=aida, shop=rosa, file=workshop.picture(), is_public=True)
    workbench.edit(by=aida, task_id=task.pk, changes={kind: [uploads.path_of(mine)]})
    mine.refresh_from_db()
    assert not mine.is_public


def test_minutes_are_stated_or_counted(rosa: Shop, aida: Employee) -> None:
    counted = workshop.started(rosa, aida)
    clock_back(counted, 25)
    workbench.add_photo(by=aida, task_id=counted.pk, file=workshop.picture())
    assert production.complete(by=aida, task_id=counted.pk).actual_minutes == 25
    stated = workshop.started(rosa, aida)
    workbench.add_photo(by=aida, task_id=stated.pk, file=workshop.picture())
    assert production.complete(by=aida, task_id=stated.pk, actual_minutes=7).actual_minutes == 7


def test_a_forgotten_task_can_still_be_handed_in(rosa: Shop, aida: Employee) -> None:
    task = workshop.started(rosa, aida)
    clock_back(task, 60 * 24 * 40)
    workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
    assert production.complete(by=aida, task_id=task.pk).actual_minutes == production.MOST_MINUTES


def test_a_return_keeps_the_time_the_mark_and_the_picture(rosa: Shop, bek: Employee, aida: Employee) -> None:
    task = workshop.started(rosa, aida)
    clock_back(task, 20)
    path = workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
    production.complete(by=aida, task_id=task.pk)
    back = production.check(by=bek, task_id=task.pk, quality_score=2, quality_approved=False, quality_notes="too loose")
    assert (back.status, back.quality_score, back.quality_notes) == (Status.IN_PROGRESS, 2, "too loose")
    assert (back.returns, back.work_photos, back.result_photos) == (1, [path], [])
    assert back.started_at is not None and back.first_started_at is not None
    assert back.started_at > back.first_started_at
    clock_back(task, 5)
    assert_refused(errors.ResultPhotoMissing, lambda: production.complete(by=aida, task_id=task.pk))
    workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
    assert production.complete(by=aida, task_id=task.pk).actual_minutes == 25
    assert not OrderPhoto.objects.exists()


# ── The check ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_nobody_checks_his_own_work(
    rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee, ruslan: Employee, dana: Employee
) -> None:
    task = workshop.handed_in(rosa, aida)
    rows = [ProductionTask.objects.all(), Order.objects.all()]

    def check(by: Employee, **more: str | bool) -> None:
        production.check(by=by, task_id=task.pk, **{"quality_score": 5, "quality_approved": True, **more})

    assert_refused(errors.OwnWork, lambda: check(aida), unchanged=rows)
    assert_refused(errors.NotEnoughPermissions, lambda: check(ruslan), unchanged=rows)
    assert_refused(errors.TaskNotFound, lambda: check(dana), unchanged=rows)
    assert_refused(errors.ReasonMissing, lambda: check(bek, quality_approved=False), unchanged=rows)
    check(gulnar)
    assert_refused(errors.IllegalTaskStep, lambda: check(bek))


def test_the_last_approval_makes_the_order_assembled(rosa: Shop, bek: Employee, aida: Employee) -> None:
    lines = [(cast.product(rosa), 1), (cast.product(rosa, "Basket", category="composition"), 1)]
    order = workshop.order(rosa, *lines)
    for number, task in enumerate(order.tasks.order_by("id")):
        production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
        production.start(by=aida, task_id=task.pk)
        workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
        production.complete(by=aida, task_id=task.pk)
        done = production.check(by=bek, task_id=task.pk, quality_score=5, quality_approved=True)
        assert (done.status, done.checked_by_id) == (Status.COMPLETED, bek.pk)
        order.refresh_from_db()
        assert order.status == ("paid", "assembled")[number]
    assert order.has_pre_delivery_photos
    assert list(order.photos.values_list("photo_type", flat=True)) == ["pre_delivery", "pre_delivery"]
    assert set(TaskItem.objects.values_list("is_completed", "quality_approved")) == {(True, True)}


def test_stems_leave_the_stock_when_the_bouquet_is_approved(rosa: Shop, bek: Employee, aida: Employee) -> None:
    bouquet = cast.product(rosa)
    cast.recipe(bouquet, stems=11)
    lot = cast.batch(rosa, qty=30)
    task = ProductionTask.objects.get(order=workshop.order(rosa, (bouquet, 2)))
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    production.start(by=aida, task_id=task.pk)
    workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
    production.complete(by=aida, task_id=task.pk)
    lot.refresh_from_db()
    assert (lot.qty, lot.reserved_qty) == (30, 22)
    production.check(by=bek, task_id=task.pk, quality_score=4, quality_approved=True)
    lot.refresh_from_db()
    assert (lot.qty, lot.reserved_qty) == (8, 0)


def approved(task: ProductionTask, maker: Employee, by: Employee) -> None:
    """Made and checked, whatever its order does meanwhile."""
    production.assign(by=by, task_id=task.pk, florist_id=maker.pk)
    production.start(by=maker, task_id=task.pk)
    workbench.add_photo(by=maker, task_id=task.pk, file=workshop.picture())
    production.complete(by=maker, task_id=task.pk)
    production.check(by=by, task_id=task.pk, quality_score=5, quality_approved=True)


def test_what_was_approved_before_the_payment_is_assembled_with_it(rosa: Shop, bek: Employee, aida: Employee) -> None:
    bouquet = cast.product(rosa)
    cast.recipe(bouquet, stems=11)
    lot = cast.batch(rosa, qty=30)
    order = workshop.order(rosa, (bouquet, 2), paid=False)
    approved(production.create(by=bek, order_id=order.pk, items=[(order.items.get().pk, 2)]), aida, bek)
    deliver()
    order.refresh_from_db()
    assert order.status == "new"
    lifecycle.move(by=bek, order_id=order.pk, to="paid")
    deliver()
    deliver()
    order.refresh_from_db()
    lot.refresh_from_db()
    assert (order.status, lot.qty, lot.reserved_qty) == ("assembled", 8, 0)
    assert [(row.new_status, row.by_text) for row in order.history.filter(event_type="status_changed")] == [
        ("paid", ""),
        ("assembled", "system"),
    ]


@pytest.mark.parametrize(("back_to", "status"), [("paid", "assembled"), ("new", "new")])
def test_what_was_approved_while_there_was_a_problem_counts_afterwards(
    rosa: Shop, bek: Employee, aida: Employee, back_to: str, status: str
) -> None:
    task = workshop.task(rosa)
    lifecycle.report_issue(by=bek, order_id=task.order_id, issue_type="wrong_address", comment="no such house")
    approved(task, aida, bek)
    deliver()
    assert Order.objects.get().status == "issue"
    lifecycle.rollback(by=bek, order_id=task.order_id, to=back_to, reason="the address is known")
    deliver()
    assert Order.objects.get().status == status
    if back_to == "new":
        lifecycle.move(by=bek, order_id=task.order_id, to="paid")
        deliver()
        assert Order.objects.get().status == "assembled"


def test_an_order_with_other_work_to_do_is_not_assembled_when_it_comes_back(
    rosa: Shop, bek: Employee, aida: Employee
) -> None:
    lines = [(cast.product(rosa), 1), (cast.product(rosa, "Basket", category="composition"), 1)]
    first, _second = workshop.order(rosa, *lines).tasks.order_by("id")
    lifecycle.report_issue(by=bek, order_id=first.order_id, issue_type="other", comment="?")
    approved(first, aida, bek)
    lifecycle.rollback(by=bek, order_id=first.order_id, to="paid", reason="solved")
    deliver()
    assert Order.objects.get().status == "paid"


@pytest.mark.parametrize("by_issue", [False, True])
def test_what_was_put_back_by_hand_is_not_assembled_by_itself(
    rosa: Shop, bek: Employee, aida: Employee, by_issue: bool
) -> None:
    task = workshop.task(rosa)
    approved(task, aida, bek)
    assert Order.objects.get().status == "assembled"
    if by_issue:
        lifecycle.report_issue(by=bek, order_id=task.order_id, issue_type="quality_issue", comment="wilted")
    lifecycle.rollback(by=bek, order_id=task.order_id, to="paid", reason="to be made again")
    deliver()
    assert Order.objects.get().status == "paid"


def test_cancelling_the_last_open_task_settles_the_order(rosa: Shop, bek: Employee, aida: Employee) -> None:
    lines = [(cast.product(rosa), 1), (cast.product(rosa, "Basket", category="composition"), 1)]
    order = workshop.order(rosa, *lines)
    first, second = order.tasks.order_by("id")
    assert_refused(errors.NotEnoughPermissions, lambda: production.cancel(by=aida, task_id=second.pk))
    for task in (first,):
        production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
        production.start(by=aida, task_id=task.pk)
        workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
        production.complete(by=aida, task_id=task.pk)
        production.check(by=bek, task_id=task.pk, quality_score=5, quality_approved=True)
    production.cancel(by=bek, task_id=second.pk, reason="the buyer took it out")
    order.refresh_from_db()
    assert order.status == "assembled"
    for over in (first, second):
        assert_refused(errors.IllegalTaskStep, lambda over=over: production.cancel(by=bek, task_id=over.pk))


def test_cancelling_the_only_task_leaves_the_order_paid(rosa: Shop, bek: Employee) -> None:
    task = workshop.task(rosa)
    production.cancel(by=bek, task_id=task.pk)
    assert Order.objects.get().status == "paid"


def test_the_maker_writes_while_it_is_in_hand(rosa: Shop, bek: Employee, aida: Employee) -> None:
    task, rows = workshop.started(rosa, aida), [ProductionTask.objects.all()]
    assert workbench.edit(by=aida, task_id=task.pk, changes={"florist_notes": "mine"}).florist_notes == "mine"
    workbench.add_photo(by=aida, task_id=task.pk, file=workshop.picture())
    production.complete(by=aida, task_id=task.pk)
    for changes in ({"actual_minutes": 1}, {"result_photos": []}, {"florist_notes": "another"}):
        write = lambda changes=changes: workbench.edit(by=aida, task_id=task.pk, changes=changes)  # noqa: E731
        assert_refused(errors.IllegalTaskStep, write, unchanged=rows)
    empty = lambda: workbench.edit(by=bek, task_id=task.pk, changes={"result_photos": []})  # noqa: E731
    assert_refused(errors.ResultPhotoMissing, empty, unchanged=rows)
    assert workbench.edit(by=bek, task_id=task.pk, changes={"actual_minutes": 7}).actual_minutes == 7


# ── Lines and flowers ───────────────────────────────────────────────────────────────────────────────────────────────
def test_the_maker_ticks_and_somebody_else_judges(
    rosa: Shop, bek: Employee, aida: Employee, gulnar: Employee, dana: Employee
) -> None:
    item = workshop.started(rosa, aida).items.get()
    change = workbench.change_item
    ticked = change(by=aida, item_id=item.pk, changes={"is_completed": True})
    assert ticked.is_completed and ticked.completed_at is not None
    judge = {"quality_approved": True, "quality_notes": "fine"}
    assert_refused(errors.OwnWork, lambda: change(by=aida, item_id=item.pk, changes=judge))
    assert_refused(errors.TaskItemNotFound, lambda: change(by=gulnar, item_id=item.pk, changes=judge))
    assert_refused(errors.TaskItemNotFound, lambda: change(by=dana, item_id=item.pk, changes=judge))
    judged = change(by=bek, item_id=item.pk, changes=judge)
    assert (judged.quality_approved, judged.quality_notes, judged.is_completed) == (True, "fine", True)
    back = change(by=aida, item_id=item.pk, changes={"is_completed": False})
    assert (back.is_completed, back.completed_at) == (False, None)


def test_lines_of_a_finished_task_stay(rosa: Shop, bek: Employee) -> None:
    task = workshop.task(rosa)
    item = task.items.get()
    production.cancel(by=bek, task_id=task.pk)
    tick = lambda: workbench.change_item(by=bek, item_id=item.pk, changes={"is_completed": True})  # noqa: E731
    assert_refused(errors.IllegalTaskStep, tick, unchanged=[TaskItem.objects.all()])


@pytest.fixture
def rose_task(rosa: Shop, aida: Employee) -> ProductionTask:
    """A task of eleven roses in Aida's hands, with twenty in stock."""
    bouquet = cast.product(rosa)
    cast.recipe(bouquet, stems=11)
    cast.batch(rosa, qty=20)
    task = ProductionTask.objects.get(order=workshop.order(rosa, (bouquet, 1)))
    production.assign(by=aida, task_id=task.pk, florist_id=aida.pk)
    return task


def test_flowers_are_ticked_once_and_unticked(rose_task: ProductionTask, aida: Employee, gulnar: Employee) -> None:
    [key] = workbench.stem_keys(rose_task)
    workbench.tick(by=aida, task_id=rose_task.pk, key=key)
    workbench.tick(by=aida, task_id=rose_task.pk, key=key)
    assert list(TaskStem.objects.values_list("component_key", flat=True)) == [key]
    tick = workbench.tick
    rows = [TaskStem.objects.all()]
    foreign = lambda: tick(by=aida, task_id=rose_task.pk, key="1:Tulip:40")  # noqa: E731
    assert_refused(errors.NothingToMake, foreign, unchanged=rows)
    assert_refused(errors.TaskNotFound, lambda: tick(by=gulnar, task_id=rose_task.pk, key=key), unchanged=rows)
    workbench.tick(by=aida, task_id=rose_task.pk, key=key, is_ticked=False)
    assert not TaskStem.objects.exists()


def test_a_shortage_is_reported_and_solved_by_a_substitute(
    rose_task: ProductionTask, rosa: Shop, aida: Employee, gulnar: Employee
) -> None:
    short = workbench.report_shortage(by=aida, task_id=rose_task.pk, note="three are broken")
    assert (short.is_short, short.shortage_note) == (True, "three are broken")
    line = rose_task.items.get().order_item
    [held] = StockReservation.objects.filter(order_item=line)
    other = cast.batch(rosa, variety="Explorer", qty=10)
    total = line.order.total
    swap = {
        "task_id": rose_task.pk,
        "order_item_id": line.pk,
        "instead_of": held.batch_id,
        "to_batch_id": other.pk,
        "qty": 3,
        "reason": "broken",
    }
    assert_refused(errors.TaskNotFound, lambda: workbench.substitute(by=gulnar, **swap))
    foreign = workshop.order(rosa).items.get().pk
    assert_refused(errors.NothingToMake, lambda: workbench.substitute(by=aida, **{**swap, "order_item_id": foreign}))
    workbench.substitute(by=aida, **swap)
    assert list(Substitution.objects.values_list("qty", "reason", "by_id")) == [(3, "broken", aida.pk)]
    assert {stem.variety: stem.qty for stem in stems.stem_list([line.pk])[line.pk]} == {"Red Naomi": 8, "Explorer": 3}
    rose_task.refresh_from_db()
    line.order.refresh_from_db()
    assert (rose_task.is_short, line.order.total) == (False, total)


def test_pictures_have_a_limit_and_an_owner(rosa: Shop, aida: Employee, gulnar: Employee) -> None:
    task = workshop.started(rosa, aida)
    ProductionTask.objects.filter(pk=task.pk).update(work_photos=["/uploads/x.jpg"] * workbench.MOST_PHOTOS)
    add = workbench.add_photo
    full = lambda: add(by=aida, task_id=task.pk, file=workshop.picture(), kind="work")  # noqa: E731
    assert_refused(errors.TooManyTaskPhotos, full, unchanged=[ProductionTask.objects.all()])
    assert_refused(errors.TaskNotFound, lambda: add(by=gulnar, task_id=task.pk, file=workshop.picture()))


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_managers_give_one_task_to_two_florists() -> None:
    where = cast.shop()
    bosses = [cast.employee(where, Role.MANAGER) for _ in range(6)]
    people = [cast.employee(where, Role.FLORIST) for _ in range(6)]
    task = workshop.task(where)
    results = race(6, lambda n: production.assign(by=bosses[n], task_id=task.pk, florist_id=people[n].pk))
    assert outcomes(results) == {"ok": 1, "IllegalTaskStep": 5}
    task.refresh_from_db()
    winner = next(result for result in results if isinstance(result, ProductionTask))
    assert task.florist_id == winner.florist_id


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_approvals_of_the_last_two_tasks_at_once_assemble_the_order() -> None:
    where = cast.shop()
    boss, florist = cast.employee(where, Role.MANAGER), cast.employee(where, Role.FLORIST)
    lines = [(cast.product(where), 1), (cast.product(where, "Basket", category="composition"), 1)]
    order = workshop.order(where, *lines)
    ids = list(order.tasks.values_list("pk", flat=True))
    for task_id in ids:
        production.assign(by=boss, task_id=task_id, florist_id=florist.pk)
        production.start(by=florist, task_id=task_id)
        workbench.add_photo(by=florist, task_id=task_id, file=workshop.picture())
        production.complete(by=florist, task_id=task_id)

    def approve(number: int) -> ProductionTask:
        return production.check(by=boss, task_id=ids[number], quality_score=5, quality_approved=True)

    assert outcomes(race(2, approve)) == {"ok": 2}
    order.refresh_from_db()
    assert (order.status, order.history.filter(new_status="assembled").count()) == ("assembled", 1)
