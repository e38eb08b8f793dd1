"""Celery shells: alarms and forgetting."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.accounts.actions import housekeeping, spending


@shared_task
def watch_code_success(**_: Any) -> list[str]:
    """Ring when too few of a prefix's texted codes are typed in."""
    return spending.watch_success()


@shared_task
def prune(**_: Any) -> dict[str, int]:
    """Delete old codes, links, ended sessions and log lines."""
    return housekeeping.prune()
