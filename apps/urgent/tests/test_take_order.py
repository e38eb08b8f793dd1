"""`takes.take` and `takes.refund` (contract urgent 3.4, D8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.testing import assert_refused, query_budget
from apps.ledger.models import Entry
from apps.urgent import errors
from apps.urgent.actions import members, orders, takes, timer
from apps.urgent.models import Member, Order, Take
from apps.urgent.tests import cast


def world() -> list[QuerySet]:
    return [q.objects.all() for q in (Order, Take, Member, Entry, OutboxMessage)]


def test_a_take_pays_the_price_and_reveals_the_contact(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, contact="@secret")
    taken = cast.take(bek, order)
    assert taken == takes.Taken(contact="@secret", executor_count=1, new_balance=98)
    row = Take.objects.get()
    assert (row.order_id, row.executor_id, row.slot, row.price, row.refunded_at) == (order.pk, bek.pk, 1, 2, None)
    entry = Entry.objects.get(key=f"take:{order.pk}:1")
    assert (entry.amount, entry.balance_after, entry.reason, entry.reference) == (-2, 98, "order_take", order.pk)
    bek.refresh_from_db()
    order.refresh_from_db()
    assert (bek.active_orders_count, order.takes_count) == (1, 1)
    assert order.due_at == row.taken_at + timedelta(minutes=15)
    assert order.first_taken_at == row.taken_at


def test_the_secret_stays_out_of_the_representation(aziz: Member, bek: Member) -> None:
    assert "@secret" not in repr(cast.take(bek, cast.place(aziz, contact="@secret")))


def test_repeating_is_free_in_every_status(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, contact="@secret")
    cast.take(bek, order)
    for status in Order.Status.values:
        Order.objects.filter(pk=order.pk).update(status=status)
        before = Entry.objects.count()
        again = cast.take(bek, order)
        assert (again.contact, again.executor_count, again.new_balance, again.is_repeat) == ("@secret", 1, 98, True)
        assert (Entry.objects.count(), Take.objects.count()) == (before, 1)


def test_a_third_executor_is_the_last_one(aziz: Member, bek: Member, dina: Member, emil: Member, farid: Member) -> None:
    order = cast.place(aziz)
    assert [cast.take(by, order).executor_count for by in (bek, dina, emil)] == [1, 2, 3]
    refused = assert_refused(errors.OrderFull, lambda: cast.take(farid, order), unchanged=world())
    assert str(refused) == "Maximum 3 executors reached"
    assert cast.take(dina, order).executor_count == 3


def test_a_second_take_does_not_move_the_answer_time(aziz: Member, bek: Member, dina: Member) -> None:
    order = cast.place(aziz, minutes_ago=20)
    cast.take(bek, order, minutes_ago=10)
    order.refresh_from_db()
    due = order.due_at
    cast.take(dina, order)
    order.refresh_from_db()
    assert order.due_at == due


def test_the_answer_time_never_outlasts_the_lifetime(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=50)
    cast.take(bek, order)
    order.refresh_from_db()
    assert order.due_at == order.expires_at


def test_without_money_nothing_is_revealed(aziz: Member, farid: Member) -> None:
    order = cast.place(aziz)
    refused = assert_refused(errors.NotEnoughBalance, lambda: cast.take(farid, order), unchanged=world())
    assert (str(refused), refused.status) == ("Insufficient balance. Need 2₽", 402)
    cast.top_up(farid, 1)
    assert_refused(errors.NotEnoughBalance, lambda: cast.take(farid, order), unchanged=world())
    cast.top_up(farid, 1)
    assert cast.take(farid, order).new_balance == 0


def test_one_s_own_order_is_not_for_sale(aziz: Member) -> None:
    cast.top_up(aziz, 10)
    order = cast.place(aziz)
    assert_refused(errors.OwnOrder, lambda: cast.take(aziz, order), unchanged=world())


def test_an_unknown_order(bek: Member) -> None:
    assert_refused(errors.OrderNotFound, lambda: takes.take(by=bek, order_id="-_nowhere"), unchanged=world())


@pytest.mark.parametrize("status", ["expired", "deleted", "closed_no_response", "completed"])
def test_a_finished_order_is_gone(aziz: Member, bek: Member, status: str) -> None:
    order = cast.place(aziz)
    Order.objects.filter(pk=order.pk).update(status=status)
    assert_refused(errors.OrderNotActive, lambda: cast.take(bek, order), unchanged=world())


def test_at_the_very_end_of_the_lifetime_the_take_expires_the_order_itself(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    assert_refused(errors.OrderExpired, lambda: takes.take(by=bek, order_id=order.pk, now=order.expires_at))
    order.refresh_from_db()
    aziz.refresh_from_db()
    assert (order.status, aziz.active_orders_count, cast.balance(bek)) == ("expired", 0, 100)


def test_one_moment_before_the_end_it_can_be_taken(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    last = order.expires_at - timedelta(microseconds=1)
    assert takes.take(by=bek, order_id=order.pk, now=last).executor_count == 1


def test_lazy_expiry_lowers_the_counters_of_earlier_takers_too(aziz: Member, bek: Member, dina: Member) -> None:
    order = cast.place(aziz, minutes_ago=60)
    cast.take(bek, order, minutes_ago=10)
    assert_refused(errors.OrderExpired, lambda: cast.take(dina, order))
    bek.refresh_from_db()
    assert (bek.active_orders_count, cast.balance(bek), cast.balance(dina)) == (0, 100, 100)


def test_after_the_answer_time_the_order_is_closed_and_paid_back(aziz: Member, bek: Member, dina: Member) -> None:
    order = cast.place(aziz, minutes_ago=30)
    cast.take(bek, order, minutes_ago=15)
    assert_refused(errors.OrderNotActive, lambda: cast.take(dina, order))
    order.refresh_from_db()
    assert (order.status, cast.balance(bek), cast.balance(dina)) == ("closed_no_response", 100, 100)


def test_a_full_order_is_said_before_money_is_asked(aziz: Member, bek: Member, farid: Member, settings: Any) -> None:
    settings.URGENT = replace(settings.URGENT, max_executors_per_order=1)
    order = cast.place(aziz)
    cast.take(bek, order)
    refused = assert_refused(errors.OrderFull, lambda: cast.take(farid, order), unchanged=world())
    assert str(refused) == "Maximum 1 executors reached"


def test_the_price_is_a_setting_and_stands_in_the_refusal(aziz: Member, farid: Member, settings: Any) -> None:
    settings.URGENT = replace(settings.URGENT, order_take_cost=7)
    refused = assert_refused(errors.NotEnoughBalance, lambda: cast.take(farid, cast.place(aziz)))
    assert str(refused) == "Insufficient balance. Need 7₽"


def test_a_free_take_moves_no_money(aziz: Member, farid: Member, settings: Any) -> None:
    settings.URGENT = replace(settings.URGENT, order_take_cost=0)
    assert cast.take(farid, cast.place(aziz)).new_balance == 0
    assert Entry.objects.count() == 0


def test_a_blocked_member_buys_nothing_but_keeps_what_he_has(aziz: Member, bek: Member) -> None:
    bought, other = cast.place(aziz), cast.place(aziz)
    cast.take(bek, bought)
    blocked = members.block(by=cast.staff(), member_id=bek.pk, reason="spam")
    assert_refused(errors.MemberBlocked, lambda: cast.take(blocked, other), unchanged=world())
    assert cast.take(blocked, bought).is_repeat


def test_too_many_takes_in_a_minute_wait(aziz: Member, bek: Member, settings: Any) -> None:
    settings.URGENT = replace(settings.URGENT, takes_per_minute=2)
    order = cast.place(aziz)
    cast.take(bek, order)
    cast.take(bek, order)
    refused = assert_refused(errors.TooManyTakes, lambda: cast.take(bek, order), unchanged=world())
    assert 0 < (refused.retry_after or 0) <= 61


def test_a_take_is_a_handful_of_statements(aziz: Member, bek: Member) -> None:
    cast.take(bek, cast.place(aziz))
    order = cast.place(aziz)
    with query_budget(10):
        cast.take(bek, order)


def test_staff_give_money_back_once_with_a_reason(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    orders.respond(by=aziz, order_id=order.pk)
    row, boss = Take.objects.get(), cast.staff()
    assert_refused(errors.ReasonNeeded, lambda: takes.refund(by=boss, take_id=row.pk, reason="  "), unchanged=world())
    assert_refused(
        errors.NotAModerator, lambda: takes.refund(by=bek.user, take_id=row.pk, reason="me"), unchanged=world()
    )
    takes.refund(by=boss, take_id=row.pk, reason="dispute")
    row.refresh_from_db()
    assert (row.refund_reason, cast.balance(bek)) == ("dispute", 100)
    assert Entry.objects.get(key=f"refund:{order.pk}:1").by_id == boss.pk
    assert_refused(
        errors.AlreadyRefunded, lambda: takes.refund(by=boss, take_id=row.pk, reason="again"), unchanged=world()
    )
    timer.sweep(now=timezone.now() + timedelta(hours=2))
    assert cast.balance(bek) == 100


def test_a_refund_pays_what_was_paid_whatever_the_price_is_now(aziz: Member, bek: Member, settings: Any) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    settings.URGENT = replace(settings.URGENT, order_take_cost=50)
    orders.close(by=aziz, order_id=order.pk)
    assert cast.balance(bek) == 100
