"""One message to a whole segment, in batches that can be stopped, killed and continued; everyone hears it once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.functional import Promise

from apps.core import states
from apps.core.texts import Text, in_languages
from apps.notifications import channels
from apps.notifications.actions.telling import BULK, Saying, Words, tell_many
from apps.notifications.models import Broadcast, BroadcastProgress, Notification

BATCH = 500
"""People per commit."""

Status = Broadcast.Status


def broadcast(
    *,
    by: Any,
    product: str,
    segment: str,
    title: Words | Mapping[str, str],
    body: Words | Mapping[str, str] = "",
    kind: str = "broadcast",
    payload: Mapping[str, Any] | None = None,
    segment_facts: Mapping[str, Any] | None = None,
    link_url: str = "",
    channels: Iterable[str] | None = None,  # noqa: A002 – the same word as in tell()
    key: str = "",
    is_started: bool = True,
) -> Broadcast:
    """Prepare a message to a registered segment and, unless told otherwise, start it.

    The same key answers the first one. The product has checked that `by` may. Raises `UnknownSegment`.
    """
    _ensure_segment(product, segment)
    with transaction.atomic():
        values = {
            "product": product,
            "kind": kind,
            "title": as_text(title),
            "body": as_text(body),
            "payload": dict(payload or {}),
            "channels": list(channels or ()),
            "segment": segment,
            "segment_facts": dict(segment_facts or {}),
            "link_url": link_url,
            "created_by_id": by.user.pk if by is not None else None,
        }
        if not key:
            made, is_new = Broadcast.objects.create(**values), True
        else:
            made, is_new = Broadcast.objects.get_or_create(key=f"{product}:{key}", defaults=values)
        return start(by=by, broadcast_id=made.pk) if is_new and is_started else made


def _ensure_segment(product: str, name: str) -> None:
    channels.segment(product, name)


def as_text(words: Words | Mapping[str, str]) -> dict[str, str]:
    """Words in every language we have them in, as stored."""
    if isinstance(words, Text):
        return words.to_json()
    if isinstance(words, Mapping):
        return Text.from_json(words).to_json()
    if isinstance(words, Promise):
        return in_languages(words)
    return Text(ru=words).to_json()


def start(*, by: Any, broadcast_id: int, reason: str = "") -> Broadcast:
    """Begin telling. Raises `IllegalBroadcastStep` unless it is a draft, `UnknownSegment` when its product left."""
    with transaction.atomic():
        moved = states.step(Broadcast.objects.get(pk=broadcast_id), Status.RUNNING, by=by, reason=reason)
        BroadcastProgress.objects.get_or_create(broadcast=moved, defaults={"people_count": _people(moved).count()})
    return moved


def pause(*, by: Any, broadcast_id: int, reason: str = "") -> Broadcast:
    """Stop after the present batch. Raises `IllegalBroadcastStep` unless it runs."""
    return states.step(Broadcast.objects.get(pk=broadcast_id), Status.PAUSED, by=by, reason=reason)


def resume(*, by: Any, broadcast_id: int, reason: str = "") -> Broadcast:
    """Go on where it stopped. Raises `IllegalBroadcastStep` unless it is paused."""
    broadcast = Broadcast.objects.get(pk=broadcast_id)
    if broadcast.status != Status.PAUSED:
        states.machine_of(Broadcast).find(broadcast.status, "resumed")
    return states.step(broadcast, Status.RUNNING, by=by, reason=reason)


def cancel(*, by: Any, broadcast_id: int, reason: str = "") -> Broadcast:
    """Never tell the rest. Who has been told stays told. Raises `IllegalBroadcastStep` when it is over."""
    return states.step(Broadcast.objects.get(pk=broadcast_id), Status.CANCELLED, by=by, reason=reason)


def reword(*, by: Any, broadcast_id: int, title: Words | Mapping[str, str], body: Words | Mapping[str, str]) -> None:
    """Other words for whoever has not been told yet; who has been told keeps the old ones. The product has checked."""
    words = {"title": as_text(title), "body": as_text(body), "updated_at": timezone.now()}
    Broadcast.objects.filter(pk=broadcast_id).update(**words)


def withdraw(*, by: Any, broadcast_id: int, reason: str = "", limit: int | None = None) -> int:
    """Take the message out of every inbox (contract loyalty 1.6 row 59); returns how many rows went.

    With a `limit` at most so many: call again until fewer go. Waits for a batch that is being told: its rows are seen
    only after it.
    """
    with transaction.atomic():
        list(BroadcastProgress.objects.select_for_update().filter(pk=broadcast_id))
        broadcast = Broadcast.objects.get(pk=broadcast_id)
        if broadcast.status in (Status.DRAFT, Status.RUNNING, Status.PAUSED):
            cancel(by=by, broadcast_id=broadcast_id, reason=reason)
        rows = broadcast.notifications.all()
        if limit is not None:
            rows = Notification.objects.filter(pk__in=list(rows.order_by("pk").values_list("pk", flat=True)[:limit]))
        return rows.delete()[1].get("notifications.Notification", 0)


def run_due(*, broadcast_id: int | None = None, seconds: float = 60) -> int:
    """Tell batches of every running broadcast (or one) for at most `seconds`; returns how many people were told."""
    until = time.monotonic() + seconds
    running = Broadcast.objects.filter(status=Status.RUNNING).order_by("id")
    if broadcast_id is not None:
        running = running.filter(pk=broadcast_id)
    told = 0
    for pk in list(running.values_list("pk", flat=True)):
        while time.monotonic() < until and (batch := advance(broadcast_id=pk)) is not None:
            told += batch
    return told


def advance(*, broadcast_id: int, batch: int = BATCH) -> int | None:
    """Tell the next batch and move the cursor in the same commit; returns how many were told.

    None: nothing to do here – over, paused, or another worker is at it. A kill in the middle rolls the batch back.
    """
    with transaction.atomic():
        progress = _take(broadcast_id)
        if progress is None:
            return None
        going = progress.broadcast
        people = list(_people(going).filter(pk__gt=progress.cursor).order_by("pk")[:batch])
        if not people:
            states.step(going, Status.FINISHED, by=None)
            return None
        told = len(tell_many(users=people, saying=_saying(going)))
        BroadcastProgress.objects.filter(pk=progress.pk).update(
            cursor=people[-1].pk, told_count=F("told_count") + told, moved_at=timezone.now()
        )
    return told


def _take(broadcast_id: int) -> BroadcastProgress | None:
    """The progress row, locked, if the broadcast runs and nobody else is at it.

    The broadcast is read after the lock: one that was withdrawn meanwhile still runs in a snapshot from before it.
    """
    rows = BroadcastProgress.objects.filter(pk=broadcast_id)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    progress = rows.first()
    going = Broadcast.objects.filter(pk=broadcast_id, status=Status.RUNNING).first() if progress else None
    if progress is None or going is None:
        return None
    progress.broadcast = going
    return progress


def _people(going: Broadcast) -> Any:
    found = channels.segment(going.product, going.segment).people(going.segment_facts)
    return found.filter(is_active=True)


def _saying(going: Broadcast) -> Saying:
    return Saying(
        product=going.product,
        kind=going.kind,
        title=Text.from_json(going.title),
        body=Text.from_json(going.body),
        payload=going.payload,
        link=("", going.link_url),
        key=f"broadcast:{going.pk}",
        channels=tuple(going.channels) or None,
        broadcast_id=going.pk,
        priority=BULK,
    )
