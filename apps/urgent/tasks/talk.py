"""Jobs about messages."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.urgent.actions import announcements


@shared_task
def sweep_announcements(**_: Any) -> int:
    """Let go of members whose message never came back, and forget old announcements; every minute."""
    return announcements.sweep()
