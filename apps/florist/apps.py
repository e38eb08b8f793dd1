"""Flower shops: orders, stock, production and couriers, each shop behind its own wall."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FloristConfig(AppConfig):
    name = "apps.florist"
    label = "florist"
    verbose_name = _("Flower shops")

    def ready(self) -> None:
        from apps.florist import checks, handlers, states  # noqa: F401
        from apps.florist.actions import sessions  # noqa: F401
