"""Figures kept as bytes: analytics, heat maps, totals of long lists (design 3.25).

A version is renewed after each commit that changes tickets, so nobody is shown figures without his own change; the
seconds of `conf` bound the rest (people, names of categories, the moving start of a period). Only what takes long to
count may be a little older: in a city where somebody reports every second, counting anew for each look would leave no
time for anything else.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from typing import Any

import orjson
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

VERSION = "tickets:figures:version"
VERSION_SECONDS = 86_400
AT_ONCE_SECONDS = 0.02
"""What is counted in this time is never older than the last change."""


def kept(question: str, make: Callable[[], Any]) -> bytes:
    """The JSON of an answer, from the cache or made now. What `make` raises is not kept.

    The version is read before the rows: what was read before a write can only be kept under the old one.
    """
    seconds = settings.TICKETS.figures_seconds
    if not seconds:
        return orjson.dumps(make())
    key, version = _key(question), _version()
    found: tuple[str, float, bytes] | None = cache.get(key)
    if found is None or not (found[0] == version or time.time() < found[1]):
        made, spent = _timed(make)
        found = (version, time.time() + _patience(spent), orjson.dumps(made))
        cache.set(key, found, seconds)
    return found[2]


def total(question: str, count: Callable[[], int]) -> int:
    """How many there are; where counting takes long, how many there were some seconds ago."""
    key = _key(question)
    found: int | None = cache.get(key)
    if found is None:
        found, spent = _timed(count)
        if wait := min(math.ceil(_patience(spent)), settings.TICKETS.figures_seconds):
            cache.set(key, found, wait)
    return found


def forget() -> None:
    """Call inside the transaction of a write: after its commit nobody is shown the old figures."""
    transaction.on_commit(lambda: cache.delete(VERSION))


def _timed(make: Callable[[], Any]) -> tuple[Any, float]:
    started = time.time()
    return make(), time.time() - started


def _patience(spent: float) -> float:
    """For how many seconds an answer holds whatever changes."""
    return settings.TICKETS.figures_patience * spent if spent > AT_ONCE_SECONDS else 0.0


def _key(question: str) -> str:
    return f"tickets:figures:{hashlib.sha256(question.encode()).hexdigest()[:32]}"


def _version() -> str:
    found: str | None = cache.get(VERSION)
    if found is None:
        cache.add(VERSION, secrets.token_hex(6), VERSION_SECONDS)
        found = cache.get(VERSION) or ""
    return found
