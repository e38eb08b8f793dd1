"""A production start refuses what is only fit for a laptop. Each problem has an id and says what to do."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

PRODUCTION = "Set it in the environment; the README lists every variable."


@register(Tags.security)
def refuse_unsafe_production(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """E001–E010: secrets, DEBUG, hosts, memory layers, open CORS, proxies, both modes at once."""
    if settings.EMBEDDED:
        return list(_embedded())
    return [*_secrets(), *_layers(), *_doors()]


def _embedded() -> Iterator[CheckMessage]:
    # Tests run embedded on PostgreSQL on purpose; they say so by their settings module.
    if settings.DATABASE_URL and settings.SETTINGS_MODULE != "config.settings_test":
        yield Error("EMBEDDED=1 together with DATABASE_URL", hint="Unset one of them.", id="mahalla.E001")


def _secrets() -> Iterator[CheckMessage]:
    if settings.SECRET_KEY == settings.INSECURE_SECRET_KEY or len(settings.SECRET_KEY) < 32:
        yield Error(
            "SECRET_KEY is missing, the laptop's own, or shorter than 32 characters", hint=PRODUCTION, id="mahalla.E002"
        )
    if settings.DEBUG:
        yield Error("DEBUG is on", hint="Unset DEBUG.", id="mahalla.E003")


def _layers() -> Iterator[CheckMessage]:
    if "LocMem" in settings.CACHES["default"]["BACKEND"]:
        yield Error("the cache lives in one process", hint="Set REDIS_URL.", id="mahalla.E004")
    if "InMemory" in settings.CHANNEL_LAYERS["default"]["BACKEND"]:
        yield Error("the channel layer lives in one process", hint="Set REDIS_URL.", id="mahalla.E005")
    if "sqlite" in str(settings.DATABASES["default"]["ENGINE"]):
        yield Error("SQLite in production", hint="Set DATABASE_URL to PostgreSQL.", id="mahalla.E006")
    if settings.TICK_IN_PROCESS:
        yield Error("TICK_IN_PROCESS is for the embedded server", hint="Run worker and beat.", id="mahalla.E007")


def _doors() -> Iterator[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield Error("ALLOWED_HOSTS lets every host in", hint=PRODUCTION, id="mahalla.E008")
    if getattr(settings, "CORS_ALLOW_ALL_ORIGINS", False) or "*" in settings.CORS_ALLOWED_ORIGINS:
        yield Error(
            "CORS is open to every origin with credentials", hint="List the origins in CORS_ORIGINS.", id="mahalla.E009"
        )
    for net in settings.TRUSTED_PROXIES:
        if not _is_some_network(net):
            hint = "List the addresses of your own proxies."
            yield Error(f"TRUSTED_PROXIES holds {net!r}: no network, or everybody", hint=hint, id="mahalla.E010")


def _is_some_network(text: str) -> bool:
    """A network that is not the whole internet: whoever is trusted may call himself by any address."""
    try:
        return ipaddress.ip_network(text, strict=False).prefixlen > 0
    except ValueError:
        return False
