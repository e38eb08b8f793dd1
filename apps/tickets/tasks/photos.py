"""Jobs about pictures."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.tickets.actions import direct_uploads


@shared_task
def sweep_uploads(**_: Any) -> int:
    """Remove direct uploads that were never finished; every hour."""
    return direct_uploads.sweep()
