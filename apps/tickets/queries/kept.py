"""Figures kept as bytes: analytics, heat maps, totals of long lists (design 3.25).

A namespace is made old by each commit that changes tickets, so nobody is shown figures without his own change; the
seconds of `conf` bound the rest (people, names of categories, the moving start of a period). Only what takes long to
count may be a little older: in a city where somebody reports every second, counting anew for each look would leave no
time for anything else. It is counted by one at a time: whoever asks meanwhile gets the last figure.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.core.cache import cache

from apps.core.kept import Namespace

T = TypeVar("T")

FIGURES = Namespace("tickets:counted")
AT_ONCE_SECONDS = 0.02
"""What is counted in this time is never older than the last change."""
COUNTING_SECONDS = 30
"""Who counts is waited for so long; if he is gone by then, somebody else counts."""


def kept(question: str, make: Callable[[], Any]) -> bytes:
    """The JSON of an answer, from the cache or made now. What `make` raises is not kept."""
    seconds = settings.TICKETS.figures_seconds
    if not seconds:
        return orjson.dumps(make())

    def made(_version: int) -> tuple[bytes, float]:
        body, until = _patiently(question, lambda: orjson.dumps(make()))
        return body, until - time.time() if until else seconds

    return FIGURES.answer(question, made).body


def total(question: str, count: Callable[[], int]) -> int:
    """How many there are; where counting takes long, how many there were some seconds ago."""
    return _patiently(question, count)[0]


def forget() -> None:
    """Call inside the transaction of a write: after its commit nobody is shown the old figures."""
    FIGURES.forget()


def _patiently(question: str, make: Callable[[], T]) -> tuple[T, float]:
    """What was made, and until when it holds whatever changes; 0 where it is made so quickly that it never does."""
    slot = f"tickets:slow:{hashlib.sha256(question.encode()).hexdigest()[:32]}"
    busy = f"{slot}:busy"
    last: tuple[T, float] | None = cache.get(slot)
    if last is not None and (time.time() < last[1] or not cache.add(busy, 1, COUNTING_SECONDS)):
        return last
    try:
        return _made(slot, make, is_known=last is not None)
    finally:
        if last is not None:
            cache.delete(busy)


def _made(slot: str, make: Callable[[], T], *, is_known: bool) -> tuple[T, float]:
    started = time.time()
    made = make()
    wait = _patience(time.time() - started)
    if wait:
        found = (made, time.time() + wait)
        cache.set(slot, found, int(wait) + COUNTING_SECONDS)
        return found
    if is_known:
        cache.delete(slot)
    return made, 0.0


def _patience(spent: float) -> float:
    """For how many seconds an answer holds whatever changes."""
    figures = settings.TICKETS
    return min(figures.figures_patience * spent, figures.figures_seconds) if spent > AT_ONCE_SECONDS else 0.0
