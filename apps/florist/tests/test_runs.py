"""Runs: proposed, planned, changed by hand, handed over, driven (contract florist 4, 6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.core.idempotency import KeyReused
from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused, outcomes, race
from apps.florist import errors
from apps.florist.actions import courier_day, lifecycle, orders, runs, stops
from apps.florist.actions.runs import StopWish
from apps.florist.actions.stops import Proof
from apps.florist.models import CourierAction, DeliveryRun, DeliveryZone, Employee, Order, OrderHistory, Shop, Stop
from apps.florist.queries import deliveries, routes
from apps.florist.queries.routes import Wish
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Role

Status = DeliveryRun.Status
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CENTRE, NEAR, FAR = (43.238, 76.945), (43.240, 76.950), (43.300, 77.000)


def plan(by: Employee, courier: Employee, *orders: Order, **more: Any) -> DeliveryRun:
    return runs.plan(by=by, courier_id=courier.pk, stops=[StopWish(order.pk) for order in orders], **more)


def sequence(run: DeliveryRun) -> list[int]:
    return list(run.stops.filter(status__in=Stop.OPEN).order_by("position").values_list("order_id", flat=True))


@pytest.fixture
def timur(rosa: Shop) -> Employee:
    """The second courier of Rosa."""
    return cast.employee(rosa, Role.COURIER, "Timur")


# ── The proposal ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_windows_go_before_distance_and_distance_before_zones() -> None:
    wishes = [
        Wish(1, NOON + timedelta(hours=2), place=NEAR),
        Wish(2, NOON, place=FAR),
        Wish(3, NOON, place=NEAR),
        Wish(4, NOON, zone=2),
        Wish(5, NOON, zone=1),
        Wish(6, None),
    ]
    assert [wish.order_id for wish in routes.propose(wishes, CENTRE)] == [3, 2, 5, 4, 1, 6]


def test_the_way_goes_on_from_where_the_last_window_ended() -> None:
    later = NOON + timedelta(hours=2)
    wishes = [Wish(1, NOON, place=FAR), Wish(2, later, place=CENTRE), Wish(3, later, place=(43.299, 76.999))]
    assert [wish.order_id for wish in routes.propose(wishes, CENTRE)] == [1, 3, 2]


def test_distance_is_the_great_circle() -> None:
    assert routes.kilometres((43.238, 76.945), (51.169, 71.449)) == pytest.approx(972, abs=5)
    assert routes.kilometres(None, CENTRE) == 0


# ── Planning ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_run_is_planned_in_the_proposed_order(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    later = workshop.assembled(rosa, due_in=timedelta(hours=8))
    sooner = workshop.assembled(rosa, due_in=timedelta(hours=3))
    run = plan(bek, ruslan, later, sooner)
    assert (run.status, run.shop_id, run.courier_id) == (Status.PLANNED, rosa.pk, ruslan.pk)
    assert sequence(run) == [sooner.pk, later.pk]
    assert set(Order.objects.values_list("courier_id", flat=True)) == {ruslan.pk}
    assert later.history.filter(event_type="courier_assigned").count() == 1


def test_a_run_keeps_the_order_when_told_so(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    later = workshop.assembled(rosa, due_in=timedelta(hours=8))
    sooner = workshop.assembled(rosa, due_in=timedelta(hours=3))
    assert sequence(plan(bek, ruslan, later, sooner, keeps_order=True)) == [later.pk, sooner.pk]


def test_zones_decide_without_windows_and_places(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    far = DeliveryZone.objects.create(shop=rosa, name="Far", price=3000, position=2)
    near = DeliveryZone.objects.create(shop=rosa, name="Near", price=1000, position=1)
    one = workshop.assembled(rosa, due_in=None, zone_id=far.pk)
    two = workshop.assembled(rosa, due_in=None, zone_id=near.pk)
    assert sequence(plan(bek, ruslan, one, two)) == [two.pk, one.pk]


def test_an_address_that_was_visited_before_is_known(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    first = plan(bek, ruslan, workshop.assembled(rosa, address="Abay 10"))
    proof = Proof(receiver_name="Asel", latitude=NEAR[0], longitude=NEAR[1])
    stops.deliver(by=ruslan, stop_id=first.stops.get().pk, proof=proof)
    again = plan(bek, ruslan, workshop.assembled(rosa, address="Abay 10")).stops.get()
    assert (again.latitude, again.longitude) == NEAR


def test_cash_is_due_for_what_is_paid_in_cash(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    cash = workshop.assembled(rosa)
    transfer = workshop.assembled(rosa, payment_method=Order.PaymentMethod.TRANSFER)
    run = plan(bek, ruslan, cash, transfer)
    assert {stop.order_id: stop.cash_due for stop in run.stops.all()} == {cash.pk: cash.total, transfer.pk: 0}
    [shown], _ = deliveries.runs(by=bek)
    assert shown.cash_due == cash.total  # type: ignore[attr-defined]


# ── The order is edited ─────────────────────────────────────────────────────────────────────────────────────────────
def told(run: DeliveryRun) -> int:
    """How often it was said that the run has changed."""
    return OutboxMessage.objects.filter(event__endswith="RunChanged", payload__run_id=run.pk).count()


def edit(by: Employee, order: Order, **changes: Any) -> None:
    orders.edit(by=by, order_id=order.pk, changes=changes, ignores_limits=True)


def test_another_address_is_not_looked_for_at_the_old_place(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = workshop.assembled(rosa)
    run = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(order.pk, *NEAR)])
    edit(bek, order, comment="Second entrance")
    assert run.stops.get().latitude == NEAR[0]
    before = told(run)
    edit(bek, order, address="Dostyk 5")
    stop = run.stops.get()
    assert (stop.latitude, stop.longitude) == (None, None)
    assert told(run) > before


def test_a_place_where_flowers_were_brought_stays(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = workshop.assembled(rosa)
    run = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(order.pk, *NEAR)])
    stops.deliver(by=ruslan, stop_id=run.stops.get().pk, proof=Proof(receiver_name="Asel"))
    edit(bek, order, address="Dostyk 5")
    assert run.stops.get().latitude == NEAR[0]


def test_an_order_that_its_buyer_fetches_leaves_the_run(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order, other = workshop.assembled(rosa), workshop.assembled(rosa)
    run = plan(bek, ruslan, order, other)
    before = told(run)
    edit(bek, order, delivery_method="self_pickup")
    assert sequence(run) == [other.pk]
    assert told(run) > before


def test_an_order_on_its_way_is_not_fetched(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = workshop.assembled(rosa)
    stop = plan(bek, ruslan, order).stops.get()
    stops.pick_up(by=ruslan, stop_id=stop.pk)
    lifecycle.report_issue(by=bek, order_id=order.pk, issue_type="other", comment="he comes himself")
    rows = [Order.objects.all(), Stop.objects.all(), DeliveryRun.objects.all()]
    assert_refused(errors.IllegalStopStep, lambda: edit(bek, order, delivery_method="self_pickup"), unchanged=rows)


# ── What cannot be ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_cannot_be_put_on_a_run(
    rosa: Shop, tulip: Shop, bek: Employee, aida: Employee, ruslan: Employee, dana: Employee
) -> None:
    good, taken = workshop.assembled(rosa), workshop.assembled(rosa)
    plan(bek, cast.employee(rosa, Role.COURIER), taken)
    new = workshop.order(rosa, paid=False)
    pickup = workshop.order(rosa, delivery_method=Order.Method.SELF_PICKUP)
    theirs = workshop.assembled(tulip)
    rows = [DeliveryRun.objects.all(), Stop.objects.all(), Order.objects.all()]
    refusals = [
        (errors.OrderNotDeliverable, lambda: plan(bek, ruslan, good, new)),
        (errors.OrderNotDeliverable, lambda: plan(bek, ruslan, pickup)),
        (errors.OrderOnARun, lambda: plan(bek, ruslan, good, taken)),
        (errors.OrderOnARun, lambda: plan(bek, ruslan, good, good)),
        (errors.OrderNotFound, lambda: plan(bek, ruslan, good, theirs)),
        (errors.NotACourier, lambda: plan(bek, aida, good)),
        (errors.EmployeeNotFound, lambda: plan(bek, dana, good)),
        (errors.EmployeeNotFound, lambda: plan(dana, ruslan, theirs)),
        (errors.NotEnoughPermissions, lambda: plan(ruslan, ruslan, good)),
        (errors.NotEnoughPermissions, lambda: plan(aida, ruslan, good)),
        (errors.TooManyStops, lambda: plan(bek, ruslan)),
    ]
    for refusal, deed in refusals:
        assert_refused(refusal, deed, unchanged=rows)


def test_no_run_for_a_closed_day(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    courier_day.close(by=ruslan, cash_handed=workshop.TOTAL * 0)
    order = workshop.assembled(rosa)
    assert_refused(errors.DayClosed, lambda: plan(bek, ruslan, order), unchanged=[DeliveryRun.objects.all()])


def test_orders_on_no_run(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    waiting = workshop.assembled(rosa, due_in=timedelta(minutes=1))
    undated = workshop.order(rosa, due_in=None)
    plan(bek, ruslan, workshop.assembled(rosa, due_in=timedelta(minutes=1)))
    workshop.order(rosa, paid=False)
    workshop.order(rosa, due_in=timedelta(days=3))
    day = deliveries.today_of(rosa, waiting.delivery_from)
    assert deliveries.to_plan(by=bek, day=day) == [waiting, undated]


# ── By hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_stops_are_added_sorted_and_taken_off(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    one, two, three = (workshop.assembled(rosa) for _ in range(3))
    run = plan(bek, ruslan, one, two)
    runs.add_stops(by=bek, run_id=run.pk, stops=[StopWish(three.pk)])
    ids = {stop.order_id: stop.pk for stop in run.stops.all()}
    runs.reorder(by=ruslan, run_id=run.pk, stop_ids=[ids[three.pk], ids[one.pk], ids[two.pk]])
    assert sequence(run) == [three.pk, one.pk, two.pk]
    runs.remove_stop(by=bek, run_id=run.pk, stop_id=ids[one.pk])
    assert sequence(run) == [three.pk, two.pk]
    assert one in deliveries.to_plan(by=bek, day=deliveries.today_of(rosa, one.delivery_from))


def test_sorting_needs_exactly_the_open_stops(rosa: Shop, bek: Employee, ruslan: Employee, timur: Employee) -> None:
    run = plan(bek, ruslan, workshop.assembled(rosa), workshop.assembled(rosa))
    first, second = run.stops.values_list("pk", flat=True)
    rows = [Stop.objects.all()]
    for wrong in ([first], [first, first], [first, second, second], []):
        sort = lambda wrong=wrong: runs.reorder(by=ruslan, run_id=run.pk, stop_ids=wrong)  # noqa: E731
        assert_refused(errors.ChangedMeanwhile, sort, unchanged=rows)
    stranger = lambda: runs.reorder(by=timur, run_id=run.pk, stop_ids=[second, first])  # noqa: E731
    assert_refused(errors.RunNotFound, stranger, unchanged=rows)


def test_a_run_without_stops_is_no_run(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = plan(bek, ruslan, workshop.assembled(rosa))
    stop = run.stops.get()
    assert_refused(errors.NotEnoughPermissions, lambda: runs.remove_stop(by=ruslan, run_id=run.pk, stop_id=stop.pk))
    runs.remove_stop(by=bek, run_id=run.pk, stop_id=stop.pk)
    run.refresh_from_db()
    assert run.status == Status.CANCELLED


def test_what_is_picked_up_is_not_taken_off(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = plan(bek, ruslan, workshop.assembled(rosa))
    stop = stops.pick_up(by=ruslan, stop_id=run.stops.get().pk)
    off = lambda: runs.remove_stop(by=bek, run_id=run.pk, stop_id=stop.pk)  # noqa: E731
    assert_refused(errors.IllegalStopStep, off, unchanged=[Stop.objects.all()])


def test_a_run_is_handed_over_with_what_was_picked_up(
    rosa: Shop, bek: Employee, ruslan: Employee, timur: Employee
) -> None:
    done, carried, waiting = (workshop.assembled(rosa) for _ in range(3))
    run = plan(bek, ruslan, done, carried, waiting)
    by_order = {stop.order_id: stop.pk for stop in run.stops.all()}
    stops.deliver(by=ruslan, stop_id=by_order[done.pk], proof=Proof(receiver_name="Asel"))
    stops.pick_up(by=ruslan, stop_id=by_order[carried.pk])
    new = runs.hand_over(by=ruslan, run_id=run.pk, courier_id=timur.pk)
    assert (new.courier_id, new.status, new.day) == (timur.pk, Status.PLANNED, run.day)
    assert dict(new.stops.values_list("order_id", "status")) == {carried.pk: "picked_up", waiting.pk: "waiting"}
    assert dict(run.stops.values_list("order_id", "status")) == {
        done.pk: "delivered",
        carried.pk: "removed",
        waiting.pk: "removed",
    }
    run.refresh_from_db()
    assert run.status == Status.FINISHED
    assert set(Order.objects.filter(courier=timur).values_list("pk", flat=True)) == {carried.pk, waiting.pk}


def test_some_stops_are_handed_over(rosa: Shop, bek: Employee, ruslan: Employee, timur: Employee) -> None:
    one, two = workshop.assembled(rosa), workshop.assembled(rosa)
    run = plan(bek, ruslan, one, two)
    stop = run.stops.get(order=one)
    new = runs.hand_over(by=bek, run_id=run.pk, courier_id=timur.pk, stop_ids=[stop.pk])
    assert (sequence(run), sequence(new)) == ([two.pk], [one.pk])
    rows = [Stop.objects.all(), DeliveryRun.objects.all()]
    over = runs.hand_over
    gone = lambda: over(by=bek, run_id=run.pk, courier_id=timur.pk, stop_ids=[stop.pk])  # noqa: E731
    assert_refused(errors.StopNotFound, gone, unchanged=rows)
    same = lambda: over(by=bek, run_id=run.pk, courier_id=ruslan.pk)  # noqa: E731
    assert_refused(errors.NotACourier, same, unchanged=rows)
    foreign = lambda: over(by=timur, run_id=run.pk, courier_id=timur.pk)  # noqa: E731
    assert_refused(errors.RunNotFound, foreign, unchanged=rows)


def test_another_courier_for_the_order_takes_it_off_the_run(
    rosa: Shop, bek: Employee, ruslan: Employee, timur: Employee
) -> None:
    moved, kept = workshop.assembled(rosa), workshop.assembled(rosa)
    run = plan(bek, ruslan, moved, kept)
    lifecycle.assign_courier(by=bek, order_id=moved.pk, courier_id=timur.pk)
    lifecycle.assign_courier(by=bek, order_id=kept.pk, courier_id=ruslan.pk)
    assert sequence(run) == [kept.pk]
    lifecycle.assign_courier(by=bek, order_id=kept.pk, phone="+77015554433", name="Taxi")
    assert sequence(run) == []


def test_what_another_courier_carries_is_handed_over(
    rosa: Shop, bek: Employee, ruslan: Employee, timur: Employee
) -> None:
    order = workshop.assembled(rosa)
    run = plan(bek, ruslan, order)
    stops.pick_up(by=ruslan, stop_id=run.stops.get().pk)
    rows = [Order.objects.all(), Stop.objects.all(), DeliveryRun.objects.all(), OrderHistory.objects.all()]
    for other in ({"courier_id": timur.pk}, {"phone": "+77015554433"}):
        name = lambda other=other: lifecycle.assign_courier(by=bek, order_id=order.pk, **other)  # noqa: E731
        assert_refused(errors.IllegalStopStep, name, unchanged=rows)
    lifecycle.assign_courier(by=bek, order_id=order.pk, courier_id=ruslan.pk)
    new = runs.hand_over(by=bek, run_id=run.pk, courier_id=timur.pk)
    rows = [Stop.objects.all(), DeliveryRun.objects.all()]
    assert_refused(errors.IllegalRunStep, lambda: runs.cancel(by=bek, run_id=new.pk), unchanged=rows)
    got = stops.receive_cash(by=timur, stop_id=new.stops.get().pk, amount=workshop.TOTAL, key="cash")
    assert got.cash_received == workshop.TOTAL


# ── Driving ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_accepted_started_finished(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = plan(bek, ruslan, workshop.assembled(rosa))
    assert runs.accept(by=ruslan, run_id=run.pk).status == Status.ACCEPTED
    assert runs.start(by=ruslan, run_id=run.pk).status == Status.STARTED
    end = lambda: runs.finish(by=ruslan, run_id=run.pk)  # noqa: E731
    refused = assert_refused(errors.OpenStopsLeft, end, unchanged=[DeliveryRun.objects.all()])
    assert refused.facts == {"count": 1}
    stops.deliver(by=ruslan, stop_id=run.stops.get().pk, proof=Proof(receiver_name="Asel"))
    assert runs.finish(by=ruslan, run_id=run.pk).status == Status.FINISHED


def test_what_comes_late_changes_nothing(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = plan(bek, ruslan, workshop.assembled(rosa))
    started = runs.start(by=ruslan, run_id=run.pk, key="b")
    assert runs.accept(by=ruslan, run_id=run.pk, key="a").status == Status.STARTED
    again = runs.start(by=ruslan, run_id=run.pk, key="b")
    assert again.started_at == started.started_at
    assert CourierAction.objects.count() == 2


def test_a_key_belongs_to_one_deed(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = plan(bek, ruslan, workshop.assembled(rosa))
    runs.accept(by=ruslan, run_id=run.pk, key="a")
    reuse = lambda: runs.start(by=ruslan, run_id=run.pk, key="a")  # noqa: E731
    assert_refused(KeyReused, reuse, unchanged=[DeliveryRun.objects.all()])


def test_a_refused_deed_leaves_its_key_free(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = plan(bek, ruslan, workshop.assembled(rosa))
    end = lambda: runs.finish(by=ruslan, run_id=run.pk, key="end")  # noqa: E731
    assert_refused(errors.OpenStopsLeft, end, unchanged=[CourierAction.objects.all()])
    stops.deliver(by=ruslan, stop_id=run.stops.get().pk, proof=Proof(receiver_name="Asel"))
    assert runs.finish(by=ruslan, run_id=run.pk, key="end").status == Status.FINISHED


def test_a_cancelled_run_frees_its_orders(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = workshop.assembled(rosa)
    run = plan(bek, ruslan, order)
    assert_refused(errors.NotEnoughPermissions, lambda: runs.cancel(by=ruslan, run_id=run.pk))
    runs.cancel(by=bek, run_id=run.pk, reason="snow")
    assert list(run.stops.values_list("status", flat=True)) == ["removed"]
    again = plan(bek, ruslan, order)
    runs.start(by=ruslan, run_id=again.pk)
    assert_refused(errors.IllegalRunStep, lambda: runs.cancel(by=bek, run_id=again.pk))


def test_runs_of_others_are_not_there(
    rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee, timur: Employee, dana: Employee
) -> None:
    run = plan(bek, ruslan, workshop.assembled(rosa))
    stop = run.stops.get()
    for stranger in (timur, aida, dana):
        for deed in (runs.accept, runs.start, runs.finish):
            assert_refused(errors.RunNotFound, lambda who=stranger, deed=deed: deed(by=who, run_id=run.pk))
        assert_refused(errors.StopNotFound, lambda who=stranger: stops.pick_up(by=who, stop_id=stop.pk))
        assert deliveries.runs(by=stranger) == ([], 0)
    assert runs.start(by=bek, run_id=run.pk).status == Status.STARTED


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_an_order_gets_onto_one_of_many_runs() -> None:
    where = cast.shop()
    boss = cast.employee(where, Role.MANAGER)
    people = [cast.employee(where, Role.COURIER) for _ in range(6)]
    orders = [workshop.assembled(where) for _ in range(4)]
    results = race(6, lambda number: plan(boss, people[number], *orders[:: 1 if number % 2 else -1]))
    assert outcomes(results) == {"ok": 1, "OrderOnARun": 5}
    assert Stop.objects.count() == 4 and DeliveryRun.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_planning_and_closing_the_day_exclude_each_other() -> None:
    where = cast.shop()
    boss, courier = cast.employee(where, Role.MANAGER), cast.employee(where, Role.COURIER)
    orders = [workshop.assembled(where) for _ in range(5)]

    def deed(number: int) -> Any:
        if number < 5:
            return plan(boss, courier, orders[number])
        return courier_day.close(by=courier, cash_handed=workshop.TOTAL * 0)

    ended = outcomes(race(6, deed))
    if ended == {"ok": 5, "OpenStopsLeft": 1}:
        assert DeliveryRun.objects.count() == 5
    else:
        assert ended == {"ok": 1, "DayClosed": 5}
        assert not DeliveryRun.objects.exists()
