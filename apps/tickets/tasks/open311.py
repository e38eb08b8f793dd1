"""Jobs about reports through Open311."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.tickets.actions import open311


@shared_task
def forget_senders(**_: Any) -> int:
    """What senders told of themselves, when its time is over; at night."""
    return open311.forget_senders()
