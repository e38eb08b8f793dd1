"""The inbox of an employee in one shop (contract florist 1.6, paths that clients call)."""

from __future__ import annotations

import pytest

from apps.core.testing import query_budget
from apps.florist.conf import PRODUCT
from apps.florist.models import Employee, Shop
from apps.florist.tests import cast
from apps.florist.tests.cast import Caller, Role
from apps.notifications import actions as notifications
from apps.notifications.models import Notification

pytestmark = pytest.mark.django_db


def told(who: Employee, title: str = "Hello") -> Notification:
    payload = {"shop_id": who.shop_id, "order_id": 7}
    return notifications.tell(user=who.user, product=PRODUCT, kind="order_created", title=title, payload=payload)


def test_newest_first_with_counts(aida: Employee, bek: Employee) -> None:
    first, second = told(aida, "One"), told(aida, "Two")
    told(bek)
    notifications.mark_read(by=aida, notification_id=str(first.public_id), product=PRODUCT)
    body = Caller(aida)("GET", "/api/notifications/").json()
    assert (body["total"], body["unread"], [row["title"] for row in body["items"]]) == (2, 1, ["Two", "One"])
    assert set(body["items"][0]) == {"id", "type", "title", "message", "data", "is_read", "created_at", "read_at"}
    assert body["items"][0]["id"] == str(second.public_id)
    assert body["items"][0]["data"]["order_id"] == 7
    only = Caller(aida)("GET", "/api/notifications/?unread_only=true&limit=1").json()
    assert [row["title"] for row in only["items"]] == ["Two"]


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_reading_one_and_all(aida: Employee, method: str) -> None:
    row = told(aida)
    told(aida)
    path = f"/api/notifications/{row.public_id}/read"
    assert Caller(aida)(method, path).json()["is_read"] is True
    assert Caller(aida)(method, path).status_code == 200
    assert Caller(aida)(method, "/api/notifications/mark-all-read").json() == {"marked": 1}
    assert Caller(aida)(method, "/api/notifications/mark-all-read").json() == {"marked": 0}


def test_anybody_elses_is_404(aida: Employee, bek: Employee, dana: Employee) -> None:
    row = told(aida)
    for who in (bek, dana):
        assert Caller(who)("PATCH", f"/api/notifications/{row.public_id}/read").status_code == 404
    row.refresh_from_db()
    assert row.read_at is None
    assert Caller(aida)("PATCH", "/api/notifications/nonsense/read").status_code == 422


def test_who_works_in_two_shops_reads_them_apart(aida: Employee, tulip: Shop) -> None:
    there = cast.employee(tulip, Role.MANAGER, "Aida", phone=aida.phone, user=aida.user)
    here, next_door = told(aida, "Rosa"), told(there, "Tulip")
    assert [row["title"] for row in Caller(there)("GET", "/api/notifications/").json()["items"]] == ["Tulip"]
    assert Caller(there)("PATCH", f"/api/notifications/{here.public_id}/read").status_code == 404
    assert Caller(aida)("POST", "/api/notifications/mark-all-read").json() == {"marked": 1}
    next_door.refresh_from_db()
    assert next_door.read_at is None


def test_it_costs_the_same_for_many(aida: Employee) -> None:
    for number in range(30):
        told(aida, str(number))
    caller = Caller(aida)
    with query_budget(5):
        assert len(caller("GET", "/api/notifications/").json()["items"]) == 30
