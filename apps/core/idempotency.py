"""Same key, same answer: for anything a client may send twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Invalid
from apps.core.models import IdempotencyRecord

LONGEST_KEY = 200
"""Characters; the column is no wider."""


class KeyTooLong(Invalid):
    """The key is longer than what we keep of it; cut, it could be another caller's: 422."""

    code = "idempotency_key_too_long"
    detail = "Idempotency key is too long"
    message = _("This key is too long")


class KeyReused(Conflict):
    """The key was used before with other content: 409."""

    code = "idempotency_key_reused"
    detail = "Idempotency key was already used with different content"
    message = _("This key was already used for something else")


@dataclass(frozen=True)
class Answer:
    """What was answered; `is_repeat` when it comes from the record."""

    status: int
    body: Any
    is_repeat: bool = False


def once(*, scope: str, key: str, content: Any, run: Callable[[], tuple[int, Any]]) -> Answer:
    """Run at most once per (scope, key) in one transaction with its record; a refusal leaves no record.

    Raises `KeyReused` for other content, `KeyTooLong`. Two at once: the second waits on the unique row and gets the
    first's answer.
    """
    ensure_key(key)
    mark = fingerprint(content)
    try:
        with transaction.atomic():
            record, is_new = IdempotencyRecord.objects.get_or_create(
                scope=scope, key=key, defaults={"fingerprint": mark}
            )
            if not is_new:
                return _repeat(record, mark)
            record.status, record.body = run()
            record.save(update_fields=["status", "body"])
            return Answer(record.status, record.body)
    except IntegrityError:
        record_of_the_winner = IdempotencyRecord.objects.filter(scope=scope, key=key).first()
        if record_of_the_winner is None:  # the broken constraint was the caller's own, not our key
            raise
        return _repeat(record_of_the_winner, mark)


def ensure_key(key: str) -> None:
    """Raise `KeyTooLong` for a key that does not fit into `LONGEST_KEY` characters."""
    if len(key) > LONGEST_KEY:
        raise KeyTooLong()


def _repeat(record: IdempotencyRecord, mark: str) -> Answer:
    if record.fingerprint != mark:
        raise KeyReused()
    return Answer(record.status or 200, record.body, is_repeat=True)


def fingerprint(content: Any) -> str:
    """SHA-256 of the content in a canonical form; bytes are taken as they are."""
    raw = content if isinstance(content, bytes) else json.dumps(content, sort_keys=True, default=str).encode()
    return hashlib.sha256(raw).hexdigest()


def prune(*, days: int = 7, now: datetime | None = None) -> int:
    """Forget answers older than `days`."""
    return IdempotencyRecord.objects.filter(created_at__lt=(now or timezone.now()) - timedelta(days=days)).delete()[0]
