"""Neighbourhood issues: citizens report what is broken, teams repair it, managers watch."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "apps.tickets"
    label = "tickets"
    verbose_name = _("Neighbourhood issues")

    def ready(self) -> None:
        from apps.tickets import checks, handlers, states  # noqa: F401
        from apps.tickets.actions import sessions  # noqa: F401
