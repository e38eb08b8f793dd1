"""Jobs about tasks."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.florist.actions import queue


@shared_task
def raise_late_tasks(**_: Any) -> int:
    """Make tasks past their deadline urgent and tell their florists; every minute (contract florist 3.18)."""
    return queue.raise_late()
