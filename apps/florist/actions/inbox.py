"""Reading what one was told, in one's own shop only."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.florist.conf import PRODUCT
from apps.florist.models import Employee
from apps.florist.queries import inbox
from apps.notifications import actions as notifications
from apps.notifications.models import Notification


def mark_read(*, by: Employee, notification_id: UUID) -> Notification:
    """One of one's own; again is free. Raises `notifications.NotificationNotFound`, for another shop's too."""
    if not inbox.of(by).filter(public_id=notification_id).exists():
        raise notifications.NotificationNotFound()
    return notifications.mark_read(by=by, notification_id=str(notification_id), product=PRODUCT)


def mark_all_read(*, by: Employee) -> int:
    """Everything in this shop's inbox; returns how many were unread."""
    return int(inbox.of(by).filter(read_at=None).order_by().update(read_at=timezone.now()))
