"""A production start refuses open doors for people."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def refuse_open_doors(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """E030–E031: staff without a second factor, codes to every country."""
    if settings.EMBEDDED:
        return []
    found: list[CheckMessage] = []
    if not settings.ACCOUNTS.staff_second_factor_required:
        found.append(Error("staff may sign in by password alone", hint="Unset STAFF_2FA_REQUIRED.", id="mahalla.E030"))
    if any(len(prefix) < 2 or not prefix.startswith("+") for prefix in settings.ACCOUNTS.allowed_phone_prefixes):
        hint = "List country prefixes such as +998 in ALLOWED_PHONE_PREFIXES."
        found.append(Error("codes would be sent to every country", hint=hint, id="mahalla.E031"))
    return found
