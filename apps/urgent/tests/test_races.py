"""Real threads on PostgreSQL (contract urgent 8.3, 8.4, 8.6, 8.7, 8.8, 8.12, 8.22)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core.testing import outcomes, race
from apps.ledger import queries as ledger
from apps.ledger.models import Entry
from apps.urgent.actions import members, orders, reviews, takes, timer
from apps.urgent.models import Member, Order, Take
from apps.urgent.queries import members as questions
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller

pytestmark = pytest.mark.race


def executors(count: int, roubles: int = 10) -> list[Member]:
    return [cast.member(600_000_000 + number, f"E{number}", roubles=roubles) for number in range(count)]


def all_is_counted() -> None:
    """Counters equal counts, every account equals its entries, no take without its place."""
    assert questions.mismatches() == []
    for order in Order.objects.all():
        slots = sorted(Take.objects.filter(order=order).values_list("slot", flat=True))
        assert slots == list(range(1, order.takes_count + 1))


def test_fifty_clients_on_one_order_make_exactly_three_takes() -> None:
    order = cast.place(cast.member(cast.AZIZ))
    people = executors(20)
    results = race(20, lambda number: takes.take(by=people[number], order_id=order.pk))
    assert outcomes(results) == {"ok": 3, "OrderFull": 17}
    assert sorted(taken.executor_count for taken in results if isinstance(taken, takes.Taken)) == [1, 2, 3]
    assert Entry.objects.filter(reason="order_take", amount=-2).count() == 3
    all_is_counted()


def test_two_roubles_buy_one_contact_of_ten() -> None:
    aziz, poor = cast.member(cast.AZIZ), cast.member(cast.BEK, roubles=2)
    placed = [cast.place(aziz) for _ in range(10)]
    results = race(10, lambda number: takes.take(by=poor, order_id=placed[number].pk))
    assert outcomes(results) == {"ok": 1, "NotEnoughBalance": 9}
    assert (cast.balance(poor), Take.objects.count()) == (0, 1)
    all_is_counted()


def test_ten_takes_of_one_order_by_one_executor_charge_once_and_agree() -> None:
    order = cast.place(cast.member(cast.AZIZ))
    bek = cast.member(cast.BEK, roubles=100)
    results = race(10, lambda _number: takes.take(by=bek, order_id=order.pk))
    assert {(taken.contact, taken.executor_count, taken.new_balance) for taken in results} == {(order.contact, 1, 98)}
    assert Entry.objects.filter(reason="order_take", amount=-2).count() == 1
    all_is_counted()


def test_delete_and_take_at_once_never_sell_a_deleted_order() -> None:
    aziz, bek = cast.member(cast.AZIZ), cast.member(cast.BEK, roubles=100)
    for _ in range(8):
        order = cast.place(aziz)
        deeds = [
            lambda order=order: orders.delete(by=aziz, order_id=order.pk),
            lambda order=order: takes.take(by=bek, order_id=order.pk),
        ]
        results = race(2, lambda number, deeds=deeds: deeds[number]())
        order.refresh_from_db()
        ends = (order.status, order.takes_count, type(results[0]).__name__, type(results[1]).__name__)
        assert ends in {("deleted", 0, "NoneType", "OrderNotActive"), ("active", 1, "DeleteAfterTake", "Taken")}
    assert cast.balance(bek) == 100 - 2 * Take.objects.count()
    all_is_counted()


def test_completing_and_closing_at_once_ends_an_order_once() -> None:
    aziz, bek = cast.member(cast.AZIZ), cast.member(cast.BEK, roubles=100)
    order = cast.place(aziz)
    takes.take(by=bek, order_id=order.pk)
    deeds: list[Any] = [orders.complete] * 8 + [orders.close] * 2
    results = race(10, lambda number: deeds[number](by=aziz, order_id=order.pk))
    assert outcomes(results) == {"ok": 1, "OrderNotActive": 9}
    order.refresh_from_db()
    refunded = order.status == "closed_no_response"
    assert cast.balance(bek) == (100 if refunded else 98)
    all_is_counted()


def test_answering_ten_times_at_once_answers_once() -> None:
    aziz, bek = cast.member(cast.AZIZ), cast.member(cast.BEK, roubles=100)
    order = cast.place(aziz)
    takes.take(by=bek, order_id=order.pk)
    results = race(10, lambda _number: orders.respond(by=aziz, order_id=order.pk))
    assert outcomes(results) == {"ok": 1, "AlreadyResponded": 9}


def test_four_sweeps_at_once_refund_every_take_once() -> None:
    aziz = cast.member(cast.AZIZ)
    people = executors(2, roubles=100)
    for _ in range(10):
        order = cast.place(aziz, minutes_ago=30)
        for executor in people:
            cast.take(executor, order, minutes_ago=15)
    assert [cast.balance(executor) for executor in people] == [80, 80]
    results = race(4, lambda _number: timer.sweep())
    assert sum(results) == 10
    assert [cast.balance(executor) for executor in people] == [100, 100]
    assert Entry.objects.filter(reason="refund", amount=2).count() == 20
    assert Counter(Order.objects.values_list("status", flat=True)) == {"closed_no_response": 10}
    all_is_counted()


def test_orders_that_share_takers_end_at_once_without_a_deadlock() -> None:
    """Order first, then wallets and members by ascending id: crossing ends wait for each other, never in a circle."""
    aziz, bek, dina = cast.member(cast.AZIZ), *executors(2, roubles=100)
    placed = [cast.place(aziz) for _ in range(8)]
    for number, order in enumerate(placed):
        for executor in (bek, dina) if number % 2 else (dina, bek):
            takes.take(by=executor, order_id=order.pk)
    free = [cast.place(cast.member(700_000_000 + number)) for number in range(8)]
    deeds: list[Any] = [lambda order=order: orders.close(by=aziz, order_id=order.pk) for order in placed]
    deeds += [lambda order=order: takes.take(by=bek, order_id=order.pk) for order in free[:4]]
    deeds += [lambda order=order: takes.take(by=dina, order_id=order.pk) for order in free[4:]]
    assert outcomes(race(16, lambda number: deeds[number]())) == {"ok": 16}
    assert [cast.balance(executor) for executor in (bek, dina)] == [92, 92]
    all_is_counted()


def test_a_review_needs_not_wait_for_the_counters_of_its_client() -> None:
    """A review's foreign keys lock its client at commit, after its executor; an order's end locks in the other order.

    Both may go on at once only because counters do not lock the member's key.
    """
    aziz, bek = cast.member(cast.AZIZ), cast.member(cast.BEK, roubles=100)
    order = cast.place(aziz)
    takes.take(by=bek, order_id=order.pk)
    orders.complete(by=aziz, order_id=order.pk)

    def review(_number: int) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")
        return reviews.review_executor(by=aziz, order_id=order.pk, rating=4)

    with transaction.atomic():
        members.shift(ids=[aziz.pk], active=1)
        assert outcomes(race(1, review)) == {"ok": 1}


def test_sweeps_of_untaken_orders_beside_deletes_and_takes_end_each_once() -> None:
    aziz, bek, dina = (cast.member(pk, roubles=100) for pk in (cast.AZIZ, cast.BEK, cast.DINA))
    placed = [cast.place(who, minutes_ago=59) for who in (aziz, dina) for _ in range(6)]
    soon = timezone.now() + timedelta(minutes=2)

    def act(number: int) -> Any:
        if number < 4:
            return timer.sweep(now=soon)
        if number < 8:
            return orders.delete(by=placed[number].client, order_id=placed[number].pk)
        return takes.take(by=bek, order_id=placed[number].pk)

    results = race(12, act)
    assert {name for name in outcomes(results)} <= {"ok", "OrderNotActive", "OrderExpired"}
    timer.sweep(now=soon)
    assert set(Order.objects.values_list("status", flat=True)) <= {"expired", "deleted"}
    assert Take.objects.filter(refunded_at=None).count() == 0
    assert cast.balance(bek) == 100
    all_is_counted()


def test_a_sweep_and_a_late_take_agree() -> None:
    aziz, bek, dina = cast.member(cast.AZIZ), *executors(2, roubles=100)
    order = cast.place(aziz, minutes_ago=30)
    cast.take(bek, order, minutes_ago=15)
    deeds: list[Any] = [timer.sweep, lambda: takes.take(by=dina, order_id=order.pk)]
    results = race(2, lambda number: deeds[number]())
    assert type(results[1]).__name__ == "OrderNotActive"
    assert [cast.balance(executor) for executor in (bek, dina)] == [100, 100]
    all_is_counted()


def test_ten_orders_with_one_contact_become_one() -> None:
    people = [cast.member(600_000_000 + number) for number in range(10)]
    cast.place(people[0], contact="@other")
    results = race(10, lambda number: cast.place(people[number], contact="+7 916 000-00-00"))
    assert outcomes(results) == {"ok": 1, "ContactInUse": 9}
    all_is_counted()


def test_editing_and_posting_the_same_contact_at_once_gives_it_to_one() -> None:
    people = [cast.member(600_000_000 + number) for number in range(6)]
    own = [cast.place(person) for person in people[:3]]
    deeds: list[Any] = [
        lambda number=number: orders.edit(by=people[number], order_id=own[number].pk, contact="@wanted")
        for number in range(3)
    ]
    deeds += [lambda number=number: cast.place(people[number], contact="@wanted") for number in range(3, 6)]
    assert outcomes(race(6, lambda number: deeds[number]())) == {"ok": 1, "ContactInUse": 5}


def test_editing_and_taking_at_once_never_sell_other_words() -> None:
    aziz, bek = cast.member(cast.AZIZ), cast.member(cast.BEK, roubles=100)
    for _ in range(5):
        order = cast.place(aziz, contact="@old")
        deeds: list[Any] = [
            lambda order=order: orders.edit(by=aziz, order_id=order.pk, contact="@new"),
            lambda order=order: takes.take(by=bek, order_id=order.pk),
        ]
        edited, taken = race(2, lambda number, deeds=deeds: deeds[number]())
        order.refresh_from_db()
        assert taken.contact == order.contact
        assert (type(edited).__name__ == "EditAfterTake") == (order.contact == "@old")
        orders.close(by=aziz, order_id=order.pk)


def test_ten_first_requests_make_one_member() -> None:
    token = cast.init_data(cast.FAR_AWAY_ID, "Гуля")
    results = race(10, lambda _number: Caller(token=token).get("users/me").status_code)
    assert results == [200] * 10
    assert Member.objects.filter(pk=cast.FAR_AWAY_ID).count() == 1


def test_a_hundred_hurried_orders_keep_the_hourly_limit(settings: Any) -> None:
    aziz = cast.member(cast.AZIZ)
    results = race(16, lambda _number: cast.place(aziz))
    assert outcomes(results) == {"ok": 10, "TooManyOrders": 6}
    all_is_counted()


def test_money_is_neither_made_nor_lost_in_a_crowd() -> None:
    clients = [cast.member(800_000_000 + number) for number in range(4)]
    people = executors(6, roubles=20)
    placed = [cast.place(client, minutes_ago=30) for client in clients for _ in range(2)]
    for order in placed[:3]:
        cast.take(people[0], order, minutes_ago=16)
    deeds: list[Any] = [
        lambda order=order, who=who: takes.take(by=who, order_id=order.pk) for order in placed for who in people[:3]
    ]
    deeds += [timer.sweep, lambda: timer.sweep(now=timezone.now() + timedelta(seconds=1))]
    results = race(len(deeds), lambda number: deeds[number]())
    assert set(outcomes(results)) <= {"ok", "OrderNotActive", "OrderFull"}
    paid = sum(take.price for take in Take.objects.filter(refunded_at=None))
    assert sum(cast.balance(who) for who in people) == 6 * 20 - paid
    assert ledger.audit() is not None
    all_is_counted()
