"""`GET /api/orders?status=active&limit=20` with 100,000 orders and `total`, against its SQL and against serializers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from apps.portal.tests.processes import free_port
from apps.urgent.queries import orders as questions
from bench import clients, people
from bench.stage import Stage, pgbench

ORDERS = 100_000
CLIENTS = 16
SECONDS = 10
DEEP = 10_000
"""Offsets below this are asked by chance, so that few pages are in the cache already."""
PATH = "/urgent/api/orders?status=active&limit=20"


def run(at: Stage) -> None:
    at.title(f"List: {PATH}, {ORDERS} orders, 2 web workers, {CLIENTS} clients, {SECONDS} s each")
    people.post_orders("list", ORDERS, taken=True)
    people.settle_tables("urgent_order", "urgent_take", "urgent_member", "accounts_user")
    sql = pgbench(at, _script(0), clients=CLIENTS, seconds=SECONDS)
    deep = pgbench(at, _script(DEEP), clients=CLIENTS, seconds=SECONDS)
    same, every = _ask(at, PATH), _ask(at, f"{PATH}&offset={{}}")
    nested = _peer(at)
    at.say("pgbench, the list's SQL, first page / random page (tps)", f"{sql:.0f} / {deep:.0f}")
    at.say("ours, first page (req/s, p99 ms)", f"{same.rate:.0f}, {same.percentile(0.99):.1f}")
    at.say(f"ours, random page of {DEEP} rows (req/s, p99 ms)", f"{every.rate:.0f}, {every.percentile(0.99):.1f}")
    at.say("nested ModelSerializers, first page (req/s, p99 ms)", f"{nested.rate:.0f}, {nested.percentile(0.99):.1f}")
    at.want("list: first page / pgbench", same.rate / sql, least=0.15)
    at.want("list: random page, nothing cached / pgbench", every.rate / deep, least=0.15)
    at.want("list: first page / nested ModelSerializers", same.rate / nested.rate, least=5)


def _script(deep: int) -> str:
    """The fixed SQL of the list with pgbench's variables in it."""
    where = "status = 'active' AND due_at > now()"
    sql = questions._LIST.format(columns=questions._COLUMNS, where=where)
    limited = sql.replace("LIMIT %s OFFSET %s", "LIMIT 20 OFFSET :deep")
    one_line = " ".join(limited.split())
    return f"\\set deep random(0, {deep})\n{one_line};\n"


def _ask(at: Stage, path: str) -> clients.Heard:
    port = at.house.ports["web"]
    clients.run(port, [_requests(path) for _ in range(CLIENTS)], seconds=1)
    heard = clients.run(port, [_requests(path) for _ in range(CLIENTS)], seconds=SECONDS)
    if set(heard.statuses) != {200}:
        raise SystemExit(f"the list answered {dict(heard.statuses)}")
    return heard


def _requests(path: str) -> Iterator[bytes]:
    if "{}" not in path:
        return itertools.repeat(clients.request("GET", path))
    return (clients.request("GET", path.format(random.randrange(DEEP))) for _ in itertools.count())


def _peer(at: Stage) -> clients.Heard:
    """The same processes with the peer in the place of the house."""
    house = at.house
    own = house.ports["web"]
    house.ports["nested"] = free_port()
    house.commands["nested"] = [word.replace("config.wsgi", "bench.nested") for word in house.commands["web"]]
    house.start("nested")
    try:
        house.ports["web"] = house.ports["nested"]
        house.wait_for("nested", f"http://127.0.0.1:{house.ports['nested']}/api/orders?limit=1")
        return _ask(at, "/api/orders?limit=20")
    finally:
        house.ports["web"] = own
        house.kill("nested")
