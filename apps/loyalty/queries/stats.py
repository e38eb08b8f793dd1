"""Figures of the managers' start page (contract loyalty 3.11), read from the purses and not from their movements.

A purse holds the signed sum of its guest's movements and its version counts them, so that 200,000 rows answer what five
million would. Each figure may be as old as `REMEMBERED_S`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from apps.ledger.models import cents, from_cents
from apps.loyalty.models import Client, News, Staff
from apps.loyalty.queries import levels

REMEMBERED_S = 15
NEAREST = 5
"""Guests shown who are next to a new level."""

T = TypeVar("T")

COLOURS = {"SILVER": "#9ca3af", "GOLD": "#f59e0b", "PREMIUM": "#8b5cf6", "VIP": "#ef4444"}
"""Segments of the web client's chart."""


def remembered(name: str, ask: Callable[[], T]) -> T:
    """The figure, asked anew at most every `REMEMBERED_S` seconds."""
    found: T | None = cache.get(f"loyalty:stats:{name}")
    if found is None:
        found = ask()
        cache.set(f"loyalty:stats:{name}", found, timeout=REMEMBERED_S)
    return found


def totals() -> Mapping[str, Any]:
    """Living guests, purses, and what all purses hold, those of deleted guests included."""
    row = Client.objects.aggregate(
        clients=Count("pk", filter=Q(is_deleted=False)), purses=Count("purse"), held=Sum(cents("purse__balance"))
    )
    return {"clients": row["clients"], "purses": row["purses"], "held": from_cents(row["held"])}


def per(total: Decimal, count: int) -> Decimal:
    """The share of one, in whole tiyin; 0 of nobody."""
    return (total / count).quantize(Decimal("0.01")) if count else Decimal(0)


def analytics() -> Mapping[str, Any]:
    """Both shapes that clients know: sums of cashback, and how guests spread over the levels."""
    sums = totals()
    points = Client.objects.living().aggregate(points=Sum(cents("points")))["points"]
    return {
        "totalUsers": sums["clients"],
        "totalCashbackBalance": sums["held"],
        "averageCashbackBalance": per(sums["held"], sums["purses"]),
        "tierCounts": [{"tier": level, "users": users} for level, users in spread().items()],
        "nearNextTier": _near_next(),
        "averagePoints": per(from_cents(points), sums["clients"]),
    }


def spread() -> Mapping[str, int]:
    """Living guests per level, every level named."""
    counted = dict(Client.objects.living().order_by().values_list("level").annotate(users=Count("pk")))
    return {step.level: counted.get(step.level, 0) for step in levels.LADDER}


def _near_next() -> Sequence[Mapping[str, Any]]:
    """The guests with the fewest points missing to a new level: the best of each level, then the best of all."""
    found: list[dict[str, Any]] = []
    for here, following in zip(levels.LADDER, levels.LADDER[1:], strict=False):
        closest = Client.objects.living().filter(level=here.level).order_by("-points", "pk")
        found += [
            {"user": {"id": pk, "name": name, "phone": phone}, "missingPoints": following.points_from - points}
            for pk, name, phone, points in closest.values_list("pk", "name", "phone", "points")[:NEAREST]
        ]
    return sorted(found, key=lambda row: row["missingPoints"])[:NEAREST]


def waiters() -> Sequence[Mapping[str, Any]]:
    """Per waiter the living guests, what their movements sum up to and how many there are; most guests first."""
    living = Q(clients__is_deleted=False)
    rows = Staff.objects.waiters().annotate(
        guests=Count("clients", filter=living),
        total=Sum(cents("clients__purse__balance"), filter=living),
        moves=Sum("clients__purse__version", filter=living),
    )
    columns = ("pk", "name", "guests", "total", "moves")
    return [
        {
            "staff_id": pk,
            "staff_name": name,
            "clients_count": guests,
            "total_cashback": from_cents(total),
            "transactions": moves or 0,
        }
        for pk, name, guests, total, moves in rows.order_by("-guests", "pk").values_list(*columns)
    ]


def cashback_of_waiters() -> Sequence[Mapping[str, Any]]:
    """Signed sum over all guests of a waiter, deleted ones included; waiters without guests are left out."""
    rows = Staff.objects.waiters().filter(clients__isnull=False)
    summed = rows.annotate(total=Sum(cents("clients__purse__balance"))).order_by("-total", "pk")
    return [
        {"waiter_id": pk, "waiter_name": name, "total_cashback": from_cents(total)}
        for pk, name, total in summed.values_list("pk", "name", "total")
    ]


def top_clients(*, limit: int, with_deleted: bool) -> Sequence[Mapping[str, Any]]:
    """The guests with the largest signed sum of movements."""
    rows = Client.objects.all() if with_deleted else Client.objects.living()
    rows = rows.filter(purse__version__gt=0).order_by("-purse__balance", "pk")
    columns = ("id", "name", "surname", "phone", "waiter_id")
    return list(rows.values(*columns, total=F("purse__balance"), moves=F("purse__version"))[:limit])


def metrics() -> Mapping[str, Any]:
    """The start page's figures; "issued" is what the purses hold now, as the original has it."""
    sums = totals()
    return {
        "totalClients": sums["clients"],
        "activeWaiters": Staff.objects.waiters().count(),
        "cashbackIssued": sums["held"],
        "avgCashbackPerUser": per(sums["held"], sums["clients"]),
        "newsCount": News.objects.showing(timezone.now()).count(),
        "loyaltyDistribution": [
            {"label": level, "value": users, "color": COLOURS[level]} for level, users in spread().items()
        ],
    }
