"""Celery shells."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.notifications import actions


@shared_task
def deliver_due(**_: Any) -> int:
    """Send what is due; swept every few seconds and woken after each tell."""
    return actions.deliver_due()


@shared_task
def run_broadcasts(*, broadcast_id: int | None = None, **_: Any) -> int:
    """Tell running broadcasts for a minute; the next sweep goes on."""
    return actions.run_due(broadcast_id=broadcast_id)


@shared_task
def prune_notifications(**_: Any) -> int:
    """Delete what is older than half a year."""
    return actions.prune()
