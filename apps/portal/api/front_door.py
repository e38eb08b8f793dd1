"""What the roof answers to programs at its own and at every product's front door: the greeting and the health."""

from __future__ import annotations

from typing import Any, Literal

from django.urls import URLPattern
from django.utils.module_loading import import_string
from pydantic import BaseModel

from apps.core.routing import path
from apps.core.wire import View, endpoint
from apps.portal import metrics, products
from apps.portal.health import doctor

HOUSE = "Mahalla"


class Greeting(BaseModel):
    """Who answers here."""

    service: str
    version: str
    status: Literal["operational"]
    docs: str


class Healthy(BaseModel):
    """Every part answers."""

    status: Literal["healthy"]


class Unhealthy(BaseModel):
    """At least one part is out."""

    status: Literal["unhealthy"]


class GreetingView(View):
    """The product's own front door."""

    tag = "service"

    @endpoint(answers={200: Greeting}, summary="Greeting")
    def get(self, request: Any, product: str = "") -> dict[str, Any]:
        """Name and version of the service (contract urgent 1.1, row 26)."""
        return products.greeting(products.get(product).name if product else HOUSE)


class HealthView(View):
    """For balancers and people: one word. Whoever shows METRICS_TOKEN also learns which part is out."""

    tag = "service"

    @endpoint(answers={200: Healthy, 503: Unhealthy}, summary="Health")
    def get(self, request: Any, product: str = "") -> tuple[int, dict[str, Any]]:
        """Database, cache, broker and storage were asked within the last second (contract urgent 1.1, row 25)."""
        report = doctor.examine()
        body: dict[str, Any] = {"status": report.word}
        if metrics.shows_token(request):
            body["parts"] = report.parts
        return 200 if report.is_healthy else 503, body


def service_patterns(prefix: str, base: str) -> list[URLPattern]:
    """Greeting and health of a product: mounted under its base, and described in its document."""
    if own := products.get(base).front_door:
        patterns: list[URLPattern] = import_string(own)(prefix)
        return patterns
    return [
        path(prefix, GreetingView, name=f"{base}-greeting", product=base),
        path(f"{prefix}health", HealthView, name=f"{base}-health", product=base),
    ]
