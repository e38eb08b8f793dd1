"""Cashback of a restaurant chain: guests, waiters, purses that the till fills, menu, news."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoyaltyConfig(AppConfig):
    name = "apps.loyalty"
    label = "loyalty"
    verbose_name = _("Restaurant cashback")

    def ready(self) -> None:
        from apps.loyalty import checks, handlers  # noqa: F401
        from apps.loyalty.actions import doors  # noqa: F401
