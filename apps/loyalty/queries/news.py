"""News for everybody and announcements for managers (contract loyalty 1.5, 1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Min, Q
from django.utils import timezone

from apps.core.kept import Kept
from apps.loyalty.errors import AnnouncementNotFound, NewsNotFound
from apps.loyalty.models import Announcement, News
from apps.loyalty.queries import cached
from apps.loyalty.queries.counting import page_of

MOST_NEWS = 200
FIELDS = ("id", "title", "description", "image_url", "starts_at", "ends_at", "priority", "created_at")
LINK = "/api/v1/news/"


def showing() -> Kept:
    """What is inside its window now, most important first, as bytes that hold until the next window opens or closes."""
    return cached.NEWS.answer("showing", lambda _: _make(timezone.now()))


def _make(now: datetime) -> tuple[bytes, float]:
    rows = [as_json(row) for row in News.objects.showing(now)[:MOST_NEWS]]
    edges = News.objects.aggregate(
        opens=Min("starts_at", filter=Q(starts_at__gt=now)), closes=Min("ends_at", filter=Q(ends_at__gt=now))
    )
    left = [(edge - now).total_seconds() for edge in edges.values() if edge is not None]
    return orjson.dumps(rows, option=orjson.OPT_UTC_Z), min([cached.SECONDS, *left])


def all_news() -> list[dict[str, Any]]:
    """Scheduled and past ones too, in the same order: for managers."""
    return [as_json(row) for row in News.objects.all()[:MOST_NEWS]]


def one(news_id: int) -> dict[str, Any]:
    """One piece of news inside its window. Raises `NewsNotFound`."""
    found = News.objects.showing(timezone.now()).filter(pk=news_id).first()
    if found is None:
        raise NewsNotFound()
    return as_json(found)


def as_json(piece: News) -> dict[str, Any]:
    """A piece of news as clients read it; `link` leads to itself."""
    return {**{name: getattr(piece, name) for name in FIELDS}, "link": f"{LINK}{piece.pk}"}


def announcements(*, page: int, size: int) -> tuple[Sequence[Announcement], int]:
    """One page, newest first, and how many there are."""
    return page_of(Announcement.objects.filter(deleted_at=None).order_by("-pk"), page=page, size=size)


def announcement(announcement_id: int) -> Announcement:
    """One. Raises `AnnouncementNotFound`."""
    found = Announcement.objects.filter(pk=announcement_id, deleted_at=None).first()
    if found is None:
        raise AnnouncementNotFound()
    return found
