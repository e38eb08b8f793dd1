"""News: written, changed, taken down by managers (contract loyalty 1.5, rows 43 to 46)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.loyalty import access, errors
from apps.loyalty.models import News
from apps.loyalty.queries import cached


def publish(
    *,
    by: Any,
    title: str,
    description: str,
    image_url: str | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    priority: int = 0,
) -> News:
    """Put up a piece of news; without a window it shows at once and stays. Raises `ManagersOnly`."""
    access.ensure_manager(by, "loyalty.add_news")
    with transaction.atomic():
        piece = News.objects.create(
            title=title,
            description=description,
            image_url=image_url or None,
            starts_at=starts_at,
            ends_at=ends_at,
            priority=priority,
        )
        cached.NEWS.forget()
    return piece


def change(*, by: Any, news_id: int, changes: Mapping[str, Any]) -> News:
    """Only what is given changes. Raises `ManagersOnly`, `NewsNotFound`."""
    access.ensure_manager(by, "loyalty.change_news")
    with transaction.atomic():
        piece = News.objects.select_for_update().filter(pk=news_id).first()
        if piece is None:
            raise errors.NewsNotFound()
        for name, value in changes.items():
            setattr(piece, name, value)
        piece.save()
        cached.NEWS.forget()
    return piece


def take_down(*, by: Any, news_id: int) -> None:
    """Remove a piece of news. Raises `ManagersOnly`, `NewsNotFound`."""
    access.ensure_manager(by, "loyalty.delete_news")
    with transaction.atomic():
        if not News.objects.filter(pk=news_id).delete()[0]:
            raise errors.NewsNotFound()
        cached.NEWS.forget()
