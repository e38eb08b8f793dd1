"""Jobs about iiko."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.loyalty.actions import iiko_audit, iiko_jobs, iiko_notices


@shared_task
def run_iiko_jobs(**_: Any) -> int:
    """Do what is due at iiko; every two seconds, at most two at a time."""
    return iiko_jobs.run_due()


@shared_task
def reconcile_with_iiko(**_: Any) -> int:
    """Ask for a reading of the guests whose balance was proved longest ago; nightly."""
    return iiko_audit.reconcile().asked_count


@shared_task
def prune_iiko(**_: Any) -> int:
    """Forget old jobs and notices; nightly."""
    return iiko_jobs.prune() + iiko_notices.prune()
