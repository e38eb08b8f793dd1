"""What was told: inbox pages, counts, rows for sockets, wishes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from apps.notifications import channels
from apps.notifications.models import Broadcast, Delivery, Device, Notification, QuietHours, Wish

LARGEST_PAGE = 200
"""An inbox answers at most this many rows, whatever is asked for."""

REPLAY_BATCH = 200
LIVE_FIELDS: tuple[str, ...] = (
    *("id", "public_id", "user_id", "product", "kind", "title", "body", "payload", "language"),
    *("link_url", "created_at"),
)


def inbox(
    *, user_id: int, product: str, limit: int = 50, before_id: int | None = None, unread_only: bool = False
) -> list[Notification]:
    """Newest first, at most `limit` (1..200) rows; `before_id` continues from the last row of the page before."""
    rows = _inbox(user_id, product, unread_only)
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return list(rows[: _bounded(limit)])


def inbox_page(
    *, user_id: int, product: str, page: int = 1, page_size: int = 20, unread_only: bool = False
) -> tuple[list[Notification], int]:
    """One numbered page (from 1) and how many rows there are (contract tickets 1.5)."""
    size = _bounded(page_size)
    rows = _inbox(user_id, product, unread_only)
    start = (max(1, page) - 1) * size
    return list(rows[start : start + size]), rows.count()


def _inbox(user_id: int, product: str, unread_only: bool) -> Any:
    rows = Notification.objects.of(user_id, product)
    return (rows.unread() if unread_only else rows.listed()).order_by("-id")


def _bounded(limit: int) -> int:
    return max(1, min(limit, LARGEST_PAGE))


def unread_count(*, user_id: int, product: str) -> int:
    """How many inbox rows were never opened; answered from a partial index."""
    return Notification.objects.of(user_id, product).unread().count()


def unsent_rows(user_id: int, product: str, *, after_id: int = 0) -> list[dict[str, Any]]:
    """What no socket has written yet, oldest first, at most `REPLAY_BATCH` rows (contract loyalty 3.10)."""
    rows = Notification.objects.of(user_id, product).unsent().filter(id__gt=after_id)
    return list(rows.order_by("id").values(*LIVE_FIELDS)[:REPLAY_BATCH])


def overlooked_rows(
    people: Iterable[tuple[int, str]], *, older_than_seconds: float, now: datetime | None = None
) -> list[dict[str, Any]]:
    """Unsent rows of people who are connected here: their live frame was lost on the way. Oldest first.

    Of very many the newest: rows that no open socket is for wait long, and must not hide those that got lost.
    """
    wanted = set(people)
    until = (now or timezone.now()) - timedelta(seconds=older_than_seconds)
    rows = Notification.objects.unsent().filter(user_id__in={user_id for user_id, _ in wanted}, created_at__lt=until)
    found = rows.order_by("-id").values(*LIVE_FIELDS)[: 5 * REPLAY_BATCH]
    return [row for row in reversed(found) if (row["user_id"], row["product"]) in wanted]


def as_row(notification: Notification) -> dict[str, Any]:
    """The same shape as `unsent_rows`, from an object just made."""
    return {name: getattr(notification, name) for name in LIVE_FIELDS}


def device_ids(user_ids: Iterable[int], product: str) -> dict[int, list[int]]:
    """The push devices of many people in one query."""
    found: dict[int, list[int]] = {}
    rows = Device.objects.filter(user_id__in=list(user_ids), product=product).order_by("id")
    for user_id, device_id in rows.values_list("user_id", "id"):
        found.setdefault(user_id, []).append(device_id)
    return found


def devices(*, user_id: int, product: str) -> list[Device]:
    """A person's own devices, latest seen first."""
    return list(Device.objects.filter(user_id=user_id, product=product).order_by("-seen_at"))


def switched(user_ids: Iterable[int], product: str, kind: str) -> dict[int, dict[str, bool]]:
    """What many people switched on or off for this kind; a wish for the kind beats one for the whole product."""
    found: dict[int, dict[str, bool]] = {}
    rows = Wish.objects.filter(user_id__in=list(user_ids), product=product, kind__in=("", kind)).order_by("kind")
    for user_id, channel, is_on in rows.values_list("user_id", "channel", "is_on"):
        found.setdefault(user_id, {})[channel] = is_on
    return found


def quiet_hours(user_ids: Iterable[int], product: str) -> dict[int, QuietHours]:
    """The quiet hours of many people in one query."""
    return {row.user_id: row for row in QuietHours.objects.filter(user_id__in=list(user_ids), product=product)}


def wishes(*, user_id: int, product: str) -> list[dict[str, Any]]:
    """The settings screen: every kind of the product with each of its channels and whether it is on for this person."""
    own = {(wish.kind, wish.channel): wish.is_on for wish in Wish.objects.filter(user_id=user_id, product=product)}
    return [
        {
            "kind": kind.name,
            "label": str(kind.label),
            "channels": {name: _is_on(own, kind, name) for name in channels.CHANNELS},
        }
        for kind in channels.kinds(product)
    ]


def _is_on(own: dict[tuple[str, str], bool], kind: channels.Kind, channel: str) -> bool:
    by_default = channel in kind.channels
    return own.get((kind.name, channel), own.get(("", channel), by_default))


def delivery_counts(broadcast: Broadcast) -> dict[str, int]:
    """How many messages of a broadcast are in which state, for the admin."""
    rows = Delivery.objects.filter(notification__broadcast=broadcast).order_by()
    return dict(rows.values_list("state").annotate(count=Count("id")))


def read_count(broadcast: Broadcast) -> int:
    """How many people opened it."""
    return Notification.objects.filter(Q(broadcast=broadcast) & Q(read_at__isnull=False)).count()
