"""The roof: sees every product, seen by none."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from apps.integrations.checks import problems


def refuse_unsafe_vendors(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """`integrations` is no Django app, so the roof registers its checks."""
    return list(problems(settings))


class PortalConfig(AppConfig):
    name = "apps.portal"
    label = "portal"

    def ready(self) -> None:
        register(refuse_unsafe_vendors, Tags.security)
        from apps.portal import handlers  # noqa: F401
