"""Numbers for Prometheus: requests of this process, and the state of the house at the time of the scrape."""

from __future__ import annotations

import functools
import hmac
import ipaddress
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import REGISTRY, Collector

from apps.core.models import OutboxMessage
from apps.core.throttle import client_address
from apps.ledger import queries as ledger
from apps.portal.health import doctor

REQUESTS = Counter("mahalla_requests_total", "Answered requests", ["product", "method", "status"])
SECONDS = Histogram(
    "mahalla_request_seconds",
    "Time to answer",
    ["product"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 10),
)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
AUDIT_CACHE_S = 300


@sync_and_async_middleware
def count_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware for WSGI and ASGI: counts and times every request by product, without looking inside."""
    if iscoroutinefunction(get_response):

        async def awaiting(request: HttpRequest) -> Any:
            started = time.perf_counter()
            response = await get_response(request)
            _note(request, response, started)
            return response

        return awaiting

    def calling(request: HttpRequest) -> Any:
        started = time.perf_counter()
        response = get_response(request)
        _note(request, response, started)
        return response

    return calling


def _note(request: HttpRequest, response: Any, started: float) -> None:
    product = _product_of(request)
    method = request.method if request.method in METHODS else "other"
    counter, seconds = _series(product, method, response.status_code)
    counter.inc()
    seconds.observe(time.perf_counter() - started)


@functools.lru_cache(maxsize=1024)
def _series(product: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """Looking a series up by its labels costs more than counting."""
    return REQUESTS.labels(product, method, status), SECONDS.labels(product)


def _product_of(request: HttpRequest) -> str:
    """The product whose code answered: by its module, because at the root the path does not tell."""
    match = getattr(request, "resolver_match", None)
    view = getattr(getattr(match, "func", None), "cls", None) or getattr(match, "func", None)
    parts = getattr(view, "__module__", "").split(".")
    return parts[1] if parts[0] == "apps" and len(parts) > 1 else "other"


class House(Collector):
    """Gauges that are true for the whole house, whichever process is asked."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _outbox()
        yield from _parts()
        yield from _ledger()

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing at registration: the database may not be there yet."""
        return []


def _outbox() -> Iterator[GaugeMetricFamily]:
    waiting = Q(delivered_at=None, dead_at=None)
    found = OutboxMessage.objects.filter(delivered_at=None).aggregate(
        waiting=Count("id", filter=waiting),
        dead=Count("id", filter=Q(dead_at__isnull=False)),
        oldest=Min("created_at", filter=waiting),
    )
    age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    yield GaugeMetricFamily("mahalla_outbox_waiting", "Messages that wait for delivery", value=found["waiting"])
    yield GaugeMetricFamily("mahalla_outbox_dead", "Dead letters", value=found["dead"])
    yield GaugeMetricFamily("mahalla_outbox_oldest_seconds", "Age of the oldest waiting message", value=age)


def _parts() -> Iterator[GaugeMetricFamily]:
    up = GaugeMetricFamily("mahalla_part_up", "1 when this part answers", labels=["part"])
    for part, state in doctor.examine().parts.items():
        up.add_metric([part], float(state == "ok"))
    yield up


def _ledger() -> Iterator[GaugeMetricFamily]:
    """The sum of a currency's entries is zero, or money appeared from nowhere."""
    sums = GaugeMetricFamily(
        "mahalla_ledger_sum", "Sum of all entries of a currency; anything but 0 is an alarm", labels=["currency"]
    )
    for currency, total in ledger_sums().items():
        sums.add_metric([currency], float(total))
    yield sums
    yield GaugeMetricFamily(
        "mahalla_ledger_sound", "1 when every currency sums to zero", value=float(not any(ledger_sums().values()))
    )


def ledger_sums() -> dict[str, Decimal]:
    """Currency → sum of its entries, remembered for five minutes: it reads the whole book."""
    return dict(cache.get_or_set("portal:ledger-sums", _sums, AUDIT_CACHE_S) or {})


def _sums() -> dict[str, Decimal]:
    return {total.currency: total.balance for total in ledger.totals()}


def _registry() -> CollectorRegistry:
    """This process's numbers, or those of all workers when they share a folder."""
    registry = CollectorRegistry()
    if settings.PROMETHEUS_MULTIPROC_DIR:
        multiprocess.MultiProcessCollector(registry)
    else:
        registry.register(REGISTRY)
    registry.register(House())
    return registry


def may_read(request: HttpRequest) -> bool:
    """With METRICS_TOKEN: whoever shows it. Without: only loopback and the trusted networks."""
    if settings.METRICS_TOKEN:
        return shows_token(request)
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(net, strict=False) for net in settings.TRUSTED_PROXIES)


def shows_token(request: HttpRequest) -> bool:
    """Whether the caller holds METRICS_TOKEN; never true while none is set."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())


def view(request: HttpRequest) -> HttpResponse:
    """GET /metrics."""
    if not may_read(request):
        return JsonResponse({"detail": "Not Found"}, status=404)
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)
