"""Greeting, health, open sockets (contract florist 1.1)."""

from __future__ import annotations

from typing import Any, Literal

from django.urls import URLPattern

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.api.base import FloristView
from apps.florist.queries import system

NAME = "Mahalla florist"
API_PREFIX = "/api"


class HealthOut(Shape):
    """One word, and who says it."""

    status: Literal["healthy", "unhealthy"]
    app_name: str
    api_prefix: str


class DatabaseOut(Shape):
    """Which database."""

    status: Literal["healthy", "unhealthy"]
    database: str
    table_count: int
    database_type: str


class Sockets(Shape):
    """Open sockets of the own shop."""

    total_connections: int
    shops_connected: int
    shops: dict[str, int]


class Health(FloristView):
    """For Docker and balancers."""

    tag = "system"

    @endpoint(summary="Health", answers={200: HealthOut, 503: HealthOut})
    def get(self, request: Any) -> tuple[int, dict[str, str]]:
        """The database is really asked."""
        is_well = system.works()
        body = {"status": "healthy" if is_well else "unhealthy", "app_name": NAME, "api_prefix": API_PREFIX}
        return (200 if is_well else 503), body


class DatabaseHealth(FloristView):
    """For the owner."""

    tag = "system"
    needs = ("users", "write")

    @endpoint(
        summary="Health of the database",
        login="required",
        answers={200: DatabaseOut},
        refusals=[errors.NotEnoughPermissions],
    )
    def get(self, request: Any) -> dict[str, Any]:
        """200 with the word `unhealthy` when it does not answer, as clients expect."""
        return system.database()


class SocketsView(FloristView):
    """For the owner."""

    tag = "system"
    needs = ("users", "write")

    @endpoint(
        summary="Open sockets of my shop",
        login="required",
        answers={200: Sockets},
        refusals=[errors.NotEnoughPermissions],
    )
    def get(self, request: Any) -> dict[str, Any]:
        """In all processes together."""
        return system.sockets(request.member.shop_id)


def front_door(prefix: str) -> list[URLPattern]:
    """Greeting and health: under the product base only, at the root they are the whole house's."""
    return [path(prefix, Health, name="florist-greeting"), path(f"{prefix}health", Health, name="florist-health")]


urlpatterns = [
    path("api/health/db", DatabaseHealth, name="health-db"),
    path("ws/status", SocketsView, name="ws-status"),
]
