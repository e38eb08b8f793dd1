"""Runs, stops and days over HTTP: shape, status code, role, stranger (contract florist 4, 6)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from apps.core.testing import query_budget
from apps.florist.actions import runs, stops
from apps.florist.actions.runs import StopWish
from apps.florist.actions.stops import Proof
from apps.florist.models import CourierDay, DeliveryRun, Employee, Order, OrderPayment, Shop, Stop
from apps.florist.queries.windows import today_of
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Caller, Role

ROW = {
    *("id", "day", "status", "courier", "created_at", "accepted_at", "started_at", "finished_at"),
    *("stops_total", "stops_open", "stops_delivered", "stops_failed", "cash_due", "cash_received"),
}
STOP = {
    *("id", "run_id", "position", "status", "order_id", "order_number", "order_status", "recipient_name"),
    *("recipient_phone", "address", "address_needs_clarification", "zone", "delivery_window", "delivery_time_text"),
    *("comment", "has_card", "is_anonymous", "sender", "items", "latitude", "longitude", "maps", "cash_due"),
    *("cash_received", "picked_up_at", "delivered_at", "failed_at", "receiver_name", "left_with", "proof_url"),
    "attempts",
}


def shown(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.content)["code"]


def planned(boss: Employee, courier: Employee, *orders: Order) -> DeliveryRun:
    return runs.plan(by=boss, courier_id=courier.pk, stops=[StopWish(order.pk) for order in orders])


@pytest.fixture
def run(rosa: Shop, bek: Employee, ruslan: Employee) -> DeliveryRun:
    """Ruslan's run with one stop."""
    return planned(bek, ruslan, workshop.assembled(rosa, comment="Second entrance", card_text="Happy birthday"))


# ── Planning ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_run_is_planned_and_seen(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = workshop.assembled(rosa)
    sent = {"courier_id": ruslan.pk, "stops": [{"order_id": order.pk, "latitude": 43.24, "longitude": 76.95}]}
    made = shown(Caller(bek)("POST", "/api/runs/", sent), 201)
    assert made.keys() == ROW | {"stops"}
    assert [stop.keys() for stop in made["stops"]] == [STOP]
    assert (made["status"], made["cash_due"], made["courier"]["id"]) == ("planned", 10_000, ruslan.pk)
    assert made["stops"][0]["maps"]["google"].endswith("destination=43.24%2C76.95&travelmode=driving")
    for who in (bek, ruslan):
        found = shown(Caller(who)("GET", "/api/runs/"))
        assert (found["total"], [row.keys() for row in found["items"]]) == (1, [ROW])
        assert shown(Caller(who)("GET", f"/api/runs/{made['id']}")) == made


def test_malformed_runs_are_422(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order, call = workshop.assembled(rosa), Caller(bek)
    good = {"courier_id": ruslan.pk, "stops": [{"order_id": order.pk}]}
    for wrong in (
        {"stops": []},
        {"stops": [{"order_id": "x"}]},
        {"stops": [{"order_id": order.pk, "latitude": 91, "longitude": 0}]},
        {"courier_id": None},
        {"day": "tomorrow"},
        {"day": "9999-12-31"},
        {"extra": 1},
    ):
        assert call("POST", "/api/runs/", {**good, **wrong}).status_code == 422, wrong
    assert call("GET", "/api/runs/x").status_code == 422
    assert call("GET", "/api/runs/to-plan?day=9999-12-31").status_code == 422
    assert call("GET", "/api/courier/figures?date_from=9999-12-31&date_to=9999-12-31").status_code == 422
    assert not DeliveryRun.objects.exists()


def test_a_proposal_makes_no_run(rosa: Shop, bek: Employee, ruslan: Employee, dana: Employee) -> None:
    later = workshop.assembled(rosa, due_in=timedelta(hours=8))
    sooner = workshop.assembled(rosa, due_in=timedelta(hours=3))
    sent = {"stops": [{"order_id": later.pk}, {"order_id": sooner.pk}]}
    assert shown(Caller(bek)("POST", "/api/runs/propose", sent)) == {"order_ids": [sooner.pk, later.pk]}
    assert Caller(ruslan)("POST", "/api/runs/propose", sent).status_code == 403
    assert Caller(dana)("POST", "/api/runs/propose", sent).status_code == 404
    assert not DeliveryRun.objects.exists()


def test_orders_that_wait_for_a_run(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    order = workshop.assembled(rosa, due_in=timedelta(minutes=1))
    day = today_of(rosa, order.delivery_from)
    [row] = shown(Caller(bek)("GET", f"/api/runs/to-plan?day={day}"))["items"]
    assert (row["order_id"], row["cash_due"], row["courier"]) == (order.pk, 10_000, None)
    assert Caller(ruslan)("GET", "/api/runs/to-plan").status_code == 403


def test_managers_change_a_run(rosa: Shop, run: DeliveryRun, bek: Employee, ruslan: Employee) -> None:
    boss, hers, path = Caller(bek), Caller(ruslan), f"/api/runs/{run.pk}"
    sent = {"stops": [{"order_id": workshop.assembled(rosa).pk}]}
    assert hers("POST", f"{path}/stops", sent).status_code == 403
    first, second = (stop["id"] for stop in shown(boss("POST", f"{path}/stops", sent), 201)["stops"])
    sorted_ = shown(hers("PUT", f"{path}/stops", {"stop_ids": [second, first]}))
    assert [stop["id"] for stop in sorted_["stops"]] == [second, first]
    assert code(hers("PUT", f"{path}/stops", {"stop_ids": [first]})) == (409, "changed_meanwhile")
    assert hers("DELETE", f"{path}/stops/{first}").status_code == 403
    left = shown(boss("DELETE", f"{path}/stops/{first}"))
    assert [stop["id"] for stop in left["stops"]] == [second]
    assert hers("POST", f"{path}/cancel").status_code == 403
    assert shown(boss("POST", f"{path}/cancel", {"reason": "snow"}))["status"] == "cancelled"


def test_a_run_is_handed_over(rosa: Shop, run: DeliveryRun, ruslan: Employee) -> None:
    timur = cast.employee(rosa, Role.COURIER, "Timur")
    left = shown(Caller(ruslan)("POST", f"/api/runs/{run.pk}/hand-over", {"courier_id": timur.pk}), 201)
    assert (left["id"], left["stops"]) == (run.pk, [])
    [got] = shown(Caller(timur)("GET", "/api/runs/"))["items"]
    assert (got["stops_open"], got["courier"]["name"]) == (1, "Timur")


def test_runs_cost_the_same_however_long(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = planned(bek, ruslan, *(workshop.assembled(rosa) for _ in range(5)))
    for _ in range(3):
        planned(bek, ruslan, workshop.assembled(rosa))
    call = Caller(bek)
    for path, most in (("/api/runs/", 5), (f"/api/runs/{run.pk}", 8), ("/api/runs/to-plan", 5)):
        with query_budget(most):
            shown(call("GET", path))


# ── A courier's stop ────────────────────────────────────────────────────────────────────────────────────────────────
def test_what_a_courier_sees_of_an_order(run: DeliveryRun, ruslan: Employee) -> None:
    stop = run.stops.get()
    found = shown(Caller(ruslan)("GET", f"/api/stops/{stop.pk}"))
    assert found.keys() == STOP
    assert (found["address"], found["comment"], found["has_card"]) == ("Abay 10", "Second entrance", True)
    assert found["items"] == [{"product_name": "Red roses", "quantity": 1}]
    assert found["sender"] == {"name": None, "phone": "+77019998877"}
    assert found["maps"]["two_gis"] == "https://2gis.kz/search/" + quote("Алматы, Abay 10", safe="")


def test_an_anonymous_sender_is_hidden(rosa: Shop, bek: Employee, ruslan: Employee) -> None:
    run = planned(bek, ruslan, workshop.assembled(rosa, is_anonymous=True, customer_name="Ivan"))
    answer = Caller(ruslan)("GET", f"/api/stops/{run.stops.get().pk}")
    found = shown(answer)
    assert (found["is_anonymous"], found["sender"]) == (True, None)
    assert b"+77019998877" not in answer.content and b"Ivan" not in answer.content


def test_a_delivery_from_accept_to_closing(run: DeliveryRun, bek: Employee, ruslan: Employee) -> None:
    call, stop = Caller(ruslan), run.stops.get()
    path, door = f"/api/runs/{run.pk}", f"/api/stops/{stop.pk}"
    assert shown(call("POST", f"{path}/accept", {"key": "1"}))["status"] == "accepted"
    assert shown(call("POST", f"{path}/start", None, **{"Idempotency-Key": "2"}))["status"] == "started"
    assert code(call("POST", f"{path}/finish")) == (409, "open_stops_left")
    assert shown(call("POST", f"{door}/picked-up"))["order_status"] == "delivery"
    assert shown(call("POST", f"{door}/cash", {"amount": 10000, "key": "3"}))["cash_received"] == 10_000
    form = {"photo": workshop.picture(), "receiver_name": "Asel", "latitude": "43.24", "longitude": "76.95", "key": "4"}
    sent = call.client.post(f"/florist{door}/delivered", form, headers=call.headers)
    done = shown(sent)
    assert (done["status"], done["order_status"], done["receiver_name"]) == ("delivered", "delivered", "Asel")
    assert "sig=" in done["proof_url"]
    again = shown(call("POST", f"{door}/delivered", {"receiver_name": "Somebody", "key": "4"}))
    assert again["receiver_name"] == "Asel"
    mine = shown(call("GET", "/api/courier/day"))
    assert {name: mine[name] for name in ("delivered", "failed", "open", "cash_expected", "closed")} == {
        "delivered": 1,
        "failed": 0,
        "open": 0,
        "cash_expected": 10_000,
        "closed": None,
    }
    closed = shown(call("POST", "/api/courier/day/close", {"cash_handed": "9500.50", "note": "lost"}), 201)
    assert (closed["difference"], closed["accepted_at"], closed["courier"]["name"]) == (-499.5, None, "Ruslan")
    assert code(call("POST", "/api/courier/day/close", {"cash_handed": 1})) == (409, "day_closed")
    assert shown(call("GET", "/api/courier/day"))["closed"] == closed
    boss = Caller(bek)
    [row] = shown(boss("GET", "/api/courier/days?is_accepted=false"))["items"]
    assert row == closed
    taken = shown(boss("POST", f"/api/courier/days/{closed['id']}/accept"))
    assert taken["accepted_by"]["name"] == "Bek"
    assert shown(boss("GET", "/api/courier/days?is_accepted=false"))["total"] == 0


def test_a_door_that_stays_shut(run: DeliveryRun, ruslan: Employee) -> None:
    call, door = Caller(ruslan), f"/api/stops/{run.stops.get().pk}"
    form = {"reason": "not_home", "next_step": "retry", "note": "dog", "photo": workshop.picture(), "key": "1"}
    for _ in range(2):
        again = {**form, "photo": workshop.picture()}
        tried = shown(call.client.post(f"/florist{door}/failed", again, headers=call.headers))
    assert (tried["status"], len(tried["attempts"])) == ("waiting", 1)
    assert (tried["attempts"][0]["note"], "sig=" in tried["attempts"][0]["photo_url"]) == ("dog", True)
    gone = shown(call("POST", f"{door}/failed", {"reason": "refused", "next_step": "return", "key": "2"}))
    assert (gone["status"], gone["order_status"]) == ("failed", "issue")
    assert code(call("POST", f"{door}/delivered", {"receiver_name": "x"})) == (409, "illegal_stop_step")


def test_malformed_stops_are_422(run: DeliveryRun, ruslan: Employee) -> None:
    call, door = Caller(ruslan), f"/api/stops/{run.stops.get().pk}"
    for step, sent in (
        ("delivered", {}),
        ("delivered", {"latitude": 43.2, "longitude": 76.9}),
        ("delivered", {"receiver_name": "x", "latitude": 191}),
        ("delivered", {"receiver_name": "x", "happened_at": "yesterday"}),
        ("delivered", {"receiver_name": "x", "happened_at": "0001-01-01T00:00:00+05:00"}),
        ("failed", {"reason": "lazy", "next_step": "retry"}),
        ("failed", {"reason": "other", "next_step": "forget"}),
        ("failed", {"next_step": "retry"}),
        ("cash", {"amount": 0}),
        ("cash", {"amount": "NaN"}),
        ("cash", {"amount": 10_001}),
        ("picked-up", {"key": "x" * 65}),
    ):
        assert call("POST", f"{door}/{step}", sent).status_code == 422, (step, sent)
    assert Stop.objects.get().status == "waiting"


def test_a_form_without_a_picture_and_with_odd_text(run: DeliveryRun, ruslan: Employee) -> None:
    call, door = Caller(ruslan), f"/florist/api/stops/{run.stops.get().pk}/delivered"
    odd = {"receiver_name": "Asel\x00"}
    assert call.client.post(door, odd, headers=call.headers).status_code == 422
    long = {**call.headers, "Idempotency-Key": "x" * 65}
    assert call.client.post(door, {"receiver_name": "Asel"}, headers=long).status_code == 422
    assert Stop.objects.get().status == "waiting"
    done = shown(call.client.post(door, {"receiver_name": "Asel", "latitude": ""}, headers=call.headers))
    assert (done["status"], done["proof_url"], done["latitude"]) == ("delivered", None, None)


def test_a_picture_is_a_picture(run: DeliveryRun, ruslan: Employee) -> None:
    call, door = Caller(ruslan), f"/florist/api/stops/{run.stops.get().pk}/delivered"
    script = workshop.SimpleUploadedFile("x.png", b"<script>alert(1)</script>", content_type="image/png")
    assert call.client.post(door, {"photo": script}, headers=call.headers).status_code in (400, 422)
    assert Stop.objects.get().status == "waiting"


def test_a_key_of_another_deed_is_409(run: DeliveryRun, ruslan: Employee) -> None:
    call, door = Caller(ruslan), f"/api/stops/{run.stops.get().pk}"
    shown(call("POST", f"{door}/picked-up", {"key": "a"}))
    assert code(call("POST", f"{door}/cash", {"amount": 1, "key": "a"})) == (409, "idempotency_key_reused")
    assert not OrderPayment.objects.exists()


# ── Who may ─────────────────────────────────────────────────────────────────────────────────────────────────────────
GETS = ("/api/runs/{run}", "/api/stops/{stop}")
DEEDS = (
    *("/api/runs/{run}/accept", "/api/runs/{run}/start", "/api/runs/{run}/finish"),
    *("/api/stops/{stop}/picked-up",),
)


def test_a_run_is_its_couriers_and_the_managers(
    rosa: Shop, run: DeliveryRun, bek: Employee, aida: Employee, dana: Employee
) -> None:
    timur = cast.employee(rosa, Role.COURIER, "Timur")
    ids = {"run": run.pk, "stop": run.stops.get().pk}
    for who in (timur, aida, dana):
        call = Caller(who)
        assert [call("GET", path.format(**ids)).status_code for path in GETS] == [404, 404], who
        assert {call("POST", path.format(**ids)).status_code for path in DEEDS} == {404}, who
        assert shown(call("GET", "/api/runs/"))["total"] == 0
    assert {Caller()("GET", path.format(**ids)).status_code for path in GETS} == {401}
    assert Stop.objects.get().status == "waiting"
    assert Caller(bek)("GET", GETS[0].format(**ids)).status_code == 200


def test_days_are_their_couriers_and_the_managers(
    rosa: Shop, bek: Employee, aida: Employee, ruslan: Employee, dana: Employee
) -> None:
    call = Caller(ruslan)
    day = shown(call("POST", "/api/courier/day/close", {"cash_handed": 0}), 201)
    accept = f"/api/courier/days/{day['id']}/accept"
    assert {who.name: Caller(who)("POST", accept).status_code for who in (ruslan, aida, dana)} == {
        "Ruslan": 403,
        "Aida": 403,
        "Dana": 404,
    }
    totals = {who.name: shown(Caller(who)("GET", "/api/courier/days"))["total"] for who in (bek, ruslan, aida, dana)}
    assert totals == {"Bek": 1, "Ruslan": 1, "Aida": 0, "Dana": 0}
    for who in (bek, aida):
        assert code(Caller(who)("GET", "/api/courier/day")) == (400, "not_a_courier")
    assert CourierDay.objects.get().accepted_at is None


def test_a_manager_opens_a_day_again(bek: Employee, ruslan: Employee, dana: Employee) -> None:
    day = shown(Caller(ruslan)("POST", "/api/courier/day/close", {"cash_handed": "500.50"}), 201)
    path, body = f"/api/courier/days/{day['id']}/reopen", {"reason": "by mistake"}
    assert {who.name: Caller(who)("POST", path, body).status_code for who in (ruslan, dana)} == {
        "Ruslan": 403,
        "Dana": 404,
    }
    assert [Caller(bek)("POST", path, wrong).status_code for wrong in ({}, {"reason": " "})] == [422, 422]
    Caller(bek)("POST", f"/api/courier/days/{day['id']}/accept")
    for _ in range(2):
        opened = shown(Caller(bek)("POST", path, body))
        assert (opened["reopen_reason"], opened["reopened_at"] is not None) == ("by mistake", True)
    assert code(Caller(bek)("POST", f"/api/courier/days/{day['id']}/accept")) == (409, "day_opened_again")
    assert shown(Caller(bek)("GET", "/api/courier/days"))["total"] == 0
    mine = shown(Caller(ruslan)("GET", "/api/courier/day"))
    assert (mine["closed"], mine["cash_taken"]) == (None, 500.5)


def test_couriers_in_figures(rosa: Shop, run: DeliveryRun, bek: Employee, ruslan: Employee, dana: Employee) -> None:
    stops.deliver(by=ruslan, stop_id=run.stops.get().pk, proof=Proof(receiver_name="Asel"))
    today = timezone.now().date()
    path = f"/api/courier/figures?date_from={today - timedelta(days=1)}&date_to={today + timedelta(days=1)}"
    assert shown(Caller(bek)("GET", path)) == {
        "items": [{"courier_id": ruslan.pk, "name": "Ruslan", "delivered": 1, "failed": 0, "on_time": 1, "cash": 0}],
        "total": 1,
    }
    assert shown(Caller(dana)("GET", path))["total"] == 0
    assert Caller(ruslan)("GET", path).status_code == 403
