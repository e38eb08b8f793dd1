"""How every answer of the shop looks, whatever it says: limit, headers, timing, compression (contract shop 3.6).

Middleware for the shop's paths only, under the product base and at the root; other products keep their own manners.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.text import compress_string

from apps.core.errors import TooMany
from apps.core.throttle import Limit, client_address, increment, neighbourhood
from apps.shop.api.wire import WIRE

log = logging.getLogger(__name__)

BASE = "/shop"
NOTIFY = "/payments/octo/notify"
COMPRESS_FROM = 1000
"""Bytes. Shorter answers only grow."""

HINT_FROM = 1024
"""Bytes of JSON from which `X-Compress-Hint` stands."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
STARTED = time.monotonic()


@dataclass(frozen=True)
class Count:
    """Where a caller stands in his window."""

    limit: int
    remaining: int
    reset_seconds: int
    is_over: bool

    @property
    def headers(self) -> dict[str, str]:
        """The original's three."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_seconds),
        }


def count(subject: str, limit: Limit, *, now: float | None = None) -> Count:
    """Count one request in a sliding window shared by all processes; a refused one is not counted.

    Two counters, this slice of the clock and the last one weighted by what of it is still inside the window: exact
    for bursts, within a few per cent for steady traffic, and two small numbers per caller whatever the limit (D25).
    """
    now = time.time() if now is None else now
    slice_number, elapsed = divmod(now, limit.seconds)
    digest = hashlib.sha256(subject.encode()).hexdigest()[:24]
    key = f"shop:rate:{limit.seconds}:{int(slice_number)}:{digest}"
    before = int(cache.get(f"shop:rate:{limit.seconds}:{int(slice_number) - 1}:{digest}") or 0)
    used = before * (1 - elapsed / limit.seconds) + increment(key, 2 * limit.seconds)
    reset = max(1, ceil(limit.seconds - elapsed))
    if used > limit.count:
        with suppress(ValueError):  # a full cache has forgotten it in between
            cache.decr(key)
        return Count(limit.count, 0, reset, is_over=True)
    return Count(limit.count, int(limit.count - used), reset, is_over=False)


class ShopManners(MiddlewareMixin):
    """The limit before, the headers after."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Everything under the base is ours, unknown paths too."""
        request.came_at = time.perf_counter()  # type: ignore[attr-defined]
        if request.path_info == BASE or request.path_info.startswith(f"{BASE}/"):
            return self._enter(request)
        return None

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """At the root the router says whose path it is."""
        match = request.resolver_match
        if not is_ours(request) and match is not None and match.app_names[:1] == ["shop"]:
            return self._enter(request)
        return None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Also on refusals of the limit itself."""
        if not is_ours(request):
            return response
        counted: Count | None = request.shop_count  # type: ignore[attr-defined]
        for name, value in {**SECURITY_HEADERS, **(counted.headers if counted else {})}.items():
            response[name] = value
        _drop_idle_policy(response)
        _compress(request, response)
        _tell_time(request, response)
        return response

    def _enter(self, request: HttpRequest) -> HttpResponse | None:
        request.shop_count = counted = _counted(request)  # type: ignore[attr-defined]
        if counted is None or not counted.is_over:
            return None
        status, body = WIRE.refused(TooMany(), request)
        headers = {"Retry-After": str(counted.reset_seconds)}
        return HttpResponse(WIRE.dump(body), status=status, content_type="application/json", headers=headers)


def is_ours(request: HttpRequest) -> bool:
    """Whether the shop answers this request."""
    return hasattr(request, "shop_count")


def _counted(request: HttpRequest) -> Count | None:
    """None for what is never counted: preflights, documents, files, or without a limit."""
    plain = request.path_info.removeprefix(BASE).rstrip("/")
    excluded = plain in settings.SHOP.rate_limit_exclude_paths or plain.startswith("/static/")
    is_notice = plain == NOTIFY
    most = settings.SHOP.notify_rate_limit_requests if is_notice else settings.SHOP.rate_limit_requests
    if request.method == "OPTIONS" or excluded or most <= 0:
        return None
    subject = f"{'notify' if is_notice else 'all'}|{neighbourhood(client_address(request))}"
    return count(subject, Limit(most, settings.SHOP.rate_limit_window_seconds))


def _drop_idle_policy(response: HttpResponse) -> None:
    """A content policy says something about pages only."""
    if not response.get("Content-Type", "").startswith("text/html"):
        del response["Content-Security-Policy"]


def _compress(request: HttpRequest, response: HttpResponse) -> None:
    is_json = response.get("Content-Type", "").startswith("application/json")
    if response.streaming or response.has_header("Content-Encoding"):
        return
    length = len(response.content)
    if is_json and length > HINT_FROM:
        response["X-Compress-Hint"] = "true"
    if length < COMPRESS_FROM or response.get("Content-Type", "").startswith("image/"):
        return
    patch_vary_headers(response, ("Accept-Encoding",))
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = compress_string(response.content, max_random_bytes=100)
        response["Content-Encoding"] = "gzip"
        if response.has_header("ETag"):
            response["ETag"] = f"W/{response['ETag'].removeprefix('W/')}"
    response["Content-Length"] = str(len(response.content))


def _tell_time(request: HttpRequest, response: HttpResponse) -> None:
    seconds = time.perf_counter() - request.came_at  # type: ignore[attr-defined]
    response["X-Process-Time"] = f"{seconds:.3f}s"
    response["X-Uptime"] = str(int(time.monotonic() - STARTED))
    if seconds > settings.SHOP.slow_seconds:
        log.warning("slow request", extra={"path": request.path_info, "seconds": round(seconds, 3)})
