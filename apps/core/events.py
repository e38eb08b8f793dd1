"""Facts: published inside the transaction that makes them true.

`@on` handlers run at once in the same transaction (money and state that must agree).
`@after` handlers get one outbox row each, delivered after commit, at least once, retried with backoff (design 3.7).
"""

from __future__ import annotations

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection, models, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerOut
from redis.exceptions import RedisError

from apps.core.models import OutboxMessage

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 12
SUSPICIOUS_ATTEMPTS = 3
"""So many claims without any result: the worker must have died."""
CLAIM_SECONDS = 120
"""A relay that dies leaves its rows claimable after this long."""

AWAKE = "outbox:awake"
AWAKE_SECONDS = 5
"""How long a call to the relay counts as made, should the worker have died with it: the period of the sweep."""

FIRST_PAUSE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 3600


_INSERT = "INSERT INTO core_outboxmessage (event, handler, payload, created_at, due_at, attempts, last_error) VALUES "


@dataclasses.dataclass(frozen=True)
class Event:
    """Base of facts: frozen dataclasses in past tense that hold ids and small JSON values."""

    @classmethod
    def label(cls) -> str:
        """`urgent.OrderTaken`: the app and the class."""
        return f"{cls.__module__.split('.')[1]}.{cls.__name__}"


E = TypeVar("E", bound=Event)
Handler = Callable[[Any], None]

_types: dict[str, type[Event]] = {}
_now: dict[str, list[Handler]] = defaultdict(list)
_later: dict[str, dict[str, Handler]] = defaultdict(dict)


def on(kind: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Run the handler in the publisher's transaction; its failure rolls everything back."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        _types[kind.label()] = kind
        if handler not in _now[kind.label()]:
            _now[kind.label()].append(handler)
        return handler

    return register


def after(kind: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Run the handler after commit, at least once; it must bear being run twice."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        _types[kind.label()] = kind
        _later[kind.label()][f"{handler.__module__}.{handler.__qualname__}"] = handler
        return handler

    return register


class RetryLater(Exception):
    """A handler asks to be called again after `seconds`; that is no failure and never leads to the dead letters."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


def publish(*events: Event) -> None:
    """Announce facts. Must run inside a transaction; raises `TransactionManagementError` otherwise."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a fact is published inside the transaction that makes it true")
    rows = [row for event in events for row in _announce(event)]
    if rows:
        _write(rows)
        transaction.on_commit(_wake_relay)


def _write(rows: list[OutboxMessage]) -> None:
    """One fixed statement: facts are written on hot paths (design 3.25)."""
    ops = connection.ops
    values = [
        value
        for row in rows
        for value in (
            *(row.event, row.handler, ops.adapt_json_value(row.payload, None)),
            *(ops.adapt_datetimefield_value(row.created_at), ops.adapt_datetimefield_value(row.due_at)),
        )
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT + ", ".join(["(%s, %s, %s, %s, %s, 0, '')"] * len(rows)), values)


def _announce(event: Event) -> list[OutboxMessage]:
    label = event.label()
    for handler in _now.get(label, ()):
        handler(event)
    payload = dataclasses.asdict(event)
    return [OutboxMessage(event=label, handler=name, payload=payload) for name in _later.get(label, ())]


def _wake_relay() -> None:
    if settings.OUTBOX_RELAY == "worker":
        # By name: `core.tasks` imports this module. The fact is committed: without a broker the sweep delivers it.
        # A relay that was called and has not begun yet will see this row too.
        try:
            if cache.add(AWAKE, 1, timeout=AWAKE_SECONDS):
                current_app.send_task("apps.core.tasks.relay_outbox")
        except (BrokerOut, RedisError):
            log.warning("the broker is out, the sweep will deliver")
    elif settings.OUTBOX_RELAY == "in_place":
        relay()


def relay(*, limit: int = 500, now: datetime | None = None) -> int:
    """Deliver due messages oldest first and return how many were tried. Many relays may run side by side."""
    if settings.OUTBOX_RELAY == "worker":
        cache.delete(AWAKE)
    tried = 0
    while tried < limit and (batch := _claim(min(50, limit - tried), now or timezone.now())):
        for message in batch:
            if message.due_at is None or timezone.now() >= message.due_at:
                break  # slow handlers ate the claim: the rest may be in another relay's hands
            _deliver(message)
        tried += len(batch)
    return tried


def _claim(size: int, now: datetime) -> list[OutboxMessage]:
    """Take due rows by moving their due time past the claim; another relay no longer sees them."""
    with transaction.atomic():
        due = OutboxMessage.objects.filter(due_at__lte=now, delivered_at=None, dead_at=None).order_by("due_at", "id")
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        batch = _without_company(list(due[:size]))
        for message in batch:
            message.attempts += 1
            message.due_at = timezone.now() + timedelta(seconds=CLAIM_SECONDS)
        OutboxMessage.objects.bulk_update(batch, ["attempts", "due_at"])
    return batch


def _without_company(batch: list[OutboxMessage]) -> list[OutboxMessage]:
    """A message that was claimed again and again without a word of how it ended kills its worker: it is tried alone,

    so that its neighbours do not use up their attempts, and after the last attempt it is a dead letter like any other.
    """
    suspects = [message for message in batch if message.attempts >= SUSPICIOUS_ATTEMPTS and not message.last_error]
    for message in suspects[:1]:
        if message.attempts >= MAX_ATTEMPTS:
            message.dead_at, message.last_error = timezone.now(), "its worker died each time"
            message.save(update_fields=["dead_at", "last_error"])
            return [other for other in batch if other not in suspects]
    return suspects[:1] or batch


def _deliver(message: OutboxMessage) -> None:
    claimed_until = message.due_at
    try:
        _call(message)
    except RetryLater as wish:
        message.due_at = timezone.now() + timedelta(seconds=wish.seconds)
        message.attempts -= 1
        message.last_error = ""
    except Exception as problem:  # the handler is foreign ground: whatever it raises is kept, shown and tried again
        _put_back(message, problem)
    else:
        message.delivered_at, message.last_error = timezone.now(), ""
    # Only while the claim is ours: a handler that outlived it must not undo what the next relay has written.
    OutboxMessage.objects.filter(pk=message.pk, due_at=claimed_until, delivered_at=None, dead_at=None).update(
        due_at=message.due_at,
        attempts=message.attempts,
        delivered_at=message.delivered_at,
        dead_at=message.dead_at,
        last_error=message.last_error,
    )


def _call(message: OutboxMessage) -> None:
    kind = _types.get(message.event)
    handler = _later.get(message.event, {}).get(message.handler)
    if kind is None or handler is None:
        raise LookupError(f"nobody handles {message.event} as {message.handler}")
    handler(kind(**message.payload))


def _put_back(message: OutboxMessage, problem: Exception) -> None:
    # Only the class and the place: the text of an exception may hold a phone or a code.
    message.last_error = f"{type(problem).__name__} in {message.handler.rsplit('.', 1)[-1]}"
    log.warning("outbox delivery failed", extra={"message_id": message.pk, "problem": type(problem).__name__})
    if message.attempts >= MAX_ATTEMPTS:
        message.dead_at = timezone.now()
    else:
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (message.attempts - 1), LONGEST_PAUSE_SECONDS)
        message.due_at = timezone.now() + timedelta(seconds=pause)


def revive(messages: Any) -> int:
    """Put dead letters back in the queue with fresh attempts; returns how many."""
    dead: models.QuerySet[OutboxMessage] = messages.filter(dead_at__isnull=False)
    return dead.update(dead_at=None, attempts=0, due_at=timezone.now(), last_error="")


def prune(*, days: int = 14, now: datetime | None = None) -> int:
    """Delete messages delivered more than `days` ago; dead letters stay until a person looks at them."""
    limit = (now or timezone.now()) - timedelta(days=days)
    return OutboxMessage.objects.filter(delivered_at__lt=limit).delete()[0]


def handlers() -> dict[str, list[str]]:
    """Who listens to what, for the admin and for tests."""
    return {label: sorted(names) for label, names in _later.items()}
