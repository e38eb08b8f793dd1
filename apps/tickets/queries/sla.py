"""Questions about promised times: which promise holds, what runs late, how often promises are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.utils import timezone

from apps.tickets.models import Member, SlaClock, SlaPolicy
from apps.tickets.queries.kept import kept

MOST_LATE = 200
MOST_POLICIES = 1000
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Promise:
    """Minutes until the first answer and until the resolution, counted from the report."""

    first_response_minutes: int
    resolution_minutes: int

    def minutes(self, kind: str) -> int:
        """Of one kind of clock."""
        return self.first_response_minutes if kind == SlaClock.Kind.FIRST_RESPONSE else self.resolution_minutes


def promise_for(*, category_id: UUID, team_id: UUID | None) -> Promise:
    """The most exact policy: category and team, then category, then team, then the figures of `conf`; one query."""
    about_it = Q(category_id=category_id) | Q(category=None)
    by_whom = Q(team_id=team_id) | Q(team=None) if team_id else Q(team=None)
    found = list(SlaPolicy.objects.filter(about_it & by_whom).order_by())
    best = max(found, key=lambda policy: (policy.category_id is not None, policy.team_id is not None), default=None)
    if best is None:
        return Promise(settings.TICKETS.first_response_minutes, settings.TICKETS.resolution_minutes)
    return Promise(best.first_response_minutes, best.resolution_minutes)


def policies() -> list[dict[str, Any]]:
    """The promises with the names they are about; one query."""
    return list(_shown()[:MOST_POLICIES])


def _shown() -> QuerySet[SlaPolicy, dict[str, Any]]:
    names = {"category_name": F("category__name"), "team_name": F("team__name")}
    columns = ("id", "category_id", "team_id", "first_response_minutes", "resolution_minutes")
    return SlaPolicy.objects.annotate(**names).order_by("category__name", "team__name", "id").values(*columns, *names)


def policy_row(policy: SlaPolicy) -> dict[str, Any]:
    """One promise as `policies` shows it."""
    return _shown().get(pk=policy.pk)


def clocks_of(ticket_id: UUID, *, now: datetime | None = None) -> list[dict[str, Any]]:
    """The clocks of one ticket, oldest first."""
    moment = now or timezone.now()
    found = SlaClock.objects.filter(ticket_id=ticket_id).order_by("started_at", "id")
    return [
        {
            "kind": clock.kind,
            "started_at": clock.started_at,
            "due_at": clock.due_at,
            "stopped_at": clock.stopped_at,
            "is_late": clock.is_late(moment),
        }
        for clock in found
    ]


def late(*, by: Member, now: datetime | None = None) -> list[dict[str, Any]]:
    """Running clocks past their due moment, the longest overdue first: support sees its own team's; one query."""
    moment = now or timezone.now()
    found = SlaClock.objects.filter(stopped_at=None, due_at__lt=moment, ticket__deleted_at=None)
    if not by.is_manager:
        found = found.filter(ticket__team_id=by.team_id) if by.team_id else found.none()
    rows = found.order_by("due_at", "id").values(
        "kind",
        "due_at",
        "ticket_id",
        title=F("ticket__title"),
        status=F("ticket__status"),
        category_name=F("ticket__category__name"),
        team_name=F("ticket__team__name"),
    )
    return [{**row, "late_minutes": int((moment - row["due_at"]) / MINUTE)} for row in rows[:MOST_LATE]]


def figures(*, days: int) -> bytes:
    """How promises are kept by category and team, for clocks started in the period; one query.

    `kept`: stopped in time; `broken`: stopped late, or running past the due moment; `running`: not due yet.
    `kept_rate`: kept among kept and broken, in percent, null without any. `average_minutes`: mean of stopped clocks.
    """
    return kept(f"sla|{days}", lambda: {"items": _figures(timezone.now() - timedelta(days=days), timezone.now())})


def _figures(since: datetime, now: datetime) -> list[dict[str, Any]]:
    broken = Q(stopped_at__gt=F("due_at")) | Q(stopped_at=None, due_at__lt=now)
    in_time = Q(stopped_at__isnull=False) & ~Q(stopped_at__gt=F("due_at"))
    taken = ExpressionWrapper(F("stopped_at") - F("started_at"), output_field=DurationField())
    found = (
        SlaClock.objects.filter(started_at__gte=since, ticket__deleted_at=None)
        .order_by()
        .values("kind", category_name=F("ticket__category__name"), team_name=F("ticket__team__name"))
        .annotate(
            total=Count("pk"), kept=Count("pk", filter=in_time), broken=Count("pk", filter=broken), span=Avg(taken)
        )
    )
    rows = [_figure(dict(row)) for row in found]
    return sorted(rows, key=lambda row: (row["kind"], row["category_name"], row["team_name"] or ""))


def _figure(row: dict[str, Any]) -> dict[str, Any]:
    span, decided = row.pop("span"), row["kept"] + row["broken"]
    return {
        **row,
        "running": row["total"] - decided,
        "kept_rate": round(row["kept"] / decided * 100, 2) if decided else None,
        "average_minutes": None if span is None else round(span / MINUTE, 1),
    }
