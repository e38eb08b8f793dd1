"""The shop's front door, its health, its connections and its picture files (contract shop 1.8)."""

from __future__ import annotations

import mimetypes
import re
from datetime import datetime
from typing import Any, Literal

from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.urls import URLPattern
from django.utils import timezone

from apps.core.errors import NotFound
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.shop import errors
from apps.shop.actions import images
from apps.shop.api.base import AdminView, ShopView
from apps.shop.queries import system

VERSION = "2.0.0"
"""What the original's clients read; the house's own version stands in the documents."""

FILE = re.compile(r"(thumb-)?[0-9a-f]{32}\.(jpg|png|webp|gif)")


class Greeting(Shape):
    """Who answers here."""

    message: str
    version: str
    docs: str
    status: Literal["operational"]


class Health(Shape):
    """What was asked a moment ago."""

    status: Literal["healthy", "unhealthy"]
    timestamp: datetime
    version: str
    database: Literal["connected", "disconnected"]
    cache: Literal["connected", "disconnected"]


class Pool(Shape):
    """This process's connections."""

    status: str
    vendor: str
    is_pooled: bool
    pool_size: int | None
    open_connections: int | None
    waiting: int | None


class GreetingView(ShopView):
    """The front door."""

    tag = "system"

    @endpoint(answers={200: Greeting}, summary="Greeting")
    def get(self, request: Any) -> dict[str, str]:
        """Only under the product base: the root belongs to the whole house."""
        return {"message": "Slippers shop API", "version": VERSION, "docs": "/shop/docs", "status": "operational"}


class HealthView(ShopView):
    """For balancers."""

    tag = "system"

    @endpoint(answers={200: Health, 503: Health}, summary="Health")
    def get(self, request: Any) -> tuple[int, dict[str, Any]]:
        """Database and cache are really asked."""
        found = system.examine()
        word = "healthy" if all(found.values()) else "unhealthy"
        parts = {name: "connected" if works else "disconnected" for name, works in found.items()}
        body = {"status": word, "timestamp": timezone.now(), "version": VERSION, **parts}
        return 200 if word == "healthy" else 503, body


class PoolStatus(AdminView):
    """Database connections."""

    tag = "system"

    @endpoint(login="required", answers={200: Pool}, refusals=[errors.NotAnAdmin], summary="Database connections")
    def get(self, request: Any) -> dict[str, Any]:
        """Of the process that answers; no host, no user, no address."""
        return system.pool_status()


class Picture(ShopView):
    """A picture's file, for clients that put the path of the answer behind the base URL."""

    tag = "system"

    @endpoint(answers={200: bytes}, refusals=[NotFound], summary="A picture")
    def get(self, request: Any, *, name: str) -> HttpResponse:
        """Names are random and their bytes never change, so everybody may keep them for a year."""
        stored = images.FOLDER + name
        if not FILE.fullmatch(name) or not default_storage.exists(stored):
            raise NotFound()
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        with default_storage.open(stored) as file:
            return HttpResponse(file.read(), content_type=kind, headers=headers)


def front_door(prefix: str) -> list[URLPattern]:
    """Greeting and health: under the product base only, at the root they are the whole house's."""
    return [path(prefix, GreetingView, name="greeting"), path(f"{prefix}health", HealthView, name="health")]


inside_the_back_office = [path("admin/db-pool-status", PoolStatus, name="pool-status")]
"""At the root this lies under Django's `/admin/`, which takes every path: it has to be asked first."""

urlpatterns = [
    *inside_the_back_office,
    path("static/images/<str:name>", Picture, name="picture"),
]
