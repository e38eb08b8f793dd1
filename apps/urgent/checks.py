"""What a production start refuses in this product's settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def refuse_free_money(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """urgent.E001: the developer's recharge credits anybody who asks (contract urgent 8.2)."""
    if settings.EMBEDDED or not settings.URGENT.allow_dev_recharge:
        return []
    hint = "Unset ALLOW_DEV_RECHARGE; staff may recharge without it."
    return [Error("everybody may credit his own balance", hint=hint, id="urgent.E001")]
