"""Telling people: one row per person, then every channel that the kind, the caller and the person agree on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise

from apps.core import events
from apps.core.texts import LANGUAGES, Text, language_of, speaking
from apps.notifications import channels, live, queries
from apps.notifications.errors import NotificationNotFound
from apps.notifications.events import DeliveriesQueued
from apps.notifications.models import Delivery, Notification, QuietHours

Words = str | Promise | Text
PERSONAL = 0
BULK = 1

READ_KEPT_DAYS = 180
"""Notifications older than this are pruned, read or not."""


@dataclass(frozen=True)
class Saying:
    """What is said, to whomever: the part that all recipients share. `facts` fill `{placeholders}` of lazy words."""

    product: str
    kind: str
    title: Words
    body: Words = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    link: tuple[str, str] = ("", "")
    key: str = ""
    channels: tuple[str, ...] | None = None
    broadcast_id: int | None = None
    priority: int = PERSONAL


def tell(
    *,
    user: Any,
    product: str,
    kind: str,
    title: Words,
    body: Words = "",
    payload: Mapping[str, Any] | None = None,
    key: str = "",
    channels: Iterable[str] | None = None,
    facts: Mapping[str, Any] | None = None,
    link: tuple[str, str] = ("", ""),
    language: str = "",
    now: datetime | None = None,
) -> Notification:
    """Tell one person something, in their language, by the channels of the kind minus what they switched off.

    The row is written here; sockets, pushes, bot, mail and SMS go out after commit. With a `key` a repeat answers the
    first row and tells nobody twice. `channels` replaces the kind's own; `link` is (label, url), a button in the bot.
    """
    chosen = None if channels is None else tuple(channels)
    saying = Saying(product, kind, title, body, payload or {}, facts or {}, link, key, chosen)
    if key and (known := Notification.objects.of(user.pk, product).filter(key=key).first()):
        return known
    try:
        with transaction.atomic():
            return write([user], saying, language=language, now=now)[0]
    except IntegrityError:
        # Another process told the same key between our look and our insert: its row is the answer.
        return Notification.objects.of(user.pk, product).get(key=key)


def tell_many(
    *, users: Iterable[Any], saying: Saying, language: str = "", now: datetime | None = None
) -> list[Notification]:
    """Tell several people the same in a constant number of statements; those who know the key already are left out.

    `language` is that of words which people wrote; without it each row is in the person's own.
    """
    with transaction.atomic():
        people = list(users)
        if saying.key:
            told = Notification.objects.filter(user__in=people, product=saying.product, key=saying.key)
            known = set(told.values_list("user_id", flat=True))
            people = [person for person in people if person.pk not in known]
        return write(people, saying, language=language, now=now) if people else []


def write(
    people: Sequence[Any], saying: Saying, *, language: str = "", now: datetime | None = None
) -> list[Notification]:
    """Rows, deliveries and live frames for these people. The caller holds the transaction and dealt with the key."""
    moment = now or timezone.now()
    by_person = _agreed_channels(people, saying)
    rows = [_row(person, saying, by_person[person.pk], language, moment) for person in people]
    Notification.objects.bulk_create(rows)
    _queue_deliveries(rows, people, saying, by_person, moment)
    live.send_rows((live.person(row.user_id, row.product), queries.as_row(row)) for row in rows if row.goes_live)
    return rows


def _agreed_channels(people: Sequence[Any], saying: Saying) -> dict[int, set[str]]:
    """Per person: what the caller asked for minus what they switched off, or the kind's channels as they wish them."""
    wished = queries.switched([person.pk for person in people], saying.product, saying.kind)
    if saying.channels is not None:
        asked = set(saying.channels)
        return {person.pk: {c for c in asked if wished.get(person.pk, {}).get(c, True)} for person in people}
    usual = set(channels.kind_of(saying.product, saying.kind).channels)
    return {
        person.pk: {c for c in channels.CHANNELS if wished.get(person.pk, {}).get(c, c in usual)} for person in people
    }


def _row(person: Any, saying: Saying, agreed: set[str], language: str, moment: datetime) -> Notification:
    spoken = language if language in LANGUAGES else language_of(person)
    with speaking(spoken):
        title, body = _spoken(saying.title, spoken, saying.facts), _spoken(saying.body, spoken, saying.facts)
        label = str(saying.link[0])
    return Notification(
        user_id=person.pk,
        product=saying.product,
        kind=saying.kind,
        title=title[:255],
        body=body,
        payload=dict(saying.payload),
        link_label=label[:64],
        link_url=saying.link[1],
        language=spoken,
        key=saying.key,
        broadcast_id=saying.broadcast_id,
        in_inbox=channels.INBOX in agreed,
        goes_live=channels.SOCKET in agreed,
        created_at=moment,
    )


def _spoken(words: Words, language: str, facts: Mapping[str, Any]) -> str:
    """Words in a language. Only our own catalogue texts have placeholders; what people typed is left as it is."""
    if isinstance(words, Text):
        return words.pick(language)
    text = str(words)
    return text.format(**facts) if facts else text


def _queue_deliveries(
    rows: Sequence[Notification],
    people: Sequence[Any],
    saying: Saying,
    agreed: Mapping[int, set[str]],
    moment: datetime,
) -> None:
    outside = {person.pk: agreed[person.pk] & set(channels.OUTSIDE) for person in people}
    wanting = [person.pk for person in people if outside[person.pk]]
    if not wanting:
        return
    devices = queries.device_ids(wanting, saying.product) if any(channels.PUSH in outside[pk] for pk in wanting) else {}
    rings_at_night = channels.kind_of(saying.product, saying.kind).rings_at_night
    quiet = {} if rings_at_night else queries.quiet_hours(wanting, saying.product)
    phones = channels.phones_of([person for person in people if channels.SMS in outside[person.pk]], saying.product)
    deliveries = []
    for row, person in zip(rows, people, strict=True):
        reach = channels.reach_of(person, devices.get(person.pk, ()), phone=phones.get(person.pk, ""))
        due_at = ringing_time(quiet.get(person.pk), moment)
        deliveries += _ways(row, outside[person.pk], reach, due_at, saying.priority)
    Delivery.objects.bulk_create(deliveries)
    if deliveries:
        events.publish(DeliveriesQueued(count=len(deliveries)))


def _ways(row: Notification, names: set[str], reach: channels.Reach, due_at: datetime, priority: int) -> list[Delivery]:
    """A delivery per channel that has an address, and one per device for pushes."""
    found: list[Delivery] = []
    for name in sorted(names):
        targets: tuple[int | None, ...] = reach.device_ids if name == channels.PUSH else (None,)
        if reach.has(name):
            found += [
                Delivery(notification=row, channel=name, device_id=device_id, due_at=due_at, priority=priority)
                for device_id in targets
            ]
    return found


def ringing_time(quiet: QuietHours | None, moment: datetime) -> datetime:
    """When it may ring: now, or at the end of the person's quiet hours."""
    if quiet is None or quiet.starts == quiet.ends:
        return moment
    local = moment.astimezone(ZoneInfo(quiet.time_zone))
    clock = local.time()
    crosses_midnight = quiet.starts > quiet.ends
    is_quiet = (clock >= quiet.starts or clock < quiet.ends) if crosses_midnight else quiet.starts <= clock < quiet.ends
    if not is_quiet:
        return moment
    end = local.replace(hour=quiet.ends.hour, minute=quiet.ends.minute, second=0, microsecond=0)
    return end if end > local else end + timedelta(days=1)


def mark_read(*, by: Any, notification_id: int | str, product: str, now: datetime | None = None) -> Notification:
    """The person opened it; again is free. `notification_id` is the number or the public UUID.

    Raises `NotificationNotFound` for other people's rows too (contracts loyalty 1.6, tickets 1.5).
    """
    row = _own(by, notification_id, product)
    if row.read_at is None:
        moment = now or timezone.now()
        Notification.objects.filter(pk=row.pk, read_at=None).update(read_at=moment)
        row.refresh_from_db(fields=["read_at"])
    return row


def mark_all_read(*, by: Any, product: str, now: datetime | None = None) -> int:
    """Everything in the inbox is read; returns how many were not."""
    return Notification.objects.of(by.user.pk, product).unread().update(read_at=now or timezone.now())


def forget(*, by: Any, notification_id: int | str, product: str) -> None:
    """Delete one of one's own rows (contract tickets 1.5). Raises `NotificationNotFound`."""
    _own(by, notification_id, product).delete()


def _own(by: Any, notification_id: int | str, product: str) -> Notification:
    field_name = "pk" if isinstance(notification_id, int) else "public_id"
    row = Notification.objects.of(by.user.pk, product).filter(**{field_name: notification_id}).first()
    if row is None:
        raise NotificationNotFound()
    return row


def mark_sent(*, row_ids: Sequence[int], now: datetime | None = None) -> int:
    """A socket has written these rows; the first mark stays. Returns how many were unmarked until now."""
    return Notification.objects.filter(pk__in=row_ids, sent_at=None).update(sent_at=now or timezone.now())


def prune(*, days: int = READ_KEPT_DAYS, limit: int = 20_000, now: datetime | None = None) -> int:
    """Delete up to `limit` notifications (with their deliveries) older than `days`; returns how many rows went."""
    until = (now or timezone.now()) - timedelta(days=days)
    old = Notification.objects.filter(created_at__lt=until).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    return Notification.objects.filter(pk__in=ids).delete()[0]
