"""At the door: picked up, delivered with proof, failed, cash; a phone without a network; the day's end (contract 4)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.core.errors import Invalid
from apps.core.idempotency import KeyReused
from apps.core.testing import assert_refused, outcomes, race
from apps.florist import errors
from apps.florist.actions import courier_day, lifecycle, orders, payments, runs, stops
from apps.florist.actions.runs import StopWish
from apps.florist.actions.stops import Proof
from apps.florist.models import (
    CourierDay,
    DeliveryAttempt,
    DeliveryRun,
    Employee,
    Order,
    OrderHistory,
    OrderPayment,
    Shop,
    Stop,
)
from apps.florist.queries import deliveries
from apps.florist.queries.windows import today_of
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Role

Status = Stop.Status
NAMED = Proof(receiver_name="Asel")


def a_run(where: Shop, courier: Employee, number: int = 1, **more: Any) -> DeliveryRun:
    """A planned run with so many assembled orders."""
    made = [workshop.assembled(where, **more) for _ in range(number)]
    boss = cast.employee(where, Role.MANAGER)
    return runs.plan(by=boss, courier_id=courier.pk, stops=[StopWish(order.pk) for order in made])


@pytest.fixture
def stop(rosa: Shop, ruslan: Employee) -> Stop:
    """The only stop of Ruslan's run."""
    return a_run(rosa, ruslan).stops.get()


def fresh(stop: Stop) -> Stop:
    return Stop.objects.select_related("order", "run").get(pk=stop.pk)


# ── Picked up ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_picking_up_sends_the_order_on_its_way(stop: Stop, ruslan: Employee) -> None:
    taken = stops.pick_up(by=ruslan, stop_id=stop.pk)
    assert (taken.status, taken.order.status, taken.run.status) == (Status.PICKED_UP, "delivery", "started")
    assert taken.picked_up_at is not None
    again = stops.pick_up(by=ruslan, stop_id=stop.pk)
    assert again.picked_up_at == taken.picked_up_at


def test_an_order_in_work_is_not_picked_up(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = workshop.order(rosa)
    run = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(order.pk)])
    rows = [Stop.objects.all(), DeliveryRun.objects.all(), Order.objects.all()]
    take = lambda: stops.pick_up(by=ruslan, stop_id=run.stops.get().pk)  # noqa: E731
    assert_refused(errors.IllegalTransition, take, unchanged=rows)


def dues(stop: Stop, by: Employee) -> tuple[Decimal, Decimal, Decimal]:
    """What is left at the stop, what it brings in all, and what the whole run does."""
    [run], _ = deliveries.runs(by=by)
    found = fresh(stop)
    return found.cash_left, found.cash_due, run.cash_due  # type: ignore[attr-defined]


def test_cash_due_is_what_the_order_owes_at_that_moment(stop: Stop, bek: Employee, ruslan: Employee) -> None:
    assert dues(stop, bek) == (10_000, 10_000, 10_000)
    payments.take_cash(by=bek, order_id=stop.order_id, amount=Decimal(4000))
    assert dues(stop, bek) == (6000, 6000, 6000)
    stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(1000))  # before he has it in hand
    assert dues(stop, bek) == (5000, 6000, 6000)
    stops.pick_up(by=ruslan, stop_id=stop.pk)
    assert dues(stop, bek) == (5000, 6000, 6000)
    payments.receive_notice(order_id=stop.order_id, payment_id="K-1", amount=Decimal(5000), succeeded=True)
    assert dues(stop, bek) == (0, 1000, 1000)


def test_cash_may_be_left_after_the_delivery_and_is_not_after_a_failure(
    rosa: Shop, bek: Employee, ruslan: Employee
) -> None:
    given, failed = a_run(rosa, ruslan, 2).stops.order_by("pk")
    stops.deliver(by=ruslan, stop_id=given.pk, proof=NAMED)
    stops.fail(by=ruslan, stop_id=failed.pk, reason="refused", next_step="return")
    assert (dues(given, bek), dues(failed, bek)) == ((10_000, 10_000, 10_000), (0, 0, 10_000))
    orders.edit(by=bek, order_id=given.order_id, changes={"payment_method": "transfer"})
    assert dues(given, bek) == (0, 0, 0)


# ── Delivered ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_delivered_with_proof(stop: Stop, ruslan: Employee) -> None:
    stops.pick_up(by=ruslan, stop_id=stop.pk)
    proof = Proof(
        receiver_name="Asel", left_with="", photo=workshop.picture("door.jpg"), latitude=43.24, longitude=76.95
    )
    done = stops.deliver(by=ruslan, stop_id=stop.pk, proof=proof)
    assert (done.status, done.order.status, done.run.status) == (Status.DELIVERED, "delivered", "finished")
    assert (done.receiver_name, done.proof_latitude, done.proof_longitude) == ("Asel", 43.24, 76.95)
    photo = done.order.photos.get()
    assert (photo.photo_type, photo.file_id) == ("delivery_proof", done.proof_id)
    assert done.proof is not None and not done.proof.is_public
    assert list(OrderHistory.objects.filter(new_status="delivered").values_list("by_id", flat=True)) == [ruslan.pk]


@pytest.mark.parametrize("proof", [Proof(left_with="flat 12"), NAMED], ids=["neighbour", "name"])
def test_a_name_or_a_neighbour_is_proof_enough(stop: Stop, ruslan: Employee, proof: Proof) -> None:
    assert stops.deliver(by=ruslan, stop_id=stop.pk, proof=proof).status == Status.DELIVERED


def test_without_proof_nothing_is_delivered(stop: Stop, ruslan: Employee) -> None:
    proof = Proof(receiver_name="  ", latitude=43.0, longitude=76.0)
    give = lambda: stops.deliver(by=ruslan, stop_id=stop.pk, proof=proof)  # noqa: E731
    assert_refused(errors.ProofMissing, give, unchanged=[Stop.objects.all(), Order.objects.all()])


def test_delivering_twice_delivers_once(stop: Stop, ruslan: Employee) -> None:
    first = stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED, key="k")
    for key in ("k", "other", ""):
        again = stops.deliver(by=ruslan, stop_id=stop.pk, proof=Proof(receiver_name="Somebody"), key=key)
        assert (again.receiver_name, again.delivered_at) == ("Asel", first.delivered_at)
    assert OrderHistory.objects.filter(order_id=stop.order_id, new_status="delivered").count() == 1


def test_an_order_with_a_problem_is_not_delivered(stop: Stop, bek: Employee, ruslan: Employee) -> None:
    stops.pick_up(by=ruslan, stop_id=stop.pk)
    lifecycle.report_issue(by=bek, order_id=stop.order_id, issue_type="other", comment="wrong card")
    give = lambda: stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED)  # noqa: E731
    assert_refused(errors.IllegalTransition, give, unchanged=[Stop.objects.all(), Order.objects.all()])


# ── Without a network ───────────────────────────────────────────────────────────────────────────────────────────────
def test_what_was_queued_counts_once_hours_later_in_any_order(rosa: Shop, ruslan: Employee) -> None:
    run = a_run(rosa, ruslan)
    stop = run.stops.get()
    long_ago = timezone.now() - timedelta(hours=5)
    Stop.objects.update(created_at=long_ago)
    at = {name: long_ago + timedelta(hours=hours) for name, hours in (("pick", 1), ("give", 3))}
    stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED, key="3", happened_at=at["give"])
    stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(10_000), key="4")
    for _ in range(2):
        stops.pick_up(by=ruslan, stop_id=stop.pk, key="2", happened_at=at["pick"])
        runs.start(by=ruslan, run_id=run.pk, key="1")
        runs.accept(by=ruslan, run_id=run.pk, key="0")
        stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED, key="3", happened_at=at["give"])
        stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(10_000), key="4")
    done = fresh(stop)
    assert (done.status, done.run.status, done.order.status) == (Status.DELIVERED, "finished", "delivered")
    assert (done.picked_up_at, done.delivered_at) == (at["pick"], at["give"])
    assert (done.cash_received, OrderPayment.objects.count()) == (Decimal(10_000), 1)


@pytest.mark.parametrize("hours", [-100, 100])
def test_a_phones_clock_is_believed_within_reason(stop: Stop, ruslan: Employee, hours: int) -> None:
    when = timezone.now() + timedelta(hours=hours)
    done = stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED, happened_at=when)
    assert done.delivered_at is not None
    assert stop.created_at <= done.delivered_at <= timezone.now()


def test_a_failed_try_that_comes_after_the_delivery_is_history(stop: Stop, ruslan: Employee) -> None:
    stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED)
    stops.fail(by=ruslan, stop_id=stop.pk, reason="not_home", next_step="retry", key="late")
    done = fresh(stop)
    assert (done.status, done.order.status, done.attempts.count()) == (Status.DELIVERED, "delivered", 1)
    give_up = lambda: stops.fail(by=ruslan, stop_id=stop.pk, reason="not_home", next_step="return")  # noqa: E731
    assert_refused(errors.IllegalStopStep, give_up, unchanged=[Stop.objects.all(), DeliveryAttempt.objects.all()])


# ── Nobody at home ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_trying_again_keeps_the_stop_open(stop: Stop, ruslan: Employee) -> None:
    stops.pick_up(by=ruslan, stop_id=stop.pk)
    photo = workshop.picture("door.jpg")
    for key in ("a", "a", "b"):
        stops.fail(
            by=ruslan,
            stop_id=stop.pk,
            reason="no_answer",
            next_step="retry",
            note="bell is dead",
            photo=photo if key == "b" else None,
            key=key,
        )
    seen = fresh(stop)
    assert (seen.status, seen.order.status) == (Status.PICKED_UP, "delivery")
    tries = [(found.reason, found.note, found.by_id, found.photo_id is None) for found in seen.attempts.all()]
    assert tries == [
        ("no_answer", "bell is dead", ruslan.pk, True),
        ("no_answer", "bell is dead", ruslan.pk, False),
    ]


@pytest.mark.parametrize("next_step", ["return", "call"])
@pytest.mark.parametrize(
    ("reason", "issue"),
    [
        ("not_home", "recipient_unavailable"),
        ("no_answer", "recipient_unavailable"),
        ("wrong_address", "wrong_address"),
        ("refused", "delivery_refused"),
        ("other", "other"),
    ],
)
def test_giving_up_is_a_problem_of_the_order(
    stop: Stop, ruslan: Employee, reason: str, issue: str, next_step: str
) -> None:
    stops.pick_up(by=ruslan, stop_id=stop.pk)
    gone = stops.fail(by=ruslan, stop_id=stop.pk, reason=reason, next_step=next_step, note="the gate is locked")
    assert (gone.status, gone.run.status, gone.failed_at is not None) == (Status.FAILED, "finished", True)
    assert (gone.order.status, gone.order.issue_type) == ("issue", issue)
    assert gone.order.issue_comment == f"{reason}: the gate is locked"


def test_a_failed_order_goes_on_another_run(stop: Stop, bek: Employee, ruslan: Employee) -> None:
    stops.pick_up(by=ruslan, stop_id=stop.pk)
    stops.fail(by=ruslan, stop_id=stop.pk, reason="not_home", next_step="return")
    lifecycle.rollback(by=bek, order_id=stop.order_id, to="delivery", reason="they are back")
    again = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(stop.order_id)])
    done = stops.deliver(by=ruslan, stop_id=again.stops.get().pk, proof=NAMED)
    assert (done.status, done.order.status) == (Status.DELIVERED, "delivered")


# ── The order moves without us ──────────────────────────────────────────────────────────────────────────────────────
def test_an_order_delivered_by_the_manager_leaves_no_open_stop(stop: Stop, bek: Employee, ruslan: Employee) -> None:
    for status in ("delivery", "delivered"):
        lifecycle.move(by=bek, order_id=stop.order_id, to=status)
    done = fresh(stop)
    assert (done.status, done.run.status) == (Status.DELIVERED, "finished")


def test_a_cancelled_order_leaves_the_run(stop: Stop, bek: Employee) -> None:
    lifecycle.cancel(by=bek, order_id=stop.order_id, reason="changed his mind")
    assert fresh(stop).status == Status.REMOVED


# ── Cash ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_cash_is_the_orders_and_the_couriers(stop: Stop, ruslan: Employee) -> None:
    stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(6000), key="a")
    paid = stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(4000), key="b")
    assert (paid.cash_received, paid.order.paid_amount, paid.order.outstanding) == (Decimal(10_000), 10_000, 0)
    assert set(OrderPayment.objects.values_list("by_id", flat=True)) == {ruslan.pk}
    rows = [Stop.objects.all(), OrderPayment.objects.all()]
    more = lambda: stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(1), key="c")  # noqa: E731
    assert_refused(errors.NothingToPay, more, unchanged=rows)


def test_a_couriers_cash_is_his_stops_by_whatever_path(stop: Stop, bek: Employee, ruslan: Employee) -> None:
    for _ in range(2):
        stops.take_cash(by=ruslan, order_id=stop.order_id, amount=Decimal(6000), key="k" * 180)
    stops.take_cash(by=bek, order_id=stop.order_id, amount=Decimal(1000))
    found = fresh(stop)
    assert (found.cash_received, found.order.paid_amount) == (Decimal(6000), 7000)
    assert deliveries.my_day(by=ruslan).sums.cash == 6000
    rows = [Stop.objects.all(), OrderPayment.objects.all()]
    other = lambda: stops.take_cash(by=ruslan, order_id=stop.order_id, amount=Decimal(1), key="k" * 180)  # noqa: E731
    assert_refused(KeyReused, other, unchanged=rows)
    stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED)
    closed = courier_day.close(by=ruslan, cash_handed=Decimal(6000))
    courier_day.accept(by=bek, day_id=closed.pk)
    late = lambda: stops.take_cash(by=ruslan, order_id=stop.order_id, amount=Decimal(1))  # noqa: E731
    assert_refused(errors.DayAccepted, late, unchanged=rows)


def test_a_couriers_cash_needs_a_stop_of_his(
    rosa: Shop, stop: Stop, bek: Employee, ruslan: Employee, dana: Employee
) -> None:
    alone = workshop.assembled(rosa)
    lifecycle.assign_courier(by=bek, order_id=alone.pk, courier_id=ruslan.pk)
    timur = cast.employee(rosa, Role.COURIER, "Timur")
    rows = [Stop.objects.all(), OrderPayment.objects.all()]
    for who, order_id, refusal in (
        (ruslan, alone.pk, errors.CashWithoutStop),
        (timur, stop.order_id, errors.OrderNotFound),
        (dana, stop.order_id, errors.OrderNotFound),
    ):
        take = lambda who=who, pk=order_id: stops.take_cash(by=who, order_id=pk, amount=Decimal(1))  # noqa: E731
        assert_refused(refusal, take, unchanged=rows)


@pytest.mark.parametrize("amount", ["0", "-1", "10000.01"])
def test_no_more_cash_than_is_owed(stop: Stop, ruslan: Employee, amount: str) -> None:
    rows = [Stop.objects.all(), OrderPayment.objects.all()]
    take = lambda: stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(amount))  # noqa: E731
    assert_refused(Invalid, take, unchanged=rows)


def test_a_key_with_other_content_is_refused(stop: Stop, ruslan: Employee) -> None:
    rows = [Stop.objects.all(), OrderPayment.objects.all(), DeliveryAttempt.objects.all()]
    for amount in ("1000", "1000.00"):
        stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(amount), key="c")
    assert fresh(stop).cash_received == 1000
    more = lambda: stops.receive_cash(by=ruslan, stop_id=stop.pk, amount=Decimal(2000), key="c")  # noqa: E731
    assert_refused(KeyReused, more, unchanged=rows)
    fail = stops.fail
    fail(by=ruslan, stop_id=stop.pk, reason="not_home", next_step="retry", key="f")
    other = lambda: fail(by=ruslan, stop_id=stop.pk, reason="not_home", next_step="return", key="f")  # noqa: E731
    assert_refused(KeyReused, other, unchanged=rows)


# ── The day's end ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_day_is_closed_and_its_cash_accepted(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    one, two, three = a_run(rosa, ruslan, 3).stops.order_by("pk")
    stops.deliver(by=ruslan, stop_id=one.pk, proof=NAMED)
    stops.receive_cash(by=ruslan, stop_id=one.pk, amount=workshop.TOTAL)
    stops.fail(by=ruslan, stop_id=two.pk, reason="refused", next_step="return")
    close = courier_day.close
    left = assert_refused(errors.OpenStopsLeft, lambda: close(by=ruslan, cash_handed=workshop.TOTAL))
    assert left.facts == {"count": 1}
    stops.deliver(by=ruslan, stop_id=three.pk, proof=NAMED)
    mine = deliveries.my_day(by=ruslan)
    assert (mine.sums.delivered, mine.sums.failed, mine.sums.open, mine.sums.cash) == (2, 1, 0, workshop.TOTAL)
    closed = close(by=ruslan, cash_handed=Decimal(9000), note="lost a note")
    assert (closed.delivered, closed.failed, closed.cash_expected, closed.cash_handed) == (2, 1, 10_000, 9000)
    assert close(by=ruslan, cash_handed=Decimal(9000)).pk == closed.pk
    rows = [CourierDay.objects.all()]
    assert_refused(errors.DayClosed, lambda: close(by=ruslan, cash_handed=Decimal(1)), unchanged=rows)
    taken = courier_day.accept(by=bek, day_id=closed.pk)
    assert (taken.accepted_by_id, taken.accepted_at is not None) == (bek.pk, True)
    assert courier_day.accept(by=bek, day_id=closed.pk).accepted_at == taken.accepted_at


def test_cash_that_comes_in_after_the_closing_is_expected_until_accepted(
    rosa: Shop, bek: Employee, ruslan: Employee
) -> None:
    one, two = a_run(rosa, ruslan, 2).stops.all()
    for stop in (one, two):
        stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED)
    closed = courier_day.close(by=ruslan, cash_handed=workshop.TOTAL)
    assert closed.cash_expected == 0
    stops.receive_cash(by=ruslan, stop_id=one.pk, amount=workshop.TOTAL, key="queued")
    closed.refresh_from_db()
    assert closed.cash_expected == workshop.TOTAL
    courier_day.accept(by=bek, day_id=closed.pk)
    late = lambda: stops.receive_cash(by=ruslan, stop_id=two.pk, amount=workshop.TOTAL)  # noqa: E731
    assert_refused(errors.DayAccepted, late, unchanged=[CourierDay.objects.all(), OrderPayment.objects.all()])


def test_a_day_to_come_is_not_closed(rosa: Shop, ruslan: Employee) -> None:
    today = today_of(rosa)
    ahead = lambda: courier_day.close(by=ruslan, cash_handed=Decimal(0), day=today + timedelta(days=2))  # noqa: E731
    assert_refused(Invalid, ahead, unchanged=[CourierDay.objects.all()])
    assert courier_day.close(by=ruslan, cash_handed=Decimal(0), day=today - timedelta(days=1)).day < today


def test_a_day_with_cash_is_closed_before_today(rosa: Shop, ruslan: Employee) -> None:
    today = today_of(rosa)
    assert deliveries.day_to_close(by=ruslan) == today
    for back in (9, 3, 1, 0):
        [late] = a_run(rosa, ruslan).stops.all()
        DeliveryRun.objects.filter(pk=late.run_id).update(day=today - timedelta(days=back))
        stops.deliver(by=ruslan, stop_id=late.pk, proof=NAMED)
        if back != 3:
            stops.receive_cash(by=ruslan, stop_id=late.pk, amount=workshop.TOTAL)
    assert deliveries.day_to_close(by=ruslan) == today - timedelta(days=1)
    courier_day.close(by=ruslan, cash_handed=workshop.TOTAL, day=today - timedelta(days=1))
    assert deliveries.day_to_close(by=ruslan) == today


def test_who_closes_and_who_accepts(
    rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee, dana: Employee
) -> None:
    for other in (bek, aida):
        assert_refused(errors.NotACourier, lambda who=other: courier_day.close(by=who, cash_handed=Decimal(0)))
    closed = courier_day.close(by=ruslan, cash_handed=Decimal(0))
    rows = [CourierDay.objects.all()]
    accept = courier_day.accept
    assert_refused(errors.NotEnoughPermissions, lambda: accept(by=ruslan, day_id=closed.pk), unchanged=rows)
    assert_refused(errors.NotEnoughPermissions, lambda: accept(by=aida, day_id=closed.pk), unchanged=rows)
    assert_refused(errors.CourierDayNotFound, lambda: accept(by=dana, day_id=closed.pk), unchanged=rows)


class TestADayIsOpenedAgain:
    """Closed by mistake: the courier goes on, and no hand-over counts twice."""

    @pytest.fixture
    def closed(self, rosa: Shop, ruslan: Employee) -> CourierDay:
        """With the cash of one order, at noon."""
        self.brings(rosa, ruslan)
        return courier_day.close(by=ruslan, cash_handed=workshop.TOTAL)

    def brings(self, shop: Shop, courier: Employee) -> None:
        [stop] = a_run(shop, courier).stops.all()
        stops.receive_cash(by=courier, stop_id=stop.pk, amount=workshop.TOTAL)
        stops.deliver(by=courier, stop_id=stop.pk, proof=NAMED)

    def handed(self, courier: Employee) -> Decimal:
        """What the shop's closed days say of this courier."""
        found, _ = deliveries.days(by=courier)
        return sum((day.cash_handed for day in found), Decimal(0))

    def test_the_courier_goes_on_and_closes_it_anew(
        self, rosa: Shop, bek: Employee, ruslan: Employee, closed: CourierDay
    ) -> None:
        assert_refused(errors.DayClosed, lambda: a_run(rosa, ruslan), unchanged=[DeliveryRun.objects.all()])
        opened = courier_day.reopen(by=bek, day_id=closed.pk, reason=" pressed too early ")
        assert (opened.reopened_by_id, opened.reopen_reason) == (bek.pk, "pressed too early")
        assert (deliveries.my_day(by=ruslan).closed, self.handed(ruslan)) == (None, 0)
        self.brings(rosa, ruslan)
        anew = courier_day.close(by=ruslan, cash_handed=2 * workshop.TOTAL)
        assert (anew.delivered, anew.cash_expected, anew.cash_taken) == (2, 2 * workshop.TOTAL, 0)
        assert self.handed(ruslan) == 2 * workshop.TOTAL
        closed.refresh_from_db()
        assert (closed.cash_handed, closed.reopened_at) == (workshop.TOTAL, opened.reopened_at)

    def test_cash_that_was_taken_stays_taken(
        self, rosa: Shop, bek: Employee, ruslan: Employee, closed: CourierDay
    ) -> None:
        courier_day.accept(by=bek, day_id=closed.pk)
        courier_day.reopen(by=bek, day_id=closed.pk, reason="one more order")
        self.brings(rosa, ruslan)
        assert deliveries.my_day(by=ruslan).taken == workshop.TOTAL
        rows = [CourierDay.objects.all()]
        assert_refused(Invalid, lambda: courier_day.close(by=ruslan, cash_handed=workshop.TOTAL - 1), unchanged=rows)
        anew = courier_day.close(by=ruslan, cash_handed=2 * workshop.TOTAL)
        assert (anew.cash_taken, self.handed(ruslan)) == (workshop.TOTAL, 2 * workshop.TOTAL)
        courier_day.accept(by=bek, day_id=anew.pk)
        courier_day.reopen(by=bek, day_id=anew.pk, reason="and another")
        assert deliveries.my_day(by=ruslan).taken == 2 * workshop.TOTAL

    def test_again_is_free_and_leaves_the_new_closing_alone(
        self, bek: Employee, ruslan: Employee, closed: CourierDay
    ) -> None:
        first = courier_day.reopen(by=bek, day_id=closed.pk, reason="by mistake")
        anew = courier_day.close(by=ruslan, cash_handed=workshop.TOTAL)
        again = courier_day.reopen(by=bek, day_id=closed.pk, reason="another")
        assert (again.reopened_at, again.reopen_reason) == (first.reopened_at, "by mistake")
        assert deliveries.my_day(by=ruslan).closed == anew

    def test_its_cash_is_not_accepted_any_more(self, bek: Employee, closed: CourierDay) -> None:
        courier_day.reopen(by=bek, day_id=closed.pk, reason="by mistake")
        rows = [CourierDay.objects.all()]
        accept = lambda: courier_day.accept(by=bek, day_id=closed.pk)  # noqa: E731
        assert_refused(errors.DayOpenedAgain, accept, unchanged=rows)

    def test_cash_at_the_door_counts_while_it_is_open(
        self, rosa: Shop, bek: Employee, ruslan: Employee, closed: CourierDay
    ) -> None:
        [late] = Stop.objects.all()
        courier_day.accept(by=bek, day_id=closed.pk)
        take = lambda: stops.receive_cash(by=ruslan, stop_id=late.pk, amount=Decimal(1))  # noqa: E731
        assert_refused(errors.DayAccepted, take)
        courier_day.reopen(by=bek, day_id=closed.pk, reason="late cash")
        assert_refused(errors.NothingToPay, take)  # the day lets it pass; the order is paid
        closed.refresh_from_db()
        assert closed.cash_expected == workshop.TOTAL

    def test_who_may(self, bek: Employee, aida: Employee, ruslan: Employee, dana: Employee, closed: CourierDay) -> None:
        rows = [CourierDay.objects.all()]
        reopen = courier_day.reopen
        for who, refusal in ((ruslan, errors.NotEnoughPermissions), (aida, errors.NotEnoughPermissions)):
            deed = lambda who=who: reopen(by=who, day_id=closed.pk, reason="x")  # noqa: E731
            assert_refused(refusal, deed, unchanged=rows)
        stranger = lambda: reopen(by=dana, day_id=closed.pk, reason="x")  # noqa: E731
        assert_refused(errors.CourierDayNotFound, stranger, unchanged=rows)
        assert_refused(Invalid, lambda: reopen(by=bek, day_id=closed.pk, reason="  "), unchanged=rows)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_day_is_accepted_and_opened_again_at_once() -> None:
    where = cast.shop()
    boss, courier = cast.employee(where, Role.MANAGER), cast.employee(where, Role.COURIER)
    closed = courier_day.close(by=courier, cash_handed=Decimal(500))

    def deed(number: int) -> Any:
        if number % 2:
            return courier_day.accept(by=boss, day_id=closed.pk)
        return courier_day.reopen(by=boss, day_id=closed.pk, reason=f"reason {number}")

    assert set(outcomes(race(6, deed))) <= {"ok", "DayOpenedAgain"}
    closed.refresh_from_db()
    assert closed.reopened_at is not None
    taken = Decimal(500) if closed.accepted_at else Decimal(0)
    assert courier_day.close(by=courier, cash_handed=Decimal(500)).cash_taken == taken


def test_couriers_in_figures(rosa: Shop, tulip: Shop, bek: Employee, ruslan: Employee) -> None:
    early, late, failed = a_run(rosa, ruslan, 3).stops.order_by("pk")
    for stop in (early, late):
        stops.deliver(by=ruslan, stop_id=stop.pk, proof=NAMED)
    stops.receive_cash(by=ruslan, stop_id=late.pk, amount=Decimal(500))
    stops.fail(by=ruslan, stop_id=failed.pk, reason="refused", next_step="return")
    Order.objects.filter(pk=late.order_id).update(delivery_to=timezone.now() - timedelta(hours=1))
    now = timezone.now()
    [row] = deliveries.figures(shop=rosa, since=now - timedelta(hours=1), until=now + timedelta(hours=1))
    assert (row.courier_id, row.delivered, row.failed, row.on_time, row.cash) == (ruslan.pk, 2, 1, 1, 500)
    assert deliveries.figures(shop=tulip, since=now - timedelta(hours=1), until=now + timedelta(hours=1)) == []
    assert deliveries.figures(shop=rosa, since=now - timedelta(hours=2), until=now - timedelta(hours=1)) == []


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_key_from_ten_connections_counts_once() -> None:
    where = cast.shop()
    courier = cast.employee(where, Role.COURIER)
    stop = a_run(where, courier).stops.get()

    def pay(_: int) -> Stop:
        return stops.receive_cash(by=courier, stop_id=stop.pk, amount=Decimal(1000), key="once")

    assert outcomes(race(10, pay)) == {"ok": 10}
    assert (fresh(stop).cash_received, OrderPayment.objects.count()) == (Decimal(1000), 1)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_delivering_and_cancelling_at_once_end_in_one_truth() -> None:
    where = cast.shop()
    courier = cast.employee(where, Role.COURIER)
    stop = a_run(where, courier).stops.get()

    def deed(number: int) -> Any:
        if number % 2:
            return stops.deliver(by=courier, stop_id=stop.pk, proof=NAMED)
        return lifecycle.cancel(by=None, order_id=stop.order_id, reason="changed his mind")

    ended = outcomes(race(6, deed))
    done = fresh(stop)
    assert (done.status, done.order.status) in {(Status.DELIVERED, "delivered"), (Status.REMOVED, "cancelled")}
    assert set(ended) <= {"ok", "CannotCancel", "IllegalStopStep"}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_stops_of_one_run_delivered_at_once_finish_it() -> None:
    where = cast.shop()
    courier = cast.employee(where, Role.COURIER)
    run = a_run(where, courier, 5)
    ids = list(run.stops.values_list("pk", flat=True))
    assert outcomes(race(5, lambda n: stops.deliver(by=courier, stop_id=ids[n], proof=NAMED))) == {"ok": 5}
    run.refresh_from_db()
    assert run.status == DeliveryRun.Status.FINISHED
