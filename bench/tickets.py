"""The city with a million tickets: what is near, the list, the heat map, a race, and two hundred people at once.

Near and heat are measured in the database against PostGIS on the same rows. TICKETS=100000 makes a smaller city.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from itertools import repeat
from statistics import median
from typing import Any

import orjson
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.tickets.models import Ticket
from apps.tickets.queries import maps, rows
from apps.tickets.queries import tickets as questions
from bench import city, clients, crowd, people
from bench.city import City
from bench.stage import Stage, pgbench

TICKETS = int(os.environ.get("TICKETS", "1000000"))
METRES = 500
PLACES = 200
HEAT_DAYS, CITY_ZOOM = 30, 11
HEAT_ROUNDS = 15
CLIENTS, SECONDS = 8, 10
RACERS, RACES = 8, 5
BASE = "/tickets/api/v1"

_POSTGIS = (
    "CREATE EXTENSION IF NOT EXISTS postgis",
    """ALTER TABLE tickets_ticket
        ADD geog geography(Point, 4326)
            GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography) STORED,
        ADD geom geometry(Point, 4326)
            GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)) STORED""",
    """CREATE INDEX bench_open_places ON tickets_ticket USING gist (geog)
        WHERE deleted_at IS NULL AND status IN ('NEW', 'IN_PROGRESS')""",
)
# On the sphere, as `<->` orders and as ours measures: the ids have to be the same.
_NEAR = """
SELECT t.id, t.title, t.status, c.name AS category_name, near.metres,
    (SELECT COUNT(*) FROM tickets_follow f WHERE f.ticket_id = t.id) AS follower_count
FROM (
    SELECT id, geog <-> place AS metres
    FROM tickets_ticket, (SELECT ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography AS place) p
    WHERE ST_DWithin(geog, place, %s, false) AND deleted_at IS NULL AND status IN ('NEW', 'IN_PROGRESS')
    ORDER BY geog <-> place LIMIT %s
) near
JOIN tickets_ticket t ON t.id = near.id JOIN tickets_category c ON c.id = t.category_id
ORDER BY near.metres, t.id
"""
_SNAP = """
SELECT ST_SnapToGrid({point}, %s, %s) AS cell, COUNT(*) AS count FROM tickets_ticket
WHERE deleted_at IS NULL AND created_at >= %s GROUP BY 1 ORDER BY 2 DESC LIMIT %s
"""
_STORED, _COMPUTED = "geom", "ST_MakePoint(longitude, latitude)"
HEXAGON_DEGREES = (0.03, 0.0225)
"""A square of the grid as large as a hexagon at this zoom."""


def run(at: Stage) -> None:
    at.title(f"City: {TICKETS} tickets")
    started = time.perf_counter()
    home = city.build(TICKETS)
    has_postgis = _bring_postgis(at)
    at.say("city built (s)", f"{time.perf_counter() - started:.0f}")
    if has_postgis:
        _near(at, 10)
        _near(at, 50)
    _heat(at, has_postgis)
    _leave_postgis(has_postgis)
    _list(at, home)
    _race(at, home)
    crowd.run(at, home)


def _bring_postgis(at: Stage) -> bool:
    """The peer's columns and index on the same table."""
    try:
        with connection.cursor() as cursor:
            for statement in _POSTGIS:
                cursor.execute(statement)
    except DatabaseError as problem:
        at.say("PostGIS", f"NOT RUN, install postgresql-15-postgis-3 ({problem})".replace("\n", " "))
        at.missed.append("near and heat against PostGIS: not run, there is no PostGIS")
        return False
    people.settle_tables("tickets_ticket")
    return True


def _leave_postgis(has_postgis: bool) -> None:
    """The rest is measured without the peer's columns."""
    if has_postgis:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tickets_ticket DROP geog, DROP geom")


@contextmanager
def _clock(spent: list[float]) -> Any:
    """Add up what the database needed, statement by statement, planning and way included."""

    def timed(execute: Callable[..., Any], *given: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*given)
        finally:
            spent[-1] += time.perf_counter() - started

    spent.append(0.0)
    with connection.execute_wrapper(timed):
        yield


def _near(at: Stage, limit: int) -> None:
    at.title(f"Near: {limit} nearest open tickets within {METRES} m, {PLACES} places")
    asked = city.places(PLACES)
    for _warm in range(2):
        ours, theirs = _near_both(asked, limit)
    at.say("ours / PostGIS, median of the database (ms)", f"{median(ours) * 1000:.2f} / {median(theirs) * 1000:.2f}")
    at.want(f"near: nearest {limit}, ours / PostGIS", median(ours) / median(theirs), most=1.7)


def _near_both(asked: list[tuple[float, float]], limit: int) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    theirs: list[float] = []
    full = 0
    for latitude, longitude in asked:
        with _clock(ours):
            found = maps.near(latitude=latitude, longitude=longitude, metres=METRES, limit=limit)
        with _clock(theirs):
            peer = rows.fetch(_NEAR, [longitude, latitude, METRES, limit])
        if [row["id"] for row in found] != [row["id"] for row in peer]:
            raise SystemExit(f"near {latitude}, {longitude}: ours and PostGIS find different tickets")
        full += len(found) == limit
    if not full:
        raise SystemExit("nowhere were there enough tickets to choose from")
    return ours, theirs


def _heat(at: Stage, has_postgis: bool) -> None:
    at.title(f"Heat: {HEAT_DAYS} days at zoom {CITY_ZOOM}")
    wanted = maps.Wanted(timezone.now() - timedelta(days=HEAT_DAYS))
    made: dict[str, Callable[[], Any]] = {
        "hexagons": lambda: maps._hexagons(wanted, maps.geo.heat_resolution(CITY_ZOOM)),
        "points": lambda: maps._points(wanted, maps.CELL_METRES),
    }
    spent = {name: _rounds(make) for name, make in made.items()}
    for name, make in made.items():
        at.say(f"{name}, median of the database (ms)", f"{spent[name] * 1000:.1f}")
        at.want(f"heat: {name}, payload (kB)", len(orjson.dumps(make())) / 1000, most=200)
    if not has_postgis:
        return
    values = [*HEXAGON_DEGREES, wanted.since, maps.MOST_HEXAGONS]
    stored = _rounds(lambda: rows.fetch(_SNAP.format(point=_STORED), values))
    computed = _rounds(lambda: rows.fetch(_SNAP.format(point=_COMPUTED), values))
    at.say("ST_SnapToGrid, stored points / made from our index (ms)", f"{stored * 1000:.1f} / {computed * 1000:.1f}")
    at.say("heat: hexagons / ST_SnapToGrid made from our index", f"{spent['hexagons'] / computed:.2f}")
    at.want("heat: hexagons / ST_SnapToGrid", spent["hexagons"] / stored, most=0.25)


def _rounds(make: Callable[[], Any]) -> float:
    """Median seconds in the database; the first round warms up."""
    spent: list[float] = []
    for _round in range(HEAT_ROUNDS + 1):
        with _clock(spent):
            make()
    return median(spent[1:])


def _list(at: Stage, home: City) -> None:
    path = f"{BASE}/tickets/?page_size=20"
    at.title(f"List: {path}, 2 web workers, {CLIENTS} clients, {SECONDS} s each")
    manager = home.managers[0]
    statements = {size: _sql_of(size, home) for size in (20, 100)}
    if len(statements[20]) != len(statements[100]):
        raise SystemExit("a larger page asks more questions")
    one_line = [" ".join(statement.split()) for statement in statements[20]]
    sql = pgbench(at, ";\n".join(one_line) + ";\n", clients=CLIENTS, seconds=SECONDS)
    page = pgbench(at, one_line[0] + ";\n", clients=CLIENTS, seconds=SECONDS)
    request = clients.request("GET", path, token=city.token(manager))
    port = at.house.ports["web"]
    clients.run(port, [repeat(request) for _ in range(CLIENTS)], seconds=1)
    heard = clients.run(port, [repeat(request) for _ in range(CLIENTS)], seconds=SECONDS)
    if set(heard.statuses) != {200}:
        raise SystemExit(f"the list answered {dict(heard.statuses)}")
    at.say("queries of a page of 20 and of 100", f"{len(statements[20])}")
    at.say("pgbench, page and count / the page alone (tps)", f"{sql:.0f} / {page:.0f}")
    at.say("ours (req/s, p99 ms)", f"{heard.rate:.0f}, {heard.percentile(0.99):.1f}")
    at.want("tickets: list of 20 / pgbench", heard.rate / sql, least=0.12)
    # Among so many the count is kept for some seconds, so most answers cost the page alone.
    at.want("tickets: list of 20 / pgbench, the page alone", heard.rate / page)


def _sql_of(size: int, home: City) -> list[str]:
    """With nothing kept."""
    cache.clear()
    with CaptureQueriesContext(connection) as seen:
        questions.page(questions.Wanted("all tickets", page_size=size), by=home.managers[0])
    return [query["sql"] for query in seen]


def _race(at: Stage, home: City) -> None:
    at.title(f"Race: {RACERS} officers begin to work on one ticket, {RACES} times")
    racers = home.officers[:RACERS]
    chosen = Ticket.objects.filter(team=racers[0].team_id, status="NEW").values_list("pk", flat=True)[:RACES]
    told: Counter[int] = Counter()
    for ticket_id in list(chosen):
        path, body = f"{BASE}/tickets/{ticket_id}/status", orjson.dumps({"status": "IN_PROGRESS"})
        asked = [clients.request("PATCH", path, token=city.token(racer), body=body) for racer in racers]
        heard = clients.run(at.house.ports["web"], [iter([request]) for request in asked])
        if heard.statuses != {200: 1, 400: RACERS - 1}:
            at.missed.append(f"race: {dict(heard.statuses)}, wanted one 200 and {RACERS - 1} times 400")
        told += heard.statuses
    at.say("answers by status", f"{dict(told)}")
