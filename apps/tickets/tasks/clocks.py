"""Jobs about promised times."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.tickets.actions import sla


@shared_task
def sweep_clocks(**_: Any) -> int:
    """Announce clocks that have run out; every minute."""
    return sla.sweep()
