"""The timer over 100,000 due orders: linear, by an index, and going on where a killed run stopped."""

from __future__ import annotations

import subprocess
import sys
import time

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.urgent.actions import timer
from apps.urgent.models import Order
from apps.urgent.queries import orders as questions
from bench import people
from bench.stage import ROOT, Stage

DUE = 100_000
PART, OTHERS = 5_000, 50_000
LONG_AGO_SECONDS = 7200
KILL_AFTER_SECONDS = 8
SWEEP = "from apps.urgent.actions import timer; print(timer.sweep())"


def run(at: Stage) -> None:
    people.post_orders("other", OTHERS)
    at.title(f"Expiry of {DUE} due orders beside {Order.objects.count()} others")
    people.post_orders("due", DUE, age_seconds=LONG_AGO_SECONDS)
    people.settle_tables("urgent_order", "urgent_take")
    _explain()
    first = _part()
    killed = _killed_sweep(at)
    middle = _part()
    last_count, last = _sweep()
    at.say(f"first {PART} (orders/s)", f"{PART / first:.0f}")
    at.say(f"a sweep killed with -9 after {KILL_AFTER_SECONDS} s had settled", f"{killed}")
    at.say(f"next {PART} (orders/s)", f"{PART / middle:.0f}")
    at.say(f"the rest, {last_count} (orders/s)", f"{last_count / last:.0f}")
    at.want("expiry: time per order, the rest / the first", (last / last_count) / (first / PART), most=1.5)
    _assert_all_settled(at, killed + last_count + 2 * PART)


def _explain() -> None:
    """The plan of the statement that the timer really sends for its first page."""
    with CaptureQueriesContext(connection) as seen:
        questions.due_page(timezone.now(), after=None, size=timer.BATCH)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) {seen[0]['sql']}")
        plan = [row[0] for row in cursor.fetchall()]
    print("\n".join(f"    {line}" for line in plan))
    if any("Seq Scan" in line for line in plan):
        raise SystemExit("the timer reads the whole table")


def _part() -> float:
    """Seconds for one part of the due orders."""
    started = time.perf_counter()
    done = timer.sweep(limit=PART)
    if done != PART:
        raise SystemExit(f"a sweep of {PART} settled {done}")
    return time.perf_counter() - started


def _killed_sweep(at: Stage) -> int:
    """How many a sweep had settled when it was killed in the middle."""
    before = _due()
    words = [sys.executable, "manage.py", "shell", "-c", SWEEP]
    process = subprocess.Popen(
        words, cwd=ROOT, env=at.house.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(KILL_AFTER_SECONDS)
    process.kill()
    process.wait()
    return before - _due()


def _sweep() -> tuple[int, float]:
    started = time.perf_counter()
    return timer.sweep(), time.perf_counter() - started


def _due() -> int:
    return Order.objects.filter(id__startswith="due", status=Order.Status.ACTIVE).count()


def _assert_all_settled(at: Stage, count: int) -> None:
    if count != DUE or Order.objects.filter(id__startswith="due", status=Order.Status.EXPIRED).count() != DUE:
        raise SystemExit(f"{count} of {DUE} due orders were settled")
    at.say("every due order settled exactly once", "ok")
