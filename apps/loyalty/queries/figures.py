"""The restaurant in figures over a period, for the back office; what clients get is in `stats`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.ledger.models import cents, from_cents
from apps.loyalty.models import CashbackTransaction, Client, IikoJob, IikoNotice, IikoReconciliation

MOST_GUESTS = 10
"""Guests in the table of those who moved most."""

Kind = CashbackTransaction.Kind
NOT_A_VISIT = (Kind.ADDED, Kind.TAKEN, Kind.CORRECTION, Kind.LEVELLING)


@dataclass(frozen=True)
class Figures:
    """Sums of UZS and counts of one day, branch or period."""

    credited: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    movements: int = 0
    visits: int = 0
    joined: int = 0


@dataclass(frozen=True)
class Period:
    """Whole days in the house's time zone, both included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows made in it."""
        zone = timezone.get_current_timezone()
        begins = datetime(self.first.year, self.first.month, self.first.day, tzinfo=zone)
        after = self.last + timedelta(days=1)
        ends = datetime(after.year, after.month, after.day, tzinfo=zone)
        return rows.filter(created_at__gte=begins, created_at__lt=ends)


def last_days(days: int, *, now: datetime | None = None) -> Period:
    """Today and the days before it."""
    today = timezone.localdate(now)
    return Period(today - timedelta(days=days - 1), today)


def totals(period: Period) -> Figures:
    """The whole period in two queries."""
    found = period.of(CashbackTransaction.objects.order_by()).aggregate(**_sums())
    return _figures(found, joined=period.of(Client.objects.order_by()).count())


def by_day(period: Period) -> list[tuple[date, Figures]]:
    """Every day of the period, quiet ones too; two queries."""
    moved = {row["day"]: row for row in _daily(CashbackTransaction.objects, period).annotate(**_sums())}
    joined = dict(_daily(Client.objects, period).annotate(count=Count("pk")).values_list("day", "count"))
    return [(day, _figures(moved.get(day, {}), joined=joined.get(day, 0))) for day in period.days]


def by_branch(period: Period) -> list[tuple[int | None, Figures]]:
    """What moved in which restaurant, most credited first; None is where nobody said which."""
    rows = period.of(CashbackTransaction.objects.order_by()).values("branch_id").annotate(**_sums())
    found = [(row["branch_id"], _figures(row)) for row in rows]
    return sorted(found, key=lambda pair: (-pair[1].credited, pair[0] or 0))


def by_kind(period: Period) -> list[tuple[str, int, Decimal]]:
    """Kind, count and signed sum, most frequent first."""
    rows = period.of(CashbackTransaction.objects.order_by()).values_list("kind")
    summed = rows.annotate(count=Count("pk"), total=_sum(Q())).order_by("-count", "kind")
    return [(kind, count, from_cents(total)) for kind, count, total in summed]


def busiest_guests(period: Period) -> Sequence[Mapping[str, Any]]:
    """Who was credited most in the period."""
    rows = period.of(CashbackTransaction.objects.order_by()).values("client_id", name=F("client__name"))
    best = rows.annotate(**_sums()).filter(visits__gt=0).order_by("-credited", "client_id")[:MOST_GUESTS]
    return [{"id": row["client_id"], "name": row["name"] or "", "figures": _figures(row)} for row in best]


def waiting() -> Mapping[str, Any]:
    """What iiko and we owe each other now: jobs by state, parked notices, the last comparison; three queries."""
    jobs = dict(IikoJob.objects.order_by().values_list("state").annotate(count=Count("pk")))
    return {
        "open": sum(count for state, count in jobs.items() if state != IikoJob.State.SUCCESS),
        "paused": jobs.get(IikoJob.State.PAUSED, 0),
        "parked": IikoNotice.objects.filter(state=IikoNotice.State.PARKED).count(),
        "report": IikoReconciliation.objects.order_by("-id").first(),
    }


def _daily(rows: Any, period: Period) -> Any:
    zone = timezone.get_current_timezone()
    return period.of(rows.order_by()).annotate(day=TruncDate("created_at", tzinfo=zone)).values("day")


def _sums() -> dict[str, Any]:
    return {
        "credited": _sum(Q(amount__gt=0)),
        "spent": _sum(Q(amount__lt=0)),
        "movements": Count("pk"),
        "visits": Count("pk", filter=~Q(kind__in=NOT_A_VISIT)),
    }


def _sum(where: Q) -> Any:
    return Sum(cents("amount"), filter=where)


def _figures(row: Mapping[str, Any], *, joined: int = 0) -> Figures:
    return Figures(
        credited=from_cents(row.get("credited")),
        spent=-from_cents(row.get("spent")),
        movements=row.get("movements", 0),
        visits=row.get("visits", 0),
        joined=joined,
    )
