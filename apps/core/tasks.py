"""Celery shells of the plumbing."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task

from apps.core import events, idempotency


def enqueue(task: Task, **ids: Any) -> None:
    """Queue a task once the current transaction has committed; without a broker it runs in place then."""
    task.delay_on_commit(**ids)


@shared_task
def relay_outbox(**_: Any) -> int:
    """Deliver due outbox messages."""
    return events.relay()


@shared_task
def prune_plumbing(**_: Any) -> None:
    """Delete delivered messages and old idempotency answers."""
    events.prune()
    idempotency.prune()
