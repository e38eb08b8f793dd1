"""The sandbox alone, as `config/urls.py` mounts it, and a page that stands for our own webhooks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

heard: list[HttpRequest] = []


def webhook(request: HttpRequest) -> HttpResponse:
    """Takes any notice."""
    request.raw = request.body  # type: ignore[attr-defined]  # kept for the assertions
    heard.append(request)
    return HttpResponse(b'{"ok":true}', content_type="application/json")


urlpatterns = [path("__sandbox/", include("apps.integrations.sandbox.urls")), path("webhook", webhook)]
