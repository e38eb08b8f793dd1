"""The city's public pages: a map with its list, and one page per ticket. Read-only, without a sign-in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core import throttle
from apps.core.errors import TooMany
from apps.tickets import errors
from apps.tickets.access import PUBLIC_READS
from apps.tickets.pages.forms import Filter, Sides
from apps.tickets.queries import maps, public


@require_safe
def city_map(request: HttpRequest) -> HttpResponse:
    """GET /city/: the map, and the newest tickets beside it; htmx asks for the list alone."""
    form = Filter(request.GET)
    page = public.page(**form.chosen())
    template = "tickets/_list.html" if request.htmx else "tickets/city.html"  # type: ignore[attr-defined]
    return render(request, template, {"form": form, "page": page, "query": filter_of(request)})


def filter_of(request: HttpRequest) -> str:
    """The filter without its page, for the link to the next one."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return kept.urlencode()


@require_safe
def markers(request: HttpRequest) -> HttpResponse:
    """GET /city/markers: at most 500 tickets of a part of the map, so many times per address and minute."""
    try:
        caller = throttle.neighbourhood(throttle.client_address(request))
        throttle.hit("tickets.markers", caller, PUBLIC_READS)
    except TooMany as refused:
        return JsonResponse({"detail": str(refused)}, status=429, headers={"Retry-After": str(refused.retry_after)})
    window = Sides(request.GET).window()
    if window is None:
        return JsonResponse({"detail": "south, west, north and east are required"}, status=422)
    chosen = Filter(request.GET).chosen()
    body = maps.markers(window, category_id=chosen["category_id"], status=chosen["status"] or None)
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "public, max-age=15"})


@require_safe
def ticket(request: HttpRequest, ticket_id: UUID) -> HttpResponse:
    """GET /city/tickets/<id>: one ticket without its people."""
    try:
        found = public.ticket(ticket_id)
    except errors.TicketNotFound as problem:
        raise Http404 from problem
    return render(request, "tickets/ticket.html", {"ticket": found, "photos": [_local(p) for p in found["photos"]]})


def _local(photo: dict[str, Any]) -> dict[str, Any]:
    """Our own files by their path: a laptop may be called by another name than `PUBLIC_URL`."""
    own = settings.PUBLIC_URL.rstrip("/")
    return {**photo, "url": photo["url"].removeprefix(own), "thumbnail_url": photo["thumbnail_url"].removeprefix(own)}
