"""The production process set on PostgreSQL and Redis: the journey, and what a violent death of its parts does to money.

Two `web` workers, `live`, `worker` and `beat` run as docker-compose.yml starts them (design 3.15, 3.25).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from apps.integrations.telegram import sign_init_data
from apps.portal.tests.processes import BOT_TOKEN, ROOT, House, house

pytestmark = [pytest.mark.race, pytest.mark.slow]

ORDERS, EXECUTORS, PLACES, PRICE = 30, 8, 3, 2
OPENING_BALANCE = 100
BLOWS = 3
OPENING = """
from apps.core.money import Money
from apps.ledger import actions as ledger
from apps.urgent.models import Member
for member in Member.objects.filter(pk__in={people}):
    ledger.post(by=None, holder=member.user, book="urgent", amount=Money({amount}, "RUB"),
                key=f"opening:{{member.pk}}", reason="opening", house="urgent:opening")
"""
DRAIN_SECONDS = 60


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as found:
        yield found


def journey(at: House, product: str) -> list[str]:
    return [sys.executable, "manage.py", "journey", product, "--base", at.base, "--sandbox", at.sandbox]


PLANT = """
from apps.portal import seeding
for product in ("loyalty", "tickets"):
    print(seeding.plant(product))
"""


@pytest.fixture(scope="module")
def planted(running: House) -> House:
    """With the sample staff and city, whose people these journeys sign in."""
    running.run("shell", "-c", PLANT)
    return running


@pytest.mark.parametrize("product", ["loyalty", "tickets"])
def test_journey_of_sample_people_is_green_on_the_process_set(planted: House, product: str) -> None:
    walk(planted, product)


@pytest.mark.parametrize("product", ["urgent", "shop", "florist"])
def test_journey_is_green_on_the_process_set(running: House, product: str) -> None:
    walk(running, product)


def walk(at: House, product: str) -> None:
    done = subprocess.run(
        journey(at, product), cwd=ROOT, env=at.environment(), capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-2000:]}\n{at.tail('web')}"
    drain(at)
    assert_books_are_straight(at)


@pytest.mark.parametrize("product", ["urgent", "shop"])
def test_journey_survives_the_death_of_worker_and_connections(running: House, product: str) -> None:
    """At every third step the journey holds its breath; meanwhile the worker dies and every connection is cut."""
    walk = subprocess.Popen(
        journey(running, product), cwd=ROOT, env=running.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
    )  # fmt: skip
    assert walk.stdout is not None
    lines, cut = [], 0
    for line in walk.stdout:
        lines.append(line)
        if len(lines) % 3 == 0:
            with paused(walk):
                cut += strike(running)

    assert walk.wait(120) == 0, "".join(lines) + running.tail("web")
    assert cut > 0
    drain(running)
    assert_books_are_straight(running)


def test_a_rush_of_takes_survives_the_death_of_worker_and_connections(running: House) -> None:
    """Eight executors want thirty orders while worker and connections die at random moments; clients simply repeat."""
    people = [700_100_000 + number for number in range(EXECUTORS)]
    prepare(running, people)
    order_ids = [create_order(running, number) for number in range(ORDERS)]
    is_over = threading.Event()
    with ThreadPoolExecutor(EXECUTORS + 1) as pool:
        blows = pool.submit(strike_while, running, is_over)
        answers = list(pool.map(lambda person: take_all(running, person, order_ids), people))
        is_over.set()
        assert blows.result() >= BLOWS

    drain(running)
    takes = running.ask("SELECT count(*) FROM urgent_take WHERE order_id = ANY(%s)", order_ids)
    assert takes == ORDERS * PLACES
    assert Counter(status for each in answers for status in each) == {200: takes, 409: ORDERS * EXECUTORS - takes}
    charged = "SELECT sum(-amount) FROM ledger_entry WHERE version IS NOT NULL AND reference = ANY(%s)"
    assert running.ask(charged, order_ids) == takes * PRICE
    balances = (
        "SELECT sum(balance) FROM ledger_account a JOIN urgent_member m ON m.user_id = a.holder_id WHERE m.id = ANY(%s)"
    )
    assert running.ask(balances, people) == EXECUTORS * OPENING_BALANCE - takes * PRICE
    assert_books_are_straight(running)


# ── The blows ───────────────────────────────────────────────────────────────────────────────────────────────────────
@contextlib.contextmanager
def paused(process: subprocess.Popen[str]) -> Iterator[None]:
    os.kill(process.pid, signal.SIGSTOP)
    # What the servers were asked before is answered now; the journey itself must not meet the cut.
    time.sleep(0.5)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def strike(at: House) -> int:
    """kill -9 the worker, cut every connection, and start the worker again as `restart: unless-stopped` would."""
    at.kill("worker")
    cut = at.cut_database()
    at.start("worker")
    return cut


def strike_while(at: House, is_over: threading.Event) -> int:
    blows = 0
    while not is_over.wait(0.4) or blows < BLOWS:
        strike(at)
        blows += 1
    return blows


# ── The clients ─────────────────────────────────────────────────────────────────────────────────────────────────────
def prepare(at: House, people: list[int]) -> None:
    """Members come by signing in; the balance by the ledger, as a correction would bring it."""
    for person in people:
        persistent(at, person, "GET", "/urgent/api/users/me")
    at.run("shell", "-c", OPENING.format(people=people, amount=OPENING_BALANCE))


def create_order(at: House, number: int) -> str:
    """Each from a client of its own: one client may post ten in an hour."""
    body = {
        "category": "Клининг",
        "description": "Помыть окна на втором этаже",
        "city": "Москва",
        "contact": f"+7916{1_000_000 + number}",
    }
    answer = persistent(at, 700_200_000 + number, "POST", "/urgent/api/orders", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def take_all(at: House, person: int, order_ids: list[str]) -> list[int]:
    ways = order_ids[person % ORDERS :] + order_ids[: person % ORDERS]
    return [persistent(at, person, "POST", f"/urgent/api/orders/{order_id}/take").status_code for order_id in ways]


def persistent(at: House, person: int, method: str, path: str, body: object = None) -> httpx.Response:
    """A client that repeats after a broken answer, a 5xx and a 429, as clients do."""
    user = {"id": person, "first_name": "Person", "username": f"person{person}", "language_code": "ru"}
    headers = {"Authorization": f"Bearer {sign_init_data(BOT_TOKEN, user, int(time.time()))}"}
    for _ in range(100):
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.request(method, f"{at.base}{path}", headers=headers, json=body, timeout=20)
            if answer.status_code < 500 and answer.status_code != 429:
                return answer
        time.sleep(0.2)
    raise AssertionError(f"{method} {path} never came through\n{at.tail('web')}")


# ── What must hold afterwards ───────────────────────────────────────────────────────────────────────────────────────
def drain(at: House) -> None:
    """The outbox runs empty by itself. A killed relay's claims are let go at once, not after their two minutes."""
    at.write("UPDATE core_outboxmessage SET due_at = now() WHERE delivered_at IS NULL AND due_at > now()")
    until = time.monotonic() + DRAIN_SECONDS
    waiting = "SELECT count(*) FROM core_outboxmessage WHERE delivered_at IS NULL AND dead_at IS NULL"
    while time.monotonic() < until and at.ask(waiting):
        time.sleep(0.5)
    left = "SELECT json_agg(json_build_array(handler, last_error)) FROM core_outboxmessage WHERE delivered_at IS NULL"
    assert at.ask(left) is None, f"{json.dumps(at.ask(left))}\n{at.tail('worker')}"


def assert_books_are_straight(at: House) -> None:
    """Every take was charged exactly once, nobody paid for nothing, chains hold, currencies sum to zero."""
    assert at.ask("""
        SELECT count(*) FROM urgent_take t JOIN urgent_member m ON m.id = t.executor_id
        WHERE (SELECT count(*) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
               WHERE a.holder_id = m.user_id AND e.reference = t.order_id AND e.reason = 'order_take'
                 AND e.amount = -t.price) <> 1
    """) == 0  # fmt: skip
    assert at.ask("SELECT count(*) FROM ledger_entry WHERE reason = 'order_take' AND version IS NOT NULL") == at.ask(
        "SELECT count(*) FROM urgent_take"
    )
    assert at.ask("""
        SELECT count(*) FROM urgent_order o
        WHERE takes_count <> (SELECT count(*) FROM urgent_take t WHERE t.order_id = o.id)
    """) == 0  # fmt: skip
    at.run("ledger", "verify")
