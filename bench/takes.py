"""`POST /api/orders/{id}/take`: 10,000 orders and fifty clients, against the same statements; then all on one order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from apps.urgent.models import Member, Order, Take
from bench import clients, people
from bench.stage import Stage, pgbench

ORDERS = 10_000
CLIENTS = len(people.EXECUTORS)
EACH = ORDERS // CLIENTS
STATEMENTS = Path(__file__).with_name("take.sql")
CROWDED = 40
"""Orders that all fifty want at the same moment, one after the other."""

_HOUSE = """
INSERT INTO ledger_account (book, name, currency, balance, held, floor, version, head, opened_at)
VALUES ('', 'urgent:revenue', 'RUB', 0, 0, 0, 0, '', now())
"""


def run(at: Stage) -> None:
    at.title(f"Take: {ORDERS} orders, {CLIENTS} clients, 2 web workers")
    with connection.cursor() as cursor:
        cursor.execute(_HOUSE)
    people.post_orders("pgbench", ORDERS)
    people.post_orders("spread", ORDERS)
    people.post_orders("crowd", CROWDED)
    people.settle_tables("urgent_order", "urgent_take", "ledger_entry", "ledger_account")
    tokens = people.tokens(people.EXECUTORS)
    sql = pgbench(at, STATEMENTS.read_text(), clients=CLIENTS, count=EACH)
    spread = _spread(at, tokens)
    crowd = _crowd(at, tokens)
    assert_books(at)
    at.say("pgbench, the same statements (tps)", f"{sql:.0f}")
    at.say("ours, spread (takes/s, median / p99 ms)", _figures(spread))
    at.say(f"ours, {CLIENTS} clients on one order, {CROWDED} times (median / p99 ms)", _figures(crowd))
    at.want("take: spread / pgbench", spread.rate / sql, least=0.15)
    at.want("take: p99 on one order / p99 spread", crowd.percentile(0.99) / spread.percentile(0.99), most=2)


def _figures(heard: clients.Heard) -> str:
    return f"{heard.rate:.0f}, {heard.percentile(0.5):.0f} / {heard.percentile(0.99):.0f}"


def _spread(at: Stage, tokens: list[str]) -> clients.Heard:
    """Each client takes its own part of the orders, one after the other."""
    streams = [_takes(token, "spread", number * EACH, EACH) for number, token in enumerate(tokens)]
    heard = clients.run(at.house.ports["web"], streams)
    if heard.statuses != {200: ORDERS}:
        raise SystemExit(f"takes answered {dict(heard.statuses)}")
    return heard


def _crowd(at: Stage, tokens: list[str]) -> clients.Heard:
    """All fifty ask for the same order at once; nobody goes on before everybody has his answer."""
    whole = clients.Heard()
    for number in range(CROWDED):
        heard = clients.run(at.house.ports["web"], [_takes(token, "crowd", number, 1) for token in tokens])
        if heard.statuses != {200: 3, 409: CLIENTS - 3}:
            raise SystemExit(f"a crowded order answered {dict(heard.statuses)}")
        whole.latencies += heard.latencies
        whole.seconds += heard.seconds
    return whole


def _takes(token: str, mark: str, first: int, count: int) -> Iterator[bytes]:
    for number in range(first + 1, first + count + 1):
        yield clients.request("POST", f"/urgent/api/orders/{mark}{number}/take", token=token)


def assert_books(at: Stage) -> None:
    """Exactly three takes of each crowded order, and no rouble more or less than the takes cost."""
    crowded = [Take.objects.filter(order_id=f"crowd{number}").count() for number in range(1, CROWDED + 1)]
    spread = Take.objects.filter(order__id__startswith="spread").count()
    wrong = Order.objects.filter(id__startswith="spread").exclude(takes_count=1).count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT -sum(amount) FROM ledger_entry WHERE reason = 'order_take' AND version IS NOT NULL"
                       " AND (reference LIKE 'spread%%' OR reference LIKE 'crowd%%')")  # fmt: skip
        paid = int(cursor.fetchone()[0])
    if set(crowded) != {3} or spread != ORDERS or wrong or paid != 2 * (spread + sum(crowded)):
        raise SystemExit(f"the books are wrong: {crowded} {spread} {wrong} {paid}")
    at.say("exactly three takes of each crowded order, charges = takes", "ok")
    assert Member.objects.filter(pk__in=people.EXECUTORS).count() == CLIENTS
