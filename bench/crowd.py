"""Two hundred people of the city for a minute, with pauses, weights and roles as in daily life (contract tickets 7)."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from apps.tickets.models import Category, District, Member, Ticket
from bench import city, clients
from bench.city import City
from bench.clients import Heard
from bench.stage import Stage

USERS, SECONDS = 200, 60
SPAWN_SECONDS = 10
BASE = "/tickets/api/v1"
DAYS = (7, 30, 90)
STATUSES = ("NEW", "IN_PROGRESS", "RESOLVED", "CLOSED", "ESCALATED")
PARTS = {"citizen": 5, "support": 3, "manager": 1}
PAUSES = {"citizen": (1, 3), "support": (1, 3), "manager": (2, 5)}


@dataclass
class Person:
    """One of the crowd; `reported` are tickets whose page he opens."""

    role: str
    token: str
    reported: list[str]
    dice: random.Random


@dataclass
class Ground:
    """What reports are about."""

    categories: list[str]
    districts: list[str]
    heard: dict[str, Heard] = field(default_factory=lambda: defaultdict(Heard))


Task = Callable[[Person, Ground], tuple[str, str, object]]
"""Method, path and body of the next request."""


def _create(who: Person, ground: Ground) -> tuple[str, str, object]:
    where = {
        "latitude": 41.0082 + who.dice.uniform(-0.1, 0.1),
        "longitude": 28.9784 + who.dice.uniform(-0.1, 0.1),
        "district_id": who.dice.choice(ground.districts),
    }
    return "POST", "/tickets/", {
        "title": "Sokak lambası yanmıyor",
        "description": "Köşedeki lamba bir haftadır yanmıyor",
        "category_id": who.dice.choice(ground.categories),
        "location": where,
    }  # fmt: skip


def _comment(who: Person, ground: Ground) -> tuple[str, str, object]:
    return "POST", f"/tickets/{who.dice.choice(who.reported)}/comments", {"content": "Teşekkürler, bekliyoruz"}


def _list_by_status(who: Person, ground: Ground) -> tuple[str, str, object]:
    return "GET", f"/tickets/?status_filter={who.dice.choice(STATUSES)}", None


def _get(path: str) -> Task:
    return lambda who, ground: ("GET", path, None)


def _of_days(path: str) -> Task:
    return lambda who, ground: ("GET", f"/analytics/{path}days={who.dice.choice(DAYS)}", None)


TASKS: dict[str, list[tuple[str, int, Task]]] = {
    "citizen": [
        ("create", 10, _create),
        ("my", 3, _get("/tickets/my")),
        ("detail", 2, lambda who, ground: ("GET", f"/tickets/{who.dice.choice(who.reported)}", None)),
        ("comment", 1, _comment),
    ],
    "support": [
        ("list", 5, _get("/tickets/")),
        ("list by status", 5, _list_by_status),
        ("assigned", 4, _get("/tickets/assigned")),
    ],
    "manager": [
        ("dashboard", 10, _of_days("dashboard?")),
        ("heatmap", 8, _of_days("heatmap?")),
        ("categories", 5, _of_days("categories?")),
        ("neighborhoods", 4, _of_days("neighborhoods?limit=10&")),
        ("trends", 3, _of_days("feedback-trends?")),
    ],
}  # fmt: skip


def run(at: Stage, home: City) -> None:
    at.title(f"Crowd: {USERS} people, {SECONDS} s, pauses of 1 to 5 s, signed in beforehand")
    ground = Ground(
        [str(pk) for pk in Category.objects.values_list("pk", flat=True)],
        [str(pk) for pk in District.objects.values_list("pk", flat=True)],
    )
    asyncio.run(_all(at.house.ports["web"], _crowd(home), ground))
    every = Heard(seconds=SECONDS)
    for name, heard in sorted(ground.heard.items()):
        figures = f"{len(heard.latencies)}, {heard.percentile(0.5):.0f}, {heard.percentile(0.95):.0f}"
        at.say(f"{name} (requests, median ms, p95 ms) {dict(heard.statuses)}", figures)
        every.latencies += heard.latencies
        every.statuses += heard.statuses
    failures = sum(count for status, count in every.statuses.items() if not 200 <= status < 300)
    at.say("all (req/s, median ms, p95 ms)",
           f"{every.rate:.1f}, {every.percentile(0.5):.0f}, {every.percentile(0.95):.0f}")  # fmt: skip
    at.want("crowd: failures", failures, most=0)


def _crowd(home: City) -> list[Person]:
    whole = sum(PARTS.values())
    sizes = {"support": USERS * 3 // whole, "manager": USERS // whole}
    sizes["citizen"] = USERS - sum(sizes.values())
    members = {"citizen": home.citizens, "support": home.officers, "manager": home.managers}
    return [_person(role, member) for role, size in sizes.items() for member in members[role][:size]]


def _person(role: str, member: Member) -> Person:
    reported = Ticket.objects.filter(reporter=member).values_list("pk", flat=True)[:20]
    return Person(role, city.token(member), [str(pk) for pk in reported], random.Random(str(member.phone_number)))


async def _all(port: int, crowd: list[Person], ground: Ground) -> None:
    until = time.perf_counter() + SECONDS
    await asyncio.gather(*(_live(port, who, ground, until) for who in crowd))


async def _live(port: int, who: Person, ground: Ground, until: float) -> None:
    await asyncio.sleep(who.dice.uniform(0, SPAWN_SECONDS))
    for path in {"citizen": ("/categories", "/districts"), "support": ("/tickets/?page_size=50",)}.get(who.role, ()):
        await _ask(port, who, ground, "start", ("GET", path, None))
    weights = [weight for _, weight, _ in TASKS[who.role]]
    while time.perf_counter() < until:
        [(name, _, task)] = who.dice.choices(TASKS[who.role], weights)
        await _ask(port, who, ground, name, task(who, ground))
        await asyncio.sleep(who.dice.uniform(*PAUSES[who.role]))


async def _ask(port: int, who: Person, ground: Ground, name: str, wanted: tuple[str, str, object]) -> None:
    """A connection for each request: in the pauses a server closes the ones that are kept. What breaks is status 0."""
    method, path, body = wanted
    asked = clients.request(method, BASE + path, token=who.token, body=orjson.dumps(body) if body else b"")
    heard, started, status = ground.heard[f"{who.role}: {name}"], time.perf_counter(), 0
    try:
        transport, line = await asyncio.get_running_loop().create_connection(clients.Connection, "127.0.0.1", port)
        status = await line.ask(asked)
        transport.close()
    except OSError:
        pass
    heard.latencies.append(time.perf_counter() - started)
    heard.statuses[status] += 1
