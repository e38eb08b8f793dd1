"""What an employee was told in his shop; who works in two reads them apart."""

from __future__ import annotations

from typing import Any

from apps.florist.conf import PRODUCT
from apps.florist.models import Employee
from apps.notifications.models import Notification


def of(by: Employee) -> Any:
    """His listed rows of this shop, newest first."""
    rows = Notification.objects.of(by.user_id, PRODUCT).listed()
    return rows.filter(payload__shop_id=by.shop_id).order_by("-id")


def page(
    by: Employee, *, skip: int = 0, limit: int = 100, unread_only: bool = False
) -> tuple[list[Notification], int, int]:
    """One page, how many there are, and how many of them are unread."""
    rows = of(by)
    unread = rows.filter(read_at=None)
    wanted = unread if unread_only else rows
    return list(wanted[skip : skip + limit]), wanted.count(), unread.count()
