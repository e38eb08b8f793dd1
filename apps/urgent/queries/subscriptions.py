"""What a member asked to be told, and who is to be told about an order (contract urgent 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from apps.urgent.models import MailBox, Member, WantedCategory, WantedCity

PAUSES_MINUTES = range(5, 16)
"""The pauses that members can choose (contract urgent 3.1)."""


def preferences(member: Member) -> dict[str, list[str]]:
    """The two lists in the order in which the member gave them."""
    return {
        "categories": list(WantedCategory.objects.filter(member=member).values_list("category", flat=True)),
        "cities": list(WantedCity.objects.filter(member=member).values_list("city", flat=True)),
    }


def notification_settings(member: Member) -> dict[str, Any]:
    """Whether the member wants messages and the pause between two, in minutes."""
    return {"enabled": member.notifications_enabled, "frequency": member.notification_frequency_minutes}


def interested(*, category: str, city: str, author_id: int, now: datetime) -> QuerySet[Member]:
    """Members to tell about a new order: switched on, both lists match, pause over, not the author, not blocked."""
    return (
        Member.objects.filter(
            notifications_enabled=True,
            wanted_categories__category=category,
            wanted_cities__city=city,
            user__is_active=True,
            blocked_at=None,
        )
        .exclude(pk=author_id)
        .filter(rested(now))
    )


def rested(now: datetime) -> Q:
    """The pause of the member is over: the skipped orders are dropped, not queued."""
    over = Q(last_notified_at=None)
    for minutes in PAUSES_MINUTES:  # written out: SQLite cannot subtract a column of minutes from a time
        over |= Q(notification_frequency_minutes=minutes, last_notified_at__lte=now - timedelta(minutes=minutes))
    return over


def in_batches(ids: QuerySet[Any], size: int) -> Iterator[list[int]]:
    """Primary keys in pieces of `size`."""
    batch: list[int] = []
    for pk in ids.iterator(chunk_size=2000):
        batch.append(pk)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def proved_address(member: Member) -> str:
    """The member's e-mail address when it was proved, else an empty text."""
    return (
        MailBox.objects.filter(member=member, verified_at__isnull=False).values_list("address", flat=True).first() or ""
    )


def mail(member: Member) -> dict[str, Any]:
    """The member's address and whether it was proved."""
    box = MailBox.objects.filter(member=member).first()
    proved_at = box.verified_at if box else None
    return {"email": box.address if box else None, "verified": proved_at is not None, "verified_at": proved_at}
