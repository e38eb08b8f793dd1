"""What a production start refuses in this product's settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

SHORTEST_KEY = 32
"""Letters; shorter keys of HS256 can be guessed from one token."""


@register(Tags.security)
def refuse_a_weak_signing_key(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """tickets.E001: whoever guesses the key signs himself in as anybody (contract tickets 5, D22)."""
    key = settings.TICKETS.jwt_secret_key
    if settings.EMBEDDED or not key or (len(key) >= SHORTEST_KEY and len(set(key)) >= SHORTEST_KEY // 4):
        return []
    hint = "Set JWT_SECRET_KEY to 32 random characters or more, or unset it: then the house's key signs."
    return [Error("tokens of the tickets are signed with a weak key", hint=hint, id="tickets.E001")]
