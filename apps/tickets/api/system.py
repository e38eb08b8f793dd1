"""Greeting and health in the words that the tickets' clients know (contract tickets 1.5, D23)."""

from __future__ import annotations

from typing import Any, Literal

from django.conf import settings
from django.urls import URLPattern

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.tickets.api.base import TicketsView
from apps.tickets.queries import system

NAME = "Mahalla tickets"


class Welcome(Shape):
    """Who answers here."""

    status: Literal["healthy"]
    name: str
    version: str


class HealthWord(Shape):
    """One word, for balancers."""

    status: Literal["ok", "unavailable"]


class Greeting(TicketsView):
    """The front door."""

    tag = "system"

    @endpoint(answers={200: Welcome}, summary="Greeting")
    def get(self, request: Any) -> dict[str, str]:
        """Only under the product base: the root belongs to the whole house."""
        return {"status": "healthy", "name": NAME, "version": settings.VERSION}


class Health(TicketsView):
    """For balancers."""

    tag = "system"

    @endpoint(answers={200: HealthWord, 503: HealthWord}, summary="Health")
    def get(self, request: Any) -> tuple[int, dict[str, str]]:
        """Database and cache are really asked."""
        return (200, {"status": "ok"}) if system.works() else (503, {"status": "unavailable"})


def front_door(prefix: str) -> list[URLPattern]:
    """Greeting and health: under the product base only, at the root they are the whole house's."""
    return [path(prefix, Greeting, name="tickets-greeting"), path(f"{prefix}health", Health, name="tickets-health")]
