"""The timer over 100,000 due orders: linear, by an index, and going on where a killed run stopped."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.urgent.actions import timer
from apps.urgent.models import Order
from apps.urgent.queries import orders as questions
from bench import people
from bench.stage import ROOT, Stage

DUE = 100_000
PART, OTHERS = 2_000, 50_000
LONG_AGO_SECONDS = 7200
KILL_AFTER_SECONDS = 8
SWEEP = "from apps.urgent.actions import timer; print(timer.sweep())"


def run(at: Stage) -> None:
    people.post_orders("other", OTHERS)
    at.title(f"Expiry of {DUE} due orders beside {Order.objects.count()} others")
    people.post_orders("due", DUE, age_seconds=LONG_AGO_SECONDS)
    people.settle_tables("urgent_order", "urgent_take")
    _explain()
    killed = _killed_sweep(at)
    parts = _parts(DUE - killed)
    early, late = median(parts[: len(parts) // 3]), median(parts[-(len(parts) // 3) :])
    at.say(f"a sweep killed with -9 after {KILL_AFTER_SECONDS} s had settled", f"{killed}")
    at.say("the first third / the last third of the others (orders/s)", f"{1 / early:.0f} / {1 / late:.0f}")
    # Medians, so that something else on the machine does not decide.
    at.want("expiry: time per order, the last third / the first third", late / early, most=1.5)
    _assert_all_settled(at)


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


def _parts(count: int) -> list[float]:
    """Seconds per order of each part until nothing is due any more."""
    found = []
    while count:
        started = time.perf_counter()
        done = timer.sweep(limit=PART)
        if done != min(PART, count):
            raise SystemExit(f"a sweep settled {done} of {count} due orders")
        found.append((time.perf_counter() - started) / done)
        count -= done
    return found


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
    time.sleep(1)  # the server may still be busy with the commit it was sent last
    return before - _due()


def _due() -> int:
    return Order.objects.filter(id__startswith="due", status=Order.Status.ACTIVE).count()


def _assert_all_settled(at: Stage) -> None:
    if _due() or Order.objects.filter(id__startswith="due", status=Order.Status.EXPIRED).count() != DUE:
        raise SystemExit(f"{_due()} due orders are still active")
    at.say("every due order settled, each by one sweep", "ok")
