"""A flower shop under load: a page of a hundred of 200,000 orders, scarce stems, take next, and two hundred desks.

Orders of the list are copies of one that an action took, so that every column is as the actions leave it.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import repeat
from typing import Any

from django.db import connection, connections
from django.db.models import F, Model, Sum
from django.test.utils import CaptureQueriesContext

from apps.accounts import tokens
from apps.accounts.models import User
from apps.accounts.queries import SIGNED_IN
from apps.florist import errors
from apps.florist.actions import lifecycle, orders, production, queue
from apps.florist.actions.orders import OrderDraft
from apps.florist.actions.pricing import LineWish
from apps.florist.conf import PRODUCT
from apps.florist.models import Batch, Employee, Movement, Order, OrderItem, Product, ProductComponent, Shop
from apps.florist.queries import orders as questions
from apps.florist.queries.orders import Filters
from bench import clients, people, sockets
from bench.stage import Stage, pgbench

ORDERS, LIMIT = 200_000, 100
CLIENTS, SECONDS = 16, 10
BUYERS_AT_ONCE, STEMS, EACH = 200, 1_000, 11
"""Orders at once on stems that two recipes share."""
FLORISTS = 30
DESKS, CHANGES, MISSED = 200, 20, 5
PATIENCE_SECONDS = 60


def run(at: Stage) -> None:
    """The list, then the races, then the desks."""
    shop = Shop.objects.create(name="Bench", phone="+77270000999", currency="UZS")
    manager = hire(shop, Employee.Role.MANAGER, 1)[0]
    bouquets = _shelves(shop)
    _list(at, shop, manager, bouquets[0])
    _scarce(at, shop, bouquets)
    _take_next(at, shop, bouquets[0])
    _desks(at, shop, bouquets[0])


def hire(shop: Shop, role: str, count: int) -> list[Employee]:
    """So many people of one role."""
    first = User.objects.count()
    users = User.objects.bulk_create(
        User(username=f"bench-{role}-{first + n}", phone=f"+7700{first + n:07d}") for n in range(count)
    )
    return Employee.objects.bulk_create(
        Employee(shop=shop, user=user, phone=user.phone or "", name=f"{role} {n}", role=role)
        for n, user in enumerate(users)
    )


def _shelves(shop: Shop) -> list[Product]:
    """Two bouquets of the same roses; the second takes tulips too."""
    found = []
    for name, varieties in (("Roses", ["Rose"]), ("Mixed", ["Tulip", "Rose"])):
        made = Product.objects.create(
            shop=shop, name=name, category="bouquet", cost_price=1000, retail_price=10_000, is_active=True
        )
        for variety in varieties:
            ProductComponent.objects.create(
                product=made, component_type="flower", name=variety, variety=variety, height_cm=60, quantity=EACH
            )
        found.append(made)
    return found


def _stems(shop: Shop, variety: str, qty: int, mark: str) -> None:
    lot = Batch.objects.create(
        shop=shop, sku=f"{mark}-{variety}", batch_code=mark, variety=variety, height_cm=60, farm="F", supplier="S",
        delivery_date="2026-01-01", cost=100, price=200, recommended_price=200, qty=qty,
    )  # fmt: skip
    Movement.objects.create(
        shop=shop, warehouse_item=lot, type="in", reason="receipt", quantity=qty, qty_before=0, qty_after=qty
    )


def _draft(product: Product, number: int = 0) -> OrderDraft:
    return OrderDraft(
        customer_phone=f"+7702{number:07d}",
        delivery_method="self_pickup",
        items=(LineWish(product.pk, 1),),
        payment_method="cash",
    )


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _list(at: Stage, shop: Shop, manager: Employee, product: Product) -> None:
    at.title(f"Flower shop: a page of {LIMIT} of {ORDERS} orders, 2 web workers, {CLIENTS} clients, {SECONDS} s each")
    _stems(shop, "Rose", EACH * 2, "list")
    _fill(orders.create(by=None, shop=shop, draft=_draft(product)))
    with CaptureQueriesContext(connection) as seen:
        questions.listed(by=manager, shop=shop, filters=Filters(), limit=LIMIT)
    statements = [" ".join(query["sql"].split()) for query in seen]
    token = _token(manager)
    session = f"'{manager.user.sessions.latest('pk').pk}'"  # type: ignore[attr-defined]
    entrance = " ".join(SIGNED_IN.sql.replace("%s", "{}").format(session, f"'{PRODUCT}'", "now()").split())
    seat = str(Employee.objects.filter(pk=manager.pk).select_related("shop").query)
    sql = pgbench(at, ";\n".join([entrance, seat, *statements]) + ";\n", clients=CLIENTS, seconds=SECONDS)
    request = clients.request("GET", f"/florist/api/orders/?limit={LIMIT}", token=token)
    port = at.house.ports["web"]
    clients.run(port, [repeat(request) for _ in range(CLIENTS)], seconds=1)
    heard = clients.run(port, [repeat(request) for _ in range(CLIENTS)], seconds=SECONDS)
    if set(heard.statuses) != {200}:
        raise SystemExit(f"the list answered {dict(heard.statuses)}")
    at.say("statements of an answer", f"{len(statements) + 2}")
    at.say("pgbench, the same statements (tps)", f"{sql:.1f}")
    at.say("ours (req/s, p99 ms)", f"{heard.rate:.1f}, {heard.percentile(0.99):.0f}")
    at.want("flower shop: list of 100 / pgbench", heard.rate / sql, least=0.10)


def _fill(order: Order) -> None:
    """Copies of one order and its line."""
    item = order.items.get()
    _copy(
        Order,
        order.pk,
        tracking_token="'bench-' || n",
        order_number="lpad(n::text, 9, '0')",
        created_at="now() - n * interval '1 minute'",
        reserved_until="NULL",
    )
    names = _columns(OrderItem)
    chosen = ", ".join("o.id" if name == "order_id" else f"i.{name}" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO florist_orderitem ({', '.join(names)}) SELECT {chosen}"  # noqa: S608 - our own columns
            " FROM florist_orderitem i, florist_order o, generate_series(1, 2) WHERE i.id = %s AND o.id <> %s",
            [item.pk, order.pk],
        )
    people.settle_tables("florist_order", "florist_orderitem")


def _columns(model: type[Model]) -> list[str]:
    """All but the id."""
    return [str(field.column) for field in model._meta.concrete_fields if not field.primary_key]


def _copy(model: type[Order], pk: int, **values: str) -> None:
    names = _columns(model)
    chosen = ", ".join(values.get(name, f"t.{name}") for name in names)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {chosen}"  # noqa: S608 - our own columns
            f" FROM {table} t, generate_series(1, {ORDERS}) n WHERE t.id = %s",
            [pk],
        )


def _token(who: Employee) -> str:
    return tokens.issue(who.user, PRODUCT, who.pk).access


# ── Races ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _scarce(at: Stage, shop: Shop, bouquets: list[Product]) -> None:
    at.title(f"{BUYERS_AT_ONCE} orders at once on {STEMS} roses that two recipes share")
    Batch.objects.filter(shop=shop).update(hidden=True, to_write_off=True)
    _stems(shop, "Rose", STEMS, "scarce")
    _stems(shop, "Tulip", STEMS, "scarce")

    def order(number: int) -> str:
        try:
            orders.create(by=None, shop=shop, draft=_draft(random.choice(bouquets), number))
        except errors.StockShort:
            return "short"
        finally:
            connections.close_all()
        return "taken"

    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        told = Counter(pool.map(order, range(BUYERS_AT_ONCE)))
    seconds = time.monotonic() - began
    lots = Batch.objects.filter(shop=shop).annotate(moved=Sum("movements__quantity"))
    held = Batch.objects.get(sku="scarce-Rose").reserved_qty
    if lots.exclude(moved=F("qty")).exists() or held != told["taken"] * EACH or held > STEMS or STEMS - held >= EACH:
        raise SystemExit(f"{dict(told)}, {held} roses held of {STEMS}")
    at.say(
        f"taken and refused; {held} of {STEMS} roses held, movements add up (orders/s)",
        f"{dict(told)}, {len(range(BUYERS_AT_ONCE)) / seconds:.0f}",
    )


def _take_next(at: Stage, shop: Shop, product: Product) -> None:
    at.title(f"Take next: {FLORISTS} florists at once")
    _stems(shop, "Rose", EACH * FLORISTS, "next")
    for number in range(FLORISTS):
        made = orders.create(by=None, shop=shop, draft=_draft(product, 1000 + number))
        lifecycle.move(by=None, order_id=made.pk, to="paid")
        production.create_from_order(order_id=made.pk)
    florists = hire(shop, Employee.Role.FLORIST, FLORISTS)

    def take(florist: Employee) -> int:
        try:
            task = queue.take_next(by=florist)
            return task.pk if task else 0
        finally:
            connections.close_all()

    with ThreadPoolExecutor(FLORISTS) as pool:
        taken = list(pool.map(take, florists))
    if len(set(taken) - {0}) != FLORISTS:
        raise SystemExit(f"{len(set(taken) - {0})} tasks for {FLORISTS} florists")
    at.say("different tasks", f"{len(set(taken))}")


# ── Desks ───────────────────────────────────────────────────────────────────────────────────────────────────────────
class Desk(sockets.Client):
    """A manager's open page; hears of orders."""

    def __init__(self, token: str, port: int, since: str = "") -> None:
        super().__init__(0, port, [])
        self.token, self.since = token, since
        self.heard_of: dict[tuple[int, str], int] = {}
        self.last = since

    def asks_for(self) -> str:
        since = f"&since={self.since}" if self.since else ""
        return f"GET /florist/ws?token={self.token}{since} HTTP/1.1"

    def heard(self, body: bytes, now: int) -> None:
        frame = json.loads(body)
        self.last = frame.get("timestamp", self.last)
        if frame.get("type") == "order_update":
            data = frame.get("data", frame)
            self.heard_of.setdefault((data.get("id") or data.get("order_id"), data.get("status")), now)


def _desks(at: Stage, shop: Shop, product: Product) -> None:
    at.title(f"{DESKS} open desks, {CHANGES} orders move, then {MISSED} more while nobody listens")
    _stems(shop, "Rose", EACH * (CHANGES + MISSED), "desk")
    made = [orders.create(by=None, shop=shop, draft=_draft(product, 2000 + n)) for n in range(CHANGES + MISSED)]
    _let_the_outbox_run(at)
    at.house.start("live", "worker")
    at.house.wait_for("live", f"http://127.0.0.1:{at.house.ports['live']}/health")
    # A desk each: one person may keep only so many sockets open.
    keys = [_token(manager) for manager in hire(shop, Employee.Role.MANAGER, DESKS)]
    waits, again = asyncio.run(_watch(at, keys, [order.pk for order in made]))
    at.house.kill("live")
    at.house.kill("worker")
    if len(waits) != DESKS * CHANGES or again != DESKS * MISSED:
        raise SystemExit(f"{len(waits)} frames of {DESKS * CHANGES}, {again} after coming back of {DESKS * MISSED}")
    waits.sort()
    at.say(
        "from the request to the frame at a desk (p50, p99 ms)",
        f"{waits[len(waits) // 2]:.0f}, {waits[len(waits) * 99 // 100]:.0f}",
    )
    at.say("missed after coming back", "0")


def _let_the_outbox_run(at: Stage) -> None:
    from apps.core import events

    while events.relay():
        pass


async def _watch(at: Stage, keys: list[str], ids: list[int]) -> tuple[list[float], int]:
    desks = await _open(at, keys, "")
    sent = {pk: await _move(at, keys[0], pk) for pk in ids[:CHANGES]}
    await _until(lambda: all(len(desk.heard_of) >= CHANGES for desk in desks))
    waits = [(now - sent[pk]) / 1e6 for desk in desks for (pk, status), now in desk.heard_of.items() if pk in sent]
    last = desks[0].last
    for desk in desks:
        desk.transport.abort()
    for pk in ids[CHANGES:]:
        await _move(at, keys[0], pk)
    back = await _open(at, keys, last.replace("+", "%2B"))
    later = set(ids[CHANGES:])
    await _until(lambda: all(len({pk for pk, _ in desk.heard_of} & later) == MISSED for desk in back))
    again = sum(len({pk for pk, _ in desk.heard_of} & later) for desk in back)
    for desk in back:
        desk.transport.abort()
    return waits, again


async def _open(at: Stage, keys: list[str], since: str) -> list[Desk]:
    port, loop, found = at.house.ports["live"], asyncio.get_running_loop(), []
    for token in keys:
        _transport, desk = await loop.create_connection(partial(Desk, token, port, since), "127.0.0.1", port)
        await desk.is_open
        found.append(desk)
    await asyncio.sleep(2)
    return found


async def _move(at: Stage, token: str, pk: int) -> int:
    """Pay an order by the API; when the request began, in nanoseconds."""
    body = json.dumps({"status": "paid"}).encode()
    request = clients.request("PATCH", f"/florist/api/orders/{pk}/status", token=token, body=body)
    began = time.monotonic_ns()
    heard = await asyncio.to_thread(clients.run, at.house.ports["web"], [iter([request])])
    if heard.statuses != {200: 1}:
        raise SystemExit(f"the step answered {dict(heard.statuses)}")
    return began


async def _until(holds: Any) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds() and time.monotonic() < end:
        await asyncio.sleep(0.05)
