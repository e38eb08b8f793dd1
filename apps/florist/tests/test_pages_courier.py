"""The courier's pages and the manager's runs without JavaScript, and what a phone sends after a break (contract 4)."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import query_budget
from apps.florist.actions import payments, runs
from apps.florist.actions.runs import StopWish
from apps.florist.models import CourierDay, DeliveryRun, Employee, Order, Shop, Stop
from apps.florist.queries.windows import today_of
from apps.florist.tests import cast, workshop
from apps.florist.tests.cast import Role
from apps.florist.tests.seats import seated, text, told, words

pytestmark = pytest.mark.django_db
RUN, DAY, RUNS, CASH = "/desk/courier/", "/desk/courier/day/", "/desk/manager/runs/", "/desk/manager/cash/"


@pytest.fixture
def run(bek: Employee, ruslan: Employee) -> DeliveryRun:
    """Two stops of cash orders."""
    wishes = [
        StopWish(workshop.assembled(bek.shop, address=f"Abay {n}", recipient_name=f"Maria {n}").pk) for n in (1, 2)
    ]
    return runs.plan(by=bek, courier_id=ruslan.pk, stops=wishes, keeps_order=True)


def stops_of(run: DeliveryRun) -> list[Stop]:
    return list(run.stops.order_by("position"))


def at(stop: Stop, deed: str = "") -> str:
    return f"/desk/courier/stops/{stop.pk}/{deed}"


def press(by: Employee, path: str, fields: dict[str, Any] | None = None) -> str:
    browser = seated(by)
    return told(browser, browser.post(path, fields or {}))


# ── The manager builds ──────────────────────────────────────────────────────────────────────────────────────────────
def test_a_run_out_of_ticked_orders(bek: Employee, ruslan: Employee) -> None:
    orders = [workshop.assembled(bek.shop, address=f"Abay {n}", due_in=None) for n in (1, 2)]
    browser, day = seated(bek), today_of(bek.shop).isoformat()
    page = text(browser.get(RUNS))
    assert all(f'value="{order.pk}"' in page for order in orders)
    fields = {"courier_id": ruslan.pk, "day": day, "orders": [order.pk for order in orders], "next": RUNS}
    assert told(browser, browser.post(f"{RUNS}plan", fields)) == "The run is planned, its courier has been told"
    run = DeliveryRun.objects.get()
    assert (run.courier_id, run.stops.count()) == (ruslan.pk, 2)
    shown = words(browser.get(RUNS))
    assert f"Ruslan · #{run.pk}" in shown and "Everything is on a run." in shown
    assert "is on another run" in told(browser, browser.post(f"{RUNS}plan", fields))


@pytest.mark.parametrize("fields", [{}, {"orders": ["x"]}, {"orders": ["1"], "courier_id": "x"}, {"day": "x"}])
def test_a_run_of_nothing(bek: Employee, ruslan: Employee, fields: dict[str, Any]) -> None:
    whole = {"courier_id": ruslan.pk, "day": today_of(bek.shop).isoformat(), **fields}
    assert "planned" not in press(bek, f"{RUNS}plan", whole)
    assert not DeliveryRun.objects.exists()


def test_taken_off_handed_over_cancelled(bek: Employee, run: DeliveryRun) -> None:
    other = cast.employee(bek.shop, Role.COURIER, "Timur")
    first, second = stops_of(run)
    assert press(bek, f"{RUNS}{run.pk}/remove", {"stop_id": first.pk}) == "Taken off the run"
    assert press(bek, f"{RUNS}{run.pk}/hand-over", {"person": other.pk}) == "Another courier has it now"
    new = DeliveryRun.objects.latest("pk")
    assert (new.courier_id, [stop.order_id for stop in stops_of(new)]) == (other.pk, [second.order_id])
    assert press(bek, f"{RUNS}{new.pk}/cancel") == "The run is cancelled"
    assert not Stop.objects.open().exists()


def test_the_boards_cost_the_same_for_two_runs_and_for_eight(bek: Employee, ruslan: Employee, run: DeliveryRun) -> None:
    boss, driver = seated(bek), seated(ruslan)
    for count in (1, 7):
        for _ in range(count):
            wish = StopWish(workshop.assembled(bek.shop).pk)
            runs.plan(by=bek, courier_id=ruslan.pk, stops=[wish])
        with query_budget(9):
            boss.get(RUNS)
        with query_budget(8):
            driver.get(RUN)


@pytest.mark.parametrize("deed", ["remove", "hand-over", "cancel"])
def test_the_neighbour_changes_no_run(dana: Employee, run: DeliveryRun, deed: str) -> None:
    foreign = cast.employee(dana.shop, Role.COURIER)
    press(dana, f"{RUNS}{run.pk}/{deed}", {"stop_id": stops_of(run)[0].pk, "person": foreign.pk})
    assert f"#{run.pk}" not in words(seated(dana).get(RUNS))
    assert Stop.objects.open().filter(run=run).count() == 2 and DeliveryRun.objects.count() == 1


def test_an_order_of_the_neighbours_is_put_on_no_run(bek: Employee, ruslan: Employee, tulip: Shop) -> None:
    foreign = workshop.assembled(tulip)
    fields = {"courier_id": ruslan.pk, "day": today_of(bek.shop).isoformat(), "orders": [foreign.pk]}
    assert "There is no such order" in press(bek, f"{RUNS}plan", fields)


# ── The courier drives ──────────────────────────────────────────────────────────────────────────────────────────────
def test_the_run_in_its_order(ruslan: Employee, run: DeliveryRun) -> None:
    browser = seated(ruslan)
    page = words(browser.get(RUN))
    assert page.index("Abay 1") < page.index("Abay 2") and "2 stops left" in page
    assert "cash to collect: 20,000 ₸" in page and "2gis.kz" in text(browser.get(RUN))
    assert told(browser, browser.post(f"{RUN}runs/{run.pk}/accept")) == "The run is accepted"
    first, _second = stops_of(run)
    browser.post(f"{RUN}runs/{run.pk}/move", {"stop_id": first.pk, "to": "down"})
    moved = words(browser.get(RUN))
    assert moved.index("Abay 2") < moved.index("Abay 1")
    assert told(browser, browser.post(f"{RUN}runs/{run.pk}/start")) == "Drive carefully"


def test_a_stop_from_the_shop_to_the_door(ruslan: Employee, run: DeliveryRun) -> None:
    stop, browser = stops_of(run)[0], seated(ruslan)
    page = words(browser.get(at(stop)))
    for shown in ("Abay 1", "Maria 1", "+77010000099", "Cash to collect: 10,000 ₸", "WhatsApp", "Red roses × 1"):
        assert shown in page, shown
    assert told(browser, browser.post(at(stop, "picked"), {"key": "a"})) == "Picked up"
    assert told(browser, browser.post(at(stop, "cash"), {"key": "b", "amount": "10000"})) == "The money is written down"
    proof = {"key": "c", "receiver_name": "Maria", "file": workshop.picture(), "latitude": "43.2", "longitude": "76.9"}
    assert told(browser, browser.post(at(stop, "delivered"), {**proof, "next": RUN})) == "Delivered"
    stop.refresh_from_db()
    assert (stop.status, stop.receiver_name, stop.cash_received, stop.proof_latitude) == (
        "delivered",
        "Maria",
        10_000,
        43.2,
    )
    assert Order.objects.get(pk=stop.order_id).status == "delivered"
    assert re.search(r'<img class="picture" src="/uploads/[^"]+sig=', text(browser.get(at(stop))))


def test_cash_that_comes_after_the_flowers(ruslan: Employee, run: DeliveryRun) -> None:
    stop, browser = stops_of(run)[0], seated(ruslan)
    press(ruslan, at(stop, "delivered"), {"receiver_name": "Maria"})
    assert "cash to collect: 10,000 ₸" in words(browser.get(DAY))
    page = text(browser.get(at(stop)))
    assert f'action="{at(stop, "cash")}"' in page and 'value="10000.00"' in page
    fields = {"key": "b", "amount": "10000"}
    assert told(browser, browser.post(at(stop, "cash"), fields)) == "The money is written down"
    assert at(stop, "cash") not in text(browser.get(at(stop)))
    assert "cash to collect" not in words(browser.get(DAY))


def test_what_was_paid_by_other_ways_is_not_collected_again(ruslan: Employee, run: DeliveryRun) -> None:
    stop, browser = stops_of(run)[0], seated(ruslan)
    press(ruslan, at(stop, "picked"))
    payments.receive_notice(order_id=stop.order_id, payment_id="K", amount=Decimal(10_000), succeeded=True)
    assert "Cash to collect" not in words(browser.get(at(stop)))
    assert "cash to collect: 10,000 ₸" in words(browser.get(RUN))  # of the other stop


def test_a_delivery_without_a_proof(ruslan: Employee, run: DeliveryRun) -> None:
    stop = stops_of(run)[0]
    press(ruslan, at(stop, "picked"))
    assert "Take a picture or write who received it" in press(ruslan, at(stop, "delivered"))
    stop.refresh_from_db()
    assert stop.status == "picked_up"


def test_a_door_that_stays_shut(ruslan: Employee, bek: Employee, run: DeliveryRun) -> None:
    stop = stops_of(run)[0]
    press(ruslan, at(stop, "picked"))
    fields = {"reason": "not_home", "next_step": "retry", "note": "Dog", "key": "x"}
    for _ in range(2):
        assert press(ruslan, at(stop, "failed"), fields) == "Written down"
    assert stop.attempts.count() == 1
    assert "nobody at home → try again: Dog" in words(seated(ruslan).get(at(stop)))
    press(ruslan, at(stop, "failed"), {**fields, "next_step": "call", "key": "y"})
    assert f"#{stop.order_id}" in words(seated(bek).get("/desk/manager/?need=issue"))


def test_a_secret_sender_stays_secret(ruslan: Employee, bek: Employee) -> None:
    order = workshop.assembled(bek.shop, is_anonymous=True, customer_phone="+77055551122")
    open_order = workshop.assembled(bek.shop, customer_phone="+77055553344")
    run = runs.plan(by=bek, courier_id=ruslan.pk, stops=[StopWish(order.pk), StopWish(open_order.pk)], keeps_order=True)
    secret, known = stops_of(run)
    page = text(seated(ruslan).get(at(secret)))
    assert "5551122" not in page and "the sender stays secret" in page
    assert "+77055553344" in text(seated(ruslan).get(at(known)))


def test_the_day_from_its_end_to_the_managers_hand(ruslan: Employee, bek: Employee, run: DeliveryRun) -> None:
    assert "stops are still open" in press(ruslan, f"{DAY}close", {"cash_handed": "0"})
    for stop in stops_of(run):
        press(ruslan, at(stop, "cash"), {"amount": "10000", "key": f"c{stop.pk}"})
        press(ruslan, at(stop, "delivered"), {"receiver_name": "She"})
    page = words(seated(ruslan).get(DAY))
    assert "2 delivered" in page and "20,000 cash to hand over" in page and "Done #" in page
    assert press(ruslan, f"{DAY}close", {"cash_handed": "19500", "note": "Parking"}) == "The day is closed"
    page = words(seated(bek).get(CASH))
    assert "Expected 20,000 ₸" in page and "19,500 ₸ differs" in page and "Parking" in page
    day = CourierDay.objects.get()
    assert press(bek, f"{CASH}{day.pk}/accept") == "The cash is accepted"
    day.refresh_from_db()
    assert day.accepted_by == bek and "accepted by Bek" in words(seated(ruslan).get(DAY))


def test_a_day_closed_by_mistake_is_opened_again_by_the_manager(ruslan: Employee, bek: Employee) -> None:
    press(ruslan, f"{DAY}close", {"cash_handed": "500"})
    day = CourierDay.objects.get()
    press(bek, f"{CASH}{day.pk}/accept")
    assert "Reason" in press(bek, f"{CASH}{day.pk}/reopen", {"reason": ""})
    assert press(bek, f"{CASH}{day.pk}/reopen", {"reason": "too early"}) == "The day is open again"
    assert "No day has been closed yet." in words(seated(bek).get(CASH))
    page = words(seated(ruslan).get(DAY))
    assert "Already handed over before the day was opened again: 500 ₸" in page and "Close the day" in page
    press(ruslan, f"{DAY}close", {"cash_handed": "500"})
    assert "Taken before 500 ₸" in words(seated(bek).get(CASH))


def test_yesterdays_cash_is_closed_for_yesterday(ruslan: Employee, run: DeliveryRun) -> None:
    yesterday = today_of(ruslan.shop) - timedelta(days=1)
    DeliveryRun.objects.update(day=yesterday)
    for stop in stops_of(run):
        press(ruslan, at(stop, "cash"), {"amount": "10000", "key": f"c{stop.pk}"})
        press(ruslan, at(stop, "delivered"), {"receiver_name": "She"})
    page = text(seated(ruslan).get(DAY))
    [shown] = re.findall('name="day" value="(.*?)"', page)
    assert shown == yesterday.isoformat()
    assert press(ruslan, f"{DAY}close", {"cash_handed": "20000", "day": shown}) == "The day is closed"
    day = CourierDay.objects.get()
    assert (day.day, day.cash_expected) == (yesterday, 20_000)
    assert f'name="day" value="{today_of(ruslan.shop).isoformat()}"' in text(seated(ruslan).get(DAY))


def test_what_others_may_not(ruslan: Employee, bek: Employee, aida: Employee, dana: Employee, run: DeliveryRun) -> None:
    stop, other = stops_of(run)[0], cast.employee(bek.shop, Role.COURIER, "Timur")
    stranger = cast.employee(dana.shop, Role.COURIER)
    for who, status in ((other, 404), (stranger, 404), (aida, 403), (dana, 403)):
        browser = seated(who)
        assert browser.get(at(stop)).status_code == status
        browser.post(at(stop, "picked"))
        browser.post(f"{RUN}runs/{run.pk}/accept")
    stop.refresh_from_db()
    run.refresh_from_db()
    assert (stop.status, run.status) == ("waiting", "planned")
    assert seated(ruslan).get(CASH).status_code == 403


# ── After a break of the network ────────────────────────────────────────────────────────────────────────────────────
QUEUED = {"X-Queued": "1"}


def test_queued_actions_get_json_and_count_once(ruslan: Employee, run: DeliveryRun) -> None:
    stop, browser = stops_of(run)[0], seated(ruslan)
    fields = {"amount": "4000", "key": "from-the-lift", "done_at": "2026-11-21T08:15:30.123Z"}
    for _ in range(2):
        answer = browser.post(at(stop, "cash"), fields, headers=QUEUED)
        assert (answer.status_code, answer.json()) == (200, {"words": ""})
    stop.refresh_from_db()
    assert stop.cash_received == 4000


def test_a_refused_queued_action_says_why(ruslan: Employee, run: DeliveryRun) -> None:
    stop, browser = stops_of(run)[0], seated(ruslan)
    for path, fields in ((at(stop, "delivered"), {}), (at(stop, "cash"), {"amount": "x"})):
        answer = browser.post(path, fields, headers=QUEUED)
        assert answer.status_code == 422 and answer.json()["words"]
    assert seated(ruslan).post(at(stop, "nonsense"), headers=QUEUED).status_code == 404


def test_the_phones_clock_is_heard(ruslan: Employee, run: DeliveryRun) -> None:
    stop = stops_of(run)[0]
    Stop.objects.filter(pk=stop.pk).update(created_at=workshop.ago(hours=3))
    then = workshop.ago(hours=1)
    press(ruslan, at(stop, "picked"), {"done_at": then.isoformat().replace("+00:00", "Z")})
    stop.refresh_from_db()
    assert stop.picked_up_at is not None and abs((stop.picked_up_at - then).total_seconds()) < 1


@pytest.mark.parametrize("said", ["nonsense", "2026-11-21T08:15:30", "9999-12-31T00:00:00Z", "\x00"])
def test_a_phones_nonsense_is_no_time(ruslan: Employee, run: DeliveryRun, said: str) -> None:
    stop = stops_of(run)[0]
    assert press(ruslan, at(stop, "picked"), {"done_at": said}) == "Picked up"


def test_pages_of_a_courier_mark_what_may_wait(ruslan: Employee, run: DeliveryRun) -> None:
    """The service worker and the queue find their work by these attributes."""
    browser = seated(ruslan)
    assert "data-keep" in text(browser.get(RUN)) and f'data-who="{ruslan.pk}"' in text(browser.get(RUN))
    page = text(browser.get(at(stops_of(run)[0])))
    assert page.count("data-queue") == 4 and page.count('name="key"') == 4
