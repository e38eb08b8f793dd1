"""About one-time codes, without the codes."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.accounts.models import OneTimeCode
from apps.florist.conf import PRODUCT


def status(phone: str) -> dict[str, Any]:
    """The live code of a phone: tries and seconds left; zeros without one (contract florist 1.1)."""
    now = timezone.now()
    live = OneTimeCode.objects.filter(
        phone=phone, purpose__startswith=f"{PRODUCT}:", used_at=None, burnt_at=None, expires_at__gt=now
    )
    code = live.order_by("-id").first()
    if code is None:
        return {"exists": False, "attempts": 0, "remaining_attempts": 0, "ttl_seconds": 0, "created_at": None}
    return {
        "exists": True,
        "attempts": code.tries,
        "remaining_attempts": code.max_tries - code.tries,
        "ttl_seconds": int((code.expires_at - now).total_seconds()),
        "created_at": code.created_at,
    }
