"""What the restaurant's system knows about a phone: one short question, remembered for a minute."""

from __future__ import annotations

import hashlib
import logging

from django.core.cache import cache

from apps.integrations.ports import VendorError, port

log = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""How long somebody who wants to sign in waits for the restaurant's system."""
REMEMBERED_S = 60
"""How long an answer counts; the code follows the question within minutes and may ask again."""


def is_known(phone: str) -> bool:
    """Whether the restaurant's system has a living guest with this number; no answer counts as no."""
    key = f"loyalty:guest:{hashlib.sha256(phone.encode()).hexdigest()[:32]}"
    known = cache.get(key)
    if known is None:
        known = _ask(phone)
        if known is not None:
            cache.set(key, known, timeout=REMEMBERED_S)
    return bool(known)


def _ask(phone: str) -> bool | None:
    system = port("loyalty_system")
    if not system.is_configured():
        return False
    try:
        guest = system.find_guest(phone=phone, patience_s=PATIENCE_S)
    except VendorError as problem:
        log.warning("guest look-up failed", extra={"problem": type(problem).__name__})
        return None
    return guest is not None and not guest.is_deleted
