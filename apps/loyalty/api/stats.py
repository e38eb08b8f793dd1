"""Figures for managers, and the health of the parts (contract loyalty 1.1, row 1; 1.3, rows 20 to 26)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from apps.core import texts
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty.api.base import LoyaltyView, ManagerView
from apps.loyalty.queries import activity, health, stats


class Part(Shape):
    """One part and how it is."""

    name: str
    status: Literal["healthy", "degraded", "down"]
    message: str


class Tier(Shape):
    """Guests at one level."""

    tier: str
    users: int


class Brief(Shape):
    """A guest in a few words."""

    id: int
    name: str | None
    phone: str


class Near(Shape):
    """A guest next to a new level."""

    user: Brief
    missingPoints: float


class Analytics(Shape):
    """Both shapes that clients know."""

    totalUsers: int
    totalCashbackBalance: float
    averageCashbackBalance: float
    tierCounts: list[Tier]
    nearNextTier: list[Near]
    averagePoints: float


class WaiterStat(Shape):
    """A waiter's guests."""

    staff_id: int
    staff_name: str
    clients_count: int
    total_cashback: float
    transactions: int


class WaiterCashback(Shape):
    """The cashback of a waiter's guests."""

    waiter_id: int
    waiter_name: str
    total_cashback: float


class TopUserBrief(Brief):
    """A guest as the web client prints them; the balance is never told here."""

    first_name: str | None
    last_name: str | None
    waiter_id: int | None
    cashback_balance: None


class TopUser(Shape):
    """A guest with much cashback."""

    user: TopUserBrief
    total_cashback: float
    transactions: int


class UserTop(Shape):
    """The same in fewer words."""

    user_id: int
    user_name: str | None
    phone: str
    total_cashback: float


class Slice(Shape):
    """A segment of a chart."""

    label: str
    value: int
    color: str


class Metrics(Shape):
    """The start page."""

    totalClients: int
    activeWaiters: int
    cashbackIssued: float
    avgCashbackPerUser: float
    newsCount: int
    loyaltyDistribution: list[Slice]
    redisHealthy: bool
    postgresHealthy: bool
    queueHealthy: bool


class Line(Shape):
    """Something that happened."""

    id: str
    type: Literal["auth", "otp", "cashback", "news"]
    description: str
    created_at: datetime
    status: Literal["success", "warning", "error"]


class Top(Shape):
    """How many."""

    limit: int = Field(10, ge=1, le=50)


class LongTop(Shape):
    """How many."""

    limit: int = Field(10, ge=1, le=100)


class HealthView(LoyaltyView):
    """`GET health`."""

    @endpoint(answers={200: list[Part]}, summary="Health")
    def get(self, request: Any) -> list[dict[str, str]]:
        """Always 200, even when a part is out: the web client reads the list (contract loyalty 1.1, row 1)."""
        words = {True: ("healthy", "OK"), False: ("down", "No answer")}
        return [
            {"name": name, "status": words[works][0], "message": words[works][1]} for name, works in health.examine()
        ]


class AnalyticsView(ManagerView):
    """`GET cashback/loyalty-analytics`."""

    @endpoint(login="required", answers={200: Analytics}, summary="Cashback and levels")
    def get(self, request: Any) -> Any:
        """Sums and how guests spread over the levels (contract loyalty 1.3, row 20)."""
        return stats.remembered("analytics", stats.analytics)


class WaiterStats(ManagerView):
    """`GET cashback/waiter-stats`."""

    @endpoint(login="required", answers={200: list[WaiterStat]}, summary="Guests per waiter")
    def get(self, request: Any) -> Any:
        """Most guests first (contract loyalty 1.3, row 21)."""
        return stats.remembered("waiters", stats.waiters)


class TopUsers(ManagerView):
    """`GET cashback/top-users`."""

    @endpoint(query=Top, login="required", answers={200: list[TopUser]}, summary="Guests with the most cashback")
    def get(self, request: Any, *, query: Top) -> list[dict[str, Any]]:
        """Guests who left are not in it (contract loyalty 1.3, row 22)."""
        return [
            {"user": _top_user(row), "total_cashback": row["total"], "transactions": row["moves"]}
            for row in stats.top_clients(limit=query.limit, with_deleted=False)
        ]


def _top_user(row: Any) -> dict[str, Any]:
    kept = {name: row[name] for name in ("id", "name", "phone", "waiter_id")}
    return {**kept, "first_name": row["name"], "last_name": row["surname"], "cashback_balance": None}


class WaitersCashback(ManagerView):
    """`GET stats/waiters`."""

    @endpoint(login="required", answers={200: list[WaiterCashback]}, summary="Cashback per waiter")
    def get(self, request: Any) -> Any:
        """Signed sums; waiters without guests are left out (contract loyalty 1.3, row 23)."""
        return stats.remembered("cashback-of-waiters", stats.cashback_of_waiters)


class UsersTop(ManagerView):
    """`GET stats/users/top`."""

    @endpoint(query=LongTop, login="required", answers={200: list[UserTop]}, summary="Guests by cashback")
    def get(self, request: Any, *, query: LongTop) -> list[dict[str, Any]]:
        """Guests who left included (contract loyalty 1.3, row 24)."""
        return [
            {"user_id": row["id"], "user_name": row["name"], "phone": row["phone"], "total_cashback": row["total"]}
            for row in stats.top_clients(limit=query.limit, with_deleted=True)
        ]


class MetricsView(ManagerView):
    """`GET dashboard/metrics`."""

    @endpoint(login="required", answers={200: Metrics}, summary="Start page")
    def get(self, request: Any) -> dict[str, Any]:
        """Figures and the health of the parts (contract loyalty 1.3, row 25)."""
        postgres, redis, queue = (works for _, works in health.examine())
        parts = {"redisHealthy": redis, "postgresHealthy": postgres, "queueHealthy": queue}
        return {**stats.remembered("metrics", stats.metrics), **parts}


class ActivityView(ManagerView):
    """`GET dashboard/activity`."""

    @endpoint(login="required", answers={200: list[Line]}, summary="What happened last")
    def get(self, request: Any) -> list[dict[str, Any]]:
        """At most ten lines, newest first (contract loyalty 1.3, row 26)."""
        with texts.speaking(texts.language_of(request)):
            return [
                {
                    "id": line.id,
                    "type": line.type,
                    "description": str(line.words).format(what=line.what),
                    "created_at": line.created_at,
                    "status": line.status,
                }
                for line in activity.newest()
            ]


urlpatterns = [
    path("api/v1/health", HealthView, name="health"),
    path("api/v1/cashback/loyalty-analytics", AnalyticsView, name="loyalty-analytics"),
    path("api/v1/cashback/waiter-stats", WaiterStats, name="waiter-stats"),
    path("api/v1/cashback/top-users", TopUsers, name="top-users"),
    path("api/v1/stats/waiters", WaitersCashback, name="stats-waiters"),
    path("api/v1/stats/users/top", UsersTop, name="stats-users"),
    path("api/v1/dashboard/metrics", MetricsView, name="metrics"),
    path("api/v1/dashboard/activity", ActivityView, name="activity"),
]
