"""Urgent services: a client posts an order, up to three executors buy its contact."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UrgentConfig(AppConfig):
    name = "apps.urgent"
    label = "urgent"
    verbose_name = _("Urgent services")

    def ready(self) -> None:
        from apps.urgent import checks, handlers, states  # noqa: F401
