"""The online shop: catalogue, cart, orders, card payments."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopConfig(AppConfig):
    name = "apps.shop"
    label = "shop"
    verbose_name = _("Online shop")

    def ready(self) -> None:
        from apps.shop import handlers, states  # noqa: F401
        from apps.shop.actions import sessions  # noqa: F401
