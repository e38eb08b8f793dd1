"""The roof's own addresses, and those that it answers under every product's base."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls import i18n
from django.urls import URLPattern, URLResolver, include
from django.urls import path as plain_path
from django.views.generic import RedirectView

from apps.core.routing import path
from apps.portal import metrics
from apps.portal.api.front_door import HealthView, service_patterns
from apps.portal.api.openapi import openapi
from apps.portal.pages import views as pages

urlpatterns: list[URLPattern | URLResolver] = [
    plain_path("", pages.home, name="home"),
    path("health", HealthView, name="health"),
    path("openapi.json", openapi, name="openapi"),
    path("docs", pages.docs, name="docs"),
    path("redoc", pages.redoc, name="redoc"),
    path("metrics", metrics.view, name="metrics"),
    path("my/status", pages.status, name="status"),
    path("my/alerts/read", pages.read_alerts, name="read-alerts"),
    plain_path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}icons/mahalla.svg")),
    plain_path("admin", RedirectView.as_view(pattern_name="admin:index")),
    plain_path("i18n/", include(i18n)),
]


def product_patterns(base: str) -> list[URLPattern]:
    """What the roof answers under a product's base."""
    return [
        *service_patterns(f"{base}/", base),
        path(f"{base}/openapi.json", openapi, name=f"{base}-openapi", product=base),
        path(f"{base}/docs", pages.docs, name=f"{base}-docs", product=base),
        path(f"{base}/redoc", pages.redoc, name=f"{base}-redoc", product=base),
    ]
