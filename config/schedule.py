"""Every periodic job of the house: name → task, period in seconds (or crontab)."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep outbox": {"task": "apps.core.tasks.relay_outbox", "schedule": 5.0},
    "prune plumbing": {"task": "apps.core.tasks.prune_plumbing", "schedule": crontab(hour=3, minute=10)},
}
