"""Jobs about orders."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.urgent.actions import members, timer

SWEEP_LIMIT = 5000
"""Orders per run: a backlog is worked off by several runs, none of which meets the worker's time limit."""


@shared_task
def settle_due_orders(**_: Any) -> int:
    """Expire orders and close unanswered ones; every ten seconds (contract urgent 5)."""
    return timer.sweep(limit=SWEEP_LIMIT)


@shared_task
def check_member_figures(**_: Any) -> int:
    """Nightly: counters and means against what they count; returns how many were off."""
    return len(members.check_figures())
