"""The restaurant under load: a storm of notices, a burst while iiko is down, an announcement to 100,000 guests.

`python -m bench.loyalty TELL` is the process that tells the guests; it is killed in the middle and started again.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson

if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

from django.db import connection, transaction
from django.db.models import Count, Sum

from apps.integrations import http
from apps.loyalty.actions import announcements, clients, messages
from apps.loyalty.models import Announcement, Card, CashbackTransaction, Client, IikoJob, IikoNotice
from apps.notifications.actions import broadcasts
from apps.notifications.models import Notification
from bench import clients as callers
from bench import inboxes
from bench.stage import ROOT, Stage

GUESTS, NOTICES, REPEATS = 250, 2_500, 2
"""A storm: so many guests, so many movements, each posted so often."""
CALLERS, STORM_SECONDS = 16, 900
BURST = 400
"""Guests who register and rewrite their profile while iiko is down."""
DOWN_SECONDS, TRYING_SECONDS = 3600, 5
"""iiko is down until the burst is over and the queue has tried for some seconds more."""
DRAIN_SECONDS = 900
CROWD = 100_000
FIRST = 3_000_000
"""Ids of the crowd's persons and guests begin here."""
WEBHOOK = "/loyalty/api/v1/iiko/webhook"
WANTED_GROWTH_MB = 60

_CROWD = (
    """INSERT INTO accounts_user (id, password, is_superuser, phone, first_name, last_name, language, photo_url,
        telegram_username, telegram_language, can_message_bot, is_active, is_staff, block_reason, joined_at, updated_at)
    SELECT %(first)s + n, '!', FALSE, '+9987' || (10000000 + n), 'Guest', '', 'ru', '', '', '', FALSE, TRUE, FALSE, '',
        now(), now() FROM generate_series(1, %(crowd)s) n""",
    """INSERT INTO loyalty_client (id, user_id, name, phone, photo_name, level, points, giftget, is_deleted, created_at,
        updated_at)
    SELECT %(first)s + n, %(first)s + n, 'Guest ' || n, '+9987' || (10000000 + n), '', 'SILVER', 0, FALSE, FALSE,
        now(), now() FROM generate_series(1, %(crowd)s) n""",
)


def run(at: Stage) -> None:
    _storm(at)
    _burst(at)
    _announce(at)
    inboxes.run(at, FIRST + 1)


# Notices --------------------------------------------------------------------------------------------------------------


def _storm(at: Stage) -> None:
    at.title(f"Notices: {NOTICES} movements of {GUESTS} guests, each posted {REPEATS} times, in disorder")
    guests = [clients.register(phone=f"+99891{number:07d}", name="Guest") for number in range(GUESTS)]
    ids = [client.pk for client in guests]
    for client in guests:
        Client.objects.filter(pk=client.pk).update(iiko_customer_id=f"bench-{client.pk}")
    bodies = list(_notices(guests)) * REPEATS
    random.Random(1).shuffle(bodies)  # noqa: S311
    asked = [callers.request("POST", WEBHOOK, body=body) for body in bodies]
    streams = [iter(asked[number::CALLERS]) for number in range(CALLERS)]
    heard = callers.run(at.house.ports["web"], streams, seconds=STORM_SECONDS)
    if heard.statuses != {200: NOTICES * REPEATS}:
        raise SystemExit(f"notices answered {dict(heard.statuses)}: {at.house.tail('web')}")
    _assert_once(ids)
    at.say("notices (req/s, p99 ms)", f"{heard.rate:.0f}, {heard.percentile(0.99):.0f}")
    at.say("every event booked once, every purse the sum of its movements and what the till said last", "ok")


def _notices(guests: list[Client]) -> Iterator[bytes]:
    """Every guest earns 100, 200, … UZS; the till tells the balance after each."""
    start = time.time() - NOTICES
    for number in range(NOTICES):
        client, visit = guests[number % GUESTS], number // GUESTS + 1
        yield orjson.dumps(
            {
                "transactionType": "Accrual",
                "id": f"bench-{number}",
                "customerId": f"bench-{client.pk}",
                "sum": 100 * visit,
                "balance": 50 * visit * (visit + 1),
                "changedOn": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start + number)),
            }
        )


def _assert_once(ids: list[int]) -> None:
    rows = CashbackTransaction.objects.filter(client__in=ids)
    events = rows.filter(kind="accrual").count()
    visits = NOTICES // GUESTS
    for client in Client.objects.filter(pk__in=ids).select_related("purse"):
        booked = client.transactions.aggregate(total=Sum("amount"))["total"]
        if not client.balance == booked == Decimal(50 * visits * (visits + 1)):
            raise SystemExit(f"guest {client.pk} holds {client.balance}, booked {booked}")
    if events != NOTICES or IikoNotice.objects.filter(client__in=ids, state="applied").count() != NOTICES:
        raise SystemExit(f"{events} movements of {NOTICES} events")


# iiko is down ---------------------------------------------------------------------------------------------------------


def _burst(at: Stage) -> None:
    at.title(f"iiko is down for the whole burst: {BURST} guests register and rewrite their profile")
    IikoJob.objects.all().delete()  # those of the storm's guests
    house = at.house
    house.settings |= house.restaurant()
    house.start("sandbox")
    house.wait_for("sandbox", f"{house.sandbox}/__sandbox/messages")
    _sandbox(house.sandbox, "down", {"seconds": DOWN_SECONDS})
    house.start("worker", "beat")
    guests = [clients.register(phone=f"+99892{number:07d}", name="Guest") for number in range(BURST)]
    for client in guests:
        clients.update_me(by=client, changes={"surname": f"Of {client.pk}"})
    ids = [client.pk for client in guests]
    time.sleep(TRYING_SECONDS)
    if done := IikoJob.objects.filter(client__in=ids, state="success").count():
        raise SystemExit(f"{done} jobs were done although iiko was down")
    _sandbox(house.sandbox, "down", {"seconds": 0})
    seconds = _drain(ids)
    _assert_told(at, ids)
    jobs = 2 * BURST
    at.say(f"drained {jobs} jobs after iiko was back (s, jobs/s)", f"{seconds:.1f}, {jobs / seconds:.0f}")
    for name in ("worker", "beat", "sandbox"):
        house.kill(name)


def _drain(ids: list[int]) -> float:
    began = time.monotonic()
    while IikoJob.objects.filter(client__in=ids).exclude(state="success").exists():
        if time.monotonic() - began > DRAIN_SECONDS:
            raise SystemExit(f"not drained: {dict(IikoJob.objects.values_list('state').annotate(Count('pk')))}")
        time.sleep(0.2)
    return time.monotonic() - began


def _assert_told(at: Stage, ids: list[int]) -> None:
    """Each guest is one guest at iiko, with one card and the profile of the burst; every job ran to its end once."""
    living = Client.objects.filter(pk__in=ids).exclude(iiko_customer_id=None)
    known = living.values("iiko_customer_id").distinct().count()
    cards = Card.objects.filter(client__in=ids).values("client").distinct().count()
    jobs = IikoJob.objects.filter(client__in=ids, state="success").count()
    told = _sandbox(at.house.sandbox, "state", {})["guests"]
    wrong = [guest for guest in told if not str(guest["surname"]).startswith("Of ") or len(guest["cards"]) != 1]
    if (known, cards, Card.objects.filter(client__in=ids).count(), jobs, wrong) != (BURST, BURST, BURST, 2 * BURST, []):
        raise SystemExit(f"known {known}, cards {cards}, jobs {jobs}, wrong at iiko {wrong[:2]}")
    at.say("every guest once at iiko, with one card and the new profile", "ok")


def _sandbox(address: str, verb: str, body: dict[str, Any]) -> Any:
    url = f"{address}/__sandbox/iiko/control/{verb}"
    return http.send(http.Call(vendor="bench", method="POST", url=url, json=body)).json()


# An announcement ------------------------------------------------------------------------------------------------------


def _announce(at: Stage) -> None:
    at.title(f"Announcement to {CROWD} guests, the teller killed in the middle")
    # Only the crowd is told.
    Client.objects.living().update(is_deleted=True, iiko_customer_id=None, iiko_wallet_id=None)
    with connection.cursor() as cursor:
        for sql in _CROWD:
            cursor.execute(sql, {"first": FIRST, "crowd": CROWD})
    with transaction.atomic():
        said = announcements.announce(by=None, title="Closed on Monday", description="The kitchen rests")
    rows = Notification.objects.filter(broadcast=said.broadcast)
    began = time.monotonic()
    teller = _teller(at)
    while rows.count() < CROWD // 3:
        time.sleep(0.2)
    os.killpg(teller.pid, signal.SIGKILL)
    teller.wait()
    before = rows.count()
    told = _teller(at)
    shown, _nothing = told.communicate(timeout=900)
    seconds = time.monotonic() - began
    people = rows.values("user").distinct().count()
    if (rows.count(), people) != (CROWD, CROWD):
        raise SystemExit(f"{rows.count()} messages for {people} guests of {CROWD}")
    at.say("killed after (messages), duplicates, missing", f"{before}, 0, 0")
    at.say("told (guests/s)", f"{CROWD / seconds:.0f}")
    at.want("announcement: growth of the teller in MB", float(shown), most=WANTED_GROWTH_MB)


def _teller(at: Stage) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.loyalty", "TELL"],
        cwd=ROOT, env=at.house.environment("worker"), stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def tell() -> None:
    """Carry the announcement to its end; print by how many MB the process grew after its first batch."""
    pk = Announcement.objects.latest("pk").broadcast_id
    assert pk is not None and messages.WORD
    broadcasts.advance(broadcast_id=pk)
    first = _memory_mb()
    broadcasts.run_due(broadcast_id=pk, seconds=900)
    print(f"{_memory_mb() - first:.1f}", flush=True)


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    tell()
