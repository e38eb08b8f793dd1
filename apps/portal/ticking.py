"""The schedule without beat: run what is due, in place."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from celery import current_app
from celery.schedules import BaseSchedule, schedule
from django.conf import settings
from django.utils import timezone

log = logging.getLogger(__name__)


@dataclass
class Ticker:
    """Remembers when each job of the schedule ran last in this process."""

    last_run: dict[str, Any] = field(default_factory=dict)

    def run_due(self) -> list[str]:
        """Run every due job once; a failing job is logged and does not stop the others. Returns their names."""
        now = timezone.now()
        names = [name for name, row in settings.CELERY_BEAT_SCHEDULE.items() if self._is_due(name, row, now)]
        for name in names:
            self.last_run[name] = now
            run_job(name)
        return names

    def _is_due(self, name: str, row: dict[str, Any], now: Any) -> bool:
        period = row["schedule"]
        if not isinstance(period, BaseSchedule):
            period = schedule(timedelta(seconds=period), nowfun=timezone.now)
        # A crontab job waits for its hour; a periodic one runs right after the start.
        last = (
            self.last_run.setdefault(name, now)
            if not isinstance(row["schedule"], int | float)
            else self.last_run.get(name)
        )
        return last is None or bool(period.is_due(last).is_due)


def run_job(name: str) -> bool:
    """Run one job of the schedule in place; returns whether it worked."""
    row = settings.CELERY_BEAT_SCHEDULE[name]
    started = time.monotonic()
    try:
        _task(row["task"]).apply(kwargs=row.get("kwargs", {}), throw=True)
    except Exception:  # one broken job must not stop the heartbeat of the others
        log.exception("scheduled job failed", extra={"job": name})
        return False
    log.debug("scheduled job ran", extra={"job": name, "seconds": round(time.monotonic() - started, 3)})
    return True


def _task(name: str) -> Any:
    """The task of this name; a process that is no worker has not imported them yet."""
    if name not in current_app.tasks:
        current_app.loader.import_default_modules()
    return current_app.tasks[name]


def run_all() -> dict[str, bool]:
    """Run every job of the schedule once: for cron and for people. Name → whether it worked."""
    return {name: run_job(name) for name in settings.CELERY_BEAT_SCHEDULE}
