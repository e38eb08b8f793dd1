"""Table of contents of the site: which product answers a path.

Each product's API is mounted twice: complete under its base, and at the root in the order of the table (design 3.12).
"""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from apps.florist.live import websocket_urlpatterns as florist_sockets
from apps.loyalty.live import websocket_urlpatterns as loyalty_sockets
from apps.portal.urls import product_patterns
from apps.shop.api.system import inside_the_back_office
from apps.tickets.live import websocket_urlpatterns as tickets_sockets
from apps.urgent.live import websocket_urlpatterns as urgent_sockets

PRODUCTS = {
    "shop": "apps.shop.api.urls",
    "urgent": "apps.urgent.api.urls",
    "loyalty": "apps.loyalty.api.urls",
    "tickets": "apps.tickets.api.urls",
    "florist": "apps.florist.api.urls",
}
"""Product base → its one urlconf; the order decides at the root: shop, urgent, loyalty, tickets, florist."""

SOCKETS = {
    "urgent": urgent_sockets,
    "loyalty": loyalty_sockets,
    "tickets": tickets_sockets,
    "florist": florist_sockets,
}

urlpatterns = [
    # What most clients ask for stands first: routes are tried one after the other, a base in one step.
    *(path(f"{base}/", include(urlconf)) for base, urlconf in PRODUCTS.items()),
    *(pattern for base in PRODUCTS for pattern in product_patterns(base)),
    path("", include((inside_the_back_office, "shop"), namespace="shop-first")),
    path("admin/", admin.site.urls),
    path("", include("apps.portal.urls")),
    *(path("", include(urlconf, namespace=f"{base}-root")) for base, urlconf in PRODUCTS.items()),
    path("payments/", include("apps.payments.api.urls")),
    path("sms/", include("apps.notifications.api.urls")),
    path("", include("apps.tickets.pages.urls")),
    path("", include("apps.florist.pages.urls")),
]
if settings.SANDBOX_ENABLED:
    urlpatterns.insert(0, path("__sandbox/", include("apps.integrations.sandbox.urls")))

websocket_urlpatterns = [pattern for patterns in SOCKETS.values() for pattern in patterns]

handler404 = "apps.portal.api.problems.not_found"
handler500 = "apps.portal.api.problems.server_error"
handler400 = "apps.portal.api.problems.bad_request"
