"""The faults of the original, each with the proof that ours lacks it (contract urgent 8).

Rows about money, reviews, invoices, towns and the bot are proved beside their nouns; the README has the table.
Faults that need parallel requests are proved in `test_races.py`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.testing import assert_refused
from apps.urgent import errors
from apps.urgent.actions import orders, timer
from apps.urgent.models import Member, Order, Take
from apps.urgent.queries import orders as questions
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller


def test_03_no_balance_is_kept_beside_the_ledger() -> None:
    """A balance that Python computes and writes is a lost update waiting to happen."""
    for model in (Member, Order, Take):
        with pytest.raises(FieldDoesNotExist):
            model._meta.get_field("balance")


def test_04_the_timer_runs_in_one_schedule_and_each_order_locks_itself(aziz: Member) -> None:
    cast.place(aziz, minutes_ago=61)
    with CaptureQueriesContext(connection) as seen:
        assert timer.sweep() == 1
    if connection.vendor == "postgresql":
        assert any("SKIP LOCKED" in query["sql"] for query in seen)
    assert timer.sweep() == 0


def test_05_old_and_future_initdata_is_refused_and_the_hash_is_proved(aziz: Member) -> None:
    past, future = timezone.now() - timedelta(seconds=3601), timezone.now() + timedelta(minutes=5)
    for moment in (past, future):
        assert Caller(token=cast.init_data(aziz.pk, auth_date=moment)).get("users/me").status_code == 401
    forged = Caller(token=cast.init_data(aziz.pk).replace("Aziz", "Abuz")).get("users/me")
    assert forged.status_code == 401
    assert forged.json()["detail"] == "Invalid Telegram initData: Invalid hash - data integrity check failed"
    assert Caller(token=cast.init_data(aziz.pk, auth_date=timezone.now())).get("users/me").status_code == 200


@pytest.mark.parametrize("status", ["deleted", "expired", "closed_no_response", "completed"])
def test_06_a_finished_order_is_neither_edited_nor_ended_again(aziz: Member, status: str) -> None:
    order = cast.place(aziz)
    Order.objects.filter(pk=order.pk).update(status=status)
    caller = Caller(aziz)
    assert caller.put(f"orders/{order.pk}", {"contact": "@other"}).status_code == 410
    for deed in ("respond", "close", "complete"):
        assert caller.post(f"orders/{order.pk}/{deed}").status_code == 410


def test_06_an_edit_does_not_take_over_another_s_contact(aziz: Member, farid: Member) -> None:
    cast.place(farid, contact="@farid")
    order = cast.place(aziz)
    assert Caller(aziz).put(f"orders/{order.pk}", {"contact": "@FARID"}).status_code == 409
    assert Caller(aziz).post("orders", cast.words(contact="@farid")).status_code == 409


def test_07_the_contact_is_guarded_by_the_database() -> None:
    guards = [
        constraint for constraint in Order._meta.constraints if constraint.name == "urgent_one_active_order_per_contact"
    ]
    assert [guard.fields for guard in guards] == [("contact_normalized",)]  # type: ignore[attr-defined]


def test_09_a_stale_token_does_not_read_everybody_s_orders_as_mine(aziz: Member, farid: Member) -> None:
    cast.place(farid)
    stale = Caller(token=cast.init_data(aziz.pk, auth_date=timezone.now() - timedelta(days=1)))
    for flag in ("mine", "taken_by_me"):
        assert stale.get(f"orders?{flag}=true").status_code == 401


def test_10_history_has_every_status_and_the_taken_page_every_take(aziz: Member, bek: Member) -> None:
    done = cast.place(aziz)
    cast.take(bek, done)
    orders.complete(by=aziz, order_id=done.pk)
    assert [row["status"] for row in Caller(aziz).get("orders?mine=true").json()["orders"]] == ["completed"]
    assert [row["id"] for row in Caller(bek).get("orders").json()["orders"]] == [done.pk]


def test_11_a_deleted_order_is_gone_and_executors_are_nobody_s_business(aziz: Member, bek: Member) -> None:
    deleted, taken = cast.place(aziz), cast.place(aziz)
    orders.delete(by=aziz, order_id=deleted.pk)
    cast.take(bek, taken)
    assert Caller().get(f"orders/{deleted.pk}").status_code == 404
    for path in ("orders", f"orders/{taken.pk}"):
        assert str(bek.pk) not in Caller().get(path).content.decode()


def test_12_deleting_again_changes_nothing(aziz: Member) -> None:
    cast.place(aziz)
    order = cast.place(aziz)
    answers = [Caller(aziz).delete(f"orders/{order.pk}").status_code for _ in range(3)]
    aziz.refresh_from_db()
    assert (answers, aziz.active_orders_count) == ([204, 404, 404], 1)


def test_12_deleting_after_expiry_does_not_count_down_again(aziz: Member) -> None:
    cast.place(aziz)
    order = cast.place(aziz, minutes_ago=61)
    timer.sweep()
    assert Caller(aziz).delete(f"orders/{order.pk}").status_code == 204
    aziz.refresh_from_db()
    assert aziz.active_orders_count == 1


def test_13_a_lazy_expiry_counts_for_takers_and_the_lifetime_holds_everywhere(
    aziz: Member, bek: Member, dina: Member
) -> None:
    order = cast.place(aziz, minutes_ago=60)
    cast.take(bek, order, minutes_ago=5)
    assert Caller(dina).post(f"orders/{order.pk}/take").status_code == 410
    bek.refresh_from_db()
    assert bek.active_orders_count == 0
    for deed in ("respond", "complete", "close"):
        late = cast.place(aziz, minutes_ago=60)
        cast.take(bek, late, minutes_ago=5)
        answer = Caller(aziz).post(f"orders/{late.pk}/{deed}")
        assert (answer.status_code, answer.json()["detail"]) == (410, "Order has expired")


def test_14_nobody_dodges_a_refund(aziz: Member, bek: Member) -> None:
    closed = cast.place(aziz, minutes_ago=20)
    cast.take(bek, closed, minutes_ago=14)
    assert Caller(aziz).post(f"orders/{closed.pk}/close").status_code == 204
    late = cast.place(aziz, minutes_ago=59)
    cast.take(bek, late, minutes_ago=1)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        timer.sweep()
    assert cast.balance(bek) == 100


def test_16_empty_fields_count_and_double_ones_are_refused(aziz: Member) -> None:
    with_empty = cast.init_data(aziz.pk, last_name="")
    assert Caller(token=with_empty).get("users/me").status_code == 200
    assert Caller(token=f"{with_empty}&auth_date=1").get("users/me").status_code == 401


LONG = {"first_name": "x" * 300, "last_name": "y" * 300, "username": "z" * 100, "language_code": "q" * 40}


@pytest.mark.parametrize("odd_id", ["17", True, None, 2**70, -5, 1.5])
def test_17_odd_ids_in_initdata_are_401(db: None, odd_id: Any) -> None:
    answer = Caller(token=cast.signed({"id": odd_id, "first_name": "Odd"})).get("users/me")
    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        "Invalid Telegram initData: Invalid user ID in initData",
    )
    assert not Member.objects.exists()


@pytest.mark.parametrize(
    ("person", "first_name"),
    [
        ({"id": 18, **LONG}, "x" * 64),
        ({"id": 19, "first_name": "nul\x00name"}, "nulname"),
        ({"id": 20, "first_name": None, "username": 5}, ""),
    ],
)
def test_17_odd_names_in_initdata_are_cut_to_fit(db: None, person: dict[str, Any], first_name: str) -> None:
    answer = Caller(token=cast.signed(person)).get("users/me")
    assert (answer.status_code, answer.json()["first_name"]) == (200, first_name)


@pytest.mark.parametrize("field", ["description", "contact", "city"])
def test_17_a_nul_byte_is_malformed_input(aziz: Member, field: str) -> None:
    body = cast.words(**{field: "Текст с нулевым байтом \x00 внутри"})
    answer = Caller(aziz).post("orders", body)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", field])
    assert Order.objects.count() == 0
    assert Caller(aziz).get("orders/%00abc").status_code == 422


def test_18_spaces_say_nothing_and_towns_are_known(aziz: Member) -> None:
    for wrong in ({"description": " " * 25}, {"contact": "\t\n  "}, {"city": "Атлантида"}):
        assert Caller(aziz).post("orders", cast.words(**wrong)).status_code == 422
    assert Order.objects.count() == 0


def test_19_ending_costs_the_same_statements_for_one_taker_and_for_three_apart_from_refunds(
    aziz: Member, bek: Member, dina: Member, emil: Member
) -> None:
    costs = []
    for takers in ([bek], [bek, dina, emil]):
        order = cast.place(aziz)
        for taker in takers:
            cast.take(taker, order)
        with CaptureQueriesContext(connection) as seen:
            orders.complete(by=aziz, order_id=order.pk)
        costs.append(len(seen))
    assert costs[0] == costs[1]


def test_19_the_list_pages_and_counts_without_reading_every_row(aziz: Member) -> None:
    for _ in range(3):
        cast.place(aziz)
    first = Caller().get("orders?limit=2").json()
    second = Caller().get("orders?limit=2&offset=2").json()
    assert ([len(first["orders"]), len(second["orders"])], first["total"], second["total"]) == ([2, 1], 3, 3)


def test_20_first_means_lowest(aziz: Member, bek: Member, dina: Member) -> None:
    order = cast.place(aziz)
    for taker in (dina, bek):
        cast.take(taker, order)
    assert list(Take.objects.filter(order=order).values_list("slot", "executor_id")) == [(1, dina.pk), (2, bek.pk)]
    shown = Caller(aziz).get(f"orders/{order.pk}").json()
    assert [take["executor_id"] for take in shown["taken_by"]] == [dina.pk, bek.pk]


def test_21_ten_orders_an_hour_then_429_with_retry_after(aziz: Member) -> None:
    caller = Caller(aziz)
    cast.place(aziz)
    answers = [caller.post("orders", cast.words(contact=f"@contact_{number}")) for number in range(10)]
    assert [answer.status_code for answer in answers] == [201] * 9 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 3601
    assert caller.get("orders").status_code == 200


def test_21_the_profile_name_is_refreshed(aziz: Member) -> None:
    assert Caller(token=cast.init_data(aziz.pk, "Новое имя")).get("users/me").json()["first_name"] == "Новое имя"


def test_22_the_order_is_locked_before_the_wallet(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    with CaptureQueriesContext(connection) as seen:
        cast.take(bek, order)
    words = [query["sql"].lstrip().upper() for query in seen]
    order_at = next(place for place, sql in enumerate(words) if sql.startswith("UPDATE URGENT_ORDER"))
    wallet_at = next(place for place, sql in enumerate(words) if "LEDGER_ACCOUNT" in sql)
    member_at = next(place for place, sql in enumerate(words) if sql.startswith("UPDATE URGENT_MEMBER"))
    assert order_at < wallet_at < member_at


def test_23_ids_are_64_bits_and_the_number_of_places_is_guarded_by_the_database(aziz: Member) -> None:
    assert Member._meta.pk is not None
    assert Member._meta.pk.get_internal_type() == "BigIntegerField"
    order = cast.place(aziz)
    with pytest.raises(Exception, match=r"(?i)constraint"):
        Order.objects.filter(pk=order.pk).update(takes_count=4)


def test_every_refusal_says_what_it_is(aziz: Member) -> None:
    """English words for programs, a code, words for people: in that shape everywhere (D3)."""
    answer = Caller(aziz).get("orders/nowhere")
    assert set(answer.json()) == {"detail", "code", "message"}
    assert_refused(errors.OrderNotFound, lambda: questions.visible("nowhere", by=aziz))
