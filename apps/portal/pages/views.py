"""Pages for browsers: "my Mahalla", its live status line, and the API documents."""

from __future__ import annotations

from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from apps.core import texts
from apps.portal import alerts, demo, products
from apps.portal.api.front_door import HOUSE
from apps.portal.health import doctor


def home(request: HttpRequest) -> HttpResponse:
    """GET /: a page for people, the greeting for programs."""
    if request.method not in ("GET", "HEAD"):
        return JsonResponse({"detail": "Method Not Allowed"}, status=405, headers={"Allow": "GET, HEAD"})
    if "text/html" in request.headers.get("Accept", ""):
        response = render(request, "portal/home.html", _house(request))
    else:
        response = JsonResponse(products.greeting(HOUSE))
    patch_vary_headers(response, ["Accept"])
    return response


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """GET /my/status: the piece of the home page that htmx renews."""
    return render(request, "portal/_status.html", {"report": doctor.examine()})


@require_POST
@staff_member_required
def read_alerts(request: HttpRequest) -> HttpResponse:
    """POST /my/alerts/read: the person at the start page has seen what machines noticed."""
    alerts.mark_read(by=request.user)
    return redirect("admin:index")


@require_safe
def docs(request: HttpRequest, product: str = "") -> HttpResponse:
    """GET docs: Swagger UI from our own files, with a switch between the products."""
    return _document_page(request, product, "docs")


# ReDoc runs its search in a worker that it makes from a blob.
@csp_update({"worker-src": ["'self'", "blob:"]})
@require_safe
def redoc(request: HttpRequest, product: str = "") -> HttpResponse:
    """GET redoc: the same document as one long page."""
    return _document_page(request, product, "redoc")


def _document_page(request: HttpRequest, product: str, kind: str) -> HttpResponse:
    prefix = f"{product}-" if product else ""
    context = {
        "kind": kind,
        "current": product,
        "products": products.mounted(),
        "document": reverse(f"{prefix}openapi"),
        "other": {
            "kind": "redoc" if kind == "docs" else "docs",
            "url": reverse(f"{prefix}{'redoc' if kind == 'docs' else 'docs'}"),
        },
    }
    # These addresses stand outside of the pages' middleware: choose the language here.
    with texts.speaking(texts.language_of(request)):
        return render(request, f"portal/{kind}.html", context)


def _house(request: HttpRequest) -> dict[str, Any]:
    return {
        "products": products.mounted(),
        "report": doctor.examine(),
        "embedded": settings.EMBEDDED,
        "sandbox": settings.SANDBOX_ENABLED,
        "demo": demo.is_in_place() if settings.EMBEDDED else False,
        "demo_password": demo.PASSWORD,
        "demo_staff": demo.STAFF,
        "version": settings.VERSION,
        "base_url": request.build_absolute_uri("/").rstrip("/"),
    }
