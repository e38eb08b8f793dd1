"""`POST /orders/` with three lines by fifty clients, against the same statements; then 500 buyers for 50 pieces."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from django.db.models import Sum

from apps.shop.models import OrderItem, Slipper
from bench import buyers, clients, people
from bench.stage import Stage, pgbench

PRODUCTS, PIECES = 1_000, 1_000_000
CLIENTS, EACH = 50, 80
STATEMENTS = Path(__file__).with_name("order.sql")
CROWD, SCARCE = 500, 50
MIXED = 20
"""Products that the crowd of the second race wants three of, in any order: where careless locks would cross."""

PATH = "/shop/orders/"


def run(at: Stage) -> None:
    """The rate first, then two races."""
    at.title(f"Orders: three lines, {CLIENTS} clients, {PRODUCTS} products, 2 web workers")
    ids = buyers.stock("Bench", PRODUCTS, PIECES)
    shoppers = buyers.bring("Shopper", CLIENTS)
    tokens = buyers.tokens(shoppers)
    people.settle_tables("shop_slipper", "shop_customer", "accounts_user", "accounts_session", "shop_order")
    names = f"\\set first {ids[0]}\n\\set buyers {shoppers[0].pk}\n"
    sql = pgbench(at, names + STATEMENTS.read_text(), clients=CLIENTS, count=EACH)
    heard = clients.run(at.house.ports["web"], [_orders(token, ids) for token in tokens])
    if heard.statuses != {200: CLIENTS * EACH}:
        raise SystemExit(f"orders answered {dict(heard.statuses)}")
    at.say("pgbench, the same statements (tps)", f"{sql:.0f}")
    at.say("ours (orders/s, median / p99 ms)", _figures(heard))
    _assert_shelves(ids)
    at.want("orders: spread / pgbench", heard.rate / sql, least=0.08)
    _race(at)


def _figures(heard: clients.Heard) -> str:
    return f"{heard.rate:.0f}, {heard.percentile(0.5):.0f} / {heard.percentile(0.99):.0f}"


def _orders(token: str, ids: list[int]) -> Iterator[bytes]:
    for _number in range(EACH):
        yield _order(token, random.sample(ids, 3))


def _order(token: str, ids: list[int]) -> bytes:
    items = [{"slipper_id": pk, "quantity": 1} for pk in ids]
    return clients.request("POST", PATH, token=token, body=json.dumps({"items": items}).encode())


def _race(at: Stage) -> None:
    """Everybody asks at once; exactly what was there is sold, and nobody waits in a circle."""
    tokens = buyers.tokens(buyers.bring("Racer", CROWD))
    [last] = buyers.stock("Scarce", 1, SCARCE)
    heard = clients.run(at.house.ports["web"], [iter([_order(token, [last])]) for token in tokens])
    _assert_sold([last], heard, {200: SCARCE, 409: CROWD - SCARCE})
    at.say(f"{CROWD} buyers for {SCARCE} pieces: sold exactly {SCARCE} (median / p99 ms)", _figures(heard))
    mixed = buyers.stock("Mixed", MIXED, SCARCE)
    wishes = [iter([_order(token, random.sample(mixed, 3))]) for token in tokens]
    heard = clients.run(at.house.ports["web"], wishes)
    _assert_sold(mixed, heard, None)
    at.say(f"{CROWD} buyers, three of {MIXED} products in any order: no deadlock", f"{dict(heard.statuses)}")


def _assert_shelves(ids: list[int]) -> None:
    """What left the shelves stands in orders. pgbench took its pieces from the same shelves by the same statements."""
    left = Slipper.objects.filter(pk__in=ids).aggregate(left=Sum("quantity"))["left"]
    sold = OrderItem.objects.filter(slipper__in=ids).aggregate(sold=Sum("quantity"))["sold"]
    if PRODUCTS * PIECES - left != sold:
        raise SystemExit(f"{sold} pieces in orders, {PRODUCTS * PIECES - left} off the shelves")


def _assert_sold(ids: list[int], heard: clients.Heard, wanted: dict[int, int] | None) -> None:
    if set(heard.statuses) - {200, 409} or (wanted and heard.statuses != wanted):
        raise SystemExit(f"the race answered {dict(heard.statuses)}")
    for slipper in Slipper.objects.filter(pk__in=ids).annotate(sold=Sum("order_items__quantity")):
        if slipper.quantity + (slipper.sold or 0) != SCARCE:  # type: ignore[attr-defined]
            raise SystemExit(f"{slipper.sold} sold and {slipper.quantity} left of {SCARCE}")  # type: ignore[attr-defined]
