"""`GET /slippers/?limit=20` with 10,000 products and pictures: made anew, kept, and 304; against the same SQL."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.shop.queries import cached
from apps.shop.queries import catalogue as questions
from bench import clients, people
from bench.stage import Stage, pgbench

PRODUCTS, SHELVES, PICTURES = 10_000, 20, 3
CLIENTS = 16
SECONDS = 8
LIMIT = 20
PATH = f"/shop/slippers/?limit={LIMIT}"
SKIPS = PRODUCTS - LIMIT
SHELF_SKIPS = PRODUCTS // SHELVES - LIMIT
SAMPLE, SHELF_SAMPLE = 4321, 123
"""Places that the captured statements are about; pgbench asks for every other one instead."""

_SHELVES = """
INSERT INTO shop_category (name, is_active, created_at, updated_at)
SELECT 'Полка ' || n, TRUE, now(), now() FROM generate_series(1, %s) n
"""
_PRODUCTS = """
INSERT INTO shop_slipper (name, size, price, quantity, category_id, image, spic, package_code, search_text, is_deleted,
    created_at, updated_at)
SELECT 'Тапочки домашние, модель ' || n, 36 + n %% 10, 45000 + n %% 97 * 1000, n %% 50, low + n %% %s,
    'static/images/' || md5(n::text) || '.jpg', '', '', 'тапочки домашние, модель ' || n || E'\\n' || 36 + n %% 10,
    FALSE, now() - n * interval '1 minute', now()
FROM generate_series(1, %s) n, LATERAL (SELECT min(id) low FROM shop_category) c
"""
_PICTURES = """
INSERT INTO shop_slipperimage (slipper_id, image_path, is_primary, order_index, created_at)
SELECT s.id, 'static/images/' || md5(s.id || '-' || place) || '.jpg', place = 0, place, now()
FROM shop_slipper s, generate_series(0, %s - 1) place
"""


@dataclass(frozen=True)
class Variant:
    """One way to ask, and its SQL as a pgbench script. Nothing is kept: every page is asked for once, after a write."""

    name: str
    paths: Callable[[], Iterator[str]]
    script: Callable[[], str]


def run(at: Stage) -> None:
    """Four ways to ask without the cache, then the same page again and again, then with its mark."""
    at.title(f"Catalogue: {PATH}, {PRODUCTS} products, {CLIENTS} clients, 2 web workers, {SECONDS} s each")
    fill()
    rates = [_against_sql(at, variant) for variant in VARIANTS]
    uncached = rates[0]
    kept = _ask(at, [_forever(clients.request("GET", PATH)) for _ in range(CLIENTS)], 200)
    mark = httpx.get(f"http://127.0.0.1:{at.house.ports['web']}{PATH}").headers["etag"]
    marked = clients.request("GET", PATH, headers={"If-None-Match": mark})
    same = _ask(at, [_forever(marked) for _ in range(CLIENTS)], 304)
    at.say("kept / 304 (req/s)", f"{kept.rate:.0f} / {same.rate:.0f}")
    at.want("catalogue: kept / made anew", kept.rate / uncached, least=3)
    at.want("catalogue: 304 / made anew", same.rate / uncached, least=3)


def fill() -> None:
    """Shelves, products and pictures, as the actions would leave them."""
    with connection.cursor() as cursor:
        cursor.execute(_SHELVES, [SHELVES])
        cursor.execute(_PRODUCTS, [SHELVES, PRODUCTS])
        cursor.execute(_PICTURES, [PICTURES])
    people.settle_tables("shop_category", "shop_slipper", "shop_slipperimage")


def _against_sql(at: Stage, variant: Variant) -> float:
    """Ours beside pgbench."""
    sql = pgbench(at, variant.script(), clients=CLIENTS, seconds=SECONDS)
    heard = _ask(at, _dealt(variant.paths()), 200)
    at.say(f"{variant.name}: pgbench / ours (req/s, p99 ms)", f"{sql:.0f} / {_figures(heard)}")
    at.want(f"catalogue: {variant.name} / pgbench", heard.rate / sql, least=0.12)
    return heard.rate


def _figures(heard: clients.Heard) -> str:
    return f"{heard.rate:.0f}, {heard.percentile(0.99):.1f}"


def _ask(at: Stage, streams: list[Iterator[bytes]], status: int) -> clients.Heard:
    port = at.house.ports["web"]
    clients.run(port, streams, seconds=1)
    heard = clients.run(port, streams, seconds=SECONDS)
    if set(heard.statuses) != {status}:
        raise SystemExit(f"the catalogue answered {dict(heard.statuses)}")
    return heard


def _dealt(paths: Iterator[str]) -> list[Iterator[bytes]]:
    """One stream of questions that all clients draw from, each just after the catalogue has changed."""

    def asked() -> Iterator[bytes]:
        for path in paths:
            cached.SLIPPERS.outdate()
            yield clients.request("GET", path)

    return [asked()] * CLIENTS


def _forever(request: bytes) -> Iterator[bytes]:
    return itertools.repeat(request)


# ── Pages that were never asked for, and their SQL ──────────────────────────────────────────────────────────────────
def _first_pages() -> Iterator[str]:
    """An unknown word sorts by name and is part of the question: the first page, each time a new one."""
    return (f"{PATH}&sort=w{number}" for number in itertools.count())


def _random_pages() -> Iterator[str]:
    return (f"{PATH}&skip={skip}" for skip in random.sample(range(1, SKIPS), SKIPS - 1))


def _shelf_pages() -> Iterator[str]:
    """A shelf by price, as shop fronts show it."""
    shelves = range(_first_shelf(), _first_shelf() + SHELVES)
    skips = range(SHELF_SKIPS)
    asked = random.sample([(shelf, skip) for shelf in shelves for skip in skips], len(shelves) * len(skips))
    return (f"{PATH}&category_id={shelf}&sort=price_desc&skip={skip}" for shelf, skip in asked)


def _searches() -> Iterator[str]:
    return (f"{PATH}&search=модель%20{number}" for number in random.sample(range(1, PRODUCTS), PRODUCTS - 1))


def _first_script() -> str:
    return _script(_statements(questions.Wanted(sort="unknown")))


def _random_script() -> str:
    """Ids of the page follow from its place: they were given out one after the other."""
    page, pictures, total = _statements(questions.Wanted(skip=SAMPLE))
    last = PRODUCTS + _first_product() - 1
    ids = ", ".join(f":last::int - :skip::int - {number}" for number in range(LIMIT))
    moved = page.replace(f"OFFSET {SAMPLE}", "OFFSET :skip")
    told = re.sub(r"IN \([^)]*\)", f"IN ({ids})", pictures)
    return f"\\set skip random(1, {SKIPS})\n\\set last {last}\n{_script([moved, told, total])}"


def _shelf_script() -> str:
    shelf = _first_shelf()
    asked = _statements(questions.Wanted(category_id=shelf, sort="price_desc", skip=SHELF_SAMPLE))
    chosen = [
        text.replace(f"category_id = {shelf}", "category_id = :shelf").replace(f"OFFSET {SHELF_SAMPLE}", "OFFSET :skip")
        for text in asked
    ]
    last = shelf + SHELVES - 1
    return f"\\set shelf random({shelf}, {last})\n\\set skip random(0, {SHELF_SKIPS - 1})\n{_script(chosen)}"


def _search_script() -> str:
    word = f"модель {SAMPLE}"
    asked = _statements(questions.Wanted(search=word))
    chosen = [text.replace(f"'%{word}%'", "('%модель ' || :word::int || '%')") for text in asked]
    return f"\\set word random(1, {PRODUCTS})\n{_script(chosen)}"


def _statements(wanted: questions.Wanted) -> list[str]:
    """What one question sends when nothing is kept: the page, its pictures, the `total`."""
    cached.SLIPPERS.forget()
    with CaptureQueriesContext(connection) as seen:
        questions.listed(wanted)
    return [query["sql"] for query in seen]


def _script(statements: list[str]) -> str:
    return "".join(f"{' '.join(text.split())};\n" for text in statements)


def _first_shelf() -> int:
    return _least("shop_category")


def _first_product() -> int:
    return _least("shop_slipper")


def _least(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id) FROM {table}")
        return int(cursor.fetchone()[0])


VARIANTS = (
    Variant("first page made anew", _first_pages, _first_script),
    Variant("random page made anew", _random_pages, _random_script),
    Variant("shelf by price made anew", _shelf_pages, _shelf_script),
    Variant("search made anew", _searches, _search_script),
)
