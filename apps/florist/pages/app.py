"""What makes the pages an app on a phone: manifest, service worker, and the page shown without a network."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.florist.models import Employee
from apps.florist.pages.desk import for_anybody, for_staff, live_token


@require_safe
@for_anybody
def manifest(request: HttpRequest) -> JsonResponse:
    """GET /desk/florist/manifest.webmanifest: one for all three roles, it opens at the person's first page."""
    icons = [
        {"src": static(f"florist/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": "any"}
        for size in (192, 512)
    ]
    body = {
        "id": "/desk/florist/",
        "name": _("Flower shop"),
        "short_name": _("Flower shop"),
        "lang": get_language(),
        "start_url": reverse("florist-pages:home"),
        "scope": "/desk/",
        "display": "standalone",
        "background_color": "#f6f7f5",
        "theme_color": "#0f766e",
        "icons": [*icons, {**icons[1], "purpose": "maskable"}],
    }
    return JsonResponse(body, content_type="application/manifest+json")


@require_safe
@for_anybody
def worker(request: HttpRequest) -> HttpResponse:
    """GET /desk/florist/worker.js: the service worker; it may serve all of /desk/ but touches our pages alone."""
    context = {
        "version": settings.VERSION,
        "offline": reverse("florist-pages:offline"),
        "courier": reverse("florist-pages:run"),
        "ours": ["/desk/florist/", "/desk/courier/", "/desk/manager/"],
    }
    headers = {"Service-Worker-Allowed": "/desk/", "Cache-Control": "no-cache"}
    response = render(request, "florist/sw.js", context, content_type="text/javascript")
    for name, value in headers.items():
        response.headers[name] = value
    return response


@require_safe
@for_anybody
def offline(request: HttpRequest) -> HttpResponse:
    """GET /desk/florist/offline: kept by the service worker."""
    return render(request, "florist/offline.html")


@require_safe
@for_staff()
def token(request: HttpRequest, *, by: Employee) -> JsonResponse:
    """GET /desk/florist/live-token: proof for this page's socket, good for minutes."""
    return JsonResponse({"token": live_token(request, by)})
