"""Addresses of the vendors' reports, mounted at `/sms/` behind the products' own."""

from __future__ import annotations

from apps.core.routing import path
from apps.notifications.api import webhooks

app_name = "sms"

urlpatterns = [
    path("eskiz/<str:secret>", webhooks.eskiz, name="eskiz"),
    path("twilio", webhooks.twilio, name="twilio"),
]
