"""Product-neutral addresses of the gateways' calls, mounted at `/payments/` behind the products' own."""

from __future__ import annotations

from apps.core.routing import path
from apps.payments.api import webhooks

app_name = "payments"

urlpatterns = [
    path("payme", webhooks.payme, name="payme"),
    path("click/prepare", webhooks.click_prepare, name="click-prepare"),
    path("click/complete", webhooks.click_complete, name="click-complete"),
]
