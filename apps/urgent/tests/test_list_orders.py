"""The list and the single order (contract urgent 1.1 rows 2 and 3, 3.2; D2, D4, D5, D13, D14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apps.core.testing import query_budget
from apps.urgent.actions import orders
from apps.urgent.models import City, Member, Order, Review
from apps.urgent.queries import orders as questions
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [order["id"] for order in answer.json()["orders"]]


def test_newest_first_with_the_number_of_all(aziz: Member) -> None:
    placed = [cast.place(aziz, minutes_ago=9 - number) for number in range(4)]
    nobody = Caller()
    answer = nobody.get("orders?limit=2")
    assert ids(answer) == [placed[3].pk, placed[2].pk]
    assert answer.json()["total"] == 4
    assert ids(nobody.get("orders?limit=2&offset=2")) == [placed[1].pk, placed[0].pk]
    assert ids(nobody.get("orders?offset=99999999999999999999999")) == []


def test_the_contact_is_in_no_list_not_even_the_owner_s(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz, contact="@secret")
    cast.take(bek, order)
    for caller in (Caller(), Caller(aziz), Caller(bek)):
        for query in ("", "?status=active", "?mine=1" if caller.token else "?limit=1"):
            answer = caller.get(f"orders{query}")
            assert "secret" not in answer.content.decode()
            assert all(row["contact"] is None for row in answer.json()["orders"])


def test_filters_are_exact(aziz: Member) -> None:
    City.objects.get_or_create(name="Омск")
    first = cast.place(aziz, city="Омск", category="Клининг")
    second = cast.place(aziz, city="Омск")
    third = cast.place(aziz, category="Клининг")
    nobody = Caller()
    assert ids(nobody.get("orders?city=Омск")) == [second.pk, first.pk]
    assert ids(nobody.get("orders?category=Клининг")) == [third.pk, first.pk]
    assert ids(nobody.get("orders?city=Омск&category=Клининг")) == [first.pk]
    assert ids(nobody.get("orders?city=омск")) == []


@pytest.mark.parametrize(
    "query",
    [
        *("status=open", "limit=0", "limit=101", "limit=ten", "offset=-1", "mine=foo", "taken_by_me=2"),
        *("lat=1", "lon=1", "lat=91&lon=0", "lat=nan&lon=0", "lat=1&lon=1&radius_km=0", "city=%00"),
    ],
)
def test_malformed_queries_are_422(db: None, query: str) -> None:
    answer = Caller().get(f"orders?{query}")
    assert answer.status_code == 422
    assert set(answer.json()["detail"][0]) >= {"type", "loc", "msg", "input"}


def test_statuses_that_everybody_may_list(aziz: Member) -> None:
    placed = {status: cast.place(aziz) for status in Order.Status.values}
    for status, order in placed.items():
        Order.objects.filter(pk=order.pk).update(status=status)
    nobody = Caller()
    for status in ("active", "expired", "completed"):
        questions.forget()
        assert ids(nobody.get(f"orders?status={status}")) == [placed[status].pk]
    for status in ("deleted", "closed_no_response"):
        assert ids(nobody.get(f"orders?status={status}")) == [placed["active"].pk]


def test_my_orders_are_mine_in_every_status(aziz: Member, farid: Member) -> None:
    cast.place(farid)
    placed = {status: cast.place(aziz) for status in Order.Status.values}
    for status, order in placed.items():
        Order.objects.filter(pk=order.pk).update(status=status)
    caller = Caller(aziz)
    mine = caller.get("orders?mine=true")
    assert (set(ids(mine)), mine.json()["total"]) == ({order.pk for order in placed.values()}, 5)
    assert ids(caller.get("orders?mine=true&status=deleted")) == [placed["deleted"].pk]


def test_flags_without_a_valid_sign_in_are_401_and_browsing_is_not(aziz: Member) -> None:
    order = cast.place(aziz)
    old = cast.init_data(aziz.pk, auth_date=timezone.now() - timedelta(hours=2))
    for caller in (Caller(), Caller(token=old), Caller(token="junk")):
        assert ids(caller.get("orders")) == [order.pk]
        for flag in ("mine", "taken_by_me"):
            refused = caller.get(f"orders?{flag}=1")
            assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert ids(caller.get(f"orders?{flag}=0")) == [order.pk]


def test_taken_by_me_and_both_flags_together(aziz: Member, bek: Member) -> None:
    theirs, own = cast.place(aziz), cast.place(bek)
    cast.take(bek, theirs)
    caller = Caller(bek)
    assert ids(caller.get("orders?taken_by_me=on")) == [theirs.pk]
    assert ids(caller.get("orders?mine=yes")) == [own.pk]
    assert ids(caller.get("orders?mine=1&taken_by_me=1")) == []
    orders.complete(by=aziz, order_id=theirs.pk)
    assert ids(caller.get("orders?taken_by_me=1")) == []
    assert ids(caller.get("orders?taken_by_me=1&status=completed")) == [theirs.pk]


def test_without_any_query_one_sees_the_active_and_all_one_s_takes(aziz: Member, bek: Member, farid: Member) -> None:
    finished, taken, free = (cast.place(aziz, minutes_ago=9 - number) for number in range(3))
    for order in (finished, taken):
        cast.take(bek, order)
    orders.complete(by=aziz, order_id=finished.pk)
    answer = Caller(bek).get("orders")
    assert (ids(answer), answer.json()["total"]) == ([free.pk, taken.pk, finished.pk], 3)
    assert ids(Caller(farid).get("orders")) == [free.pk, taken.pk]
    assert ids(Caller().get("orders")) == [free.pk, taken.pk]


def test_takes_come_first_into_a_full_page(aziz: Member, bek: Member) -> None:
    old = cast.place(aziz, minutes_ago=50)
    cast.take(bek, old, minutes_ago=5)
    orders.complete(by=aziz, order_id=old.pk)
    mould = cast.place(aziz)
    copies = []
    for number in range(60):
        copy = Order.objects.get(pk=mould.pk)
        copy.pk, copy.contact_normalized = f"copy{number:08}", f"copy{number}"
        copies.append(copy)
    Order.objects.bulk_create(copies)
    questions.forget()
    found = ids(Caller(bek).get("orders"))
    assert (len(found), found[-1]) == (50, old.pk)


def test_executors_are_named_to_the_owner_and_to_themselves_only(aziz: Member, bek: Member, dina: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    cast.take(dina, order)
    seen = {
        caller: [take["executor_id"] for take in caller.get(path).json()["orders"][0]["taken_by"]]
        for path in ("orders?status=active",)
        for caller in (Caller(), Caller(bek), Caller(dina), Caller(aziz))
    }
    assert list(seen.values()) == [[0, 0], [bek.pk, 0], [0, dina.pk], [bek.pk, dina.pk]]
    single = [take["executor_id"] for take in Caller().get(f"orders/{order.pk}").json()["taken_by"]]
    assert single == [0, 0]


def test_the_contact_of_one_order(aziz: Member, bek: Member, farid: Member) -> None:
    order = cast.place(aziz, contact="@secret")
    cast.take(bek, order)
    path = f"orders/{order.pk}"
    expected = [(Caller(aziz), "@secret"), (Caller(bek), "@secret"), (Caller(farid), None), (Caller(), None)]
    assert [caller.get(path).json()["contact"] for caller, _ in expected] == [contact for _, contact in expected]
    for status in ("expired", "completed", "closed_no_response"):
        Order.objects.filter(pk=order.pk).update(status=status)
        assert [caller.get(path).json()["contact"] for caller, _ in expected] == [contact for _, contact in expected]


def test_a_deleted_order_exists_for_its_owner_only(aziz: Member, farid: Member) -> None:
    order = cast.place(aziz)
    orders.delete(by=aziz, order_id=order.pk)
    assert Caller(aziz).get(f"orders/{order.pk}").json()["status"] == "deleted"
    for caller in (Caller(farid), Caller()):
        answer = caller.get(f"orders/{order.pk}")
        assert (answer.status_code, answer.json()["detail"]) == (404, "Order not found")


def test_a_late_timer_is_invisible(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    assert ids(Caller().get("orders")) == [order.pk]
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        answer = Caller().get("orders")
        assert (ids(answer), answer.json()["total"]) == ([], 0)
        assert Caller(bek).get("orders?taken_by_me=1&status=closed_no_response").json()["total"] == 1
        assert Caller().get(f"orders/{order.pk}").json()["status"] == "closed_no_response"
        assert cast.balance(bek) == 100


def test_every_change_shows_at_once(aziz: Member, bek: Member, django_capture_on_commit_callbacks: Any) -> None:
    nobody = Caller()
    with django_capture_on_commit_callbacks(execute=True):
        order = cast.place(aziz)
    assert ids(nobody.get("orders")) == [order.pk]
    with django_capture_on_commit_callbacks(execute=True):
        orders.edit(by=aziz, order_id=order.pk, description="Другое описание, тоже длинное")
    assert nobody.get("orders").json()["orders"][0]["description"] == "Другое описание, тоже длинное"
    with django_capture_on_commit_callbacks(execute=True):
        cast.take(bek, order)
    assert len(nobody.get("orders").json()["orders"][0]["taken_by"]) == 1
    with django_capture_on_commit_callbacks(execute=True):
        orders.respond(by=aziz, order_id=order.pk)
    assert nobody.get("orders").json()["orders"][0]["customer_responded_at"] is not None
    with django_capture_on_commit_callbacks(execute=True):
        orders.complete(by=aziz, order_id=order.pk)
    assert nobody.get("orders").json() == {"orders": [], "total": 0}


def test_a_list_costs_a_constant_number_of_queries(aziz: Member, bek: Member, dina: Member) -> None:
    for _ in range(5):
        order = cast.place(aziz)
        cast.take(bek, order)
        cast.take(dina, order)
    with query_budget(2):
        Caller().get("orders?limit=20")
    with query_budget(0):
        Caller().get("orders?limit=20")
    questions.forget_rows()
    with query_budget(1):
        Caller().get("orders?limit=20")


def test_a_known_page_is_304(aziz: Member) -> None:
    cast.place(aziz)
    first = Caller().get("orders")
    again = Caller().get("orders", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_orders_near_a_place(aziz: Member) -> None:
    for name, latitude, longitude in (("Город-А", 55.0, 37.0), ("Город-Б", 55.0, 37.5), ("Город-В", 60.0, 60.0)):
        City.objects.create(name=name, latitude=latitude, longitude=longitude)
    near, nearby, _ = (cast.place(aziz, city=name) for name in ("Город-А", "Город-Б", "Город-В"))
    answer = Caller().get("orders?lat=55&lon=37&radius_km=50")
    assert ids(answer) == [nearby.pk, near.pk]
    assert [order["distance_km"] for order in answer.json()["orders"]] == [32.0, 1.0]
    assert ids(Caller().get("orders?lat=-55&lon=37")) == []
    assert "distance_km" not in Caller().get("orders").json()["orders"][0]


def test_the_first_review_is_shown_with_the_order(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    orders.complete(by=aziz, order_id=order.pk)
    Review.objects.create(order=order, client=aziz, executor=bek, rating=4, comment="Хорошо")
    Order.objects.filter(pk=order.pk).update(rating=4, review_comment="Хорошо")
    shown = Caller().get(f"orders/{order.pk}").json()
    assert (shown["rating"], shown["review_comment"]) == (4, "Хорошо")
