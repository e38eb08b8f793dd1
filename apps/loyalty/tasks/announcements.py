"""Jobs about announcements."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from apps.loyalty.actions import announcements


@shared_task
def withdraw_announcements(**_: Any) -> int:
    """Take deleted announcements out of inboxes, some thousand rows a time."""
    return announcements.withdraw_due()
