"""`orders.respond`, `orders.close`, `orders.complete` (contract urgent 3.3, D6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from apps.core.models import OutboxMessage, StepLog
from apps.core.testing import assert_refused
from apps.ledger.models import Entry
from apps.urgent import errors
from apps.urgent.actions import orders, timer
from apps.urgent.models import Member, Order, Take
from apps.urgent.tests import cast

DEEDS = [orders.respond, orders.close, orders.complete]


def world() -> list[QuerySet]:
    return [q.objects.all() for q in (Order, Take, Member, Entry, OutboxMessage, StepLog)]


def figures(who: Member) -> tuple[int, int]:
    who.refresh_from_db()
    return who.active_orders_count, who.completed_orders_count


def test_an_answer_stops_the_timer(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=20)
    cast.take(bek, order, minutes_ago=14)
    answered = orders.respond(by=aziz, order_id=order.pk)
    answered.refresh_from_db()
    assert (answered.status, answered.due_at) == ("active", answered.expires_at)
    assert timer.sweep(now=timezone.now() + timedelta(minutes=5)) == 0


def test_one_answers_once(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    orders.respond(by=aziz, order_id=order.pk)
    assert_refused(errors.AlreadyResponded, lambda: orders.respond(by=aziz, order_id=order.pk), unchanged=world())


def test_completing_counts_for_everybody(aziz: Member, bek: Member, dina: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    cast.take(dina, order)
    done = orders.complete(by=aziz, order_id=order.pk)
    assert (done.status, done.finished_at is not None) == ("completed", True)
    assert [figures(who) for who in (aziz, bek, dina)] == [(0, 1), (0, 1), (0, 1)]
    assert [cast.balance(who) for who in (bek, dina)] == [98, 98]


def test_closing_unanswered_pays_everybody_back(aziz: Member, bek: Member, dina: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    cast.take(dina, order)
    closed = orders.close(by=aziz, order_id=order.pk)
    assert closed.status == "closed_no_response"
    assert [figures(who) for who in (aziz, bek, dina)] == [(0, 0), (0, 0), (0, 0)]
    assert [cast.balance(who) for who in (bek, dina)] == [100, 100]
    refunds = Entry.objects.filter(reason="refund", key__startswith="refund:")
    assert list(refunds.values_list("amount", "reference")) == [(2, order.pk), (2, order.pk)]


def test_closing_after_an_answer_keeps_the_money(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    orders.respond(by=aziz, order_id=order.pk)
    orders.close(by=aziz, order_id=order.pk)
    assert (cast.balance(bek), figures(bek)) == (98, (0, 0))


@pytest.mark.parametrize("deed", DEEDS)
def test_only_the_client_may(deed: Any, aziz: Member, bek: Member, farid: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    for who in (bek, farid):
        assert_refused(errors.NotTheClient, lambda who=who: deed(by=who, order_id=order.pk), unchanged=world())
    assert_refused(errors.OrderNotFound, lambda: deed(by=aziz, order_id="nowhere"), unchanged=world())


@pytest.mark.parametrize("deed", DEEDS)
def test_there_must_be_a_taker(deed: Any, aziz: Member) -> None:
    order = cast.place(aziz)
    assert_refused(errors.NobodyTookIt, lambda: deed(by=aziz, order_id=order.pk), unchanged=world())


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("status", ["expired", "deleted", "closed_no_response", "completed"])
def test_a_finished_order_is_gone(deed: Any, status: str, aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    Order.objects.filter(pk=order.pk).update(status=status)
    assert_refused(errors.OrderNotActive, lambda: deed(by=aziz, order_id=order.pk), unchanged=world())


@pytest.mark.parametrize("deed", DEEDS)
def test_the_lifetime_counts_before_the_timer_comes_by(deed: Any, aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=60)
    cast.take(bek, order, minutes_ago=5)
    assert_refused(errors.OrderExpired, lambda: deed(by=aziz, order_id=order.pk))
    order.refresh_from_db()
    assert (order.status, cast.balance(bek), figures(aziz), figures(bek)) == ("expired", 100, (0, 0), (0, 0))


@pytest.mark.parametrize("deed", DEEDS)
def test_the_answer_time_counts_before_the_timer_comes_by(deed: Any, aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=30)
    cast.take(bek, order, minutes_ago=15)
    assert_refused(errors.OrderNotActive, lambda: deed(by=aziz, order_id=order.pk))
    order.refresh_from_db()
    assert (order.status, cast.balance(bek)) == ("closed_no_response", 100)


def test_a_client_who_closes_at_minute_fourteen_dodges_nothing(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=20)
    cast.take(bek, order, minutes_ago=14)
    orders.close(by=aziz, order_id=order.pk)
    assert cast.balance(bek) == 100
