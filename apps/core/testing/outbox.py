"""Move the outbox when the test says so."""

from __future__ import annotations

from django.utils import timezone

from apps.core import events
from apps.core.models import OutboxMessage


def deliver(rounds: int = 10, *, expect_failures: bool = False) -> int:
    """Deliver everything due now, including what the handlers publish; returns how many were tried.

    Raises `AssertionError` on a failing handler, unless `expect_failures`.
    """
    tried = 0
    for _ in range(rounds):
        just_now = events.relay(now=timezone.now())
        tried += just_now
        if not just_now:
            break
    broken = OutboxMessage.objects.exclude(last_error="")
    assert expect_failures or not broken.exists(), list(broken.values_list("handler", "last_error"))
    return tried
