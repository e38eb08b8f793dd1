"""What a production start refuses in this product's settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SHORTEST_KEY = 32
"""Letters; shorter keys of HS256 can be guessed from one token."""


def _is_weak(key: str) -> bool:
    return bool(key) and (len(key) < SHORTEST_KEY or len(set(key)) < SHORTEST_KEY // 4)


@register(Tags.security)
def refuse_a_weak_signing_key(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """florist.E001: whoever guesses the key signs himself in as any owner."""
    if settings.EMBEDDED or not _is_weak(settings.FLORIST.secret_key):
        return []
    hint = "Set FLORIST_SECRET_KEY to 32 random characters or more, or unset it: then the house's key signs."
    return [Error("tokens of the flower shops are signed with a weak key", hint=hint, id="florist.E001")]


@register(Tags.security)
def refuse_a_weak_webhook_secret(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """florist.E002: whoever guesses it says that orders are paid; an empty one refuses all notices and is fine."""
    if settings.EMBEDDED or not _is_weak(settings.FLORIST.webhook_secret):
        return []
    hint = "Set PAYMENT_WEBHOOK_SECRET to 32 random characters or more, or unset it: then no notice is taken."
    return [Error("payment notices of the flower shops are proved by a weak secret", hint=hint, id="florist.E002")]


@register(Tags.security)
def warn_of_a_test_code(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """florist.W001: it opens nothing without DEBUG, but it does not belong here (contract florist 5, defect 6)."""
    if settings.EMBEDDED or not settings.FLORIST.test_code:
        return []
    hint = "Unset TEST_OTP_CODE; it counts with DEBUG only."
    return [Warning("a fixed sign-in code is configured", hint=hint, id="florist.W001")]
