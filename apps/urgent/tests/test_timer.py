"""What time does (contract urgent 3.3, 5, D6, D7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import states
from apps.core.models import OutboxMessage
from apps.core.testing import query_budget
from apps.ledger.models import Entry
from apps.urgent.actions import finish, orders, timer
from apps.urgent.models import Member, Order, Take
from apps.urgent.queries import members
from apps.urgent.queries import orders as questions
from apps.urgent.tasks.orders import settle_due_orders
from apps.urgent.tests import cast


def status_of(order: Order) -> str:
    return str(Order.objects.values_list("status", flat=True).get(pk=order.pk))


def test_nothing_is_due_before_its_time(aziz: Member) -> None:
    order = cast.place(aziz)
    assert timer.sweep(now=order.expires_at - timedelta(microseconds=1)) == 0
    assert timer.sweep(now=order.expires_at) == 1
    assert status_of(order) == "expired"
    assert timer.sweep(now=order.expires_at) == 0


def test_an_unanswered_order_closes_fifteen_minutes_after_the_first_take(
    aziz: Member, bek: Member, dina: Member
) -> None:
    order = cast.place(aziz, minutes_ago=30)
    cast.take(bek, order, minutes_ago=15)
    Order.objects.filter(pk=order.pk).update(due_at=timezone.now() + timedelta(minutes=1))
    cast.take(dina, order)
    Order.objects.filter(pk=order.pk).update(due_at=timezone.now())
    assert settle_due_orders() == 1
    assert status_of(order) == "closed_no_response"
    assert [cast.balance(who) for who in (bek, dina)] == [100, 100]
    assert Take.objects.filter(refunded_at__isnull=False).count() == 2
    assert list(Member.objects.order_by("pk").values_list("active_orders_count", flat=True)) == [0, 0, 0]


def test_expiry_goes_before_the_missing_answer(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=90)
    cast.take(bek, order, minutes_ago=70)
    assert timer.sweep() == 1
    assert status_of(order) == "expired"


def test_an_expired_unanswered_order_pays_back(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=61)
    cast.take(bek, order, minutes_ago=3)
    timer.sweep()
    assert (status_of(order), cast.balance(bek)) == ("expired", 100)


def test_strict_parity_with_the_original_is_a_setting(aziz: Member, bek: Member, settings: Any) -> None:
    settings.URGENT = replace(settings.URGENT, refund_on_expiry=False)
    order = cast.place(aziz, minutes_ago=61)
    cast.take(bek, order, minutes_ago=3)
    timer.sweep()
    assert (status_of(order), cast.balance(bek)) == ("expired", 98)


def test_an_answered_order_expires_without_a_refund(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=61)
    cast.take(bek, order, minutes_ago=10)
    orders.respond(by=aziz, order_id=order.pk, now=timezone.now() - timedelta(minutes=5))
    timer.sweep()
    assert (status_of(order), cast.balance(bek)) == ("expired", 98)


def test_running_twice_refunds_once(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, minutes_ago=61)
    cast.take(bek, order, minutes_ago=3)
    timer.sweep()
    Order.objects.filter(pk=order.pk).update(status="active")
    timer.sweep()
    assert (cast.balance(bek), Entry.objects.filter(key__startswith="refund:").count()) == (100, 1)


def test_one_broken_order_undoes_nobody_else_s_end(aziz: Member, bek: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that dies in the middle has settled and refunded what came before; the next one goes on."""
    placed = [cast.place(aziz, minutes_ago=70 - number) for number in range(4)]
    for order in placed:
        cast.take(bek, order, minutes_ago=12)
    expire = finish.expire

    def dies_at_the_third(order: Order) -> Order:
        if order.pk == placed[2].pk:
            raise KeyboardInterrupt
        return expire(order)

    monkeypatch.setattr(timer.finish, "expire", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        timer.sweep()
    assert [status_of(order) for order in placed] == ["expired", "expired", "active", "active"]
    assert cast.balance(bek) == 96
    monkeypatch.undo()
    assert timer.sweep() == 2
    assert cast.balance(bek) == 100


def test_pages_follow_the_index_and_meet_every_order_once(aziz: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timer, "BATCH", 2)
    for number in range(5):
        cast.place(aziz, minutes_ago=70 - number % 2)
    assert timer.sweep(limit=3) == 3
    assert timer.sweep() == 2


def test_the_cost_grows_with_due_orders_only(aziz: Member, bek: Member) -> None:
    for order in [cast.place(aziz) for _ in range(8)]:
        cast.take(bek, order)
    with query_budget(1):
        timer.sweep()
    one, two, four = (_cost_of_sweeping(aziz, due) for due in (1, 2, 4))
    assert four - two == 2 * (two - one)


def test_untaken_orders_of_a_page_end_in_a_constant_number_of_statements(aziz: Member) -> None:
    """A hundred thousand forgotten orders are done in seconds: nobody is owed anything for them."""
    for _ in range(8):
        cast.place(aziz)
    assert _cost_of_sweeping(aziz, 1) == _cost_of_sweeping(aziz, 5) <= 12


def test_taken_and_untaken_orders_of_a_page_each_get_their_due(aziz: Member, bek: Member, dina: Member) -> None:
    mine = [cast.place(aziz, minutes_ago=70) for _ in range(3)]
    hers = cast.place(dina, minutes_ago=69)
    young = cast.place(dina)
    cast.take(bek, mine[1], minutes_ago=12)
    assert timer.sweep() == 4
    assert [status_of(order) for order in (*mine, hers, young)] == ["expired"] * 4 + ["active"]
    figures = dict(Member.objects.values_list("pk", "active_orders_count"))
    assert figures == {aziz.pk: 0, bek.pk: 0, dina.pk: 1}
    assert cast.balance(bek) == 100
    assert members.mismatches() == []
    ended = OutboxMessage.objects.filter(event="urgent.OrderFinished", handler__endswith="tell_of_the_end")
    assert {row.payload["order_id"] for row in ended} == {order.pk for order in (*mine, hers)}
    assert all(row.payload["by_timer"] and row.payload["status"] == "expired" for row in ended)
    first = Order.objects.get(pk=mine[0].pk)
    assert first.finished_at is not None
    assert [(step.from_status, step.to_status, step.by) for step in states.history(first)] == [
        ("active", "expired", "system")
    ]


def _cost_of_sweeping(by: Member, due: int) -> int:
    ids = Order.objects.filter(client=by, status="active", due_at__gt=timezone.now()).values_list("pk", flat=True)[:due]
    Order.objects.filter(pk__in=list(ids)).update(due_at=timezone.now(), expires_at=timezone.now())
    with CaptureQueriesContext(connection) as seen:
        timer.sweep()
    return len([query for query in seen if "SAVEPOINT" not in query["sql"]])


def test_the_due_page_reads_the_partial_index(aziz: Member) -> None:
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for choice in ("seqscan", "bitmapscan", "sort"):  # a table of three rows would tempt the planner
                cursor.execute(f"SET LOCAL enable_{choice} = off")
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        cursor.execute(explain + questions._DUE_PAGE, [now, now, now, "", 10])
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "urgent_orders_due" in plan


def test_a_member_s_own_and_taken_orders_are_settled_before_he_looks(aziz: Member, bek: Member, farid: Member) -> None:
    own = cast.place(aziz, minutes_ago=61)
    taken = cast.place(farid, minutes_ago=61)
    foreign = cast.place(farid, minutes_ago=61)
    cast.take(bek, taken, minutes_ago=3)
    timer.settle_for(member_id=bek.pk)
    assert [status_of(order) for order in (own, taken, foreign)] == ["active", "expired", "active"]
    timer.settle_for(member_id=aziz.pk)
    assert [status_of(order) for order in (own, foreign)] == ["expired", "active"]
